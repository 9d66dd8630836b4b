"""Reading two million rows of a recorder database: a plain SQL scan, our reader, our reader and the miner.

    python benchmarks/recorder_scan.py [--rows 2000000] [--days 30] [--rounds 5]

Makes a recorder file (schema 53) in a temporary folder: an invented home's own past, and around it as many
streams of numbers as a busy home has, about 85 % of all rows. Every way runs in a fresh process, the file
warm, all ways in turn in each round. Told is the round that took least CPU (user and system), which says more
than the clock where other work runs beside it. Prints tables in Markdown.
"""

import argparse
import heapq
import json
import os
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
_DECODE, _FLOOR = "SQL aggregate, no grouping", "SQL aggregate by entity"
_ALL = "read_recorder + analyse_home"

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
    read_in = _cpu()
    placed = home.model_copy(update={"time_zone": "Europe/Amsterdam", "latitude": 52.37, "longitude": 4.89})
    snapshot = Snapshot(home=placed, as_of=_UNTIL, events=events, causes_known=True, explain=False)
    analysis = analyse_home(snapshot)
    return f"{len(events):,} events, {len(analysis.suggestions)} suggestions; mining {_cpu() - read_in:.2f} s"


_WAYS: dict[str, Callable[[Path], str]] = {
    _DECODE: plainest_scan,
    _FLOOR: plain_scan,
    "read_recorder": read,
    _ALL: read_and_mine,
}


def one(way: str, path: Path) -> None:
    """Run one way in this process and tell how it went, as JSON."""
    began, cpu = time.perf_counter(), _cpu()
    found = _WAYS[way](path)
    spent = {"cpu": _cpu() - cpu, "seconds": time.perf_counter() - began}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(spent | {"peak": peak, "found": found}))


def run(rows: int, days: int, rounds: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "home-assistant_v2.db"
        began = time.perf_counter()
        make(path, rows, days)
        size = path.stat().st_size / 2**20
        load = os.getloadavg()[0]
        print(f"{rows:,} rows, {days} days, {size:.0f} MiB (made in {time.perf_counter() - began:.0f} s)")
        print(f"load before: {load:.1f} on {os.cpu_count()} processors\n")
        print("| way | CPU s | wall s | x by entity | x no grouping | peak MiB | found |")
        print("|---|---|---|---|---|---|---|")
        # Round by round, not way by way: whatever else the machine does then touches all alike.
        told = [{way: _in_a_process(way, path) for way in _WAYS} for _ in range(rounds)]
        best = {way: min((each[way] for each in told), key=_seconds) for way in _WAYS}
        floor, decode = (_seconds(best[way]) for way in (_FLOOR, _DECODE))
        for way, answer in best.items():
            seconds = _seconds(answer)
            print(
                f"| {way} | {seconds:.2f} | {answer['seconds']:.2f} | {seconds / floor:.1f} |"
                f" {seconds / decode:.1f} | {float(answer['peak']):.0f} | {answer['found']} |"
            )
        ratios = sorted(_end_to_end(each) for each in told)
        print(
            f"\nread and mine, over aggregate by entity plus the same mining: {ratios[len(ratios) // 2]:.2f}"
        )
        print(f"(median of {rounds} rounds, {ratios[0]:.2f} to {ratios[-1]:.2f})")
        print(f"load after: {os.getloadavg()[0]:.1f}")


def _end_to_end(each: dict[str, dict[str, float | str]]) -> float:
    whole = _seconds(each[_ALL])
    mining = float(str(each[_ALL]["found"]).rpartition("mining ")[2].removesuffix(" s"))
    return whole / (_seconds(each[_FLOOR]) + mining)


def _cpu() -> float:
    return time.process_time()


def _seconds(answer: dict[str, float | str]) -> float:
    return float(answer["cpu"])


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
