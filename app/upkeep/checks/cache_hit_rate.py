"""How much of what a model worded was kept from earlier nights instead of being asked for again."""

from app.jobs.run import RunStatus
from app.jobs.tally import Try
from app.upkeep.check import Finding, JobCheck
from app.upkeep.sight import JobSight
from app.upkeep.wording import share

TARGET = 0.8
"""The seed's target: cache hit rate above 80 %."""
NEWEST = 7
"""Runs: after a change of the model everything is asked once more, and one such run in seven is borne."""
NEEDED, HIT = "words_needed", "words_kept"
"""The run's counts: how many things had to be worded, and how many had their words from before."""


def look(job: JobSight) -> Finding:
    """Judge the last seven runs that needed words; the first of all had nothing to keep, and is left out."""
    asked = [one for one in job.tries if one.status is RunStatus.COMPLETED and one.counts.get(NEEDED, 0) > 0]
    judged = asked[:NEWEST] if len(asked) > NEWEST else asked[:-1]
    if not judged:
        return Finding(
            None, "Nothing of it is worded by a model." if not asked else "It was worded once only."
        )
    needed, kept = _sum(judged, NEEDED), _sum(judged, HIT)
    rate = min(kept / needed, 1.0)
    message = f"{kept} of {needed} had their words from before ({share(rate)})."
    if rate > TARGET:
        return Finding(True, message, value=round(rate, 4))
    return Finding(False, f"{message} It should be more than {share(TARGET)}.", _ADVICE, round(rate, 4))


def _sum(tries: list[Try], count: str) -> int:
    return sum(one.counts.get(count, 0) for one in tries)


_ADVICE = (
    "See whether the model answers (its own check); habits that change every night, or a budget "
    "(model_requests_a_night) below what is found, keep it low, too."
)

CHECK = JobCheck("cache_hit_rate", "Cache hit rate", "share", look)
