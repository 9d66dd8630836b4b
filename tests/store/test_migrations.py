"""Migrations: applied once, whole or not at all, and never backwards."""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations

from app.clock import SystemClock
from app.errors import StoreError
from app.store.database import Store
from app.store.migrations import MIGRATIONS
from app.store.preparing import prepare


def _one(path: Path, sql: str) -> list[Any]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute(sql)]
    finally:
        connection.close()


TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"


def test_every_table_of_the_contract_is_made(tmp_path: Path) -> None:
    prepare(tmp_path / "a.db", MIGRATIONS, 1)
    assert set(_one(tmp_path / "a.db", TABLES)) == {
        "_sqlite_migrations", "alert", "alert_day", "alert_keywords", "alert_known", "archive_day",
        "archive_event", "archive_mark", "coach_insights", "coach_told", "computed_stats", "decision",
        "digest", "exclusion", "home", "job_log", "job_retry", "job_run", "job_setting", "job_subject",
        "liveness", "report", "report_mail", "scorecard", "stat_day", "stat_hour", "stat_mark", "suggestion",
        "watched", "watched_automation",
    }  # fmt: skip


def test_a_migration_that_fails_takes_its_record_and_its_tables_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    migrations = Migrations("test")

    @migrations(name="0001_fails")
    def _fails(db: Any) -> None:
        db.execute("CREATE TABLE half (x)")
        db.execute("INSERT INTO nowhere VALUES (1)")

    with pytest.raises(StoreError):
        prepare(path, migrations, 1)
    assert "half" not in _one(path, TABLES)


def test_a_migration_and_its_record_share_one_transaction(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    said: list[str] = []
    migrations = Migrations("test")

    @migrations(name="0001_one")
    def _one_table(db: Any) -> None:
        connection.set_trace_callback(said.append)
        db.execute("CREATE TABLE one (x)")
        assert connection.in_transaction

    migrations.apply(Database(connection, execute_plugins=False))
    connection.close()
    until = next(i for i, line in enumerate(said) if line.startswith("COMMIT"))
    assert any("_sqlite_migrations" in line and line.startswith("INSERT") for line in said[:until])


def test_a_later_migration_is_applied_to_a_database_that_has_the_earlier_ones(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first, second = Migrations("test"), Migrations("test")

    def make(db: Any) -> None:
        db.execute("CREATE TABLE one (x)")

    def change(db: Any) -> None:
        db.execute("ALTER TABLE one ADD COLUMN y")

    first(name="0001")(make)
    second(name="0001")(make)
    second(name="0002")(change)
    prepare(path, first, 1)
    prepare(path, second, 1)
    assert _one(path, "SELECT name FROM pragma_table_info('one')") == ["x", "y"]
    with pytest.raises(StoreError, match=r"newer Nightshift.*0002"):
        prepare(path, first, 1)


async def test_a_database_of_a_newer_version_is_refused_in_one_line_and_left_as_it_was(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.db"
    store = Store(path, SystemClock())
    await store.open()
    async with store.writing() as db:
        await db.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
            " VALUES ('nightshift', '0099_future', '')"
        )
    await store.close()
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        await store.open()
    assert "\n" not in str(caught.value)
    assert "0099_future" in str(caught.value)
    assert path.read_bytes() == before


def test_processes_that_start_together_migrate_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: prepare(path, MIGRATIONS, 5), range(6)))
    assert _one(path, "SELECT count(*) FROM _sqlite_migrations") == [len(MIGRATIONS._migrations)]
