"""A report: yesterday, or last month, on one page."""

from datetime import date, datetime
from enum import StrEnum

from app.model import Frozen


class ReportKind(StrEnum):
    DAILY = "daily"
    MONTHLY = "monthly"


class Item(Frozen):
    """One line: what, how much, and a remark; texts may hold names from the hub."""

    title: str
    value: str = ""
    remark: str = ""
    level: str = ""
    """An alert's level, or empty."""


class Section(Frozen):
    """One part of the report; `empty` is said where there are no items."""

    key: str
    title: str
    items: tuple[Item, ...] = ()
    empty: str = ""


class Report(Frozen):
    """`first_day` and `last_day` are the local days it is about, both included."""

    report_id: str
    home_id: str
    kind: ReportKind
    title: str
    summary: str
    first_day: date
    last_day: date
    generated_at: datetime
    sections: tuple[Section, ...]
