"""How often things are used, day by day: the ground for what is worth noting though it is no automation."""

from dataclasses import dataclass

import numpy as np

from app.events import Int64
from app.habits.days import Days
from app.habits.localtime import weekdays
from app.habits.targets import Target
from app.model import Home


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """How often people did one thing on each observed day (`numbers`, since 1970)."""

    target: Target
    numbers: Int64
    counts: Int64

    @property
    def a_day(self) -> float:
        return float(self.counts.mean()) if len(self.counts) else 0.0

    @property
    def weekend(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        return np.asarray(weekdays(self.numbers) >= 5, np.bool_)


def uses(targets: list[Target], days: Days) -> list[Use]:
    """Count people's acts for each target and observed day."""
    numbers = days.numbers[days.observed]
    found: list[Use] = []
    for target in targets:
        day = days.local.days(target.acts)
        counts = np.searchsorted(np.sort(day), numbers, "right") - np.searchsorted(
            np.sort(day), numbers, "left"
        )
        found.append(Use(target, numbers, counts.astype(np.int64)))
    return found


def by_room(used: list[Use], home: Home) -> list[tuple[str, float]]:
    """Return the rooms with people's acts a day in them, the most used first."""
    rooms = {area.area_id: area.name for area in home.areas}
    area_of = {entity.entity_id: entity.area_id for entity in home.entities}
    totals: dict[str, float] = {}
    for use in used:
        room = rooms.get(area_of.get(use.target.anchor) or "", "")
        if room:
            totals[room] = totals.get(room, 0.0) + use.a_day
    return sorted(totals.items(), key=lambda pair: (-pair[1], pair[0]))
