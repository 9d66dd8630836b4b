"""One database put in the place of another: never none, and the old one is kept whole."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import StoreError
from app.store.replacing import put_in_place

KILLED = (
    "import sqlite3, os, sys\n"
    "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
    "db.execute('PRAGMA journal_mode=WAL')\n"
    "db.execute('INSERT INTO note VALUES (2)')\n"
    "os._exit(1)\n"
)


def _made(path: Path, note: int) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE note (number INTEGER)")
        db.execute("INSERT INTO note VALUES (?)", (note,))
        db.commit()
    return path


def _notes(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT number FROM note")]


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A database whose last transaction is in its log alone, as a killed program leaves it."""
    path = _made(tmp_path / "live.db", 1)
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert path.with_name("live.db-wal").stat().st_size
    return path


@pytest.mark.parametrize("links", [True, False])
def test_the_old_one_is_kept_with_what_was_in_its_log(
    live: Path, tmp_path: Path, *, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(_self: Path, _target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(Path, "hardlink_to", no_links)
    kept = tmp_path / "kept.db"
    assert put_in_place(_made(tmp_path / "new.db", 7), live, kept)
    assert _notes(live) == [7]
    assert _notes(kept) == [1, 2]
    assert {one.name for one in tmp_path.iterdir()} == {"live.db", "kept.db"}


def test_a_damaged_one_is_kept_with_its_log_beside_it(live: Path, tmp_path: Path) -> None:
    log = live.with_name("live.db-wal").read_bytes()
    live.write_bytes(b"not a database" * 500)
    kept = tmp_path / "kept.db"
    assert put_in_place(_made(tmp_path / "new.db", 7), live, kept)
    assert _notes(live) == [7]
    assert kept.read_bytes() == b"not a database" * 500
    assert kept.with_name("kept.db-wal").read_bytes() == log
    assert not live.with_name("live.db-wal").exists(), "a log of another database must never lie beside it"


def test_where_there_was_none_nothing_is_kept(tmp_path: Path) -> None:
    assert not put_in_place(_made(tmp_path / "new.db", 7), tmp_path / "live.db", tmp_path / "kept.db")
    assert {one.name for one in tmp_path.iterdir()} == {"live.db"}


def test_what_cannot_be_replaced_stays_as_it_was(
    live: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_self: Path, _target: Path) -> Path:
        raise OSError(28, "No space left on device")

    new = _made(tmp_path / "new.db", 7)
    monkeypatch.setattr(Path, "replace", no_room)
    with pytest.raises(StoreError, match="No space left"):
        put_in_place(new, live, tmp_path / "kept.db")
    assert _notes(live) == [1, 2]
    assert live.samefile(tmp_path / "kept.db")
