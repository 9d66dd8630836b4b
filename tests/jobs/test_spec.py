from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from app.errors import InputError
from app.jobs.context import RunContext
from app.jobs.policies import Backoff, RateLimit, Scope
from app.jobs.run import RunStatus
from app.jobs.spec import Outcome, Subjects, registry
from app.jobs.subject import Subject
from app.jobs.text import describe, one_line
from tests.jobs.crew import Quick, job


async def everyone(_context: RunContext) -> list[Subject]:
    return []


async def work_for(_context: RunContext, _subject: Subject) -> None:
    return None


SUBJECTS = Subjects(everyone, work_for)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"name": ""}, "a job's name"),
        ({"name": "Nightly analysis"}, "a job's name"),
        ({"title": " "}, "a title and a description"),
        ({"description": ""}, "a title and a description"),
        ({"schedule": "every night"}, "job analysis: 'every night' is no schedule"),
        ({"grace": timedelta()}, "grace must be more than nothing"),
        ({"time_limit": timedelta(seconds=-1)}, "time_limit must be more than nothing"),
        ({"attempts": 0}, "attempts is at least 1"),
        ({"restarts": -1}, "restarts is at least 0"),
        ({"batch_size": 0}, "batch_size is at least 1"),
        ({"subject_attempts": 0}, "subject_attempts is at least 1"),
        ({"alert_after": 0}, "alert_after is at least 1"),
        ({"keep": timedelta()}, "keep must be more than nothing"),
        ({"window": timedelta()}, "window must be more than nothing"),
        ({"hard_limit": timedelta(minutes=15)}, "the hard limit comes after the soft one"),
        ({"run": None}, "either a run or subjects"),
        ({"subjects": SUBJECTS}, "either a run or subjects"),
        ({"scope": Scope.PERSON}, "a job for people works through subjects"),
    ],
)
def test_a_wrong_declaration_fails_when_it_is_made(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        job(Quick(), **wrong)


def test_the_wait_for_the_next_try_grows_to_its_cap_and_is_drawn_from_all_of_it() -> None:
    backoff = Backoff(timedelta(minutes=5), timedelta(hours=2))
    chance = Random(7)  # noqa: S311 - how long to wait
    longest = [max(backoff.wait(failures, chance) for _ in range(2000)) for failures in (1, 2, 3, 9, 400)]
    for seen, bound in zip(longest, (5, 10, 20, 120, 120), strict=True):
        assert timedelta(minutes=bound * 0.98) < seen < timedelta(minutes=bound)
    assert min(backoff.wait(9, chance) for _ in range(2000)) < timedelta(minutes=1)
    steady = Backoff(timedelta(minutes=30), timedelta(minutes=30), jitter=False)
    assert [steady.wait(failures, chance) for failures in (1, 2, 9)] == [timedelta(minutes=30)] * 3
    with pytest.raises(ValueError, match="at most its cap"):
        Backoff(timedelta(hours=3), timedelta(hours=2))


def test_a_rate_limit_is_read_from_one_word() -> None:
    assert RateLimit.of("10/minute") == RateLimit(10, timedelta(minutes=1))
    for wrong in ("10", "0/hour", "x/day", "10/week"):
        with pytest.raises(ValueError, match="rate limit"):
            RateLimit.of(wrong)


def test_two_jobs_of_one_name_fail_when_they_are_brought_together() -> None:
    one = job(Quick())
    with pytest.raises(ValueError, match="two jobs are called analysis"):
        registry([one, replace(one, title="Another")])


def test_an_outcome_is_completed_or_partial_and_can_be_written_down() -> None:
    with pytest.raises(ValueError, match="a failure is raised"):
        Outcome(RunStatus.FAILED)
    with pytest.raises(TypeError):
        Outcome(details={"not json": object()})
    with pytest.raises(ValueError, match="invalid literal"):
        Outcome(counts={"patterns": "many"})  # type: ignore[dict-item] # what mypy cannot see comes at run time


def test_an_error_is_told_on_one_line_without_its_secrets() -> None:
    assert describe(InputError("line 7:\n  no time")) == "line 7: no time"
    assert describe(KeyError("x")) == "unexpected: KeyError: 'x'"
    assert describe(ValueError()) == "unexpected: ValueError"
    told = one_line(
        "GET http://me:hunter2@hub:8123/api?token=abc123&x=1 Authorization: Bearer eyJhbGciOi.eyJpc3Mi.abc_d "
        "api_key='sk-1234567890abcdef'"
    )
    for secret in ("hunter2", "abc123", "eyJ", "sk-1"):
        assert secret not in told
    assert "x=1" in told
    assert len(one_line("x" * 10_000)) == 2_000
