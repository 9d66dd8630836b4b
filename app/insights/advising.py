"""The words of one recommendation: the scorecard's, or templates; their numbers are the readings'."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.insights.bands import Stretch, around, label_of, reached
from app.insights.enough import percent
from app.insights.insight import ENOUGH, Priority
from app.insights.naming import inside
from app.insights.numbers import said
from app.insights.readings import Reading
from app.insights.scorecard import PLACEHOLDER, Category, Metric
from app.insights.standing import Standing


@dataclass(frozen=True, slots=True)
class Advice:
    """A recommendation before it has its id. `about` is the same for as long as it says the same thing."""

    about: str
    priority: Priority
    title: str
    message: str
    rests_on: str
    would_change: str
    category: str
    metric: str


def weak_advice(
    standing: Standing, category: Category, metric: Metric, value: float, priority: Priority
) -> Advice:
    """Say what to do about a metric that is not in its best band."""
    told = _Told.of(standing, category, metric, value)
    own = metric.recommend
    return Advice(
        about=f"weak {metric.bands[told.here.band].score}",
        priority=priority,
        title=_filled(own.title, told.words) if own else f"{metric.title}: {told.amount}",
        message=_filled(own.message, told.words)
        if own
        else f"{metric.title} is at {told.amount}: {told.band}.",
        rests_on=told.rests_on,
        would_change=_better(standing, category, metric, value, told.unit),
        category=category.key,
        metric=metric.key,
    )


def missing_advice(standing: Standing, category: Category, metric: Metric) -> Advice:
    """Say that a metric could not be read, and what its reading would add."""
    reading = standing.reading(category, metric)
    after = round(standing.confidence + float(standing.of_all(category, metric)), 9)
    now = percent(standing.confidence)
    enough = ", enough to be shown" if standing.confidence < ENOUGH <= after else ""
    return Advice(
        about="missing",
        priority=Priority.LOW,
        title=f"No reading for {inside(metric.title)}",
        message=f"{metric.title} is missing from the score. {reading.missing} {reading.to_do}".strip(),
        rests_on=f"{reading.read_from}: {reading.missing}",
        would_change=f"The score would rest on {percent(after)} of its weight instead of {now}{enough}.",
        category=category.key,
        metric=metric.key,
    )


def near_advice(
    standing: Standing, category: Category, metric: Metric, value: float, worse: Stretch, *, going_up: bool
) -> Advice:
    """Say how far a metric in its best band is from a worse one, and what that would change."""
    told = _Told.of(standing, category, metric, value)
    where = reached(worse, told.unit, going_up=going_up)
    effect = standing.effect(category, metric, value, metric.bands[worse.band].score)
    return Advice(
        about="near",
        priority=Priority.LOW,
        title=f"Keep an eye on {inside(metric.title)}",
        message=f"{metric.title} is at its best: {told.amount}.",
        rests_on=told.rests_on,
        would_change=f"{_capital(where)}, {effect}.",
        category=category.key,
        metric=metric.key,
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """A metric's value in words: its amount with the unit, its band, what it rests on."""

    here: Stretch
    unit: str
    amount: str
    band: str
    rests_on: str
    words: Mapping[str, str]

    @classmethod
    def of(cls, standing: Standing, category: Category, metric: Metric, value: float) -> "_Told":
        reading = standing.reading(category, metric)
        _, here, _ = around(metric.bands, value)
        band = label_of(metric.bands, here, reading.unit)
        number = said(value, here.holds)
        amount = f"{number} {reading.unit}".rstrip()
        points = metric.bands[here.band].score
        return cls(
            here=here,
            unit=reading.unit,
            amount=amount,
            band=band,
            rests_on=f"{metric.title}: {amount} ({band}: {points} of 100){_source(metric, reading)}.",
            words={
                "title": metric.title,
                "value": number,
                "unit": reading.unit,
                "band": band,
                "category": category.title,
            },
        )


def _source(metric: Metric, reading: Reading) -> str:
    """Say where a reading is from, unless that is called what the metric is."""
    told = f", from {reading.read_from}" if reading.read_from.casefold() != metric.title.casefold() else ""
    return told + (f", read {reading.read_at:%Y-%m-%d %H:%M} UTC" if reading.stale else "")


def _better(standing: Standing, category: Category, metric: Metric, value: float, unit: str) -> str:
    """Say what the nearest better band would change, or the best one where none is beside."""
    below, here, above = around(metric.bands, value)
    points = metric.bands[here.band].score
    steps = [
        (abs(value - edge), stretch, going_up)
        for stretch, edge, going_up in ((below, here.low, False), (above, here.high, True))
        if stretch is not None and metric.bands[stretch.band].score > points
    ]
    if not steps:
        best = max(band.score for band in metric.bands)
        return f"At its best, {standing.effect(category, metric, value, best)}."
    _, stretch, going_up = min(steps, key=lambda step: step[0])
    where = reached(stretch, unit, going_up=going_up)
    effect = standing.effect(category, metric, value, metric.bands[stretch.band].score)
    return f"{_capital(where)}, {effect}."


def _filled(text: str, words: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: words.get(found[1], found[0]), text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
