"""`run JOB`: run one job now, in the foreground, and say how it went."""

import argparse
import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from rich.console import Console

from app.clock import SystemClock
from app.commands.logs import begin_logging
from app.commands.progress import Reporter
from app.commands.signals import stop_event
from app.commands.table import aside_table, output
from app.declared import JOBS, MORNING
from app.errors import InputError
from app.habits.nightly import ANALYSIS
from app.jobs.announcements import LogLine, RunProgressed
from app.jobs.run import Run, RunStatus
from app.options import data_folder, load_options
from app.runtime import Runtime, Setting, running


@dataclass(frozen=True, slots=True)
class Asked:
    """For whom and which day a job is run: as `Jobs.trigger` takes it."""

    home: str | None = None
    person: str | None = None
    day: date | None = None
    force: bool = False


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="its name, as ./run.sh jobs lists it: analysis")
    parser.add_argument("--home", metavar="ID", help="for this home, as ./run.sh jobs lists it")
    parser.add_argument("--person", metavar="ID", help="for this one alone, such as person.anna")
    parser.add_argument("--date", metavar="YYYY-MM-DD", help="for this day rather than today")
    parser.add_argument(
        "--force", action="store_true", help="do again what is done, and as often as it is asked for"
    )
    parser.add_argument(
        "--explain", action="store_true", help="analysis: list what was set aside and why; others: their log"
    )


def start(arguments: argparse.Namespace) -> int:
    if arguments.job not in JOBS:  # before anything is opened, reached or announced
        raise InputError(f"there is no job {arguments.job!r}; there are: {', '.join(JOBS)}")
    asked = Asked(arguments.home, arguments.person, _day(arguments.date), arguments.force)
    os.umask(0o077)  # what is kept tells of a home's life: for this user only
    folder = data_folder()
    options = load_options(folder)
    level = "warning" if options.log_level == "info" else options.log_level
    # The log of the run has what the options want of it, however little is shown meanwhile.
    begin_logging(level, kept=options.log_level)
    setting = Setting(options=options, folder=folder, clock=SystemClock(), scheduling=False)
    run, lines = asyncio.run(_run(setting, arguments.job, asked))
    if arguments.explain:
        _explain(run, lines)
    Console().print(sentence(run), markup=False, highlight=False)
    return 0 if run.status in {RunStatus.COMPLETED, RunStatus.PARTIAL} else 1


async def _run(setting: Setting, job: str, asked: Asked) -> tuple[Run, list[LogLine]]:
    stop = stop_event()
    async with running(setting) as runtime:
        if job in MORNING:
            await runtime.look_around()
        run = await run_now(runtime, job, stop, asked)
        return run, await runtime.log.lines(run.run_id)


async def run_now(runtime: Runtime, job: str, stop: asyncio.Event, asked: Asked | None = None) -> Run:
    """Run a job to its end with progress on standard error; asked to stop, cancel it."""
    asked = asked or Asked()
    with Reporter() as reporter:

        def show(event: RunProgressed) -> None:
            reporter.progress(event.progress.step, event.progress.done, event.progress.total)

        unsubscribe = runtime.bus.subscribe(RunProgressed, show)
        try:
            started = await runtime.jobs.trigger(
                job, home=asked.home, person=asked.person, day=asked.day, force=asked.force
            )
            ending = asyncio.create_task(runtime.jobs.wait(started.run_id))
            stopping = asyncio.create_task(stop.wait())
            await asyncio.wait({ending, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not ending.done():
                await runtime.jobs.cancel(started.run_id)
            stopping.cancel()
            return await ending
        finally:
            unsubscribe()


def sentence(run: Run) -> str:
    """Say how a run went in one line."""
    took = f" in {run.duration_seconds:.1f} s" if run.duration_seconds is not None else ""
    counts = ", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in run.counts.items())
    why = f": {run.error_message}" if run.error_message else ""
    return f"{run.job} {run.status}{took}{why}" + (f" ({counts})" if counts else "")


def _explain(run: Run, lines: Sequence[LogLine]) -> None:
    """Print what the analysis set aside, and of any other job what it wrote to its log."""
    console = output()
    if run.job == ANALYSIS:
        given = run.details.get("set_aside")
        aside = given if isinstance(given, list) else []
        if not aside:
            console.print("Nothing was set aside.")
            return
        console.print(aside_table((str(one["habit"]), str(one["why"])) for one in aside))
        return
    if not lines:
        console.print("It wrote nothing to its log.")
    for line in lines:
        console.print(f"{line.level.lower():<8} {line.text}", markup=False, highlight=False, soft_wrap=True)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(f"--date {text!r}: give a day such as 2026-01-31") from None
