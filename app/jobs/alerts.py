"""Tells people when a job keeps failing, and once more when it works again."""

from app.bus import Bus
from app.jobs.announcements import JobFailing, JobRecovered
from app.jobs.ledger import Ledger
from app.jobs.places import Duty
from app.jobs.run import Run, RunStatus


async def tell_of_failures(ledger: Ledger, bus: Bus, duty: Duty, ended: Run) -> None:
    """Announce what the end of this run means, as the ledger has it: so a new start does not say it again.

    Raises StoreError.
    """
    if ended.details.get("retries"):
        return
    job, home, bears = duty.spec.name, duty.home, duty.spec.alert_after
    if ended.status in {RunStatus.FAILED, RunStatus.RETRYING}:
        if await ledger.failures_in_a_row(job, home) == bears:
            bus.announce(JobFailing(job, home, bears, ended.error_message or ""))
        return
    worked = ended.status in {RunStatus.COMPLETED, RunStatus.PARTIAL}
    if worked and await ledger.failures_in_a_row(job, home, before=ended) >= bears:
        bus.announce(JobRecovered(job, home))
