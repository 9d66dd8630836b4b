"""How many tries fail, even where the second one then saves the day."""

from app.jobs.tally import Try
from app.upkeep.check import Finding, JobCheck
from app.upkeep.checks.success_rate import NEWEST
from app.upkeep.sight import LOOKED_BACK, JobSight
from app.upkeep.wording import counted, share

BEARABLE = 0.2
"""The seed tries again at once when less than 80 % succeeded: from there on it is no single mishap."""
FEWEST = 5
"""With fewer tries one of them decides; the failures in a row are judged all the same."""


def look(job: JobSight) -> Finding:
    """Judge the last 30 tries of 30 days, and the failures in a row that the declaration bears."""
    recent = [one for one in job.tries if one.judged and job.now - one.started_at <= LOOKED_BACK][:NEWEST]
    wrong = [one for one in recent if one.went_wrong]
    in_a_row = max((duty.failures for duty in job.duties), default=0)
    rate = round(len(wrong) / len(recent), 4) if recent else None
    if in_a_row >= job.spec.alert_after:
        said = "The last run failed." if in_a_row == 1 else f"The last {in_a_row} runs failed."
        return Finding(False, f"{said}{_why(wrong)}", _ADVICE, rate)
    if rate is None:
        return Finding(None, "It has not run in the last 30 days.")
    if len(recent) < FEWEST:
        few = f"{len(wrong)} of {counted(len(recent), 'try', 'tries')} failed: too few to tell a rate."
        return Finding(None, few, value=rate)
    message = f"{len(wrong)} of the last {counted(len(recent), 'try', 'tries')} failed ({share(rate)})."
    if rate < BEARABLE:
        return Finding(True, message, value=rate)
    most = f"It should be less than {share(BEARABLE)}."
    return Finding(False, f"{message} {most}{_why(wrong)}", _ADVICE, rate)


def _why(wrong: list[Try]) -> str:
    error = next((one.error_message for one in wrong if one.error_message), "")
    return f" What went wrong last: {error}" if error else ""


_ADVICE = "Open its failed runs on the page Jobs; what they say in common is what to mend."

CHECK = JobCheck("error_rate", "Error rate", "share", look)
