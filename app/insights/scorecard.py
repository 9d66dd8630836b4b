"""A scorecard: what a health score is made of. Only its shape; `checking` reads one from text."""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.insights.insight import Priority

Take = Literal["mean", "min", "max", "change"]
PLACEHOLDERS: Final = ("title", "value", "unit", "band", "category")
"""What the words of a recommendation may name in braces."""
PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")

_Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
_Title = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^\S(.*\S)?$")]
_Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e12, le=1e12)]
_Weight = Annotated[float, Field(gt=0, le=100, allow_inf_nan=False)]


class _Strict(BaseModel):
    """What people write by hand: an unknown key is a mistake, `"80"` is no number."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Band(_Strict):
    """A range of values and what it scores. The bands are read from the top: the first that fits counts.

    `above` and `below` leave the edge out, `at_least` and `at_most` take it in; the last band has no bounds
    and takes what is left. `priority` is that of the recommendation while a value is in it.
    """

    above: _Number | None = None
    at_least: _Number | None = None
    below: _Number | None = None
    at_most: _Number | None = None
    score: Annotated[int, Field(ge=0, le=100)]
    label: Annotated[str, Field(max_length=80)] = ""
    priority: Priority | None = None

    @property
    def bounded(self) -> bool:
        return any(bound is not None for bound in (self.above, self.at_least, self.below, self.at_most))

    def takes(self, value: float) -> bool:
        """Return whether the value is within its bounds."""
        return (
            (self.above is None or value > self.above)
            and (self.at_least is None or value >= self.at_least)
            and (self.below is None or value < self.below)
            and (self.at_most is None or value <= self.at_most)
        )


class Recommend(_Strict):
    """The words of a metric's recommendation; `{value}` and the like are filled in."""

    title: _Title
    message: Annotated[str, Field(min_length=1, max_length=300)]


class Metric(_Strict):
    """One reading and its bands. It has exactly one of `entity`, `statistic`, `template` and `figure`.

    `days` are the last whole local days of a `statistic`, 1 is yesterday. `weight` is in per cent of the
    category; without any, all count alike. A metric without bands is shown and not scored.
    """

    key: _Key
    title: _Title
    unit: Annotated[str, Field(max_length=20)] = ""
    weight: _Weight | None = None
    entity: Annotated[str, Field(pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$", max_length=255)] | None = None
    attribute: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    statistic: Annotated[str, Field(pattern=r"^[a-z0-9_]+[.:][A-Za-z0-9_\-]+$", max_length=255)] | None = None
    take: Take | None = None
    days: Annotated[int, Field(ge=1, le=31)] | None = None
    template: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    figure: _Key | None = None
    bands: Annotated[tuple[Band, ...], Field(max_length=20)] = ()
    recommend: Recommend | None = None


class Category(_Strict):
    """A part of the whole; `weight` is in per cent of it."""

    key: _Key
    title: _Title
    weight: _Weight
    metrics: Annotated[tuple[Metric, ...], Field(min_length=1, max_length=20)]


class Scorecard(_Strict):
    """Categories whose weights add up to 100."""

    name: _Key
    title: _Title
    description: Annotated[str, Field(max_length=500)] = ""
    categories: Annotated[tuple[Category, ...], Field(min_length=1, max_length=12)]

    def metrics(self) -> Iterator[tuple[Category, Metric]]:
        """Yield every metric with its category, as written."""
        for category in self.categories:
            for metric in category.metrics:
                yield category, metric


def reading_key(category: Category, metric: Metric) -> str:
    """Return the name of a metric's reading within its scorecard."""
    return f"{category.key}.{metric.key}"
