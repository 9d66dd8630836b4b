"""A scorecard from text; a wrong one is refused with the line that is wrong and what to write there."""

import json
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from app.insights.bands import stretches
from app.insights.lines import Fault, FaultsError, Lined, Path, read_lines, words_of
from app.insights.numbers import number_text
from app.insights.scorecard import PLACEHOLDER, PLACEHOLDERS, Band, Category, Metric, Recommend, Scorecard

_SOURCES: Final = ("entity", "statistic", "template", "figure")
_OF_A_STATISTIC: Final = ("take", "days")
_HINTS: Final = {
    "name": "lower case letters, digits and _, beginning with a letter, such as office",
    "title": "a short text of at most 80 characters",
    "description": "a text of at most 500 characters",
    "categories": "a list of 1 to 12 categories, each with key, title, weight and metrics",
    "key": "lower case letters, digits and _, beginning with a letter, such as air",
    "weight": "a number above 0, in per cent, such as 25",
    "metrics": "a list of 1 to 20 metrics, each with key, title, a source and bands",
    "unit": "a text of at most 20 characters, such as °C",
    "entity": "an entity id, such as sensor.living_room_temperature",
    "attribute": "the name of an attribute, such as current_temperature",
    "statistic": "the id of a long-term statistic, such as sensor.energy or energy:cost",
    "take": "mean, min, max or change",
    "days": "a whole number from 1 to 31 (1 is yesterday)",
    "template": "a template that gives a number, of at most 2000 characters",
    "figure": "the name of one of Nightshift's figures, such as batteries_low",
    "bands": "a list of at most 20 bands, such as - {at_least: 90, score: 100}",
    "score": "a whole number from 0 to 100",
    "label": "a short text of at most 80 characters",
    "priority": "critical, high, medium or low",
    "recommend": "title and message",
    "message": "a text of at most 300 characters",
    **dict.fromkeys(("above", "at_least", "below", "at_most"), "a number, such as 15"),
}
_MODELS: Final[dict[str, type[BaseModel]]] = {
    "categories": Category,
    "metrics": Metric,
    "bands": Band,
    "recommend": Recommend,
}
Problem = tuple[Path, str]


def read_scorecard(text: str, figures: Collection[str] | None = None) -> Scorecard:
    """Return the scorecard that the text describes.

    `figures` are the names that a metric may ask for; None takes any. Raises FaultsError with every fault
    and its line. Takes time in proportion to the text: call it in a thread for one from outside.
    """
    lined = read_lines(text)
    if not isinstance(lined.value, dict):
        raise FaultsError([Fault(1, "", "a scorecard begins with name, title and categories")])
    try:
        card = Scorecard.model_validate_json(json.dumps(lined.value))
    except ValidationError as error:
        faults = [_fault(lined, *_shape_problem(one)) for one in _lowest(error.errors())]
        raise FaultsError(faults) from None
    if faults := [_fault(lined, path, said) for path, said in _problems(card, figures)]:
        raise FaultsError(faults)
    return card


def _fault(lined: Lined, path: Path, said: str) -> Fault:
    return Fault(lined.line(path), _named(lined.value, path), said)


def _lowest(errors: Sequence[Any]) -> list[Any]:
    """Return the errors without those of a list that is too short only because items of it are wrong."""
    paths = [one["loc"] for one in errors]
    return [
        one
        for one in errors
        if one["type"] != "too_short"
        or not any(len(path) > len(one["loc"]) and path[: len(one["loc"])] == one["loc"] for path in paths)
    ]


def _named(value: Any, path: Path) -> str:
    """Return a path in which categories and metrics go by their keys, where they have one."""
    parts: list[str] = []
    for number, part in enumerate(path):
        value = _under(value, part)
        key = value.get("key") if isinstance(value, dict) else None
        if part in {"categories", "metrics"} and number + 1 < len(path):
            continue
        if isinstance(part, str) or not isinstance(key, str):
            parts.append(words_of((part,)))
        else:
            parts.append(key[:50])
    return ", ".join(parts)


def _under(value: Any, part: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _shape_problem(error: Any) -> Problem:
    path: Path = tuple(error["loc"])
    last = path[-1] if path else ""
    if error["type"] == "missing":
        return path[:-1], f"{last} is missing: write {last}: and {_hint(last)}"
    if error["type"] == "extra_forbidden":
        known = ", ".join(_model_at(path[:-1]).model_fields)
        return path, f"it is not known here: take it out, or write one of {known}"
    if isinstance(last, int):
        return path, "it is not as it should be: write names with values, each followed by a colon"
    given = error["input"]
    shown = json.dumps(given, ensure_ascii=False)[:60] if isinstance(given, str | int | float) else ""
    wrong = f"{shown} cannot be taken" if shown else "this cannot be taken"
    return path, f"{wrong}: write {_hint(last)}"


def _hint(name: str | int) -> str:
    return _HINTS.get(str(name), "something else")


def _model_at(path: Path) -> type[BaseModel]:
    names = [part for part in path if isinstance(part, str) and part in _MODELS]
    return _MODELS[names[-1]] if names else Scorecard


def _problems(card: Scorecard, figures: Collection[str] | None) -> Iterator[Problem]:
    """Yield what is wrong although every key has a value of its kind."""
    yield from _twice([one.key for one in card.categories], ("categories",))
    total = sum(_exact(one.weight) for one in card.categories)
    if total != 100:
        said = f"the weights of the categories add up to {_share(total)}: change them so that they make 100"
        yield ("categories",), said
    for number, category in enumerate(card.categories):
        path: Path = ("categories", number)
        yield from _category_problems(category, path)
        for place, metric in enumerate(category.metrics):
            yield from _metric_problems(metric, (*path, "metrics", place), figures)


def _twice(keys: list[str], path: Path) -> Iterator[Problem]:
    for number, key in enumerate(keys):
        if key in keys[:number]:
            yield (*path, number, "key"), f"{key} is there already: write another key"


def _category_problems(category: Category, path: Path) -> Iterator[Problem]:
    yield from _twice([one.key for one in category.metrics], (*path, "metrics"))
    scored = [one for one in category.metrics if one.bands]
    weights = [one.weight for one in scored]
    if not scored:
        yield (*path, "metrics"), "none of them is scored: write bands for at least one"
    elif any(weight is not None for weight in weights):
        if None in weights:
            said = "some metrics have a weight and some have none: write one for each with bands, or for none"
            yield (*path, "metrics"), said
        elif (total := sum(_exact(weight) for weight in weights if weight is not None)) != 100:
            said = f"the weights of the metrics add up to {_share(total)}: change them so that they make 100"
            yield (*path, "metrics"), said


def _metric_problems(metric: Metric, path: Path, figures: Collection[str] | None) -> Iterator[Problem]:
    yield from _source_problems(metric, path)
    if metric.figure is not None and figures is not None and metric.figure not in figures:
        known = ", ".join(sorted(figures)) or "none"
        yield (*path, "figure"), f"there is no figure {metric.figure}: write one of {known}"
    if metric.bands:
        yield from _band_problems(metric.bands, (*path, "bands"))
    else:
        for name in ("weight", "recommend"):
            if getattr(metric, name) is not None:
                yield (*path, name), "without bands it is not scored: write bands, or take this out"
    if metric.recommend is not None:
        yield from _word_problems(metric.recommend, (*path, "recommend"))


def _source_problems(metric: Metric, path: Path) -> Iterator[Problem]:
    sources = [name for name in _SOURCES if getattr(metric, name) is not None]
    if len(sources) != 1:
        found = f"it has {' and '.join(sources)}" if sources else "it has no source"
        yield path, f"{found}: write exactly one of {', '.join(_SOURCES)}"
    if metric.attribute is not None and metric.entity is None:
        yield (*path, "attribute"), "only an entity has attributes: write entity: as well, or take it out"
    for name in _OF_A_STATISTIC:
        if getattr(metric, name) is not None and metric.statistic is None:
            yield (*path, name), f"{name} belongs to a statistic: write statistic: as well, or take it out"
    if metric.statistic is not None and metric.take is None:
        yield path, f"take is missing: write take: and {_HINTS['take']}"


def _band_problems(bands: tuple[Band, ...], path: Path) -> Iterator[Problem]:
    for number, band in enumerate(bands):
        here: Path = (*path, number)
        last = number == len(bands) - 1
        if last and band.bounded:
            yield here, "the last band takes what is left: write one more with a score and no bounds"
        if not last and not band.bounded:
            yield here, "it takes everything, and those below it nothing: write a bound, or put it last"
        if band.above is not None and band.at_least is not None:
            yield here, "it has above and at_least: write one of them"
        if band.below is not None and band.at_most is not None:
            yield here, "it has below and at_most: write one of them"
    reached = {stretch.band for stretch in stretches(bands)}
    for number, band in enumerate(bands[:-1]):
        if number not in reached and band.bounded:
            yield (
                (*path, number),
                "no value ever falls into it: the bands above it take them, or its bounds cross",
            )
    if len(bands) - 1 not in reached and not bands[-1].bounded:
        yield (
            (*path, len(bands) - 1),
            "no value is left for it: take out the bounds of the band before, and this",
        )


def _word_problems(words: Recommend, path: Path) -> Iterator[Problem]:
    for name in ("title", "message"):
        for found in PLACEHOLDER.findall(getattr(words, name)):
            if found not in PLACEHOLDERS:
                known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
                yield (*path, name), f"{{{found[:30]}}} is not known: write one of {known}"


def _exact(weight: float) -> Fraction:
    """Return the number as it was written: 33.3 is 333/10."""
    return Fraction(str(weight))


def _share(total: Fraction | int) -> str:
    return number_text(float(total))
