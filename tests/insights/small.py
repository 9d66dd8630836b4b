"""A home and figures small enough to hold in the hand, for the insights' tests."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.alerts import figures as alert_figures
from app.clock import TurnedClock
from app.errors import InputError, NeighbourError
from app.figures import Figure, FigureAbout
from app.hub.now import Change, HubNotification, LiveState, LogEntry, Period, Span, StatisticKind
from app.insights.assessing import Assessor
from app.insights.checking import read_scorecard
from app.insights.readings import Reading, Readings
from app.insights.scorecard import Scorecard, reading_key
from app.insights.shipped import shipped_texts
from app.statistics import figures as statistics_figures

MORNING = datetime(2026, 3, 10, 5, 0, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@dataclass
class SmallHome:
    """A HomeNow of what it is given; `away` makes it answer nothing, `slow` never answer."""

    since: datetime | None = MORNING
    given: dict[str, LiveState] = field(default_factory=dict)
    kinds: list[StatisticKind] = field(default_factory=list)
    past: dict[str, list[Span]] = field(default_factory=dict)
    templates: dict[str, str | Exception] = field(default_factory=dict)
    slow: bool = False
    asked: list[tuple[datetime, datetime, Period]] = field(default_factory=list)
    listening: list[Callable[[Sequence[Change]], None]] = field(default_factory=list)

    def start(self) -> None:
        """Do nothing: it has what it is given."""

    def put(self, entity_id: str, state: object, **attributes: Any) -> None:
        at = MORNING - timedelta(hours=1)
        self.given[entity_id] = LiveState(entity_id, str(state), attributes, at, at)

    def states(self) -> Mapping[str, LiveState]:
        return self.given

    def listen(self, hear: Callable[[Sequence[Change]], None]) -> Callable[[], None]:
        self.listening.append(hear)
        return lambda: self.listening.remove(hear)

    async def statistics(self) -> Sequence[StatisticKind]:
        await self._answer()
        return self.kinds

    async def spans(
        self, statistic_ids: Sequence[str], since: datetime, until: datetime, period: Period
    ) -> Mapping[str, Sequence[Span]]:
        await self._answer()
        self.asked.append((since, until, period))
        return {one: self.past[one] for one in statistic_ids if one in self.past}

    async def energy_ids(self) -> Sequence[str]:
        await self._answer()
        return ()

    async def render(self, template: str) -> str:
        await self._answer()
        found = self.templates.get(template, InputError("TemplateSyntaxError: unexpected end"))
        if isinstance(found, Exception):
            raise found
        return found

    async def log(self) -> Sequence[LogEntry]:
        await self._answer()
        return ()

    async def notifications(self) -> Sequence[HubNotification]:
        await self._answer()
        return ()

    async def close(self) -> None:
        self.since = None

    async def _answer(self) -> None:
        if self.slow:
            await asyncio.Event().wait()
        if self.since is None:
            raise NeighbourError("Home Assistant is away")


@dataclass
class SmallFigures:
    """Figures by name; None is one that is not known yet."""

    given: dict[str, float | None] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)

    @property
    def about(self) -> Mapping[str, FigureAbout]:
        return {name: known_as(name) for name in (*self.given, *self.failing)}

    async def figure(self, home_id: str, name: str) -> Figure:
        await asyncio.sleep(0)
        if home_id != "home":
            raise KeyError(home_id)
        if name in self.failing:
            raise RuntimeError("a bug")
        value = self.given[name]
        return Figure(
            value, known_as(name).unit, MORNING, "" if value is not None else "Nothing was counted yet."
        )


KNOWN: dict[str, FigureAbout] = {**alert_figures.ABOUT, **statistics_figures.ABOUT}
"""The figures that there are."""


def known_as(name: str) -> FigureAbout:
    """Return what a figure is called; one of the tests' own goes by its name in words."""
    words = name.replace("_", " ")
    return KNOWN.get(name, FigureAbout(words, what=f"what {words} is", needs="Wait for it."))


ALL_WELL: dict[str, float | None] = {
    "alerts_open_critical": 0,
    "alerts_open_high": 0,
    "doors_open_last_night": 0,
    "devices_unavailable_share": 0,
    "batteries_low": 0,
    "comfort_temperature_share": 100,
    "comfort_humidity_share": 100,
    "comfort_co2_share": 100,
    "energy_ratio": 1.0,
}
"""The figures of the shipped card `home` in a home where nothing is wrong."""


def shipped(name: str) -> Scorecard:
    return read_scorecard(shipped_texts()[name])


def assessor(home: SmallHome, *figures: SmallFigures, clock: TurnedClock | None = None) -> Assessor:
    clock = clock or TurnedClock(MORNING)
    return Assessor(Readings(home, figures, clock), clock)


def read(card: Scorecard, values: Mapping[str, float | None], unit: str = "") -> dict[str, Reading]:
    """Return readings of a card by `category.metric`; what is not there is missing."""
    found = {}
    for category, metric in card.metrics():
        key = reading_key(category, metric)
        value = values.get(key)
        missing, to_do = "", ""
        if value is None:
            missing, to_do = f"Home Assistant has no {metric.entity}.", "Wait."
        read_from = metric.entity or "a place"
        found[key] = Reading(value, unit or metric.unit, read_from, MORNING, missing, to_do, read_from)
    return found


def simple(*categories: tuple[float, Sequence[float]], low: float = 50) -> Scorecard:
    """Return a card of categories (weight, weights of its metrics) that score 100 from `low` on, else 0."""
    return Scorecard.model_validate(
        {
            "name": "simple",
            "title": "Simple",
            "categories": tuple(
                {
                    "key": f"c{number}",
                    "title": f"Category {number}",
                    "weight": weight,
                    "metrics": tuple(
                        {
                            "key": f"m{place}",
                            "title": f"Metric {place}",
                            "weight": share,
                            "entity": f"sensor.c{number}_m{place}",
                            "bands": ({"at_least": low, "score": 100}, {"score": 0}),
                        }
                        for place, share in enumerate(shares)
                    ),
                }
                for number, (weight, shares) in enumerate(categories)
            ),
        }
    )
