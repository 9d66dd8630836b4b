"""From readings to scores: bands, weights, and what is missing. Pure and exact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.insights.bands import around, band_of, label_of
from app.insights.insight import CategoryScore, MetricScore
from app.insights.numbers import half_up
from app.insights.readings import Reading
from app.insights.scorecard import Category, Metric, Scorecard, reading_key


@dataclass(frozen=True, slots=True)
class Scored:
    """A score: 0 to 100, None when nothing could be read; `confidence` is what was read, 0 to 1."""

    health_score: int | None
    breakdown: tuple[CategoryScore, ...]
    confidence: float


def score(card: Scorecard, readings: Mapping[str, Reading]) -> Scored:
    """Score a scorecard. A missing metric leaves its weight to the others of its category, a category
    without any reading to the other categories; what was read of the weight is the confidence.
    """
    totals = {
        category.key: category_total(category, values_of(category, readings)) for category in card.categories
    }
    breakdown = tuple(_category(category, readings, totals[category.key]) for category in card.categories)
    confidence = sum((_read_share(category, readings) for category in card.categories), Fraction())
    return Scored(whole(card, totals), breakdown, float(confidence))


def whole(card: Scorecard, totals: Mapping[str, Fraction | None]) -> int | None:
    """Return the whole score from the categories' exact ones, a half upwards."""
    having = [(_exact(one.weight), totals[one.key]) for one in card.categories]
    present = [(weight, total) for weight, total in having if total is not None]
    if not present:
        return None
    return half_up(_mean(present))


def category_total(category: Category, values: Mapping[str, float]) -> Fraction | None:
    """Return a category's exact score from its metrics' values; None when there are none."""
    weights = weights_of(category)
    present = [
        (weights[one.key], Fraction(one.bands[band_of(one.bands, values[one.key])].score))
        for one in category.metrics
        if one.key in values and one.bands
    ]
    if not present:
        return None
    return _mean(present)


def values_of(category: Category, readings: Mapping[str, Reading]) -> dict[str, float]:
    """Return the values that were read of a category's metrics."""
    return {
        metric.key: reading.value
        for metric in category.metrics
        if (reading := readings[reading_key(category, metric)]).value is not None
    }


def weights_of(category: Category) -> dict[str, Fraction]:
    """Return each metric's share of its category, 0 to 1; 0 for one that is shown only."""
    scored = [one for one in category.metrics if one.bands]
    equal = Fraction(1, len(scored))
    return {
        one.key: Fraction() if not one.bands else equal if one.weight is None else _exact(one.weight) / 100
        for one in category.metrics
    }


def _mean(weighted: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    total = sum((weight for weight, _ in weighted), Fraction())
    return sum((weight * points for weight, points in weighted), Fraction()) / total


def _exact(weight: float) -> Fraction:
    """Return a weight as it was written: 33.3 is 333/10."""
    return Fraction(str(weight))


def _read_share(category: Category, readings: Mapping[str, Reading]) -> Fraction:
    weights, values = weights_of(category), values_of(category, readings)
    return _exact(category.weight) / 100 * sum((weights[key] for key in values), Fraction())


def _category(category: Category, readings: Mapping[str, Reading], total: Fraction | None) -> CategoryScore:
    weights = weights_of(category)
    return CategoryScore(
        key=category.key,
        title=category.title,
        weight=float(_exact(category.weight) / 100),
        score=None if total is None else half_up(total),
        metrics=tuple(
            _metric(metric, readings[reading_key(category, metric)], weights[metric.key])
            for metric in category.metrics
        ),
    )


def _metric(metric: Metric, reading: Reading, weight: Fraction) -> MetricScore:
    points, band = None, ""
    if reading.value is not None and metric.bands:
        _, stretch, _ = around(metric.bands, reading.value)
        points = metric.bands[stretch.band].score
        band = label_of(metric.bands, stretch, reading.unit)
    return MetricScore(
        key=metric.key,
        title=metric.title,
        weight=float(weight),
        value=reading.value,
        unit=reading.unit,
        score=points,
        band=band,
        missing=reading.missing,
        to_do=reading.to_do,
        read_from=reading.read_from,
        source=reading.source,
    )
