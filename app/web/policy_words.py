"""What a job's declaration promises, in sentences: what happens when things do not go as planned."""

from datetime import timedelta
from typing import Final

from app.jobs.policies import CatchUp, Overlap, RateLimit, Scope
from app.jobs.spec import JobSpec
from app.web.wording import counted

_SCOPES: Final = {
    Scope.ONCE: "Once for all homes.",
    Scope.HOME: "Once for each home, in its own time.",
    Scope.PERSON: "For each person, in their own time.",
}
_OVERLAPS: Final = {
    Overlap.SKIP: "If it is still running when it is due again, that run is skipped.",
    Overlap.QUEUE: "If it is still running when it is due again, the next run waits for its end.",
    Overlap.REPLACE: "If it is still running when it is due again, it is cut off and begins anew.",
}


def policies_in_words(spec: JobSpec) -> list[tuple[str, str]]:
    """Return pairs of a short label and one or two sentences."""
    told = [
        ("For whom", _SCOPES[spec.scope]),
        ("Missed runs", _caught_up(spec)),
        ("Overlap", _OVERLAPS[spec.overlap]),
        ("If it fails", _tries(spec)),
        ("Time limit", _limits(spec)),
    ]
    if spec.subjects is not None:
        told.append(("One by one", _subjects(spec)))
    if spec.rate_limit is not None:
        told.append(("At most", _rate(spec.rate_limit)))
    told.append(("Kept", f"Its runs are kept for {span(spec.keep)}."))
    return told


def _limits(spec: JobSpec) -> str:
    return f"It is told to end after {span(spec.time_limit)}, and left behind after {span(spec.ends_by)}."


def span(length: timedelta) -> str:
    """Return a declared length of time: `45 s`, `15 minutes`, `400 days`."""
    seconds = length.total_seconds()
    for unit, one, many in ((86_400, "day", "days"), (3_600, "hour", "hours"), (60, "minute", "minutes")):
        if seconds >= unit and seconds % unit == 0:
            return counted(int(seconds // unit), one, many)
    return f"{seconds:g} s"


def _caught_up(spec: JobSpec) -> str:
    if spec.catch_up is CatchUp.SKIP:
        late = f"A run that is more than {span(spec.grace)} late is left out"
        return f"{late}: the work is only worth doing at its hour."
    which = "the newest one is" if spec.catch_up is CatchUp.ONCE else "each of them is"
    return f"If Nightshift was off, {which} made up for, up to {span(spec.window)} back."


def _tries(spec: JobSpec) -> str:
    row = f"After {spec.alert_after} failures in a row you are told."
    alert = row if spec.alert_after > 1 else "You are told at once."
    if spec.attempts == 1:
        return f"It is not tried again before it is next due. {alert}"
    first, longest = span(spec.backoff.base), span(spec.backoff.cap)
    if spec.attempts == 2 or spec.backoff.base == spec.backoff.cap:
        waits = f"after {first}" if not spec.backoff.jitter else f"within {first}"
    else:
        waits = f"after waits that grow from {first} to {longest} at most"
    again = "once more" if spec.attempts == 2 else f"up to {spec.attempts} times in all"
    return f"It is tried {again}, {waits}. {alert}"


def _subjects(spec: JobSpec) -> str:
    tries = counted(spec.subject_attempts, "more time", "more times")
    return (
        f"{spec.batch_size} at a time; one that fails touches no other. It is tried {tries} alone, "
        "then given up and shown here."
    )


def _rate(limit: RateLimit) -> str:
    return f"{counted(limit.runs, 'start', 'starts')} in {span(limit.per)}, whoever asks."
