"""What the past of a home taught, over its learned days: the detectors ask it what is usual."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from app.alerts.learning import DayFacts

LEAST_DAYS: Final = 14
"""With fewer days there is nothing usual yet."""
LEAST_SPELLS: Final = 8
LATELY_DAYS: Final = 14
USUAL_LATELY: Final = 3
_RARELY_DAYS: Final = 30
"""Once in so many days is what a limit may have been exceeded in the past."""
_SLACK: Final = 1.5


@dataclass(frozen=True, slots=True)
class UsualSpell:
    """How long something is usually open or on: over `days` days, `count` times, `longest` the longest.

    `limit` is the stay that it exceeded no more than once in thirty days, and half as long again.
    """

    days: int
    count: int
    longest: timedelta
    limit: timedelta


@dataclass(frozen=True, slots=True)
class UsualUse:
    """How often something is used in an hour: on `days` days, `mean` a day and `variance` in the hours around
    this one, and never more than `most` in any hour.
    """

    days: int
    mean: float
    variance: float
    most: int


@dataclass(frozen=True)
class Learned:
    """The learned days of a home, the oldest first."""

    days: Sequence[DayFacts] = ()
    _spells: Mapping[str, list[int]] = field(default_factory=dict)
    _night: Mapping[str, int] = field(default_factory=dict)
    _away: Mapping[str, int] = field(default_factory=dict)
    _middle: Mapping[str, float] = field(default_factory=dict)
    _talking: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    _gone: Mapping[str, int] = field(default_factory=dict)
    _shut: frozenset[str] = frozenset()
    _uses: Mapping[str, Sequence[tuple[bool, Mapping[str, int]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, days: Iterable[DayFacts]) -> "Learned":
        ordered = sorted(days, key=lambda one: one.day)
        spells: dict[str, list[int]] = {}
        middles: dict[str, list[float]] = {}
        talking: dict[str, tuple[int, int, int]] = {}
        gone: dict[str, int] = {}
        uses: dict[str, list[tuple[bool, Mapping[str, int]]]] = {}
        shut: set[str] = set()
        for facts in ordered:
            weekend = date.fromisoformat(facts.day).weekday() >= 5
            for entity_id, own in facts.spells.items():
                spells.setdefault(entity_id, []).extend(own)
            for entity_id, (_, middle, _) in facts.range.items():
                middles.setdefault(entity_id, []).append(middle)
            for entity_id, (count, longest) in facts.gaps.items():
                known = talking.get(entity_id, (0, 10**9, 0))
                talking[entity_id] = (known[0] + 1, min(known[1], count), max(known[2], longest))
            for entity_id, seconds in facts.gone.items():
                gone[entity_id] = max(gone.get(entity_id, 0), seconds)
            for entity_id, hours in facts.uses.items():
                uses.setdefault(entity_id, []).append((weekend, hours))
            shut.update(facts.shut)
        return cls(
            days=tuple(ordered),
            _spells={key: sorted(own, reverse=True) for key, own in spells.items()},
            _night=_lately(ordered, "night"),
            _away=_lately(ordered, "away"),
            _middle={key: sorted(own)[len(own) // 2] for key, own in middles.items() if len(own) >= 3},
            _talking=talking,
            _gone=gone,
            _shut=frozenset(shut),
            _uses=uses,
        )

    @property
    def enough(self) -> bool:
        """Whether there are days enough to say what is usual at all."""
        return len(self.days) >= LEAST_DAYS

    def spell(self, entity_id: str) -> UsualSpell | None:
        """Return how long it is usually open or on, None while that is not known."""
        own = self._spells.get(entity_id, [])
        if not self.enough or len(own) < LEAST_SPELLS:
            return None
        exceeded = min(len(self.days) // _RARELY_DAYS, len(own) - 1)
        return UsualSpell(
            days=len(self.days),
            count=len(own),
            longest=timedelta(seconds=own[0]),
            limit=timedelta(seconds=own[exceeded] * _SLACK),
        )

    def open_at_night(self, entity_id: str) -> bool | None:
        """Whether it is usual of late that this is open at night; None while that is not known."""
        return self._night.get(entity_id, 0) >= USUAL_LATELY if self.enough else None

    def open_when_away(self, entity_id: str) -> bool | None:
        """Whether it is usual of late that this is open with nobody home; None while that is not known."""
        return self._away.get(entity_id, 0) >= USUAL_LATELY if self.enough else None

    def middle(self, entity_id: str) -> float | None:
        """Return the figure in the middle of what a sensor showed, None without three days of it."""
        return self._middle.get(entity_id)

    def longest_silence(self, entity_id: str) -> timedelta | None:
        """Return the longest a sensor that spoke at least four times on each day was silent; else None."""
        known = self._talking.get(entity_id)
        if not self.enough or known is None or known[0] < 0.9 * len(self.days) or known[1] < 4:
            return None
        return timedelta(seconds=known[2])

    def longest_gone(self, entity_ids: Iterable[str]) -> timedelta:
        """Return the longest that any of these was unavailable."""
        return timedelta(seconds=max((self._gone.get(one, 0) for one in entity_ids), default=0))

    def seen_shut(self, entity_id: str) -> bool:
        return entity_id in self._shut

    def use(self, entity_id: str, hour: int, *, weekend: bool) -> UsualUse | None:
        """Return how often it is used around that hour on such days; None where the days are too few.

        Days on which it was not used at all count as none, from the first on which it was.
        """
        own = self._uses.get(entity_id)
        days = sum(1 for one in self.days if (date.fromisoformat(one.day).weekday() >= 5) is weekend)
        if not self.enough or not own or days < (6 if weekend else LEAST_DAYS):
            return None
        around = [str((hour + step) % 24) for step in (-1, 0, 1)]
        busiest = [max(hours.get(one, 0) for one in around) for kind, hours in own if kind is weekend]
        busiest = (busiest + [0] * days)[:days]
        mean = math.fsum(busiest) / days
        variance = math.fsum((one - mean) ** 2 for one in busiest) / max(days - 1, 1)
        most = max(count for _, hours in own for count in hours.values())
        return UsualUse(len(self.days), mean, variance, most)


def _lately(days: Sequence[DayFacts], what: str) -> dict[str, int]:
    """Return on how many of the last fourteen learned days each was open then."""
    found: dict[str, int] = {}
    for facts in days[-LATELY_DAYS:]:
        for entity_id in getattr(facts, what):
            found[entity_id] = found.get(entity_id, 0) + 1
    return found
