"""`jobs`: what there is to do, when it is due, how it went. Only looks; works beside a server."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.markup import escape
from rich.table import Column, Table

from app.bus import Bus
from app.clock import Clock, SystemClock
from app.commands.run import sentence
from app.commands.table import output
from app.declared import HOME_ID, places_of, schedules_of, specs_to_list
from app.hub.homes import Homes
from app.jobs.agenda import Agenda
from app.jobs.due import OFF
from app.jobs.ledger import Ledger, Run, RunStatus
from app.jobs.places import Duty
from app.jobs.retry_queue import RetryQueue
from app.model import Home
from app.options import Options, data_folder, load_options
from app.store.database import Store
from app.web.schedules import in_words
from app.web.shapes import run_json


@dataclass(frozen=True, slots=True)
class _Row:
    """One job for one home."""

    duty: Duty
    schedule: str
    next_run: datetime | None
    paused: bool = False
    last: Run | None = None
    again: datetime | None = None
    """When what failed is tried again: the run, or the first of its subjects."""
    waiting: int = 0
    given_up: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")


def start(arguments: argparse.Namespace) -> int:
    folder = data_folder()
    options = load_options(folder)
    schedules = schedules_of(options)
    database = folder / "nightshift.db"
    # Looking makes no database: where there is none, nothing has run yet.
    store = Store(database, SystemClock()) if database.exists() else None
    rows, zone = asyncio.run(_look(store, options, schedules, SystemClock()))
    if arguments.json:
        sys.stdout.write(json.dumps([_json(row) for row in rows], indent=2) + "\n")
        return 0
    console = output()
    console.print(_table(rows, zone))
    console.print(f"Times are in {zone.key}.", highlight=False)
    return 0


async def _look(
    store: Store | None, options: Options, schedules: Mapping[str, str], clock: Clock
) -> tuple[list[_Row], ZoneInfo]:
    """Return every job with its state, and the zone of the (first) home."""
    if store is None:
        agenda = _agenda(None, options, schedules)
        return [_row(agenda, duty, clock.now()) for duty in agenda], agenda.places[0].zone
    await store.open()
    try:
        ledger = Ledger(store, clock)
        home = await Homes(store, clock).load(HOME_ID)
        agenda = _agenda(home, options, schedules).with_page(await ledger.schedules())
        queue = RetryQueue(store, clock, ledger.generation, Bus())
        rows = [await _asked(agenda, duty, ledger, queue, clock.now()) for duty in agenda]
    finally:
        await store.close()
    return rows, agenda.places[0].zone


def _agenda(home: Home | None, options: Options, schedules: Mapping[str, str]) -> Agenda:
    return Agenda.of(specs_to_list(), places_of(home, options), schedules)


async def _asked(agenda: Agenda, duty: Duty, ledger: Ledger, queue: RetryQueue, now: datetime) -> _Row:
    """Return a job's row with what the ledger and the queue know of it."""
    name, home = duty.spec.name, duty.home
    last = await ledger.last(name, home)
    retries = [retry for retry in await queue.all(name) if retry.home == home]
    tries = [retry.next_retry_at for retry in retries if retry.next_retry_at is not None]
    if last is not None and last.status is RunStatus.RETRYING and last.next_retry_at is not None:
        tries.append(last.next_retry_at)
    paused = name in await ledger.paused()
    plain = _row(agenda, duty, now)
    return _Row(
        duty,
        plain.schedule,
        None if paused else plain.next_run,
        paused=paused,
        last=last,
        again=None if paused else min(tries, default=None),
        waiting=sum(not retry.dead for retry in retries),
        given_up=sum(retry.dead for retry in retries),
    )


def _row(agenda: Agenda, duty: Duty, now: datetime) -> _Row:
    when = agenda.when(duty)
    return _Row(duty, agenda.setting(duty.spec.name).text, when.next(now) if when else None)


def _table(rows: list[_Row], zone: ZoneInfo) -> Table:
    # Folded, not cut off: on a narrow terminal a job's name is still whole.
    table = Table(*(Column(name, overflow="fold") for name in ("Job", "Schedule", "Next run", "Last run")))
    several = len({row.duty.home for row in rows if row.duty.home}) > 1
    for row in rows:
        spec = row.duty.spec
        home = f" ({row.duty.home})" if several and row.duty.home else ""
        table.add_row(
            f"[bold]{escape(spec.name)}[/bold]{escape(home)}\n{escape(spec.description)}",
            escape(f"{in_words(row.schedule)}\n{row.schedule}"),
            escape("\n".join(_next_said(row, zone))),
            escape("\n".join(_last_said(row, zone))),
        )
    return table


def _next_said(row: _Row, zone: ZoneInfo) -> list[str]:
    if row.paused:
        said = ["paused"]
    elif row.schedule == OFF:
        said = ["off"]
    else:
        said = [_local(row.next_run, zone) if row.next_run else "never"]
    if row.again is not None:
        said.append(f"tried again {_local(row.again, zone)}")
    return said


def _last_said(row: _Row, zone: ZoneInfo) -> list[str]:
    said = [f"{_local(row.last.started_at, zone)}: {sentence(row.last)}" if row.last else "not yet"]
    if row.waiting:
        said.append(f"{row.waiting} of it tried again")
    if row.given_up:
        said.append(f"{row.given_up} given up: see the page Jobs")
    return said


def _local(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%a %d %b %H:%M")


def _json(row: _Row) -> dict[str, Any]:
    spec = row.duty.spec
    return {
        "job": spec.name,
        "home": row.duty.home,
        "title": spec.title,
        "description": spec.description,
        "schedule": row.schedule,
        "next_run": row.next_run.isoformat() if row.next_run else None,
        "tried_again_at": row.again.isoformat() if row.again else None,
        "paused": row.paused,
        "off": row.schedule == OFF,
        "last_run": run_json(row.last) if row.last else None,
        "retries_waiting": row.waiting,
        "given_up": row.given_up,
    }
