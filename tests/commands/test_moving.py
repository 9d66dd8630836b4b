"""`export` and `import`: one file moves everything to another machine, or nothing changes."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.clock import TurnedClock
from app.store.database import Store
from tests.process import serving

pytestmark = pytest.mark.timeout(300)
START = datetime(2026, 3, 1, tzinfo=UTC)
NO_HUB = {"NIGHTSHIFT_HUB_URL": "http://127.0.0.1:9", "NIGHTSHIFT_HUB_TOKEN": "t", "NIGHTSHIFT_MQTT": "off"}


def _said(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NIGHTSHIFT_")}
    done = subprocess.run(
        [sys.executable, "-m", "app", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        env=kept | {"NIGHTSHIFT_DATA": str(folder)},
    )
    # Without how far it came: what is left is the error, if there is one.
    done.stderr = "".join(
        f"{line}\n" for line in done.stderr.splitlines() if line not in {"Packing …", "Unpacking …"}
    )
    return done


async def _with_home(folder: Path, home_id: str) -> Path:
    store = Store(folder / "nightshift.db", TurnedClock(START))
    await store.open()
    async with store.writing() as db:
        await db.execute("INSERT INTO home VALUES (?, '{}', 0)", (home_id,))
    await store.close()
    return folder


def _homes(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute("SELECT home_id FROM home ORDER BY home_id")]


def _names(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def _kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("nightshift-before-import-*.db"))


async def _exported(folder: Path, tmp_path: Path) -> Path:
    await _with_home(folder, "cabin")
    parcel = tmp_path / "parcel.zip"
    done = await asyncio.to_thread(_said, folder, "export", parcel)
    assert done.returncode == 0, done.stderr
    return parcel


async def test_what_was_exported_is_there_on_the_other_machine(tmp_path: Path) -> None:
    parcel = await _exported(tmp_path / "old", tmp_path)
    assert parcel.stat().st_mode & 0o077 == 0, "it tells of a home's life"
    done = await asyncio.to_thread(_said, tmp_path / "new", "import", parcel)
    assert done.returncode == 0, done.stderr
    assert _homes(tmp_path / "new" / "nightshift.db") == ["cabin"]
    assert _names(tmp_path / "new") == {"nightshift.db", "clock.lock"}


async def test_an_export_works_beside_a_server_and_an_import_does_not(tmp_path: Path) -> None:
    async with serving(tmp_path / "data", NO_HUB):
        parcel = tmp_path / "parcel.zip"
        done = await asyncio.to_thread(_said, tmp_path / "data", "export", parcel)
        assert done.returncode == 0, done.stderr
        refused = await asyncio.to_thread(_said, tmp_path / "data", "import", parcel, "--force")
        assert refused.returncode == 1
        assert "another Nightshift works in this folder" in refused.stderr
        assert refused.stderr.count("\n") == 1
    done = await asyncio.to_thread(_said, tmp_path / "new", "import", parcel)
    assert done.returncode == 0, done.stderr
    async with serving(tmp_path / "new", NO_HUB) as moved:
        assert moved.log().count("ERROR") == 0


async def test_nothing_is_overwritten_unasked_and_what_was_there_is_kept(tmp_path: Path) -> None:
    parcel = await _exported(tmp_path / "old", tmp_path)
    here = await _with_home(tmp_path / "new", "flat")
    (here / "clock.db").write_bytes(b"the clock as it was here")
    refused = await asyncio.to_thread(_said, here, "import", parcel)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "--force" in refused.stderr
    assert _homes(here / "nightshift.db") == ["flat"]
    done = await asyncio.to_thread(_said, here, "import", parcel, "--force")
    assert done.returncode == 0, done.stderr
    assert _homes(here / "nightshift.db") == ["cabin"]
    (kept,) = _kept(here)
    assert str(kept) in done.stdout
    assert _homes(kept) == ["flat"]
    assert not (here / "clock.db").exists(), "the clock's file is made anew"
    again = await asyncio.to_thread(_said, tmp_path / "old", "export", parcel)
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)


async def test_what_the_old_one_had_only_in_its_log_is_kept_too(tmp_path: Path) -> None:
    parcel = await _exported(tmp_path / "old", tmp_path)
    here = await _with_home(tmp_path / "new", "flat")
    code = (
        "import sqlite3, os, sys\n"
        "db = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "db.execute(\"INSERT INTO home VALUES ('attic', '{}', 0)\")\n"
        "os._exit(1)\n"  # as if it were killed: the log stays beside the file
    )
    await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code, str(here / "nightshift.db")], check=False
    )
    assert (here / "nightshift.db-wal").stat().st_size
    done = await asyncio.to_thread(_said, here, "import", parcel, "--force")
    assert done.returncode == 0, done.stderr
    assert _homes(here / "nightshift.db") == ["cabin"]
    assert _homes(_kept(here)[0]) == ["attic", "flat"]


@pytest.mark.parametrize("left", [0, 10, 100, 0.5, 0.99, -1])
async def test_a_file_that_was_cut_off_is_refused_in_one_line(tmp_path: Path, left: float) -> None:
    parcel = await _exported(tmp_path / "old", tmp_path)
    whole = parcel.read_bytes()
    parcel.write_bytes(whole[: int(left * len(whole)) if 0 < left < 1 else int(left)])
    here = await _with_home(tmp_path / "new", "flat")
    before = (here / "nightshift.db").read_bytes()
    refused = await asyncio.to_thread(_said, here, "import", parcel, "--force")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert str(parcel) in refused.stderr
    assert (here / "nightshift.db").read_bytes() == before
    assert not _kept(here)
    assert not (here / "import.db").exists()


def _changed(parcel: Path, **said: object) -> None:
    """Write the export anew with another manifest."""
    with zipfile.ZipFile(parcel) as old:
        manifest = json.loads(old.read("manifest.json"))
        database = old.read("nightshift.db")
    with zipfile.ZipFile(parcel, "w") as new:
        new.writestr("nightshift.db", database)
        new.writestr("manifest.json", json.dumps(manifest | said))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"format": 2, "version": "9.0"}, "was written by a newer Nightshift (9.0)"),
        ({"kind": "another-program"}, "is no export of Nightshift"),
        ({"database_sha256": "0" * 64}, "is damaged"),
        ({"database_bytes": 100}, "is damaged"),
        ({"created_at": "tomorrow"}, "is no export of Nightshift"),
    ],
)
async def test_a_file_that_says_something_else_is_refused(
    tmp_path: Path, said: dict[str, object], expected: str
) -> None:
    parcel = await _exported(tmp_path / "old", tmp_path)
    _changed(parcel, **said)
    refused = await asyncio.to_thread(_said, tmp_path / "new", "import", parcel)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
    assert expected in refused.stderr
    assert not (tmp_path / "new" / "nightshift.db").exists()


async def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    await _with_home(tmp_path / "old", "cabin")
    with closing(sqlite3.connect(tmp_path / "old" / "nightshift.db")) as db:
        db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('nightshift', '9999_tomorrow', '2099-01-01')"
        )
        db.commit()
    parcel = tmp_path / "parcel.zip"
    done = await asyncio.to_thread(_said, tmp_path / "old", "export", parcel)
    assert done.returncode == 0, done.stderr
    refused = await asyncio.to_thread(_said, tmp_path / "new", "import", parcel)
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert f"{parcel}: was written by a newer Nightshift" in refused.stderr
    assert "9999_tomorrow" in refused.stderr
    assert not (tmp_path / "new" / "nightshift.db").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nearly", b"SQLite format 3\x00" + bytes(5000)])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "holiday.zip").write_bytes(content)
    refused = _said(tmp_path / "new", "import", tmp_path / "holiday.zip")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is no export of Nightshift" in refused.stderr


def test_without_a_file_or_a_database_it_says_so(tmp_path: Path) -> None:
    missing = _said(tmp_path / "new", "import", tmp_path / "none.zip")
    assert (missing.returncode, missing.stderr.count("\n")) == (2, 1)
    nothing = _said(tmp_path / "new", "export", tmp_path / "parcel.zip")
    assert (nothing.returncode, nothing.stderr.count("\n")) == (1, 1)
    assert "there is no database yet" in nothing.stderr
    assert not (tmp_path / "new").exists()


async def test_an_export_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    await _with_home(tmp_path / "old", "cabin")
    for target in (tmp_path / "no" / "folder.zip", tmp_path / "old"):
        done = await asyncio.to_thread(_said, tmp_path / "old", "export", target, "--force")
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert _names(tmp_path) == {"old"}
    assert _names(tmp_path / "old") == {"nightshift.db"}
