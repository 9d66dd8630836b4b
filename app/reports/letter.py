"""A report as a letter: HTML with inline styles, as mail programs need it, and the same as plain text."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.reports.report import Item, Report, ReportKind, Section

_COLOURS: Final = {
    "critical": "#b91c1c",
    "high": "#c2410c",
    "medium": "#a16207",
    "low": "#1d4ed8",
    "info": "#6b7280",
}
_KINDS: Final = {ReportKind.DAILY: "Daily report", ReportKind.MONTHLY: "Monthly report"}
_WIDTH = 78
# Names come from the hub and may be hostile: everything is escaped.
_TEMPLATES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Letter:
    """`key` is the same for the same report: a letter that comes twice is known by its Message-ID."""

    subject: str
    text: str
    html: str
    key: str


def letter_of(report: Report, zone: ZoneInfo) -> Letter:
    """Return the letter; reads the template from the disk the first time (call it in a thread)."""
    written = report.generated_at.astimezone(zone)
    html = _TEMPLATES.get_template("report.html").render(
        report=report,
        kind=_KINDS[report.kind],
        colours=_COLOURS,
        written=f", {written.day} {written:%B %Y at %H:%M}",
    )
    return Letter(
        subject=_one_line(report.title),
        text=text_of(report),
        html=html,
        key=f"report-{report.home_id}-{report.report_id}",
    )


def text_of(report: Report) -> str:
    """Return the report as plain text, for mail programs without HTML and for the command line."""
    parts = [report.title, report.summary, *(_section(section) for section in report.sections)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(section: Section) -> str:
    lines = [section.title, "-" * len(section.title)]
    lines += [_item(item) for item in section.items] or [section.empty]
    return "\n".join(lines)


def _item(item: Item) -> str:
    level = f"[{item.level}] " if item.level and item.value != item.level else ""
    head = f"* {level}{item.title}" + (f": {item.value}" if item.value else "")
    if not item.remark:
        return head
    return (
        f"{head} ({item.remark})" if len(head) + len(item.remark) < _WIDTH else f"{head}\n    {item.remark}"
    )


def _one_line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
