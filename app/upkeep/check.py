"""What a check is and what it finds. Each has a small file of its own in `checks`."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from app.upkeep.sight import JobSight, Sight


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found."""

    healthy: bool | None
    """None: there is nothing to judge (not set up, paused, too few runs); it then counts neither way."""
    message: str
    advice: str = ""
    """What to do about it; empty unless it is sick."""
    value: float | None = None
    """The figure it was judged by, in the check's `unit`."""


@dataclass(frozen=True, slots=True)
class JobCheck:
    """One that is made for every job, from what the ledger tells: a pure function."""

    name: str
    title: str
    unit: str
    """What `value` counts: `hours`, `share` (0 to 1), `seconds`, `bytes`, or a plain number (empty)."""
    look: Callable[[JobSight], Finding]


@dataclass(frozen=True, slots=True)
class HouseCheck:
    """One that is made once, of something that all jobs stand on."""

    name: str
    title: str
    unit: str
    look: Callable[[Sight], Awaitable[Finding]]


@dataclass(frozen=True, slots=True)
class Check:
    """A check with what it found. `job` is None for what all jobs stand on."""

    name: str
    """Unique in a look: `database`, or `analysis.last_run` for a job's."""
    title: str
    healthy: bool | None
    message: str
    advice: str
    value: float | None
    unit: str
    job: str | None = None


def worst(findings: Iterable[Finding]) -> Finding:
    """Return the first that is sick, else the first that is healthy, else the first."""
    found = list(findings)
    for verdict in (False, True):
        for finding in found:
            if finding.healthy is verdict:
                return finding
    return found[0] if found else Finding(None, "There is no home yet that it runs for.")
