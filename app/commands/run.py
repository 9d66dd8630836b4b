"""`run JOB`: run one job now, in the foreground, and say how it went."""

import argparse
import asyncio
import os

from rich.console import Console

from app.clock import SystemClock
from app.commands.logs import begin_logging
from app.commands.progress import Reporter
from app.commands.signals import stop_event
from app.errors import InputError
from app.jobs.announcements import RunProgressed
from app.jobs.run import Run, RunStatus
from app.options import data_folder, load_options
from app.runtime import JOBS, Runtime, Setting, running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("job", metavar="JOB", help="its name, as ./run.sh jobs lists it: analysis")


def start(arguments: argparse.Namespace) -> int:
    if arguments.job not in JOBS:  # before anything is opened, reached or announced
        raise InputError(f"there is no job {arguments.job!r}; there are: {', '.join(JOBS)}")
    os.umask(0o077)  # what is kept tells of a home's life: for this user only
    folder = data_folder()
    options = load_options(folder)
    begin_logging("warning" if options.log_level == "info" else options.log_level)
    run = asyncio.run(
        _run(Setting(options=options, folder=folder, clock=SystemClock(), scheduling=False), arguments.job)
    )
    Console().print(sentence(run), markup=False, highlight=False)
    return 0 if run.status in {RunStatus.COMPLETED, RunStatus.PARTIAL} else 1


async def _run(setting: Setting, job: str) -> Run:
    asked = stop_event()
    async with running(setting) as runtime:
        return await run_now(runtime, job, asked)


async def run_now(runtime: Runtime, job: str, asked: asyncio.Event) -> Run:
    """Run a job to its end with progress on standard error; asked to stop, cancel it."""
    with Reporter() as reporter:

        def show(event: RunProgressed) -> None:
            reporter.progress(event.progress.step, event.progress.done, event.progress.total)

        unsubscribe = runtime.bus.subscribe(RunProgressed, show)
        try:
            started = await runtime.jobs.trigger(job)
            ending = asyncio.create_task(runtime.jobs.wait(started.run_id))
            stopping = asyncio.create_task(asked.wait())
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
