"""The monitor: makes every check, each apart from the others, and never writes anything."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from app.bus import Bus
from app.errors import NightshiftError
from app.jobs.announcements import JobChanged
from app.jobs.spec import JobSpec
from app.jobs.text import describe
from app.upkeep.check import Check, Finding, HouseCheck, JobCheck
from app.upkeep.checks import HOUSE_CHECKS, JOB_CHECKS
from app.upkeep.health import Health
from app.upkeep.integrity import EVERY, Integrity, look_over
from app.upkeep.sight import JobSight, Sight, UpkeepParts, sight_of

_log = logging.getLogger(__name__)
FRESH_SECONDS: Final = 5.0
"""How long a look is told again to those who ask (the API): it cannot be asked for faster than that."""
_CHECK_SECONDS: Final = 10.0
"""What one check may take: it asks this machine alone, and no neighbour."""
_SEE_LOG: Final = "See the log; if it stays so, restart Nightshift."


class Monitor:
    """Looks at the jobs and at what they stand on. Call from the event loop only."""

    def __init__(self, parts: UpkeepParts, bus: Bus) -> None:
        self._parts = parts
        self._started = parts.clock.now()
        # The store looks its file over when it is opened, which is about now.
        self._integrity = Integrity(self._started)
        self._changed: dict[str, datetime] = {}
        self._last: tuple[float, Health] | None = None
        self._looking = asyncio.Lock()
        self._ignore = bus.subscribe(JobChanged, self._job_changed)

    def close(self) -> None:
        """Listen no more."""
        self._ignore()

    async def look(
        self, *, thorough: bool = False, progress: Callable[[str, int, int], None] | None = None
    ) -> Health:
        """Make every check now. `thorough` reads the whole database once a day (30 s at most)."""
        async with self._looking:
            if thorough and self._parts.clock.now() - self._integrity.looked_at >= EVERY:
                self._integrity = await look_over(self._parts.store, self._parts.clock.now())
            health = await self._look(progress)
            self._last = (self._parts.clock.monotonic(), health)
        return health

    async def glance(self, within_seconds: float = FRESH_SECONDS) -> Health:
        """Return the last look if it is that fresh, else a new one; many who ask at once share one."""
        if (known := self._fresh(within_seconds)) is not None:
            return known
        async with self._looking:
            if (known := self._fresh(within_seconds)) is None:
                known = await self._look(None)
                self._last = (self._parts.clock.monotonic(), known)
        return known

    def _fresh(self, within_seconds: float) -> Health | None:
        if self._last is None or self._parts.clock.monotonic() - self._last[0] > within_seconds:
            return None
        return self._last[1]

    async def _look(self, progress: Callable[[str, int, int], None] | None) -> Health:
        now = self._parts.clock.now()
        specs = list(self._parts.jobs().specs.values())
        checks: dict[str, Check] = {}
        seen: dict[str, JobSight] = {}
        for done, spec in enumerate(specs):
            if progress:
                progress(f"Looking at {spec.title}", done, len(specs) + 1)
            job = await self._see(spec)
            if isinstance(job, JobSight):
                seen[spec.name] = job
            for check in JOB_CHECKS:
                found = _judge(check, job) if isinstance(job, JobSight) else job
                name = f"{spec.name}.{check.name}"
                checks[name] = _check(name, check, found, f"{spec.title}: {check.title.lower()}", spec.name)
        if progress:
            progress("Looking at what they stand on", len(specs), len(specs) + 1)
        sight = Sight(parts=self._parts, now=now, integrity=self._integrity, jobs=seen)
        for house in HOUSE_CHECKS:
            checks[house.name] = _check(house.name, house, await _ask(house, sight), house.title)
        return Health(checks, now)

    async def _see(self, spec: JobSpec) -> JobSight | Finding:
        known_since = self._changed.get(spec.name, self._started)
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                return await sight_of(spec, self._parts, known_since)
        except Exception as error:  # noqa: BLE001 - a look's edge: what cannot be seen is sick, the rest is looked at
            return _not_seen(spec.name, error)

    def _job_changed(self, event: JobChanged) -> None:
        self._changed[event.job] = self._parts.clock.now()


def _judge(check: JobCheck, job: JobSight) -> Finding:
    if job.rests:
        return Finding(None, job.rests)
    try:
        return check.look(job)
    except Exception as error:  # noqa: BLE001 - the same
        return _not_seen(check.name, error)


async def _ask(check: HouseCheck, sight: Sight) -> Finding:
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await check.look(sight)
    except Exception as error:  # noqa: BLE001 - the same
        return _not_seen(check.name, error)


def _not_seen(name: str, error: Exception) -> Finding:
    if isinstance(error, TimeoutError):
        return Finding(False, f"It took longer than {_CHECK_SECONDS:.0f} s to be looked at.", _SEE_LOG)
    if not isinstance(error, NightshiftError):
        _log.error("The check %s failed", name, exc_info=error)
    return Finding(False, f"It could not be looked at: {describe(error)}", _SEE_LOG)


def _check(
    name: str, check: JobCheck | HouseCheck, found: Finding, title: str, job: str | None = None
) -> Check:
    return Check(
        name=name,
        title=title,
        healthy=found.healthy,
        message=found.message,
        advice=found.advice,
        value=found.value,
        unit=check.unit,
        job=job,
    )
