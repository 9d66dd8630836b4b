from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.errors import InputError
from app.jobs.run import RunStatus
from app.jobs.spec import Outcome, registry
from app.jobs.text import describe, one_line
from tests.jobs.crew import Quick, job


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
        ({"retries": -1}, "cannot be negative"),
    ],
)
def test_a_wrong_declaration_fails_when_it_is_made(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        job(Quick(), **wrong)


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
