"""What a habit has to show before it is offered."""

from dataclasses import replace

import numpy as np
import pytest

from app.habits.gates import failed
from app.habits.habit import CLOCK, TRIGGER, Habit
from app.habits.known import done_already, known_effects
from app.habits.replay import Played
from app.habits.targets import Target
from app.model import Automation, Home

NONE = np.empty(0, np.int64)
LAMP = Target(("light.hall",), "on", NONE, np.empty(0, np.bool_), NONE, NONE, NONE)


def _played(right: int, wrong: int, missed: int = 0) -> Played:
    instants = np.arange(100, dtype=np.int64) * 60_000
    return Played(instants[:right], instants[:right], instants[:wrong], instants[:missed], days=8)


def _habit(held_out: Played, whole: Played) -> Habit:
    return Habit(TRIGGER, LAMP, held_out=held_out, whole=whole, train=whole)


def test_a_habit_that_is_right_nearly_always_passes() -> None:
    assert failed(_habit(_played(9, 1), _played(36, 4))) is None


@pytest.mark.parametrize(
    ("held_out", "whole", "why"),
    [
        (_played(2, 0), _played(20, 0), "came up"),
        (_played(2, 6), _played(30, 10), "right only 2 of 8 times on the held-out days"),
        (_played(4, 4), _played(30, 10), "right only 4 of 8 times on the held-out days"),
        (_played(5, 3), _played(22, 18), "only 22 of 40 times"),
        (_played(3, 1, missed=30), _played(36, 4), "accounts for only 3 of 33"),
    ],
)
def test_what_falls_short_is_said_in_plain_words(held_out: Played, whole: Played, why: str) -> None:
    assert why in (failed(_habit(held_out, whole)) or "")


@pytest.mark.parametrize(
    ("kept", "of", "why"), [(5, 8, "kept on only 5 of 8 days"), (7, 9, None), (13, 19, None)]
)
def test_a_moment_kept_on_half_of_the_days_is_luck(kept: int, of: int, why: str | None) -> None:
    moment = replace(_habit(_played(6, 1), _played(kept, 2)), kind=CLOCK, days_kept=kept, days_observed=of)
    assert failed(moment) == why


def test_a_reaction_whose_acts_keep_a_clock_automations_minute_is_its_work_seen_anew() -> None:
    config = {
        "triggers": [{"trigger": "time", "at": "22:10:00"}],
        "actions": [{"action": "light.turn_on", "target": {"entity_id": "light.hall"}}],
    }
    home = Home(automations=(Automation(entity_id="automation.late", alias="Late", config=config),))
    effects = known_effects(home)
    reaction = _habit(_played(9, 1), _played(36, 4))
    assert done_already(reaction, effects, np.full(20, 22 * 60 + 12.0)) == "Late"
    assert done_already(reaction, effects, np.linspace(0, 1439, 20)) is None
    assert done_already(reaction, effects, np.empty(0)) is None


def test_a_reaction_that_people_have_left_undone_ever_since_is_over() -> None:
    kept, later = _played(30, 4), np.arange(100, 106, dtype=np.int64) * 60_000

    def left_undone(times: int) -> Habit:
        unwanted = np.concatenate([kept.unwanted, later[:times]])
        return _habit(_played(9, 1), replace(kept, unwanted=unwanted))

    assert failed(left_undone(2)) is None
    assert failed(left_undone(6)) == "not once the last 6 times it was due"


def test_what_ends_something_may_do_so_on_one_of_many_occasions() -> None:
    seldom = _habit(_played(9, 1, missed=60), _played(36, 4))
    assert "accounts for only 9 of 69" in (failed(seldom) or "")
    assert failed(replace(seldom, target=replace(LAMP, state="off"))) is None
