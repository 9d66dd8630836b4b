"""The database's file kept still while it is copied, and everybody else writing."""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError
from app.store.keeper import begin, end
from app.store.still import held_still
from tests.store.hammer import agree, copied, hammering, prepare_tables, restored

_ROUNDS = int(os.environ.get("STILL_ROUNDS", "6"))
"""How many backups are made; more to be surer."""
pytestmark = pytest.mark.timeout(300 + 5 * _ROUNDS)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "data" / "nightshift.db"
    path.parent.mkdir()
    prepare_tables(path)
    return path


def _filled(path: Path, rows: int) -> None:
    with closing(sqlite3.connect(path)) as db:
        first = db.execute("SELECT coalesce(max(number), 0) FROM left_side").fetchone()[0]
        for number in range(first + 1, first + 1 + rows):
            db.execute("INSERT INTO left_side VALUES (?, zeroblob(5000))", (number,))
            db.execute("INSERT INTO right_side VALUES (?, 5000)", (number,))
        db.commit()


@pytest.mark.parametrize("pause", [0.0, 0.01])
def test_a_backup_taken_while_others_write_is_whole_every_time(
    database: Path, tmp_path: Path, pause: float
) -> None:
    with hammering(database, pause):
        for number in range(_ROUNDS):
            assert begin(database)
            copied(database.parent, tmp_path / "backup.tar.gz")
            assert end(database)
            back = tmp_path / f"back{number}"
            restored(tmp_path / "backup.tar.gz", back)
            assert agree(back / "nightshift.db") > 0
            assert {one.name for one in back.iterdir()} <= {"nightshift.db", "nightshift.db-wal"}


def test_the_backup_of_an_app_that_was_killed_and_stays_stopped_is_whole(
    database: Path, tmp_path: Path
) -> None:
    """The Supervisor starts no program in a stopped app, and leaves out the same files all the same."""
    with hammering(database):
        threading.Event().wait(0.3)
    assert database.with_name("nightshift.db-wal").stat().st_size, (
        "it was killed with its log beside the file"
    )
    copied(database.parent, tmp_path / "backup.tar.gz")
    restored(tmp_path / "backup.tar.gz", tmp_path / "back")
    assert agree(tmp_path / "back" / "nightshift.db") > 0


def test_the_file_alone_is_the_database_of_the_moment_it_began(database: Path, tmp_path: Path) -> None:
    _filled(database, 300)
    with hammering(database, 0.002), held_still(database) as connection:
        seen = connection.execute("SELECT max(number) FROM left_side").fetchone()
        before = database.read_bytes()
        alone = tmp_path / "alone.db"
        threading.Event().wait(0.5)
        assert database.read_bytes() == before
        assert database.with_name("nightshift.db-wal").stat().st_size > 0, "others went on writing"
        alone.write_bytes(before)
        assert agree(alone) > 0
        with closing(sqlite3.connect(alone)) as copy:
            assert copy.execute("SELECT max(number) FROM left_side").fetchone() == seen


def test_what_was_written_meanwhile_is_there_afterwards(database: Path) -> None:
    assert begin(database)
    _filled(database, 2000)
    assert database.stat().st_size < 2000 * 5000
    assert end(database)
    assert agree(database) == 2000
    assert not database.with_name("backup.lock").exists()


def test_the_command_before_a_copy_ends_at_once_and_waits_for_nobody(database: Path) -> None:
    """The Supervisor waits until the command's output has ended: the process that stays must not hold it."""
    said = _backup(database, "begin")
    assert (said.returncode, said.stderr) == (0, "")
    assert "goes on working" in said.stdout
    assert _backup(database, "end").stdout == "The database may change again.\n"


def test_a_copy_during_which_the_keeper_died_is_not_called_whole(database: Path) -> None:
    assert begin(database)
    os.kill(int(database.with_name("backup.lock").read_text()), 9)
    while _locked(database):
        threading.Event().wait(0.01)
    said = _backup(database, "end")
    assert said.returncode == 1
    assert said.stderr.count("\n") == 1
    assert "make this backup again" in said.stderr
    assert begin(database), "the next one is as any other"
    assert end(database)


def test_a_backup_that_was_never_ended_is_taken_over_by_the_next(database: Path) -> None:
    assert begin(database)
    first = database.with_name("backup.lock").read_text()
    assert begin(database)
    assert database.with_name("backup.lock").read_text() != first
    assert end(database)


def test_before_the_first_start_there_is_nothing_to_keep_still(tmp_path: Path) -> None:
    missing = tmp_path / "nightshift.db"
    for step in ("begin", "end"):
        assert _backup(missing, step).returncode == 0
    assert not list(tmp_path.iterdir())


def test_a_damaged_database_is_told_rather_than_backed_up_in_silence(database: Path) -> None:
    database.write_bytes(b"not a database" * 1000)
    said = _backup(database, "begin")
    assert said.returncode == 1
    assert "damaged" in said.stderr


def test_a_writer_that_never_lets_go_ends_the_waiting(database: Path) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("INSERT INTO right_side VALUES (1, 1)")
        with pytest.raises(StoreError, match="without a pause"), held_still(database, wait_seconds=0.1):
            pass
        other.execute("ROLLBACK")
    with held_still(database, wait_seconds=0.1):
        pass


def _locked(database: Path) -> bool:
    code = "import fcntl,sys; fcntl.flock(open(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    mark = str(database.with_name("backup.lock"))
    return (
        subprocess.run([sys.executable, "-c", code, mark], capture_output=True, check=False).returncode != 0
    )


def _backup(database: Path, step: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "app", "backup", step],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=os.environ | {"NIGHTSHIFT_DATA": str(database.parent)},
    )
