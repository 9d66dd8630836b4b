"""`export FILE`: everything in one file, to move it to another machine or to keep it."""

import argparse
import os
import sys
from pathlib import Path

from app import __version__
from app.clock import SystemClock
from app.commands.progress import Reporter
from app.errors import InputError
from app.options import data_folder
from app.store.parcel import pack


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="where to write it")
    parser.add_argument("--force", action="store_true", help="also if there is such a file already")
    parser.epilog = (
        "The file holds what Nightshift knows of the home: its past, the suggestions, what was decided, "
        "every run. The options are not in it: they hold passwords. It is not encrypted; keep it as you keep "
        "a backup."
    )


def start(arguments: argparse.Namespace) -> int:
    target: Path = arguments.file
    if target.exists() and not arguments.force:
        raise InputError(f"{target}: is there already; --force writes over it")
    if target.is_dir():
        raise InputError(f"{target}: is a folder; name a file")
    os.umask(0o077)
    with Reporter() as reporter:
        manifest = pack(
            data_folder() / "nightshift.db",
            target,
            __version__,
            SystemClock().now(),
            lambda done, total: reporter.progress("Packing", done, total),
        )
    size, whole = target.stat().st_size / 2**20, manifest.database_bytes / 2**20
    sys.stdout.write(f"{target}: {size:.1f} MiB, the database has {whole:.1f} MiB\n")
    return 0
