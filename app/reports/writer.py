"""A report, written: every section read on its own, so that one that cannot be read spoils none."""

from collections.abc import Awaitable, Callable
from typing import Final

from app.errors import NightshiftError
from app.reports.alerting import alerting
from app.reports.automating import automating
from app.reports.energy import energy
from app.reports.happened import happened
from app.reports.issues import issues
from app.reports.period import Period
from app.reports.report import Report, Section
from app.reports.responding import responding
from app.reports.scores import scores
from app.reports.sources import Sources
from app.reports.words import counted

SectionOf = Callable[[str, Period, Sources], Awaitable[Section]]
Failed = Callable[[str, BaseException], None]

SECTIONS: Final[dict[str, SectionOf]] = {
    "Top issues": issues,
    "Health score": scores,
    "Alerts": alerting,
    "What happened": happened,
    "What automations did": automating,
    "Energy": energy,
    "Response": responding,
}
"""In the order of the page: what needs somebody first."""


class ReportWriter:
    """Made with `ReportWriter(Sources(...))`."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    async def write(self, home_id: str, period: Period, failed: Failed) -> Report:
        """Return the report of that period; a section that cannot be read says so, and `failed` is told."""
        sections = []
        for title, section_of in SECTIONS.items():
            try:
                section = await section_of(home_id, period, self._sources)
            except Exception as error:  # noqa: BLE001 - a section's edge: the others are still worth reading
                failed(title, error)
                why = str(error) if isinstance(error, NightshiftError) else "see the log"
                section = Section(
                    key=section_of.__name__, title=title, empty=f"This could not be read: {why}."
                )
            sections.append(section)
        home = self._sources.home()
        name = home.name if home else "Home"
        demo = " (an invented demo home)" if home and home.demo else ""
        return Report(
            report_id=period.report_id,
            home_id=home_id,
            kind=period.kind,
            title=f"{name}{demo}: {period.named}",
            summary=summary_of(sections, period),
            first_day=period.first,
            last_day=period.last,
            generated_at=self._sources.clock.now(),
            sections=tuple(sections),
        )


def summary_of(sections: list[Section], period: Period) -> str:
    """Return the report in a line or two, made of what its sections say."""
    known = {section.key: section for section in sections}
    score = known["score"].items[:1] if "score" in known else ()
    said = [f"{item.title} {item.value}" for item in score]
    if (happened_there := known.get("happened")) and happened_there.items:
        said.append(f"{happened_there.items[0].value} state changes")
    if (alerts := known.get("alerts")) is not None:
        said.append(_alerts_said(alerts, period))
    if (used := known.get("energy")) and used.items:
        first = used.items[0]
        # Of a month only that days are missing; how it compares is in the section.
        remark = first.remark if period.daily or first.remark.startswith("of the") else ""
        said.append(f"{first.value} from the grid" + (f" ({remark})" if remark else ""))
    if (top := known.get("issues")) and top.items:
        said.append(f"{counted(len(top.items), 'thing')} to look at")
    line = "; ".join(said)
    return f"{line[:1].upper()}{line[1:]}." if line else "There is nothing to tell yet."


def _alerts_said(alerts: Section, period: Period) -> str:
    if not alerts.items:
        return "no alert noticed"
    if period.daily:
        return counted(sum(bool(item.level) for item in alerts.items), "alert")
    levels = [item for item in alerts.items if item.title.startswith("Level ")]
    return counted(sum(int(item.value) for item in levels), "new alert")
