"""What the reports announce on the bus."""

from dataclasses import dataclass

from app.reports.report import Report


@dataclass(frozen=True, slots=True)
class ReportReady:
    """A report is stored; it is announced once for each."""

    report: Report
