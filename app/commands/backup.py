"""`backup begin` and `backup end`: what the Supervisor says before and after it copies the data folder."""

import argparse
import sys

from app.options import data_folder
from app.store.keeper import begin, end

_SAID = {
    ("begin", True): "The database stays as it is until `backup end`; Nightshift goes on working.",
    ("begin", False): "There is no database yet.",
    ("end", True): "The database may change again.",
    ("end", False): "Nothing was being kept still.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "step",
        choices=("begin", "end"),
        help="begin: keep the database file still, so that it can be copied; end: no longer",
    )


def start(arguments: argparse.Namespace) -> int:
    """Return 0; 1 by StoreError when what was copied, or would be, may be torn."""
    database = data_folder() / "nightshift.db"
    done = begin(database) if arguments.step == "begin" else end(database)
    sys.stdout.write(_SAID[arguments.step, done] + "\n")
    return 0
