"""How a scorecard stands with its readings, computed once: what each metric weighs and could change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from app.insights.bands import band_of
from app.insights.insight import ENOUGH
from app.insights.numbers import half_up
from app.insights.readings import Reading
from app.insights.scorecard import Category, Metric, Scorecard, reading_key
from app.insights.scoring import category_total, score, values_of, weights_of, whole


@dataclass(frozen=True, slots=True)
class Standing:
    """A scorecard with its readings. `totals` are the categories' exact scores, None where nothing was read;
    `weights` each metric's share of its category; `present` what was read of it.
    """

    card: Scorecard
    readings: Mapping[str, Reading]
    confidence: float
    totals: Mapping[str, Fraction | None]
    weights: Mapping[str, Mapping[str, Fraction]]
    present: Mapping[str, Fraction]

    @classmethod
    def of(cls, card: Scorecard, readings: Mapping[str, Reading]) -> Self:
        values = {one.key: values_of(one, readings) for one in card.categories}
        weights = {one.key: weights_of(one) for one in card.categories}
        return cls(
            card=card,
            readings=readings,
            confidence=score(card, readings).confidence,
            totals={one.key: category_total(one, values[one.key]) for one in card.categories},
            weights=weights,
            present={
                key: sum((weights[key][metric] for metric in found), Fraction())
                for key, found in values.items()
            },
        )

    def reading(self, category: Category, metric: Metric) -> Reading:
        return self.readings[reading_key(category, metric)]

    def read(self) -> Iterator[tuple[Category, Metric, float]]:
        """Yield the metrics that were read and are scored, with their values."""
        for category, metric in self.card.metrics():
            value = self.reading(category, metric).value
            if metric.bands and value is not None:
                yield category, metric, value

    def missing(self) -> Iterator[tuple[Category, Metric]]:
        """Yield the metrics that would be scored and could not be read."""
        for category, metric in self.card.metrics():
            if metric.bands and self.reading(category, metric).value is None:
                yield category, metric

    def share(self, category: Category, metric: Metric) -> Fraction:
        """Return a metric's share of what was read of its category."""
        return self.weights[category.key][metric.key] / self.present[category.key]

    def of_all(self, category: Category, metric: Metric) -> Fraction:
        """Return a metric's share of the whole weight, read or not."""
        return Fraction(str(category.weight)) / 100 * self.weights[category.key][metric.key]

    def effect(self, category: Category, metric: Metric, value: float, points: int) -> str:
        """Say what category and whole would be if the metric, now at `value`, scored so many points.

        Of a whole of which too little is known nothing is said: people are shown none.
        """
        before, whole_before = self.totals[category.key], whole(self.card, self.totals)
        if before is None or whole_before is None:
            raise ValueError(f"{metric.key} was read, and its category has no score")
        now = metric.bands[band_of(metric.bands, value)].score
        after = before + self.share(category, metric) * (points - now)
        said = f"{category.title} would go from {half_up(before)} to {half_up(after)}"
        if self.confidence < ENOUGH:
            return said
        whole_after = whole(self.card, {**self.totals, category.key: after})
        return f"{said} and the whole score from {whole_before} to {whole_after}"
