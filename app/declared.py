"""What the jobs are told from outside: the schedules of the options, the homes and the people."""

import os
from typing import Final, NoReturn
from zoneinfo import ZoneInfo

from app.alerts.job import ALERT_DETECTOR, alert_detector_job
from app.announce.digest import MORNING_DIGEST, morning_digest_job, schedule_of
from app.errors import InputError
from app.habits.nightly import ANALYSIS, analysis_job
from app.insights.daily import DAILY_INSIGHTS, daily_insights_job
from app.jobs.agenda import check_text
from app.jobs.context import RunContext
from app.jobs.places import Place
from app.jobs.spec import JobSpec, Subjects
from app.jobs.subject import Subject
from app.model import Home, zone_of
from app.options import Options
from app.reports.jobs import DAILY_REPORT, MONTHLY_REPORT, daily_report_job, monthly_report_job
from app.statistics.aggregator import STATS_AGGREGATOR, stats_job
from app.upkeep.cleanup import WEEKLY_CLEANUP, weekly_cleanup_job
from app.upkeep.job import HEALTH_CHECK, health_check_job

HOME_ID: Final = "home"
JOBS: Final = (
    ANALYSIS, STATS_AGGREGATOR, ALERT_DETECTOR, DAILY_INSIGHTS, DAILY_REPORT, MONTHLY_REPORT, WEEKLY_CLEANUP,
    MORNING_DIGEST, HEALTH_CHECK,
)  # fmt: skip
"""The names of the jobs there are."""
MORNING: Final = (STATS_AGGREGATOR, ALERT_DETECTOR, DAILY_INSIGHTS, DAILY_REPORT)
"""Those that make a morning, in their order."""


def specs_to_list() -> list[JobSpec]:
    """Return the declarations of all jobs, with nothing behind them: for whoever only lists them."""

    async def nothing(context: RunContext) -> NoReturn:
        raise RuntimeError(f"{context.job} was only listed")

    async def nobody(context: RunContext, _subject: Subject) -> NoReturn:
        await nothing(context)

    return [
        analysis_job(nothing),
        stats_job(nothing),
        alert_detector_job(nothing),
        daily_insights_job(Subjects(nothing, nobody)),
        daily_report_job(nothing),
        monthly_report_job(nothing),
        weekly_cleanup_job(nothing),
        morning_digest_job(nothing),
        health_check_job(nothing),
    ]


def schedules_of(options: Options) -> dict[str, str]:
    """Return the schedules that are not as the jobs declare them, by job.

    Raises InputError, one line, for a job that does not exist and for what is no schedule.
    """
    moved = {}
    if options.analysis_schedule != Options.model_fields["analysis_schedule"].default:
        moved[ANALYSIS] = options.analysis_schedule
    if options.digest_at != Options.model_fields["digest_at"].default:
        moved[MORNING_DIGEST] = schedule_of(options.digest_at)
    for given in options.schedules:
        if given.job not in JOBS:
            raise InputError(
                f"options: schedules: there is no job {given.job!r}; there are: {', '.join(JOBS)}"
            )
        try:
            check_text(given.schedule)
        except InputError as error:
            raise InputError(f"options: schedules: {given.job}: {error}") from error
        moved[given.job] = given.schedule
    return moved


def places_of(home: Home | None, options: Options) -> tuple[Place, ...]:
    """Return where the jobs run for: the home, or before it was ever met this machine's zone for it."""
    if home is None:
        return (Place(HOME_ID, machine_zone()),)
    zones = {given.person: given.time_zone for given in options.people}
    people = (Subject(person.entity_id, person.name, zones.get(person.entity_id)) for person in home.persons)
    return (Place(HOME_ID, home.zone, tuple(people)),)


def strangers(home: Home, options: Options) -> list[str]:
    """Return the people of the options whom the home does not know."""
    known = {person.entity_id for person in home.persons}
    return [given.person for given in options.people if given.person not in known]


def machine_zone() -> ZoneInfo:
    """Return the zone to start in until the hub has told its own: TZ (the Supervisor sets it), else UTC."""
    try:
        return zone_of(os.environ.get("TZ") or "UTC")
    except ValueError:
        return zone_of("UTC")
