"""Our schedules as an APScheduler trigger: its own cron doubles 02:30 in autumn and reads `0` as Monday."""

from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from app.jobs.due import Cron, Every, Several, When

# After a long sleep APScheduler asks for every instant in between. What was missed is worked out from the
# ledger, so those of the last day are enough.
_FAR_BACK = timedelta(days=1)


class CronSimTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler ships no types
    """Fires when `when` comes round. Pickled into the schedule's file by this module path and class name.

    Two of them are equal when they fire at the same instants: that is how a changed schedule is noticed.
    """

    __slots__ = ("when",)

    def __init__(self, when: When) -> None:
        self.when = when

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the instant after the previous one, or the first from `now` on."""
        if previous_fire_time is None:
            return self.when.next(now - timedelta(microseconds=1))
        return self.when.next(max(previous_fire_time, now - _FAR_BACK))

    def __getstate__(self) -> dict[str, Any]:
        return {"version": 2, "when": _written(self.when)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # Version 1 was a cron, its fields side by side.
        self.when = (
            Cron(state["expression"], state["zone"]) if state["version"] == 1 else _read(state["when"])
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CronSimTrigger) and other.when == self.when

    def __hash__(self) -> int:
        return hash(self.when)

    def __repr__(self) -> str:
        return f"CronSimTrigger({self.when!r})"


def _written(when: When) -> list[Any]:
    """Return it as plain values: a class that is renamed must not make the file unreadable."""
    if isinstance(when, Every):
        return ["every", when.period.total_seconds()]
    if isinstance(when, Several):
        return ["several", *(_written(part) for part in when.parts)]
    return ["cron", when.expression, when.zone]


def _read(written: list[Any]) -> When:
    kind, *rest = written
    if kind == "every":
        return Every(timedelta(seconds=rest[0]))
    if kind == "several":
        return Several(tuple(Cron(expression, zone) for _cron, expression, zone in rest))
    return Cron(*rest)
