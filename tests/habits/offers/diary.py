"""A home with one lamp that an automation works, and people who make something of it."""

import io
from datetime import date, datetime, timedelta
from typing import Any

from app.clock import to_ms
from app.events import Event, Events
from app.habits.offers.watched import Accepted, Proposal, Watched
from app.habits.snapshot import encode_snapshot, frame
from app.habits.suggestion import Analysis
from app.habits.worker import analyse
from app.model import Automation, Cause
from tests.habits.stories import Story

LAMP, AT = "light.lamp", 19 * 60


def wiring(*, at: str = "19:00:00", action: str = "light.turn_on", lamp: str = LAMP) -> dict[str, Any]:
    return {
        "alias": "Lamp in the evening",
        "triggers": [{"trigger": "time", "at": at}],
        "conditions": [],
        "actions": [{"action": action, "target": {"entity_id": [lamp]}}],
        "mode": "single",
    }


class Diary(Story):
    """A diary whose machines are told by name."""

    def __init__(self, days: int = 30, start: date = date(2026, 1, 5)) -> None:
        super().__init__(days, start=start)
        self.heartbeat()
        # What is known first of a thing is no act.
        self.set(LAMP, "off", self.at(0, 1))
        self.accepted: list[Accepted] = []

    def made(
        self,
        config: dict[str, Any] | None = None,
        name: str = "lamp",
        *,
        ours: int | None = None,
        **facts: Any,
    ) -> str:
        """Let there be an automation; accepted at noon of that day, if it is `ours`."""
        whole = config or wiring()
        unique_id = f"nightshift_{name}" if ours is not None else f"own_{name}"
        entity_id = f"automation.{name}"
        known = {"alias": whole["alias"], "config": {"id": unique_id, **whole}, **facts}
        self.automations.append(Automation(entity_id=entity_id, unique_id=unique_id, **known))
        if ours is not None:
            self.accepted.append(
                Accepted(
                    suggestion_id=name, unique_id=unique_id, since=self.at(ours, 720), mode="enabled",
                    automation=whole,
                )
            )  # fmt: skip
        return entity_id

    def runs(
        self, actor: str, when: datetime, state: str = "on", entity_id: str = LAMP, context: int = 0
    ) -> None:
        if entity_id not in self.entities:
            self.entity(entity_id)
        number = context or next(self._contexts)
        self.events.append(Event(entity_id, state, to_ms(when), Cause.MACHINE, number, actor))

    def evening(
        self, actor: str, day: int, *, undone: float | None = None, off: float = 23 * 60, at: float = AT
    ) -> None:
        """Let the automation turn the lamp on, and people turn it off again: minutes after, or at night."""
        self.runs(actor, self.at(day, at))
        when = self.at(day, off) if undone is None else self.at(day, at) + timedelta(minutes=undone)
        self.set(LAMP, "off", when, Cause.HAND)

    def looked_at(self) -> Analysis:
        """Mine it as the night does: over the worker's own frames."""
        end = self.at(self.days, 180)
        rows = sorted(self.events, key=lambda one: one.at)
        payload = encode_snapshot(self.home(), end, accepted=self.accepted)
        for start in range(0, len(rows), 500):
            payload += frame(Events.of(rows[start : start + 500]).encode())
        return Analysis.model_validate_json(analyse(io.BytesIO(payload), lambda _step, _done, _of: None))

    def watched(self, name: str = "lamp") -> Watched:
        (one,) = [each for each in self.looked_at().watched if each.entity_id == f"automation.{name}"]
        return one

    def verdict(self) -> Proposal:
        said = self.watched().proposal
        assert said is not None
        return said


def total(one: Watched) -> tuple[int, int, int, int]:
    """Return how often it fired, was undone, was done by hand, and was missed."""
    days = one.days
    return (
        sum(day.fired for day in days),
        sum(day.undone for day in days),
        sum(day.by_hand for day in days),
        sum(day.missed or 0 for day in days),
    )
