"""What people never want is left out of the list and of the night."""

import io

import pytest

from app.errors import InputError
from app.habits.analysis import analyse_home
from app.habits.offers.excluded import NEVER_LABEL, Excluded, Exclusion, kinds_of
from app.habits.snapshot import Snapshot, encode_snapshot, read_snapshot
from app.model import Area, Device, Entity, Home
from tests.habits.kinds import ROUTINE, arrival_and_bedtime, clock
from tests.habits.offers.conftest import NOW, found, habit
from tests.habits.stories import Story

HOME = Home(
    areas=(Area(area_id="kitchen", name="Kitchen"),),
    devices=(Device(device_id="d"),),
    entities=(
        Entity(entity_id="light.kitchen", area_id="kitchen"),
        Entity(entity_id="light.group", members=("light.kitchen", "light.group")),
        Entity(entity_id="light.hall", labels=("upstairs",)),
        Entity(entity_id="light.nursery", labels=(NEVER_LABEL,)),
        Entity(entity_id="cover.blind"),
    ),
)


def excluded(*pairs: tuple[str, str]) -> Excluded:
    return Excluded(HOME, [Exclusion.of(kind, value) for kind, value in pairs])


@pytest.mark.parametrize(
    ("kind", "value", "out"),
    [
        ("entity", "light.kitchen", {"light.kitchen", "light.group"}),
        ("area", "kitchen", {"light.kitchen", "light.group"}),
        ("domain", "cover", {"cover.blind"}),
        ("label", "upstairs", {"light.hall"}),
    ],
)
def test_an_exclusion_takes_out_what_it_names_and_the_groups_that_hold_it(
    kind: str, value: str, out: set[str]
) -> None:
    asked = excluded((kind, value))
    found_out = {one.entity_id for one in HOME.entities if asked.why(one.entity_id)}
    assert found_out == out | {"light.nursery"}


def test_a_kind_of_habit_is_excluded_as_broadly_as_it_is_named() -> None:
    assert excluded(("kind", "sun")).kind("sun", "light", "on")
    assert excluded(("kind", "sun:cover")).kind("sun", "cover", "open")
    assert not excluded(("kind", "sun:cover:closed")).kind("sun", "cover", "open")
    assert [one.value for one in kinds_of(found())] == ["clock:light:on"]
    assert [one.value for one in kinds_of(found(habit={}))] == ["clock"]


def test_every_step_of_a_routine_counts() -> None:
    steps = [{"entities": ["light.hall"], "state": "on"}, {"entities": ["cover.blind"], "state": "closed"}]
    routine = found(habit=habit("light.hall", steps=steps))
    assert excluded(("domain", "cover")).suggestion(routine) == Exclusion.of("domain", "cover")
    assert excluded().suggestion(routine) is None


@pytest.mark.parametrize(
    ("kind", "value"),
    [("entity", "light"), ("area", ""), ("room", "kitchen"), ("kind", "a:b:c:d"), ("domain", 3), (None, "x")],
)
def test_what_cannot_be_excluded_is_refused(kind: object, value: object) -> None:
    with pytest.raises(InputError):
        Exclusion.of(kind, value)


def _mined(story: Story, *pairs: tuple[str, str]) -> tuple[set[str], list[str]]:
    """Return what the suggestions act on, and what was set aside as excluded."""
    given = story.snapshot()
    snapshot = Snapshot(
        given.home, given.as_of, given.events, given.causes_known, explain=True,
        excluded=tuple(Exclusion.of(kind, value) for kind, value in pairs),
    )  # fmt: skip
    analysis = analyse_home(snapshot)
    acted = {
        entity_id
        for one in analysis.suggestions
        for action in one.automation["actions"]
        for entity_id in action.get("target", {}).get("entity_id", [])
    }
    return acted, [one.habit for one in analysis.set_aside if one.why == "never, as you said"]


@pytest.mark.timeout(300)
def test_the_night_leaves_it_out_and_says_why() -> None:
    story = clock()
    assert "switch.desk_fan" in _mined(story)[0]
    for pair in (("entity", "switch.desk_fan"), ("domain", "switch"), ("kind", "clock:switch:on")):
        acted, aside = _mined(story, pair)
        assert "switch.desk_fan" not in acted
        assert "Turn on the desk fan at 06:45 on workdays" in aside


@pytest.mark.timeout(300)
def test_a_routine_goes_on_without_the_step_that_was_excluded() -> None:
    acted, _ = _mined(arrival_and_bedtime(), ("entity", ROUTINE[2]))
    assert acted == set(ROUTINE) - {ROUTINE[2]}


def test_what_is_excluded_crosses_to_the_worker() -> None:
    pair = Exclusion.of("label", "upstairs")
    header = encode_snapshot(HOME, NOW, excluded=[pair])
    assert read_snapshot(io.BytesIO(header)).excluded == (pair,)
    assert read_snapshot(io.BytesIO(encode_snapshot(HOME, NOW))).excluded == ()
