"""Copies a data folder as the Supervisor does, and a program that writes to a database without a pause.

As a program (`python -m tests.store.hammer PATH PAUSE_SECONDS`) it writes one transaction after another, in
each of which two tables change so that they always agree: a copy that is of no one moment shows it.
"""

import os
import random
import sqlite3
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePath

from tests.package.manifest import read_yaml

EXCLUDED: tuple[str, ...] = tuple(read_yaml("config.yaml")["backup_exclude"])
_SEEN_AS = PurePath("/data/addons/data/local_nightshift")


def copied(folder: Path, archive: Path) -> None:
    """Write the folder into a tar file, without what the app's manifest leaves out.

    After the Supervisor's `App.backup`: patterns are matched against the path as the Supervisor sees it.
    """

    def kept(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        seen = _SEEN_AS / PurePath(member.name).relative_to("data")
        return None if any(seen.match(pattern) for pattern in EXCLUDED) else member

    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        tar.add(folder, arcname="data", filter=kept)


def restored(archive: Path, folder: Path) -> None:
    """Make the folder anew from the tar file."""
    with tarfile.open(archive) as tar:
        tar.extractall(folder.with_name("unpacked"), filter="tar")
    folder.with_name("unpacked").joinpath("data").rename(folder)


def prepare_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("CREATE TABLE IF NOT EXISTS left_side (number INTEGER PRIMARY KEY, body BLOB)")
        db.execute("CREATE TABLE IF NOT EXISTS right_side (number INTEGER PRIMARY KEY, bytes INTEGER)")
        db.commit()


def agree(path: Path) -> int:
    """Return how many rows there are; AssertionError when the file is damaged or not of one moment."""
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        differing = db.execute(
            "SELECT count(*) FROM left_side FULL JOIN right_side USING (number)"
            " WHERE length(left_side.body) IS NOT right_side.bytes"
        ).fetchone()[0]
        assert differing == 0
        return int(db.execute("SELECT count(*) FROM left_side").fetchone()[0])


@contextmanager
def hammering(path: Path, pause_seconds: float = 0.0) -> Iterator[None]:
    """Let another process write meanwhile."""
    prepare_tables(path)
    with subprocess.Popen(
        [sys.executable, "-m", "tests.store.hammer", str(path), str(pause_seconds)], stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout
        assert writer.stdout.readline()
        try:
            yield
            assert writer.poll() is None, "the writer stumbled"
        finally:
            writer.kill()


def _hammer(path: str, pause_seconds: float) -> None:
    chance = random.Random(os.getpid())  # noqa: S311 - a test's numbers
    with closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous=NORMAL")
        number = db.execute("SELECT coalesce(max(number), 0) FROM left_side").fetchone()[0]
        first = True
        while True:
            db.execute("BEGIN IMMEDIATE")
            for _ in range(chance.randint(1, 12)):
                number += 1
                body = chance.randbytes(chance.randint(10, 9000))
                db.execute("INSERT INTO left_side VALUES (?, ?)", (number, body))
                db.execute("INSERT INTO right_side VALUES (?, ?)", (number, len(body)))
            # Older rows go, so that the pages of the whole file change.
            for table in ("left_side", "right_side"):
                db.execute(f"DELETE FROM {table} WHERE number < ?", (number - 2000,))  # noqa: S608 - ours
            db.execute("COMMIT")
            if first:
                sys.stdout.write("writing\n")
                sys.stdout.flush()
                first = False
            if pause_seconds:
                time.sleep(pause_seconds)


if __name__ == "__main__":
    _hammer(sys.argv[1], float(sys.argv[2]))
