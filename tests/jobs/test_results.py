"""The rows of `job_subject`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import aiosqlite
import pytest

from app.clock import TurnedClock
from app.jobs.subject import SubjectResult, SubjectStatus
from tests.jobs.parts import HOME, JOB, NIGHT, House, house

GOOD = SubjectResult(
    "run1", "ann", "Ann", SubjectStatus.SUCCESSFUL, 1.25, NIGHT, None, {"brief_exists": True}, {"insights": 3}
)
BAD = SubjectResult("run1", "bob", "Bob", SubjectStatus.FAILED, 0.5, NIGHT, "the hub said no")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[House]:
    async with house(tmp_path, TurnedClock(NIGHT)) as made:
        await made.begin("run1")
        yield made


async def test_what_is_written_is_read_back_with_the_failed_ones_first(here: House) -> None:
    assert await here.results.write("run1", [GOOD, BAD])
    assert await here.results.of("run1") == [BAD, GOOD]
    assert await here.results.of("run1", limit=1) == [BAD]
    assert await here.results.of("run2") == []


async def test_a_subject_that_has_a_result_keeps_it(here: House) -> None:
    await here.results.write("run1", [GOOD])
    await here.results.write("run1", [replace(BAD, subject_id="ann")])
    assert await here.results.of("run1") == [GOOD]


async def test_a_run_that_is_over_takes_no_result_and_nothing_that_goes_with_it(here: House) -> None:
    async def also(_db: aiosqlite.Connection) -> None:
        raise AssertionError

    await here.end("run1")
    assert not await here.results.write("run1", [GOOD], also)
    assert await here.results.of("run1") == []


async def test_results_and_what_goes_with_them_stand_or_fall_together(here: House) -> None:
    async def also(db: aiosqlite.Connection) -> None:
        await db.execute("INSERT INTO home (home_id, facts, updated_at) VALUES ('home', '{}', 0)")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await here.results.write("run1", [GOOD], also)
    assert await here.results.of("run1") == []
    async with here.store.reading() as db:
        assert list(await db.execute_fetchall("SELECT * FROM home")) == []


async def test_the_completed_ones_of_several_runs_are_found(here: House) -> None:
    await here.begin("run2")
    await here.results.write("run1", [GOOD, BAD])
    await here.results.write("run2", [replace(GOOD, run_id="run2", subject_id="cleo")])
    assert await here.results.completed(["run1", "run2", "unknown"]) == {"ann", "cleo"}
    assert await here.results.completed([]) == set()
    assert await here.results.completed_for(JOB, HOME, NIGHT) == {"ann", "cleo"}
    assert await here.results.completed_for(JOB, "other", NIGHT) == set()


async def test_results_go_with_their_run(here: House) -> None:
    await here.results.write("run1", [GOOD])
    async with here.store.writing() as db:
        await db.execute("DELETE FROM job_run")
    assert await here.results.of("run1") == []
