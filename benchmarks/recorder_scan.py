"""Reading two million rows of a recorder database: a plain SQL scan, our reader, our reader and the miner.

    python benchmarks/recorder_scan.py [--rows 2000000] [--days 30] [--rounds 5]

Makes a recorder file (schema 53) in a temporary folder: an invented home's own past, and around it as many
streams of numbers as a busy home has, about 85 % of all rows. Every way runs in a fresh process, the file
warm, the fastest of the rounds counts. Prints a table in Markdown.
"""

import argparse
import heapq
import json
import random
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from app.events import NUMERIC  # noqa: E402 - found beside this folder
from app.habits.analysis import analyse_home  # noqa: E402
from app.habits.snapshot import Snapshot  # noqa: E402
from app.hub.invented import invent  # noqa: E402
from app.hub.recorder import read_recorder  # noqa: E402
from tests.recorder_file import Context, RecorderFile, StateRow, add_runs, rows_of  # noqa: E402

_UNTIL = datetime(2026, 11, 8, tzinfo=UTC)
_STREAMS = 150
_WORDY = 60
_SHARE_OF_NUMBERS = 0.85

_BY_ENTITY = """
SELECT metadata_id, COUNT(*), MIN(last_updated_ts), MAX(last_updated_ts), SUM(LENGTH(state))
FROM states NOT INDEXED GROUP BY metadata_id
"""
_OVER_ALL = """
SELECT COUNT(*), MIN(last_updated_ts), MAX(last_updated_ts), SUM(LENGTH(state)), SUM(metadata_id)
FROM states NOT INDEXED
"""


def make(path: Path, rows: int, days: int) -> None:
    """Write the file: an invented home's rows and those of many streams, in the order of time."""
    made = invent(days=days, until=_UNTIL)
    with RecorderFile(path) as file:
        add_runs(file, made.events)
        own = rows_of(file, made.home, made.events.take(made.events.state != NUMERIC))
        count = rows - int((made.events.state != NUMERIC).sum())
        span = (float(made.events.at[0]) / 1000, float(made.events.at[-1]) / 1000)
        numeric = rows * _SHARE_OF_NUMBERS / count
        file.states(heapq.merge(own, _others(file, count, numeric, span), key=lambda row: row[2]))


def _others(file: RecorderFile, count: int, numeric: float, span: tuple[float, float]) -> Iterator[StateRow]:
    dice = random.Random(7)  # noqa: S311 - an invented home
    watts = {"unit_of_measurement": "W", "state_class": "measurement", "friendly_name": "Meter"}
    meter, thing = file.attributes(watts), file.attributes({"friendly_name": "Thing"})
    for place in range(count):
        at = span[0] + (span[1] - span[0]) * place / count
        context = Context(dice.randbytes(16))
        if dice.random() < numeric:
            entity_id = f"sensor.meter_{dice.randrange(_STREAMS)}"
            yield entity_id, f"{dice.gauss(400, 90):.1f}", at, None, meter, context
        else:
            # A third of what is no number is a change of attributes only.
            changed = None if place % 3 else at - 5
            state = ("on", "off")[place % 2]
            yield f"binary_sensor.thing_{dice.randrange(_WORDY)}", state, at, changed, thing, context


def plain_scan(path: Path) -> str:
    """SQLite's own aggregate over the same columns, by entity."""
    return _scan(path, _BY_ENTITY)


def plainest_scan(path: Path) -> str:
    """The same without grouping: what decoding the rows costs."""
    return _scan(path, _OVER_ALL)


def _scan(path: Path, query: str) -> str:
    db = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    rows = db.execute(query).fetchall()
    db.close()
    return f"{len(rows)} rows of sums"


def read(path: Path) -> str:
    """Our reader."""
    home, events = read_recorder(path)
    return f"{len(events):,} events of {len(home.entities)} entities"


def read_and_mine(path: Path) -> str:
    """Our reader and the whole miner."""
    home, events = read_recorder(path)
    placed = home.model_copy(update={"time_zone": "Europe/Amsterdam", "latitude": 52.37, "longitude": 4.89})
    snapshot = Snapshot(home=placed, as_of=_UNTIL, events=events, causes_known=True, explain=False)
    analysis = analyse_home(snapshot)
    return f"{len(events):,} events, {len(analysis.suggestions)} suggestions"


_WAYS: dict[str, Callable[[Path], str]] = {
    "SQL aggregate, no grouping": plainest_scan,
    "SQL aggregate by entity": plain_scan,
    "read_recorder": read,
    "read_recorder + analyse_home": read_and_mine,
}


def one(way: str, path: Path) -> None:
    """Run one way in this process and tell how it went, as JSON."""
    began = time.perf_counter()
    found = _WAYS[way](path)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak": peak, "found": found}))


def run(rows: int, days: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "home-assistant_v2.db"
        began = time.perf_counter()
        make(path, rows, days)
        size = path.stat().st_size / 2**20
        print(f"{rows:,} rows, {days} days, {size:.0f} MiB (made in {time.perf_counter() - began:.0f} s)\n")
        print("| way | s | x by entity | x no grouping | peak MiB | found |\n|---|---|---|---|---|---|")
        # Round by round, not way by way: whatever else the machine does then touches all alike.
        told = [{way: _in_a_process(way, path) for way in _WAYS} for _ in range(rounds)]
        lines = [(way, min((each[way] for each in told), key=_seconds)) for way in _WAYS]
        best = {way: _seconds(fastest) for way, fastest in lines}
        floor, decode = best["SQL aggregate by entity"], best["SQL aggregate, no grouping"]
        for way, told_best in lines:
            seconds = best[way]
            print(
                f"| {way} | {seconds:.2f} | {seconds / floor:.1f} | {seconds / decode:.1f} |"
                f" {float(told_best['peak']):.0f} | {told_best['found']} |"
            )


def _seconds(answer: dict[str, float | str]) -> float:
    return float(answer["seconds"])


def _in_a_process(way: str, path: Path) -> dict[str, float | str]:
    answer = subprocess.run(
        [sys.executable, __file__, "--one", way, str(path)], check=True, capture_output=True, text=True
    )
    found: dict[str, float | str] = json.loads(answer.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--one", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        one(given.one[0], Path(given.one[1]))
    else:
        run(given.rows, given.days, given.rounds)


if __name__ == "__main__":
    main()
