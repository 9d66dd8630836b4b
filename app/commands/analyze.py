"""`analyze`: find habits in a recorder file, a history download or the hub, and print them.

JSON goes to standard output and nothing else does; progress and remarks go to standard error.
"""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.clock import SystemClock, from_ms, to_ms
from app.commands.progress import Reporter
from app.commands.table import print_analysis
from app.errors import InputError
from app.events import Events
from app.habits.analysis import analyse_home
from app.habits.snapshot import Snapshot
from app.habits.suggestion import Analysis
from app.hub.download import home_from_events, read_download
from app.hub.recorder import read_recorder
from app.model import Cause, Home, zone_of
from app.options import Options, data_folder, load_options
from app.system import peak_mib


def add_arguments(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--recorder", type=Path, metavar="FILE.db", help="a copy of the hub's recorder database"
    )
    source.add_argument(
        "--history", type=Path, metavar="FILE.csv", help="a history download: entity_id,state,last_changed"
    )
    source.add_argument("--hub", action="store_true", help="the hub itself, over its API")
    parser.add_argument("--timezone", metavar="ZONE", help="the home's zone, such as Europe/Amsterdam")
    parser.add_argument("--latitude", type=float, metavar="N", help="degrees, for sunrise and sunset")
    parser.add_argument("--longitude", type=float, metavar="N", help="degrees, for sunrise and sunset")
    parser.add_argument("--since", metavar="ISO", help="leave out what happened before")
    parser.add_argument("--until", metavar="ISO", help="leave out what happened from then on")
    parser.add_argument("--format", choices=("table", "json"), default="table")
    parser.add_argument("--explain", action="store_true", help="list what was set aside and why")


def start(arguments: argparse.Namespace) -> int:
    started = time.monotonic()
    reporter = Reporter()
    zone = _zone(arguments.timezone)
    since, until = (_instant(getattr(arguments, name), f"--{name}", zone) for name in ("since", "until"))
    if since and until and since >= until:
        raise InputError("--since must be before --until")
    with reporter:
        home, events = _read(arguments, since, until, reporter)
        home = _told(home, arguments, zone)
        snapshot = Snapshot(
            home=home,
            as_of=until or (from_ms(int(events.at[-1]) + 1) if len(events) else SystemClock().now()),
            events=events,
            causes_known=bool((events.cause != Cause.UNKNOWN).any()),
            explain=arguments.explain,
        )
        analysis = analyse_home(snapshot, reporter.progress)
    took = {"seconds": round(time.monotonic() - started, 3), "peak_mib": peak_mib()}
    analysed = analysis.analysed.model_copy(update=took)
    _print(analysis.model_copy(update={"analysed": analysed}), home, arguments.format)
    return 0


def _read(
    arguments: argparse.Namespace, since: datetime | None, until: datetime | None, reporter: Reporter
) -> tuple[Home, Events]:
    if arguments.recorder:
        home, events = read_recorder(
            arguments.recorder, since, until, lambda done, total: reporter.progress("Reading", done, total)
        )
        if not home.knows_zone and not arguments.timezone:
            raise _no_zone(arguments.recorder)
        return home, events
    if arguments.history:
        if not arguments.timezone:
            raise _no_zone(arguments.history)
        reporter.progress("Reading", 0, 1)
        events = read_download(arguments.history, since, until)
        return home_from_events(events), events
    options = load_options(data_folder())
    return asyncio.run(_read_hub(options, since, until, reporter))


async def _read_hub(
    options: Options, since: datetime | None, until: datetime | None, reporter: Reporter
) -> tuple[Home, Events]:
    """Read straight from the hub; nothing is kept."""
    # Only this source needs the network's libraries.
    from app.commands.hub import hub_source  # noqa: PLC0415

    clock = SystemClock()
    end = until or clock.now()
    begin = since or end - timedelta(days=options.history_days)
    async with hub_source(options, clock) as source:
        home = await source.describe()
        parts: list[Events] = []
        async for piece in source.history(home, begin, end):
            parts.append(piece.events)
            reporter.progress("Reading", to_ms(piece.until) - to_ms(begin), to_ms(end) - to_ms(begin))
    return home, Events.join(parts)


def _told(home: Home, arguments: argparse.Namespace, zone: str | None) -> Home:
    """Return the home with what the command line says about it; that wins over the source."""
    changes: dict[str, object] = {}
    if zone:
        changes["time_zone"] = zone
    given = (arguments.latitude, arguments.longitude)
    if (given[0] is None) != (given[1] is None):
        raise InputError("--latitude and --longitude go together")
    if given[0] is not None:
        if not (-90 <= given[0] <= 90 and -180 <= given[1] <= 180):
            raise InputError(f"--latitude {given[0]} --longitude {given[1]}: no such place on Earth")
        changes |= {"latitude": given[0], "longitude": given[1]}
    elif home.place is None:
        sys.stderr.write(
            "No place is known, so sunrise and sunset are left out: add --latitude and --longitude.\n"
        )
    return home.model_copy(update=changes)


def _zone(name: str | None) -> str | None:
    if name is None:
        return None
    try:
        zone_of(name)
    except ValueError as error:
        raise InputError(f"--timezone: {error}") from error
    return name


def _no_zone(path: Path) -> InputError:
    return InputError(f"{path}: it names no time zone: add --timezone, such as --timezone Europe/Amsterdam")


def _instant(text: str | None, option: str, zone: str | None) -> datetime | None:
    """Read ISO; without an offset it is local to the zone given, else UTC."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{option} {text!r}: not an ISO time such as 2026-01-31T18:00") from error
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone_of(zone) if zone else UTC)
    return instant.astimezone(UTC)


def _print(analysis: Analysis, home: Home, form: str) -> None:
    if form == "json":
        sys.stdout.write(analysis.model_dump_json(exclude_none=True) + "\n")
    else:
        print_analysis(analysis, home)
    sys.stdout.flush()
