"""What is counted since the start: runs, their durations, their subjects, the words they needed.

Counters count from the start of the process, as Prometheus expects them: the ledger forgets old runs, so that
a count of its rows would fall, and a fall is read as a restart.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric

from app.bus import Bus
from app.jobs.announcements import RunEnded, RunSkipped, SubjectGivenUp
from app.jobs.run import Run, RunStatus
from app.upkeep.checks.cache_hit_rate import HIT, NEEDED

BUCKETS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)
"""Seconds: from a look at the health (a tenth) to the longest night."""
STATUSES: Final = tuple(status for status in RunStatus if status.ended)


class Counted:
    """Listens to the bus and counts. Call from the event loop only."""

    def __init__(self, bus: Bus) -> None:
        self._ended: Counter[tuple[str, RunStatus]] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()
        self._timed: Counter[str] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._subjects: Counter[tuple[str, str]] = Counter()
        self._given_up: Counter[str] = Counter()
        self._words: Counter[tuple[str, str]] = Counter()
        self._ignore: list[Callable[[], None]] = [
            bus.subscribe(RunEnded, lambda event: self._count(event.run)),
            bus.subscribe(RunSkipped, lambda event: self._count(event.run)),
            bus.subscribe(SubjectGivenUp, lambda event: self._given_up.update([event.retry.job])),
        ]

    def close(self) -> None:
        """Count no more."""
        for ignore in self._ignore:
            ignore()

    def families(self, jobs: Iterable[str]) -> list[Metric]:
        """Return the counts of these jobs; one that did not happen yet is 0, so that its first is seen."""
        runs = CounterMetricFamily("nightshift_runs", "Runs that ended, by how.", labels=("job", "status"))
        took = HistogramMetricFamily(
            "nightshift_run_duration_seconds", "How long runs took.", labels=("job",)
        )
        subjects = CounterMetricFamily(
            "nightshift_subjects", "Subjects that runs worked on.", labels=("job", "outcome")
        )
        cache = CounterMetricFamily(
            "nightshift_cache_requests",
            "Words that were needed: kept from before (hit), or asked for anew (miss).",
            labels=("job", "result"),
        )
        given_up = CounterMetricFamily(
            "nightshift_subjects_given_up", "Subjects of which all tries failed.", labels=("job",)
        )
        for job in jobs:
            for status in STATUSES:
                runs.add_metric((job, status), self._ended[job, status])
            buckets = [(str(bucket), float(self._within[job, bucket])) for bucket in BUCKETS]
            everything = ("+Inf", float(self._timed[job]))
            took.add_metric((job,), [*buckets, everything], self._seconds.get(job, 0.0))
            for outcome in ("successful", "failed"):
                subjects.add_metric((job, outcome), self._subjects[job, outcome])
            for result in ("hit", "miss"):
                cache.add_metric((job, result), self._words[job, result])
            given_up.add_metric((job,), self._given_up[job])
        return [runs, took, subjects, cache, given_up]

    def _count(self, run: Run) -> None:
        self._ended[run.job, run.status] += 1
        if run.status is RunStatus.SKIPPED:
            return
        if run.duration_seconds is not None and run.status is not RunStatus.INTERRUPTED:
            self._timed[run.job] += 1
            self._seconds[run.job] += run.duration_seconds
            for bucket in BUCKETS:
                self._within[run.job, bucket] += run.duration_seconds <= bucket
        self._subjects[run.job, "successful"] += run.subjects_successful
        self._subjects[run.job, "failed"] += run.subjects_failed
        needed, kept = run.counts.get(NEEDED, 0), run.counts.get(HIT, 0)
        self._words[run.job, "hit"] += kept
        self._words[run.job, "miss"] += max(needed - kept, 0)
