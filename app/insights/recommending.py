"""What to do: three to five things that follow from the readings, chosen here and worded in `advising`."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from app.insights.advising import Advice, missing_advice, near_advice, weak_advice
from app.insights.bands import around, band_of
from app.insights.insight import Priority, Recommendation
from app.insights.readings import Reading
from app.insights.scorecard import Scorecard
from app.insights.standing import Standing

MOST: Final = 5
_FEWEST: Final = 3
_ORDER: Final = tuple(Priority)
_HIGH_BELOW: Final = 40
_MEDIUM_BELOW: Final = 70


@dataclass(frozen=True, slots=True)
class _Candidate:
    """Something that could be said; only what is chosen is worded. The smallest `order` comes first."""

    order: tuple[float, ...]
    worded: Callable[[], Advice]


def recommend(
    card: Scorecard,
    readings: Mapping[str, Reading],
    *,
    home_id: str,
    day: date,
    before: Sequence[Recommendation] = (),
) -> tuple[Recommendation, ...]:
    """Return what to do, the most urgent first, five at most.

    First what scores less than it could; where that is less than three things, readings that are missing,
    then those nearest to a worse band. `before` are the recommendations of the days before, the newest
    first: one that still says the same keeps its id; a new one's has the day it began.
    """
    standing = Standing.of(card, readings)
    chosen = _first(_weak(standing), MOST)
    for more in (_missing, _near):
        if len(chosen) < _FEWEST:
            chosen += _first(more(standing), _FEWEST - len(chosen))
    known = {_stem(one.recommendation_id): one.recommendation_id for one in reversed(before)}
    return tuple(_recommendation(one.worded(), home_id, card.name, day, known) for one in chosen)


def _first(candidates: list[_Candidate], most: int) -> list[_Candidate]:
    return sorted(candidates, key=lambda one: one.order)[:most]


def _weak(standing: Standing) -> list[_Candidate]:
    """Return the metrics that are not in their best band: by urgency, then by what they cost the whole."""
    found = []
    for category, metric, value in standing.read():
        band = metric.bands[band_of(metric.bands, value)]
        best = max(one.score for one in metric.bands)
        if band.score == best:
            continue
        priority = band.priority or _priority(band.score)
        loss = float(standing.share(category, metric) * (best - band.score)) * category.weight
        worded = partial(weak_advice, standing, category, metric, value, priority)
        found.append(_Candidate((_ORDER.index(priority), -loss), worded))
    return found


def _missing(standing: Standing) -> list[_Candidate]:
    """Return the metrics that count and could not be read, those that weigh most first."""
    return [
        _Candidate(
            (-float(standing.of_all(category, metric)),), partial(missing_advice, standing, category, metric)
        )
        for category, metric in standing.missing()
    ]


def _near(standing: Standing) -> list[_Candidate]:
    """Return the metrics in their best band, those nearest to a worse one first."""
    found = []
    for category, metric, value in standing.read():
        below, here, above = around(metric.bands, value)
        points = metric.bands[here.band].score
        if points < max(one.score for one in metric.bands):
            continue
        edges = [
            (abs(value - edge) / (abs(edge) or 1.0), stretch, going_up)
            for stretch, edge, going_up in ((below, here.low, False), (above, here.high, True))
            if stretch is not None and metric.bands[stretch.band].score < points
        ]
        if edges:
            away, worse, going_up = min(edges, key=lambda one: one[0])
            worded = partial(near_advice, standing, category, metric, value, worse, going_up=going_up)
            # What is on its edge already, such as none of something, is no news: it comes last.
            found.append(_Candidate((float(away == 0), away), worded))
    return found


def _priority(points: int) -> Priority:
    """Return what a score asks for where its band does not say; critical is only what a band calls so."""
    if points < _HIGH_BELOW:
        return Priority.HIGH
    return Priority.MEDIUM if points < _MEDIUM_BELOW else Priority.LOW


def _recommendation(
    one: Advice, home_id: str, scorecard: str, day: date, known: Mapping[str, str]
) -> Recommendation:
    about = f"{home_id}\n{scorecard}\n{one.category}\n{one.metric}\n{one.about}"
    stem = f"rec_{hashlib.sha256(about.encode()).hexdigest()[:12]}"
    return Recommendation(
        recommendation_id=known.get(stem) or f"{stem}_{day:%Y%m%d}",
        priority=one.priority,
        title=one.title,
        message=one.message,
        rests_on=one.rests_on,
        would_change=one.would_change,
        category=one.category,
        metric=one.metric,
    )


def _stem(recommendation_id: str) -> str:
    return recommendation_id.rpartition("_")[0]
