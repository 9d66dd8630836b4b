"""`jobs`: what there is to do, when it is due, how it went. Only looks; works beside a server."""

import argparse
import asyncio
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from app.clock import Clock, SystemClock
from app.commands.run import sentence
from app.habits.nightly import analysis_job
from app.hub.homes import Homes
from app.jobs.context import RunContext
from app.jobs.due import Cron
from app.jobs.ledger import Ledger, Run
from app.jobs.spec import JobSpec, Outcome
from app.model import zone_of
from app.options import data_folder, load_options
from app.runtime import HOME_ID
from app.store.database import Store


@dataclass(frozen=True, slots=True)
class _Row:
    spec: JobSpec
    next_run: datetime | None
    paused: bool
    last: Run | None


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Take no words."""


def start(_arguments: argparse.Namespace) -> int:
    folder = data_folder()
    options = load_options(folder)
    specs = [analysis_job(_only_listed, options.analysis_schedule)]
    database = folder / "nightshift.db"
    # Looking makes no database: where there is none, nothing has run yet.
    store = Store(database, SystemClock()) if database.exists() else None
    rows, zone = asyncio.run(_look(store, specs, SystemClock()))
    # Folded, not cut off: on a narrow terminal a job's name is still whole.
    table = Table(*(Column(name, overflow="fold") for name in ("Job", "Schedule", "Next run", "Last run")))
    for row in rows:
        when = row.next_run.astimezone(zone).strftime("%a %d %b %H:%M") if row.next_run else "never"
        last = "not yet"
        if row.last:
            last = f"{row.last.started_at.astimezone(zone):%a %d %b %H:%M}: {sentence(row.last)}"
        table.add_row(
            f"[bold]{row.spec.name}[/bold]\n{escape(row.spec.description)}",
            escape(row.spec.schedule),
            "paused" if row.paused else when,
            escape(last),
        )
    Console().print(table)
    Console().print(f"Times are in {zone.key}.", highlight=False)
    return 0


async def _only_listed(context: RunContext) -> Outcome:
    raise RuntimeError(f"{context.job} was only listed")


async def _look(store: Store | None, specs: list[JobSpec], clock: Clock) -> tuple[list[_Row], ZoneInfo]:
    if store is None:
        zone = zone_of("UTC")
        return [
            _Row(spec, Cron(spec.schedule, zone.key).next(clock.now()), False, None) for spec in specs
        ], zone
    await store.open()
    try:
        home = await Homes(store, clock).load(HOME_ID)
        zone = home.zone if home else zone_of("UTC")
        ledger = Ledger(store, clock)
        paused = await ledger.paused()
        rows = [
            _Row(
                spec,
                Cron(spec.schedule, zone.key).next(clock.now()),
                spec.name in paused,
                await ledger.last(spec.name),
            )
            for spec in specs
        ]
    finally:
        await store.close()
    return rows, zone
