"""The blueprints of alerts and scores: valid in a real hub, and they act on what they are meant for."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.morning import (
    Hand,
    Sensors,
    Watcher,
    comes_to,
    hand,
    phone,
    sensors,
    told,
    watcher,
)

__all__ = ["hand", "phone", "sensors", "told", "watcher"]
pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]
_BLUEPRINTS = Path(__file__).parents[2] / "blueprints/automation/nightshift"


@asynccontextmanager
async def used(hand: Hand, name: str, **inputs: Any) -> AsyncIterator[None]:
    """Have the hub take a blueprint, check what it makes of it, and run an automation made from it."""
    folder = hand.hub.config / "blueprints/automation/nightshift"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text((_BLUEPRINTS / name).read_text("utf-8"), "utf-8")
    path, made = f"nightshift/{name}", f"uses_{secrets.token_hex(3)}"
    known = await hand.say("blueprint/list", domain="automation")
    assert "error" not in known[path], known[path]
    whole = await hand.say("blueprint/substitute", domain="automation", path=path, input=inputs)
    parts = whole["substituted_config"]
    checked = await hand.say(
        "validate_config", **{part: parts[part] for part in ("triggers", "conditions", "actions")}
    )
    assert all(one["valid"] for one in checked.values()), checked
    use = {"alias": made, "use_blueprint": {"path": path, "input": inputs}}
    async with hand.http.post(f"/api/config/automation/config/{made}", json=use) as reply:
        assert reply.status == 200, await reply.text()
    await hand.becomes(f"automation.{made}", "on")
    try:
        yield
    finally:
        await hand.delete(made)
        (folder / name).unlink()


@dataclass
class Note:
    """What an automation writes down into the side bar."""

    hand: Hand
    name: str = field(default_factory=lambda: f"note_{secrets.token_hex(3)}")

    def writes(self, template: str) -> dict[str, Any]:
        """Return the action."""
        data = {"notification_id": self.name, "message": template}
        return {"action": "persistent_notification.create", "data": data}

    async def says(self, text: str) -> None:
        """Wait until that is what was written last."""
        async with asyncio.timeout(60):
            while await self.said() != text:
                await asyncio.sleep(0.1)

    async def said(self) -> str:
        stands = await self.hand.say("persistent_notification/get")
        return next((str(one["message"]) for one in stands if one["notification_id"] == self.name), "")


async def test_the_blueprint_of_alerts_acts_on_each_critical_one_and_on_no_others(
    watcher: Watcher, sensors: Sensors, hand: Hand
) -> None:
    tail = secrets.token_hex(3)
    leaks = [f"binary_sensor.leak_{number}_{tail}" for number in range(4)]
    remote = f"sensor.remote_{tail}"
    notes = {entity_id: Note(hand, f"note_{entity_id}") for entity_id in (*leaks, remote)}
    write = Note(hand, "note_{{ entity_id }}").writes("{{ level }} {{ kind }}: {{ title }}")
    async with used(hand, "critical_alert.yaml", reaction=[write]):
        await sensors.set(remote, 4, device_class="battery", unit_of_measurement="%", friendly_name="Remote")
        await watcher.run("alert_detector")
        await comes_to(hand, "event.nightshift_alert", lambda said: said.get("entity_id") == remote)
        await asyncio.gather(*(sensors.set(one, "on", device_class="moisture") for one in leaks))
        for one in leaks:
            _, alert = await watcher.alert_about(one)
            await notes[one].says(f"critical water: {alert['title']}")
        assert await notes[remote].said() == ""


async def test_the_blueprint_of_the_score_acts_when_it_falls_and_not_when_it_rises(
    hand: Hand,
) -> None:
    name = f"note_{secrets.token_hex(3)}"
    write = Note(hand, name + "_{{ before }}").writes("{{ before }} to {{ score }}: {{ recommendations[0] }}")
    notes = {before: Note(hand, f"{name}_{before}") for before in (66, 56, 90, 40)}
    score = f"sensor.score_{secrets.token_hex(3)}"
    day = 0

    async def scores(points: int | str, before: int | None = None, *, comparable: bool = True) -> None:
        nonlocal day
        day += 1
        attributes = {
            "recommendations": ["Close the window"],
            "previous_score": before,
            "comparable": comparable,
            "day": f"day {day}",
        }
        said = {"state": str(points), "attributes": attributes}
        async with hand.http.post(f"/api/states/{score}", json=said) as reply:
            assert reply.status < 300

    await scores(80)
    async with used(hand, "score_fell.yaml", score_sensor=score, points=10, line=50, reaction=[write]):
        await scores("unavailable")
        for points, before in ((60, 80), (75, 60), (66, 75)):
            await scores(points, before)
        await scores(56, 66)
        await notes[66].says("66 to 56: Close the window")
        await scores(49, 56)
        await notes[56].says("56 to 49: Close the window")
        await scores(90, 49)
        await scores(40, 90, comparable=False)  # lower because less could be read
        await scores("unknown")  # too little is known
        await scores(40, 40)
        await scores(20, 40)
        await notes[40].says("40 to 20: Close the window")
        assert await notes[90].said() == ""
    async with hand.http.delete(f"/api/states/{score}"):
        pass
