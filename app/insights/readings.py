"""Reads what a scorecard asks for, each metric on its own: what fails is that metric's, and says why."""

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.clock import Clock
from app.errors import InputError, NeighbourError, NightshiftError
from app.events import number_of
from app.figures import Figure, FigureAbout, Figures
from app.hub.now import HomeNow, LiveState, Span, StatisticKind
from app.insights.naming import attribute_named, entity_named, read_from, source_of, statistic_named
from app.insights.scorecard import Metric, Scorecard, Take, reading_key
from app.jobs.text import one_line

_log = logging.getLogger(__name__)
_SECONDS_FOR_ONE: Final = 15.0
_SECONDS_FOR_ALL: Final = 120.0
_LONGEST_UNIT: Final = 20
_LONGEST_REASON: Final = 200
_TRUE: Final = frozenset({"on", "true"})
_FALSE: Final = frozenset({"off", "false"})
# Units that people spell in more than one way; Home Assistant's own spelling is the second.
_SPELLED: Final = {
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("hour", "hours"), "h"),
    **dict.fromkeys(("percent", "pct"), "%"),
}
_WRITE: Final = "in the scorecard"
_ENTITY_GONE: Final = f"Add it to Home Assistant, or write your own entity {_WRITE}."
_GIVES_NOTHING: Final = "Look in Home Assistant why it has no value."
_NO_NUMBER: Final = f"Write an entity, an attribute or a template that gives a number {_WRITE}."
_COMES_BACK: Final = "Nothing is to be done: it is read again when Home Assistant answers."
_NOT_KEPT: Final = f"It keeps those of sensors with a state class: write one of them {_WRITE}."
_FEW: Final = "It is read when half of that time has readings."
_LISTED: Final = f"Write one of those that Nightshift has {_WRITE}; its page lists them."


@dataclass(frozen=True, slots=True)
class Reading:
    """What one metric was read as; `value` None: `missing` says why, and `to_do` what helps.

    `read_from` is in words, `source` what it is known by again. `read_at` is when (UTC). `away`: the hub
    could not be asked, so that an earlier reading may stand in. `stale`: it is an earlier day's.
    """

    value: float | None
    unit: str
    read_from: str
    read_at: datetime
    missing: str = ""
    to_do: str = ""
    source: str = ""
    away: bool = False
    stale: bool = False


class Readings:
    """Reads scorecards from the home as it is now and from Nightshift's own figures."""

    def __init__(self, now: HomeNow, figures: Sequence[Figures], clock: Clock) -> None:
        self._now = now
        self._figures = figures
        self._clock = clock

    def figures(self) -> dict[str, FigureAbout]:
        """Return every figure there is by name, with what it is."""
        return _about(self._figures)

    async def read(self, home_id: str, zone: ZoneInfo, card: Scorecard) -> dict[str, Reading]:
        """Return every metric's reading by `reading_key`; never raises for what one of them does.

        Takes two minutes at most, whatever the hub does.
        """
        asking = _Asking(self._now, self._figures, self._clock, home_id, zone)
        ends = asyncio.get_running_loop().time() + _SECONDS_FOR_ALL
        found: dict[str, Reading] = {}
        for category, metric in card.metrics():
            seconds = _SECONDS_FOR_ONE
            if metric.statistic is not None or metric.template is not None:
                seconds = min(seconds, ends - asyncio.get_running_loop().time())
            found[reading_key(category, metric)] = await asking.one(metric, seconds)
        return found


class _MissingError(NightshiftError):
    """A reading is not there; the message says why, in a sentence, and `to_do` what helps."""

    def __init__(self, said: str, to_do: str = "") -> None:
        super().__init__(said)
        self.to_do = to_do


@dataclass(slots=True)
class _Asking:
    """One scorecard's reading; the list of statistics is asked for once."""

    now: HomeNow
    figures: Sequence[Figures]
    clock: Clock
    home_id: str
    zone: ZoneInfo
    kinds: dict[str, StatisticKind] | None = None

    async def one(self, metric: Metric, seconds: float) -> Reading:
        """Return the metric's reading; what goes wrong is said in it."""
        at, unit, value = self.clock.now(), metric.unit, None
        away, missing, to_do = False, "", ""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                value, unit = await self._value(metric)
        except TimeoutError:
            away, missing, to_do = True, "The hub took too long to answer.", _COMES_BACK
        except NeighbourError as error:
            away, missing, to_do = True, f"The hub could not be asked: {error}", _COMES_BACK
        except _MissingError as error:
            missing, to_do = str(error), error.to_do
        except NightshiftError as error:
            missing = str(error)
        except Exception:  # noqa: BLE001 - one metric's edge: logged with its trace, the others are read
            _log.exception("The metric %s could not be read", metric.key)
            missing = "Reading it failed; Nightshift's log says more."
        return Reading(
            value=value,
            unit=_unit(unit),
            read_from=read_from(metric, _about(self.figures), self.now.states(), self.kinds or {}),
            read_at=at,
            missing=one_line(missing, _LONGEST_REASON),
            to_do=to_do,
            source=source_of(metric),
            away=away,
        )

    async def _value(self, metric: Metric) -> tuple[float, str]:
        if metric.figure is not None:
            return await self._figure(metric, metric.figure)
        if self.now.since is None:
            raise NeighbourError("it is away.")
        if metric.entity is not None:
            return self._entity(metric, metric.entity)
        if metric.statistic is not None:
            return await self._statistic(metric, metric.statistic)
        return await self._template(metric)

    async def _figure(self, metric: Metric, name: str) -> tuple[float, str]:
        for room in self.figures:
            if (about := room.about.get(name)) is not None:
                figure: Figure = await room.figure(self.home_id, name)
                if figure.value is None or not math.isfinite(figure.value):
                    raise _MissingError(figure.missing or "It is not known yet.", about.needs)
                return figure.value, metric.unit or figure.unit
        raise _MissingError(f"There is no figure {name}.", _LISTED)

    def _entity(self, metric: Metric, entity_id: str) -> tuple[float, str]:
        states = self.now.states()
        if (state := states.get(entity_id)) is None:
            raise _MissingError(f"Home Assistant has no {entity_id}.", _ENTITY_GONE)
        name = entity_named(entity_id, states)
        if state.state in {"unavailable", "unknown"}:
            raise _MissingError(f"{name} is {state.state}.", _GIVES_NOTHING)
        if metric.attribute is not None:
            if metric.attribute not in state.attributes:
                said = f"{name} has no attribute {metric.attribute}."
                raise _MissingError(said, f"Write one of its attributes {_WRITE}.")
            attribute = attribute_named(metric.attribute, name)
            return _number(state.attributes[metric.attribute], f"The {attribute}"), metric.unit
        return _number(state.state, name), _same_unit(metric, _unit_of(state))

    async def _statistic(self, metric: Metric, statistic_id: str) -> tuple[float, str]:
        if self.kinds is None:
            self.kinds = {kind.statistic_id: kind for kind in await self.now.statistics()}
        if (kind := self.kinds.get(statistic_id)) is None:
            raise _MissingError(f"Home Assistant keeps no long-term statistic {statistic_id}.", _NOT_KEPT)
        take, days = metric.take or "mean", metric.days or 1
        if not (kind.has_sum if take == "change" else kind.has_mean):
            other = "change" if kind.has_sum else "mean, min or max"
            said = f"{statistic_named(statistic_id, kind)} has no {take}; it has {other}."
            raise _MissingError(said, f"Write take: {other} {_WRITE}.")
        since, until = last_days(self.clock.now(), self.zone, days)
        spans = (await self.now.spans([statistic_id], since, until, "hour")).get(statistic_id, ())
        return _taken(spans, take, since, until), _same_unit(metric, kind.unit)

    async def _template(self, metric: Metric) -> tuple[float, str]:
        try:
            text = await self.now.render(metric.template or "")
        except InputError as error:
            said = str(error).removeprefix("template: ")
            raise _MissingError(f"The template is wrong: {said}", f"Mend it {_WRITE}.") from error
        return _number(text.strip(), "The template"), metric.unit


def _about(rooms: Sequence[Figures]) -> dict[str, FigureAbout]:
    return {name: about for room in rooms for name, about in room.about.items()}


def last_days(now: datetime, zone: ZoneInfo, days: int) -> tuple[datetime, datetime]:
    """Return where the last whole local days begin and end (UTC); a day has 23 to 25 hours."""
    today = now.astimezone(zone).date()
    start, end = (
        datetime.combine(day, time(), zone).astimezone(now.tzinfo) for day in (today - timedelta(days), today)
    )
    return start, end


def _taken(spans: Sequence[Span], take: Take, since: datetime, until: datetime) -> float:
    """Return the mean (each hour by its length), the lowest, the highest or the total of the spans.

    Raises _MissingError where less than half of the time has a reading: it would stand for too much.
    """
    having = [
        (span, value)
        for span in spans
        if since <= span.start < until and (value := getattr(span, take)) is not None and math.isfinite(value)
    ]
    covered = sum(((span.end - span.start) for span, _ in having), timedelta())
    if not having or covered * 2 < until - since:
        hours, of = round(covered / timedelta(hours=1)), round((until - since) / timedelta(hours=1))
        raise _MissingError(f"Only {hours} of {of} hours have a reading.", _FEW)
    values = [float(value) for _, value in having]
    if take == "mean":
        weights = [(span.end - span.start).total_seconds() for span, _ in having]
        return math.fsum(w * v for w, v in zip(weights, values, strict=True)) / math.fsum(weights)
    if take == "change":
        return math.fsum(values)
    return min(values) if take == "min" else max(values)


def _number(given: object, what: str) -> float:
    if isinstance(given, bool):
        return float(given)
    if isinstance(given, int | float):
        value: float | None = float(given) if abs(given) < 1e300 else None
    else:
        text = str(given)
        if text.lower() in _TRUE | _FALSE:
            return float(text.lower() in _TRUE)
        value = number_of(text)
    if value is None or not math.isfinite(value):
        said = one_line(str(given), 40) or "nothing"
        raise _MissingError(f"{what} says {said}, which is no number.", _NO_NUMBER)
    return value


def _unit_of(state: LiveState) -> str:
    unit = state.attributes.get("unit_of_measurement")
    return unit if isinstance(unit, str) else ""


def _same_unit(metric: Metric, unit: str) -> str:
    """Return the unit the reading has; bands written for another one would judge it wrongly."""
    if metric.unit and unit and _spelled(metric.unit) != _spelled(unit):
        said = f"It is in {_unit(unit)}, and the scorecard takes {metric.unit}."
        raise _MissingError(said, f"Write that unit, and bands for it, {_WRITE}.")
    return metric.unit or unit


def _spelled(unit: str) -> str:
    return _SPELLED.get(unit.strip().lower(), unit.strip())


def _unit(unit: str) -> str:
    return one_line(unit, _LONGEST_UNIT)
