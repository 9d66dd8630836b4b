"""`import FILE`: what `export` wrote, put in the place of what is here. Nightshift has to be stopped."""

import argparse
import os
import sys
from pathlib import Path

from app.clock import SystemClock
from app.commands.progress import Reporter
from app.errors import InputError, StoreError
from app.jobs.only_one import OnlyOne
from app.options import data_folder
from app.store.migrations import MIGRATIONS
from app.store.parcel import Manifest, look_into, unpack
from app.store.preparing import prepare
from app.store.replacing import put_in_place

_BUSY_SECONDS = 5.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="what `export` wrote")
    parser.add_argument(
        "--force", action="store_true", help="also if there is a database here; it is kept beside the new one"
    )
    parser.epilog = "The options do not come with it: set them here as they were there."


def start(arguments: argparse.Namespace) -> int:
    os.umask(0o077)
    source: Path = arguments.file
    folder = data_folder()
    live = folder / "nightshift.db"
    look_into(source)  # what is no export is refused before anything is touched
    only_one = OnlyOne(folder / "clock.lock")
    only_one.take()
    try:
        if live.exists() and not arguments.force:
            raise InputError(
                f"{live}: there is a database here already; --force puts the export in its place "
                "and keeps the old one beside it"
            )
        now = SystemClock().now()
        kept = folder / f"nightshift-before-import-{now:%Y%m%dT%H%M%SZ}.db"
        manifest, there = _bring_in(source, live, kept)
        # The clock's file is of the jobs as they were here; it is made anew from the declarations.
        for clock in folder.glob("clock.db*"):
            clock.unlink()
    finally:
        only_one.release()
    sys.stdout.write(
        f"{live}: as it was on {manifest.created_at:%Y-%m-%d %H:%M} UTC (Nightshift {manifest.version})\n"
    )
    if there:
        sys.stdout.write(f"The database that was here is kept as {kept}; remove it when all is well.\n")
    return 0


def _bring_in(source: Path, live: Path, kept: Path) -> tuple[Manifest, bool]:
    """Unpack, look over and bring up to date beside the old one; only then put it in place."""
    new = live.with_name("import.db")
    try:
        with Reporter() as reporter:
            manifest = unpack(source, new, lambda done, total: reporter.progress("Unpacking", done, total))
        try:
            prepare(new, MIGRATIONS, _BUSY_SECONDS)
        except StoreError as error:
            raise InputError(str(error).replace(str(new), str(source))) from error
        return manifest, put_in_place(new, live, kept)
    finally:
        for left in (new, *new.parent.glob(f"{new.name}-*")):
            left.unlink(missing_ok=True)
