"""A day's insight as the page Home shows it: the number and a word, where it is going, what it is made of."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.insights.enough import NOT_ENOUGH, Lack, lacking, percent, why_not_enough
from app.insights.insight import ENOUGH, CategoryScore, Insight, MetricScore, Priority, Recommendation
from app.insights.numbers import with_unit
from app.insights.previous import Previous
from app.insights.trend import DAYS, Direction, Trend
from app.web.history import Moment, moment
from app.web.wording import counted, date_text, day_of, when

_WORDS: Final = (
    (90, "Very good", "good"),
    (75, "Good", "good"),
    (60, "Fair", "warning"),
    (40, "Needs attention", "warning"),
    (0, "In trouble", "failed"),
)
"""From which score on which word, and the mood of the page's top."""
_FEWEST: Final = 7


@dataclass(frozen=True, slots=True)
class MetricLine:
    """One metric; where it is missing, `missing` says why, `to_do` what helps, and there is no score.

    Texts may be hostile.
    """

    title: str
    value: str
    band: str
    score: int | None
    weight: str
    missing: str
    to_do: str
    read_from: str


@dataclass(frozen=True, slots=True)
class PartView:
    """One category; `score` None: nothing of it could be read, `few`: less than half of its weight was."""

    title: str
    weight: str
    score: int | None
    few: bool
    missing: str
    metrics: tuple[MetricLine, ...]


@dataclass(frozen=True, slots=True)
class AdviceView:
    """One recommendation; texts may be hostile."""

    anchor: str
    priority: Priority
    title: str
    message: str
    rests_on: str
    would_change: str


@dataclass(frozen=True, slots=True)
class ScoreView:
    """`number` None: too little is known for one, `lacking` is what is missing then. `direction` is the
    trend's, `before` the score before this one, `basis` what it rests on, `stale` why the readings are old;
    `trend`, `before` and `stale` may be "".
    """

    title: str
    number: int | None
    word: str
    mood: str
    direction: Direction
    trend: str
    before: str
    basis: str
    lacking: tuple[Lack, ...]
    stale: str
    made: Moment
    parts: tuple[PartView, ...]
    advice: tuple[AdviceView, ...]


def view_of_score(
    insight: Insight, going: Trend, previous: Previous | None, now: datetime, zone: ZoneInfo
) -> ScoreView:
    """Put an insight, its trend and the score before it into words."""
    word, mood = word_of(insight.known_score)
    return ScoreView(
        title=insight.title,
        number=insight.known_score,
        word=word,
        mood=mood,
        direction=going.direction,
        trend=_trend(going) if insight.sufficient else "",
        before=_before(insight, previous),
        basis=_basis(insight),
        lacking=() if insight.sufficient else tuple(lacking(insight)),
        stale=_stale(insight, now, zone),
        made=moment(insight.generated_at, now, zone),
        parts=tuple(_part(one) for one in insight.health_breakdown),
        advice=tuple(_advice(one) for one in insight.recommendations),
    )


def word_of(score: int | None) -> tuple[str, str]:
    """Return the word for a score, and the mood it sets."""
    if score is None:
        return NOT_ENOUGH, "waiting"
    return next((word, mood) for least, word, mood in _WORDS if score >= least)


def _trend(going: Trend) -> str:
    if going.direction is Direction.UNKNOWN or going.change is None or going.average is None:
        have = f"there {'is' if going.days == 1 else 'are'} {going.days or 'none'}"
        return f"No trend yet: that takes {_FEWEST} days that can be compared, and {have} so far."
    span = f"in the last {DAYS} days"
    if going.days < DAYS:
        span += f", of which {going.days} can be compared"
    points = counted(max(1, round(abs(going.change))), "point", "points")
    if going.direction is Direction.IMPROVING:
        return f"Improving: up about {points} {span}."
    if going.direction is Direction.DECLINING:
        return f"Declining: down about {points} {span}."
    return f"Steady: {going.average:.0f} on average {span}."


def _before(insight: Insight, last: Previous | None) -> str:
    """Say what the score before this one was: a trend is slow, and a fall of today no part of it."""
    if last is None:
        return ""
    day = "the day before" if insight.day - last.day == timedelta(days=1) else f"on {date_text(last.day)}"
    if not insight.sufficient:
        return f"The last score is of {date_text(last.day)}: {last.score}."
    if not last.comparable:
        return f"It was {last.score} {day}, which cannot be compared: {last.why_not}."
    return f"It was the same {day}." if last.score == insight.health_score else f"It was {last.score} {day}."


def _basis(insight: Insight) -> str:
    """Say what of the weight was read."""
    metrics = [one for part in insight.health_breakdown for one in part.metrics if _counts(one)]
    missing = sum(one.value is None for one in metrics)
    if not metrics:
        return "Nothing in it is scored."
    if not insight.sufficient:
        return why_not_enough(insight)
    if not missing:
        return f"Confidence 100 %: all {counted(len(metrics), 'reading', 'readings')} were there."
    are = "is" if missing == 1 else "are"
    return (
        f"Confidence {_percent(insight.confidence)}: {missing} of"
        f" {counted(len(metrics), 'reading', 'readings')} {are} missing, so the score rests on the others."
    )


def _counts(metric: MetricScore) -> bool:
    return metric.weight > 0


def _stale(insight: Insight, now: datetime, zone: ZoneInfo) -> str:
    if insight.stale_since is not None:
        return (
            f"Home Assistant was away: readings of {when(insight.stale_since, now, zone)} stand in, so this"
            " may be out of date."
        )
    if insight.day != now.astimezone(zone).date():
        return f"This is the score of {day_of(insight.generated_at, now, zone)}: there is no newer one."
    return ""


def _part(part: CategoryScore) -> PartView:
    scored = [one for one in part.metrics if _counts(one)]
    missing = sum(one.value is None for one in scored)
    said = ""
    if missing:
        said = "nothing could be read" if missing == len(scored) else f"{missing} of {len(scored)} missing"
    if part.score is not None and part.confidence < ENOUGH:
        said += f": the points are of the {percent(part.confidence)} that was read"
    return PartView(
        title=part.title,
        weight=_percent(part.weight),
        score=part.score,
        few=part.confidence < ENOUGH,
        missing=said,
        metrics=tuple(_metric(one) for one in part.metrics),
    )


def _metric(one: MetricScore) -> MetricLine:
    return MetricLine(
        title=one.title,
        value="" if one.value is None else with_unit(one.value, one.unit),
        band=one.band,
        score=one.score,
        weight=_percent(one.weight) if _counts(one) else "",
        missing=one.missing if one.value is None else "",
        to_do=one.to_do if one.value is None else "",
        read_from=one.read_from,
    )


def _advice(one: Recommendation) -> AdviceView:
    return AdviceView(
        anchor=f"advice-{one.recommendation_id}",
        priority=one.priority,
        title=one.title,
        message=one.message,
        rests_on=one.rests_on,
        would_change=one.would_change,
    )


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"
