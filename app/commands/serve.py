"""`serve`: run the crew until asked to stop. What the add-on does."""

import argparse
import asyncio
import os

from app.clock import SystemClock
from app.commands.logs import begin_logging
from app.commands.signals import stop_event
from app.errors import InputError
from app.options import Options, data_folder, load_options
from app.reach import supervisor_token
from app.runtime import Doorway, Setting, running
from app.system import settle_memory

DEFAULT_PORT = 8099


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "NIGHTSHIFT_HOST and NIGHTSHIFT_PORT say where the page listens, NIGHTSHIFT_DATA where all is kept; "
        "every option can be given as NIGHTSHIFT_… too (docs/options.md)."
    )


def start(_arguments: argparse.Namespace) -> int:
    os.umask(0o077)  # what is kept tells of a home's life: for this user only
    folder = data_folder()
    options = load_options(folder)
    begin_logging(options.log_level)
    setting = Setting(options=options, folder=folder, clock=SystemClock(), doorway=doorway_of(options))
    asyncio.run(_serve(setting))
    return 0


async def _serve(setting: Setting) -> None:
    asked = stop_event()
    async with running(setting):
        settle_memory()
        await asked.wait()


def doorway_of(options: Options) -> Doorway:
    """Return where to listen: everywhere behind ingress or with a key, else only on this machine.

    Raises InputError when the address would let in strangers without a key.
    """
    guarded = supervisor_token() is not None or bool(options.api_key.get_secret_value())
    host = os.environ.get("NIGHTSHIFT_HOST") or ("0.0.0.0" if guarded else "127.0.0.1")  # noqa: S104 - guarded
    doorway = Doorway(host, port_from_environment())
    if not guarded and not doorway.loopback_only:
        raise InputError(f"NIGHTSHIFT_HOST={host} opens the page to others: set NIGHTSHIFT_API_KEY too")
    return doorway


def port_from_environment() -> int:
    given = os.environ.get("NIGHTSHIFT_PORT", str(DEFAULT_PORT))
    if not given.isdecimal() or not 1 <= int(given) <= 65535:
        raise InputError(f"NIGHTSHIFT_PORT={given!r}: give a port from 1 to 65535")
    return int(given)
