"""Where a metric is read from: in words for people, and as an id by which it is known again."""

from collections.abc import Mapping
from typing import Final

from app.figures import FigureAbout
from app.hub.names import plain_name, readable_name
from app.hub.now import LiveState, StatisticKind
from app.insights.scorecard import Metric, Take
from app.jobs.text import one_line

_LONGEST_NAME: Final = 60
_TAKEN: Final[Mapping[Take, str]] = {
    "mean": "mean",
    "min": "lowest",
    "max": "highest",
    "change": "total",
}


def source_of(metric: Metric) -> str:
    """Return what a metric's reading is known by: it stays the same though people rename things."""
    if metric.figure is not None:
        return metric.figure
    if metric.entity is not None:
        return metric.entity + (f", attribute {metric.attribute}" if metric.attribute else "")
    if metric.statistic is not None:
        return f"statistic {metric.statistic}, {_span(metric)}"
    return "a template"


def figure_named(about: FigureAbout) -> str:
    """Return a figure in words."""
    return f"Nightshift's figure “{about.named}”"


def entity_named(entity_id: str, states: Mapping[str, LiveState]) -> str:
    """Return what people call an entity; one that the hub does not have is called by its id."""
    if (state := states.get(entity_id)) is None:
        return entity_id
    name = plain_name(state.attributes.get("friendly_name")) or readable_name(entity_id)
    return one_line(name, _LONGEST_NAME)


def attribute_named(attribute: str, of: str) -> str:
    """Return an attribute in words; `of` is what its entity is called."""
    return f"{attribute.replace('_', ' ')} of {of}"


def statistic_named(statistic_id: str, kind: StatisticKind | None) -> str:
    """Return what a long-term statistic is called; one that is not known goes by its id."""
    name = plain_name(kind.name) if kind is not None else ""
    return one_line(name, _LONGEST_NAME) if name else statistic_id


def read_from(
    metric: Metric,
    figures: Mapping[str, FigureAbout],
    states: Mapping[str, LiveState],
    kinds: Mapping[str, StatisticKind],
) -> str:
    """Return in words where a metric is read from; names are the hub's, on one line and bounded."""
    if metric.figure is not None:
        about = figures.get(metric.figure)
        return figure_named(about) if about is not None else "one of Nightshift's figures"
    if metric.entity is not None:
        name = entity_named(metric.entity, states)
        return attribute_named(metric.attribute, name) if metric.attribute else name
    if metric.statistic is not None:
        return f"{statistic_named(metric.statistic, kinds.get(metric.statistic))}, {_span(metric)}"
    return "a template of the scorecard"


def inside(title: str) -> str:
    """Return a title inside a sentence; one that begins with more than one capital keeps them (CO2)."""
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]


def _span(metric: Metric) -> str:
    days = metric.days or 1
    when = "yesterday" if days == 1 else f"the last {days} days"
    return f"{_TAKEN[metric.take or 'mean']} of {when}"
