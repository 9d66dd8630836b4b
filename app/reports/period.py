"""What a report is about: yesterday, or last month, as local days."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from app.reports.report import ReportKind

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """`first` and `last` are both in it; `before_first` to before `first` is what it is compared to."""

    kind: ReportKind
    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def day_before(cls, morning: date, zone: ZoneInfo) -> Self:
        return cls(ReportKind.DAILY, morning - _DAY, morning - _DAY, zone)

    @classmethod
    def month_before(cls, morning: date, zone: ZoneInfo) -> Self:
        last = morning.replace(day=1) - _DAY
        return cls(ReportKind.MONTHLY, last.replace(day=1), last, zone)

    @property
    def since(self) -> datetime:
        """When it began; where the clock skips midnight, the instant it does."""
        return datetime.combine(self.first, time.min, self.zone)

    @property
    def until(self) -> datetime:
        """When it was over."""
        return datetime.combine(self.last + _DAY, time.min, self.zone)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def daily(self) -> bool:
        return self.kind is ReportKind.DAILY

    @property
    def before(self) -> "Period":
        """The period just before this one."""
        if self.daily:
            return Period.day_before(self.first, self.zone)
        return Period.month_before(self.first, self.zone)

    @property
    def report_id(self) -> str:
        """`daily-2026-11-21`, `monthly-2026-10`."""
        return f"daily-{self.first.isoformat()}" if self.daily else f"monthly-{self.first:%Y-%m}"

    @property
    def named(self) -> str:
        """`Saturday 21 November 2026`, `October 2026`."""
        return f"{self.first:%A} {self.first.day} {self.first:%B %Y}" if self.daily else f"{self.first:%B %Y}"

    def holds(self, instant: datetime) -> bool:
        return self.since <= instant < self.until
