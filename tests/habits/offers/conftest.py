"""A desk at which people decide: real decisions in a real database, over a hub's automations in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.bus import Bus
from app.clock import TurnedClock
from app.habits.announcements import SuggestionDecided
from app.habits.offers.decision import Via, Who
from app.habits.offers.decisions import Decisions
from app.habits.offers.deploying import Deploying
from app.habits.offers.exclusions import Exclusions
from app.habits.offers.offers import Offers
from app.habits.suggestion import Suggestion
from app.habits.suggestions import Suggestions
from app.hub.editor import AutomationEditor
from app.model import Area, Automation, Entity, Home, User
from app.neighbours import Neighbours, NeighbourState
from app.store.database import Store
from tests.habits.offers.hub import Editor
from tests.web.house import suggestion

NOW = datetime(2026, 5, 3, 8, 0, tzinfo=UTC)
ANA, BEN = Who("ana", Via.PAGE), Who("ben", Via.PHONE)
HOME = Home(
    time_zone="Europe/Amsterdam",
    areas=(Area(area_id="kitchen", name="Kitchen"),),
    entities=(
        Entity(entity_id="light.kitchen", name="Kitchen lamp", area_id="kitchen"),
        Entity(entity_id="light.hall", name="Hall lamp", area_id="hall"),
        Entity(entity_id="cover.blind", name="Blind", area_id="kitchen"),
        Entity(entity_id="switch.oven", name="Oven"),
    ),
    users=(User(id="ana", name="Ana", is_admin=True), User(id="ben", name="Ben", is_admin=True)),
)


def habit(entity_id: str = "light.kitchen", state: str = "on", **more: Any) -> dict[str, Any]:
    return {"entities": [entity_id], "state": state, "day_type": "workdays", "at": "07:00:00", **more}


def found(
    identity: str = "lamp", entity_id: str = "light.kitchen", state: str = "on", **more: Any
) -> Suggestion:
    """Return a suggestion about an entity."""
    actions = {"on": "turn_on", "off": "turn_off", "open": "open_cover", "closed": "close_cover"}
    action = f"{entity_id.partition('.')[0]}.{actions[state]}"
    automation = {
        "alias": f"{identity} at 7:00",
        "triggers": [{"trigger": "time", "at": "07:00:00"}],
        "conditions": [],
        "actions": [{"action": action, "target": {"entity_id": [entity_id]}}],
        "mode": "single",
    }
    given = {"title": f"{identity} at 7:00", "habit": habit(entity_id, state), "automation": automation}
    return suggestion(identity, **{**given, **more})


@dataclass
class Desk:
    """All that deciding needs. `kill` is what a crash leaves, `again` a new start on the same database."""

    store: Store
    clock: TurnedClock
    bus: Bus
    editor: Editor
    home: Home | None = HOME
    hand: AutomationEditor | None = None
    """Another hub's editor, in the place of the one in memory."""
    told: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bus.subscribe(SuggestionDecided, lambda said: self.told.append((said.verdict, said.by)))
        self.again()

    def again(self, *, hub: bool = True) -> None:
        self.neighbours = Neighbours(self.bus, self.clock)
        if hub:
            self.neighbours.set("hub", NeighbourState.OK)
        self.suggestions = Suggestions(self.store, self.bus, self.clock, lambda: self.home)
        self.decisions = Decisions(self.store, self.bus, self.clock)
        self.exclusions = Exclusions(self.store, self.clock)
        self.deploying = Deploying(
            home_id="home", editor=self.hand or self.editor, decisions=self.decisions,
            neighbours=self.neighbours, bus=self.bus, clock=self.clock,
        )  # fmt: skip
        self.offers = Offers(
            home_id="home", home=lambda: self.home, suggestions=self.suggestions, decisions=self.decisions,
            exclusions=self.exclusions, deploying=self.deploying, clock=self.clock,
        )  # fmt: skip

    async def offer(self, *suggestions: Suggestion) -> None:
        await self.suggestions.replace("home", "night", [(one, "") for one in suggestions])

    async def on_offer(self) -> list[str]:
        return [one.suggestion.id for one in await self.suggestions.offered("home")]

    async def kill(self) -> None:
        """Cut off whatever is being carried out."""
        await self.deploying.stop()

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            await asyncio.sleep(0.001)

    def described(self, **changes: Any) -> Home:
        """Return the home as the hub would describe it now."""
        return HOME.model_copy(
            update={
                "automations": tuple(
                    Automation(
                        entity_id=f"automation.{unique_id}",
                        unique_id=unique_id,
                        enabled=self.editor.on[unique_id],
                        config={"id": unique_id, **config, **changes},
                    )
                    for unique_id, config in self.editor.configs.items()
                )
            }
        )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    clock = TurnedClock(NOW)
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    desk = Desk(store, clock, Bus(), Editor())
    yield desk
    await desk.deploying.stop()
    await store.close()
