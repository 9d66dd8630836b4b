"""Cronsim as an APScheduler trigger: its own cron doubles 02:30 in autumn and reads `0` as Monday."""

from datetime import datetime, timedelta
from typing import Any

from apscheduler.triggers.base import BaseTrigger

from app.jobs.due import Cron

# After a long sleep APScheduler asks for every instant in between. What was missed is worked out from the
# ledger, so those of the last day are enough.
_FAR_BACK = timedelta(days=1)


class CronSimTrigger(BaseTrigger):  # type: ignore[misc] # APScheduler ships no types
    """Fires when `cron` comes round. Pickled into the schedule's file by this module path and class name.

    Two of them are equal when they fire at the same instants: that is how a changed schedule is noticed.
    """

    __slots__ = ("cron",)

    def __init__(self, cron: Cron) -> None:
        self.cron = cron

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """Return the instant after the previous one, or the first from `now` on."""
        if previous_fire_time is None:
            return self.cron.next(now - timedelta(microseconds=1))
        return self.cron.next(max(previous_fire_time, now - _FAR_BACK))

    def __getstate__(self) -> dict[str, Any]:
        return {"version": 1, "expression": self.cron.expression, "zone": self.cron.zone}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.cron = Cron(state["expression"], state["zone"])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CronSimTrigger) and other.cron == self.cron

    def __hash__(self) -> int:
        return hash(self.cron)

    def __repr__(self) -> str:
        return f"CronSimTrigger({self.cron.expression!r}, {self.cron.zone!r})"
