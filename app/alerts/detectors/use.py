"""Use that this home has never seen: on for far longer than ever, or used far more often than ever.

Compared only with its own past, and silent unless that is long enough to be sure.
"""

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.alerts.alert import AlertKind, Level
from app.alerts.finding import Finding, Still
from app.alerts.learned import UsualUse
from app.alerts.learning import SWITCHED
from app.alerts.sight import Sight, Thing

_LONGEST_TIMES: Final = 3
_LONGER_BY: Final = timedelta(hours=2)
_LEAST_STAY: Final = timedelta(hours=4)
_LEAST_USES: Final = 12
_MOST_TIMES: Final = 2
_SURE: Final = 1e-6
"""A hundred things in 8,760 hours a year: by chance alone this is said less than once a year."""


def unusual_use(sight: Sight) -> Iterator[Finding | Still]:
    """Say what is on, or is used, as never before."""
    for thing in sight.in_domain(*SWITCHED):
        if thing.plain and thing.state == "on":
            found = _on_for_long(sight, thing)
            if found is not None:
                yield found
    for entity_id in sorted(sight.recent.used()):
        used = sight.things.get(entity_id)
        if used is not None and used.plain:
            found = _used_often(sight, used)
            if found is not None:
                yield found


def _on_for_long(sight: Sight, thing: Thing) -> Finding | Still | None:
    cause = f"on:{thing.entity_id}"
    usual = sight.learned.spell(thing.entity_id)
    if usual is None:
        return Still(cause) if cause in sight.standing else None
    limit = max(usual.longest * _LONGEST_TIMES, usual.longest + _LONGER_BY, _LEAST_STAY)
    if sight.now - thing.since < limit:
        return Still(cause) if cause in sight.standing else None
    hours = max(1, math.ceil(usual.longest.total_seconds() / 3600))
    return Finding(
        cause=cause,
        kind=AlertKind.UNUSUAL_USE,
        level=Level.LOW,
        title=f"On for unusually long: {thing.name}",
        description=(
            f"On since {sight.clock(thing.since)}. In {usual.days} days it was switched on {usual.count}"
            f" times and never stayed on for more than {hours} {'hour' if hours == 1 else 'hours'}."
        ),
        since=thing.since,
        **thing.where,
    )


def _used_often(sight: Sight, thing: Thing) -> Finding | Still | None:
    cause = f"used:{thing.entity_id}"
    count = sight.recent.uses(thing.entity_id, sight.now)
    weekend = sight.local.weekday() >= 5
    usual = sight.learned.use(thing.entity_id, sight.local.hour, weekend=weekend)
    if usual is None or count < max(_LEAST_USES, _MOST_TIMES * usual.most + 1):
        stays = usual is not None and count > usual.most and cause in sight.standing
        return Still(cause) if stays else None
    if chance_of(count, usual) > _SURE:
        return None
    return Finding(
        cause=cause,
        kind=AlertKind.UNUSUAL_USE,
        level=Level.LOW,
        title=f"Used unusually often: {thing.name}",
        description=(
            f"More than {_MOST_TIMES * usual.most} times within an hour; in {usual.days} days never more than"
            f" {usual.most} times."
        ),
        **thing.where,
    )


def chance_of(count: int, usual: UsualUse) -> float:
    """Return how likely `count` uses or more are in such an hour, by this thing's own past.

    A negative binomial with the past's mean and variance (a Poisson where they do not vary more), one use
    added to all that was counted, so that what never happened is not called impossible.
    """
    mean = usual.mean + 1 / usual.days
    variance = max(usual.variance, mean * 1.01)
    size = mean * mean / (variance - mean)
    share = size / (size + mean)
    below = math.fsum(
        math.exp(
            math.lgamma(number + size)
            - math.lgamma(size)
            - math.lgamma(number + 1)
            + size * math.log(share)
            + number * math.log1p(-share)
        )
        for number in range(count)
    )
    return max(0.0, 1.0 - below)
