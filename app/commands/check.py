"""`check`: say what is wrong with options, hub, broker, model and mail, and how to mend it."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
from rich.console import Console
from rich.markup import escape

from app.announce.check import check as check_broker
from app.bus import Bus
from app.clock import Clock, SystemClock
from app.errors import InputError, NightshiftError
from app.hub.live import HubSource
from app.hub.services import ServiceCall, no_service_call, service_call
from app.mail.sender import mailer_of
from app.neighbours import Neighbours
from app.options import ModelProvider, MqttMode, Options, data_folder, load_options
from app.reach import finder_of, hub_of
from app.store.database import Store
from app.words.models import model_of
from app.words.writer import Writer

Look = Callable[[], Awaitable[str]]
"""Looks at one thing and returns how it is; raises NightshiftError saying what is wrong and what to do."""


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """Take no words."""


def start(_arguments: argparse.Namespace) -> int:
    """Return 0 when all that is set up works, 1 when something does not, 2 when the options are wrong."""
    folder = data_folder()
    options = load_options(folder)
    console = Console()
    console.print("[green]ok[/green]     options")
    return asyncio.run(_check(options, folder, SystemClock(), console))


async def _check(options: Options, folder: Path, clock: Clock, console: Console) -> int:
    failed = 0
    async with aiohttp.ClientSession() as http:
        looks: dict[str, Look] = {
            "database": lambda: _database(folder, clock),
            "hub": lambda: _hub(options, clock, http),
            "broker": lambda: _broker(options, http),
            "model": lambda: _model(options, clock, http),
            "mail": lambda: _mail(options, clock),
        }
        for name, look in looks.items():
            try:
                said = await look()
            except NightshiftError as error:
                failed += 1
                console.print(f"[red]wrong[/red]  {name}: {escape(str(error))}", highlight=False)
            else:
                console.print(f"[green]ok[/green]     {name}: {escape(said)}", highlight=False)
    return 1 if failed else 0


async def _database(folder: Path, clock: Clock) -> str:
    path = folder / "nightshift.db"
    if not path.exists():
        return f"none yet; it will be {path}"
    store = Store(path, clock)
    await store.open()
    await store.close()
    return f"{path}, {path.stat().st_size / 2**20:.1f} MiB"


async def _hub(options: Options, clock: Clock, http: aiohttp.ClientSession) -> str:
    try:
        async with asyncio.timeout(30), hub_of(options, Neighbours(Bus(), clock), clock, http) as hub:
            home = await HubSource(hub).describe()
    except TimeoutError:
        raise InputError("no answer within 30 s; is the hub up, and its address right?") from None
    return f"Home Assistant {home.version}, {home.name}, {home.time_zone}, {len(home.entities)} entities"


async def _broker(options: Options, http: aiohttp.ClientSession) -> str:
    if options.mqtt is MqttMode.OFF:
        return "switched off (option mqtt)"
    broker = await finder_of(options, http)()
    if broker is None:
        return "none set up; install one in the hub or set mqtt_host to see Nightshift's device there"
    await check_broker(broker)
    return str(broker)


async def _model(options: Options, clock: Clock, http: aiohttp.ClientSession) -> str:
    neighbours = Neighbours(Bus(), clock)
    async with AsyncExitStack() as closing:
        call: ServiceCall = no_service_call
        if options.model_provider is ModelProvider.HOME_ASSISTANT:
            hub = await closing.enter_async_context(hub_of(options, neighbours, clock, http))
            call = service_call(hub)
        model = model_of(options, call)
        if model is None:
            return "off: templates word the suggestions"
        closing.push_async_callback(model.close)
        await Writer(model, neighbours, clock).check()
        return f"{model.label} answers"


async def _mail(options: Options, clock: Clock) -> str:
    mailer = mailer_of(options, Neighbours(Bus(), clock), clock)
    if mailer is None:
        return "not set up: no letters are sent"
    await mailer.check()
    return f"{options.mail_host}:{options.mail_port} takes mail"
