"""Home Assistant's own validator looks at an automation of every kind that is ever offered."""

import asyncio
from typing import Any

import aiohttp
import numpy as np
import pytest

from app.habits.automation import automation_of
from app.habits.habit import Bound, Conditions, Habit, Trigger, When
from app.habits.targets import STATES, Target
from tests.habits.kinds import KINDS
from tests.real_hub.peer import RealHub

pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]

_NEVER_OFFERED = frozenset({"alarm_control_panel", "lawn_mower", "siren", "valve", "water_heater"})


def _target(domain: str, state: str) -> Target:
    none = np.empty(0, np.int64)
    return Target((f"{domain}.one", f"{domain}.two"), state, none, none.astype(np.bool_), none, none, none)


def _written() -> list[dict[str, Any]]:
    """Return every trigger, every condition and every action that can be written."""
    lamp = _target("light", "on")
    door = Trigger("binary_sensor.door", "on", "off")
    habits = [
        Habit("trigger", _target(domain, state), trigger=door)
        for domain, states in STATES.items()
        for state in states
        if domain not in _NEVER_OFFERED and (domain, state) != ("lock", "unlocked")
    ]
    habits += [
        Habit("trigger", lamp, trigger=trigger)
        for trigger in (
            Trigger("binary_sensor.motion", "off", "on", delay=300, held=True),
            Trigger("binary_sensor.motion", "off", "on", delay=300),
            Trigger("sensor.humidity", "above", above=68.0),
            Trigger("sensor.temperature", "below", below=19.5, delay=600, held=True),
            Trigger("zone.home", "not_home", below=1),
            Trigger("zone.home", "home", above=0),
            Trigger("light.one", "on", "off", delay=1200, held=True),
        )
    ]
    habits += [
        Habit("trigger", lamp, trigger=door, conditions=conditions)
        for conditions in (
            Conditions(quiet=15, away=480, hours=(1320, 360), day_type="workdays"),
            Conditions(dark=True, someone_home=True),
            Conditions(dark=False, someone_home=False),
            Conditions(state=("media_player.tv", "playing"), number=Bound("sensor.lux", below=40.0)),
            Conditions(number=Bound("sensor.lux", above=2.5)),
        )
    ]
    habits += [
        Habit("clock", _target("climate", "heat"), when=When("midnight", 405, "mondays")),
        Habit(
            "clock", lamp, when=When("midnight", 405, "daily"), steps=(Habit("clock", _target("fan", "off")),)
        ),
        Habit("sun", lamp, when=When("sunrise", 0, "weekends")),
        Habit("sun", lamp, when=When("sunset", -15, "daily")),
        Habit("trigger", _target("climate", "heat"), trigger=door, conditions=Conditions(away=30)),
    ]
    return [automation_of(habit, "one of each") for habit in habits]


async def test_the_hub_accepts_an_automation_of_every_kind(real_hub: RealHub) -> None:
    stories = await asyncio.to_thread(lambda: [make() for make in KINDS.values()])
    found = [
        one.automation for story in stories for one in (await asyncio.to_thread(story.mined)).suggestions
    ]
    assert len(found) >= len(KINDS)
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{real_hub.url}/api/websocket") as wire:
        await wire.receive_json()
        await wire.send_json({"type": "auth", "access_token": real_hub.token})
        assert (await wire.receive_json())["type"] == "auth_ok"
        for number, automation in enumerate([*_written(), *found], 1):
            parts = {name: automation[name] for name in ("triggers", "conditions", "actions")}
            await wire.send_json({"id": number, "type": "validate_config", **parts})
            answer = await wire.receive_json()
            assert all(part["valid"] for part in answer["result"].values()), (automation, answer["result"])
