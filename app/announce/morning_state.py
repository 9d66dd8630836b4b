"""The two states of the morning over MQTT: scores, alerts, the last report; and the areas. Pure."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from app.alerts.alert import Alert, Level
from app.announce.status import TITLES_SHOWN, json_text
from app.insights.enough import lacking, why_not_enough
from app.insights.insight import ENOUGH, Insight
from app.insights.previous import Previous
from app.insights.trend import Trend
from app.jobs.text import one_line
from app.model import Home
from app.reports.report import Report
from app.statistics.measures import Quantity, room_sensors
from app.statistics.stats import PlaceStats

MAIN_SCORECARD: Final = "home"
"""Its score is a sensor from the start; those of others come with their first insight."""
MOST_AREAS: Final = 60
_MOST_SCORECARDS: Final = 10
_SLUG: Final = re.compile(r"[a-z0-9_]{1,50}")
_NAME_LENGTH: Final = 60
_TEXT_LENGTH: Final = 255
_DIGITS: Final = {Quantity.TEMPERATURE: 1, Quantity.HUMIDITY: 0, Quantity.CO2: -1}
"""No more than a sensor is good for: each change is a row in the hub's recorder."""


@dataclass(frozen=True, slots=True)
class AreaPlan:
    """An area by its key, with what it is measured by."""

    key: str
    name: str
    quantities: tuple[Quantity, ...]


@dataclass(frozen=True, slots=True)
class MorningPlan:
    """Which entities there are: scorecards by name, with their titles, and areas."""

    scorecards: tuple[tuple[str, str], ...] = ((MAIN_SCORECARD, ""),)
    areas: tuple[AreaPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class Scored:
    """The newest insight of a scorecard that is on, where its score is going, and the score before it."""

    insight: Insight
    trend: Trend
    previous: Previous | None


@dataclass(frozen=True, slots=True)
class MorningStanding:
    """How things stand. `home` None: not known yet; `places` are the home's (first) and its areas'."""

    scored: Sequence[Scored]
    alerts: Sequence[Alert]
    report: Report | None
    places: Sequence[PlaceStats]
    home: Home | None


def plan_of(standing: MorningStanding) -> MorningPlan:
    """Return which entities such a standing needs."""
    cards = {MAIN_SCORECARD: ""}
    for one in standing.scored[:_MOST_SCORECARDS]:
        cards[one.insight.scorecard] = one_line(one.insight.title, _NAME_LENGTH)
    return MorningPlan(tuple(cards.items()), _areas(standing.home))


def area_key(area_id: str) -> str:
    """Return what an area is called in entity ids: its id, or a digest of one that is no slug."""
    if _SLUG.fullmatch(area_id):
        return area_id
    return hashlib.sha256(area_id.encode("utf-8", "replace")).hexdigest()[:12]


def morning_message(standing: MorningStanding, plan: MorningPlan) -> str:
    """Return scores, open alerts by level and the last report as JSON; unknown is null."""
    scored = {one.insight.scorecard: one for one in standing.scored}
    levels = [one.level for one in standing.alerts]
    worst = sorted(standing.alerts, key=lambda one: tuple(Level).index(one.level))
    return json_text(
        {
            "scores": {name: _score(scored.get(name)) for name, _ in plan.scorecards},
            "alerts": {
                "open": len(levels),
                **{level.value: levels.count(level) for level in Level},
                "titles": _lines(one.title for one in worst),
            },
            "report": _report(standing.report),
        }
    )


def areas_message(standing: MorningStanding, plan: MorningPlan) -> str:
    """Return what was counted and measured in the home and in each area as JSON; unknown is null."""
    by_area = {place.area_id: place for place in standing.places}
    own = by_area.get("")
    keys = {area_key(place.area_id): place for place in standing.places if place.area_id}
    return json_text(
        {
            "events_today": own.stats.events_today if own else None,
            "automations_fired_today": own.stats.automations_fired_today if own else None,
            "areas": {area.key: _area(area, keys.get(area.key)) for area in plan.areas},
        }
    )


def _areas(home: Home | None) -> tuple[AreaPlan, ...]:
    if home is None:
        return ()
    measured: dict[str, set[Quantity]] = {}
    for sensor in room_sensors(home):
        measured.setdefault(sensor.area_id, set()).add(sensor.quantity)
    return tuple(
        AreaPlan(
            area_key(area.area_id),
            one_line(area.name, _NAME_LENGTH),
            tuple(one for one in Quantity if one in measured.get(area.area_id, ())),
        )
        for area in home.areas[:MOST_AREAS]
    )


def _score(scored: Scored | None) -> dict[str, Any]:
    if scored is None:
        return {"score": None, "details": {}}
    insight, before = scored.insight, scored.previous
    return {
        "score": insight.known_score,
        "details": {
            "breakdown": {one_line(one.title, _NAME_LENGTH): one.score for one in insight.health_breakdown},
            "day": insight.day.isoformat(),
            "trend": scored.trend.direction,
            "trend_change": None if scored.trend.change is None else round(scored.trend.change, 1),
            "confidence": _share(insight.confidence),
            "sufficient": insight.sufficient,
            "reason": why_not_enough(insight),
            "partial_score": None if insight.sufficient else insight.health_score,
            "missing": [one_line(one.line, _TEXT_LENGTH) for one in islice(lacking(insight), TITLES_SHOWN)],
            "previous_score": before.score if before else None,
            "previous_confidence": _share(before.confidence) if before else None,
            "previous_day": before.day.isoformat() if before else None,
            "comparable": before is not None and before.comparable,
            "stale_since": insight.stale_since.isoformat(timespec="seconds") if insight.stale_since else None,
            "recommendations": _lines(one.title for one in insight.recommendations),
        },
    }


def _share(confidence: float) -> float:
    """Return a confidence in hundredths; what is less than enough is never rounded up to it."""
    rounded = round(confidence, 2)
    return rounded if rounded < ENOUGH or confidence >= ENOUGH else ENOUGH - 0.01


def _report(report: Report | None) -> dict[str, Any]:
    if report is None:
        return {"generated_at": None, "details": {}}
    return {
        "generated_at": report.generated_at.isoformat(timespec="seconds"),
        "details": {
            "report_id": report.report_id,
            "kind": report.kind,
            "title": one_line(report.title, _TEXT_LENGTH),
            "summary": one_line(report.summary, _TEXT_LENGTH),
            "first_day": report.first_day.isoformat(),
            "last_day": report.last_day.isoformat(),
        },
    }


def _area(area: AreaPlan, place: PlaceStats | None) -> Mapping[str, float | int | None]:
    if place is None:
        return {"events_today": None, **dict.fromkeys(area.quantities)}
    measured = {one: getattr(place.stats, one) for one in area.quantities}
    return {
        "events_today": place.stats.events_today,
        **{one: None if value is None else _rounded(value, one) for one, value in measured.items()},
    }


def _rounded(value: float, quantity: Quantity) -> float:
    rounded = round(value, _DIGITS[quantity])
    return rounded if _DIGITS[quantity] > 0 else int(rounded)


def _lines(titles: Iterable[str]) -> list[str]:
    return [one_line(title, _TEXT_LENGTH // 2) for title in islice(titles, TITLES_SHOWN)]
