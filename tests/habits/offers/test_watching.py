"""What automations did since, told from what they changed and what people made of it."""

import io
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from app.clock import to_ms
from app.events import Event
from app.habits.analysis import analyse_home
from app.habits.snapshot import encode_snapshot, frame
from app.habits.suggestion import Analysis
from app.habits.worker import analyse
from app.hub.invented.making import invent
from app.model import Cause, Home
from tests.habits.offers.diary import AT, LAMP, Diary, total, wiring


def test_each_run_that_changed_something_is_one_fire_on_its_own_local_day() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    for day in range(1, 20):
        diary.evening(lamp, day)
    one = diary.watched()
    assert (one.suggestion_id, one.unique_id) == ("lamp", "nightshift_lamp")
    assert total(one) == (19, 0, 0, 1)  # on the day it was accepted, the moment came and nothing did
    assert [day.fired for day in one.days] == [0] + [1] * 19 + [0]
    assert one.days[1].day == "2026-01-06"


def test_what_a_person_takes_back_within_ten_minutes_is_undone_and_later_is_not() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    for day in range(1, 20):
        diary.evening(lamp, day, undone={3: 2.0, 5: 9.5, 7: 10.5}.get(day))
    one = diary.watched()
    assert total(one)[:2] == (19, 2)
    assert [day.day for day in one.days if day.undone] == ["2026-01-08", "2026-01-10"]
    assert one.undone_at == ["2026-01-08T19:02:00+01:00", "2026-01-10T19:09:30+01:00"]


@pytest.mark.parametrize("before", [(), ("idle",)], ids=["they are new", "they went away"])
def test_in_a_small_home_what_is_made_and_undone_beside_an_apps_entities_counts(
    before: tuple[str, ...],
) -> None:
    # Seen on a hub with thirteen entities: four of one app, unavailable as it starts or stops, are a fifth.
    diary = Diary(3)
    lamp = diary.made(ours=0)
    when = diary.at(2, AT)
    for number in range(4):
        name = f"sensor.app_{number}"
        for state in before:
            diary.set(name, state, diary.at(1, 5), Cause.UNKNOWN)
        for state, seconds in (("unavailable", -3.0), ("unknown", -2.9), ("idle", -2.8)):
            diary.set(name, state, when + timedelta(seconds=seconds), Cause.UNKNOWN)
    diary.runs(lamp, when)
    diary.set(LAMP, "off", when + timedelta(seconds=4), Cause.PERSON)
    assert total(diary.watched())[:2] == (1, 1)


def test_who_comes_back_later_undoes_nothing_and_who_presses_at_once_does() -> None:
    diary = Diary(20)
    diary.entity("binary_sensor.hall", device_class="motion")
    off = {"trigger": "state", "entity_id": "binary_sensor.hall", "to": "off", "for": {"minutes": 5}}
    lamp = diary.made(wiring(action="light.turn_off") | {"triggers": [off]}, ours=0)
    diary.set("binary_sensor.hall", "off", diary.at(0, 2), Cause.UNKNOWN)
    for day in range(1, 20):
        back = 1.5 if day in {4, 11} else 6
        for minutes, state in ((AT, "on"), (AT + 2, "off"), (AT + 7 + back - 0.1, "on"), (AT + 30, "off")):
            diary.set("binary_sensor.hall", state, diary.at(day, minutes), Cause.UNKNOWN)
        diary.set(LAMP, "on", diary.at(day, AT + 0.2))
        diary.runs(lamp, diary.at(day, AT + 7), "off")
        diary.set(LAMP, "on", diary.at(day, AT + 7 + back))
        diary.runs(lamp, diary.at(day, AT + 35), "off")
    assert total(diary.watched()) == (38, 2, 0, 0)


def test_another_machine_and_its_own_later_step_are_no_undo() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    for day in range(1, 20):
        when = diary.at(day, AT)
        diary.runs(lamp, when, context=1000 + day)
        who = lamp if day % 2 else "automation.other"
        diary.runs(who, when + timedelta(minutes=5), "off", context=1000 + day if day % 2 else 5000 + day)
    one = diary.watched()
    assert total(one)[:2] == (19, 0)


def test_done_by_hand_around_its_moment_counts_as_that_and_not_as_missed() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    for day in range(1, 20):
        if day in {4, 6}:  # somebody was faster: it finds the lamp on
            diary.set(LAMP, "on", diary.at(day, AT - 8), Cause.PERSON)
            diary.set(LAMP, "off", diary.at(day, 23 * 60))
        elif day == 8:  # it did nothing, and somebody did it
            diary.set(LAMP, "on", diary.at(day, AT + 4), Cause.HAND)
            diary.set(LAMP, "off", diary.at(day, 23 * 60))
        elif day != 10:
            diary.evening(lamp, day)
    one = diary.watched()
    assert total(one) == (15, 0, 3, 2)
    assert [day.day for day in one.days if day.missed] == ["2026-01-05", "2026-01-15"]


def test_while_it_was_switched_off_nothing_was_missed() -> None:
    diary = Diary(20)
    lamp = diary.made(ours=0)
    diary.set(lamp, "on", diary.at(0, 1), Cause.UNKNOWN)
    diary.set(lamp, "off", diary.at(5, 1), Cause.PERSON)
    diary.set(lamp, "on", diary.at(12, 1), Cause.PERSON)
    for day in (*range(5), *range(12, 20)):
        diary.evening(lamp, day)
    assert total(diary.watched()) == (13, 0, 0, 0)


def test_what_cannot_be_told_of_its_moments_is_not_called_missed() -> None:
    diary = Diary(20)
    config = wiring() | {"conditions": [{"condition": "template", "value_template": "{{ false }}"}]}
    diary.made(config, ours=0)
    diary.set(LAMP, "on", diary.at(3, 600))
    diary.set(LAMP, "off", diary.at(3, 700))
    assert {day.missed for day in diary.watched().days} == {None}


ODD: tuple[dict[str, Any], ...] = (
    {"trigger": "time", "at": None},
    {"trigger": "time", "at": "sometime"},
    {"trigger": "time", "at": "99:99:99", "weekday": 7},
    {"trigger": "time", "at": {"entity_id": "input_datetime.up"}},
    {"trigger": "sun", "event": ["sunset"], "offset": "x"},
    {"trigger": "sun", "event": "sunset", "offset": float("inf")},
    {"trigger": "sun", "event": "sunset", "offset": {"hours": "two"}},
    {"trigger": "state", "entity_id": None, "to": None},
    {"trigger": "state", "entity_id": 7, "to": [1]},
    {"trigger": "state", "entity_id": [LAMP], "to": "on", "for": {"days": 10**30}},
    {"trigger": "state", "entity_id": [LAMP], "to": "on", "for": "{{ later }}"},
    {"trigger": {}, "entity_id": {}},
    {},
)


@pytest.mark.parametrize("trigger", ODD)
def test_whatever_an_automation_says_the_night_goes_on(trigger: dict[str, Any]) -> None:
    diary = Diary(20)
    lamp = diary.made(wiring() | {"triggers": [trigger, "no trigger"]}, ours=0)
    diary.made(wiring() | {"triggers": [trigger]}, name="old")
    diary.made(wiring() | {"conditions": [trigger, {"condition": trigger, "after": trigger}]}, name="other")
    diary.habit("fan.hall", AT)
    for day in range(20):
        diary.evening(lamp, day)
    one, *others = diary.looked_at().watched
    assert (total(one)[0], len(others)) == (20, 2)


def test_automations_that_people_made_are_watched_too_but_never_judged() -> None:
    diary = Diary(20)
    lamp = diary.made(name="old")
    for day in range(20):
        diary.evening(lamp, day, undone=1.0)
    one = diary.watched("old")
    assert (one.unique_id, one.suggestion_id, one.since, one.proposal) == ("own_old", "", None, None)
    assert total(one)[:2] == (20, 20)


def test_one_that_was_taken_back_is_not_watched_any_more() -> None:
    diary = Diary(20)
    diary.made(ours=0)
    diary.accepted.clear()
    assert diary.looked_at().watched == []


def test_a_source_that_does_not_tell_who_acted_is_not_watched() -> None:
    diary = Diary(20)
    diary.made()
    snapshot = diary.snapshot(causes_known=False)
    assert analyse_home(snapshot).watched == []
    assert len(analyse_home(replace(snapshot, causes_known=True)).watched) == 1


def test_days_are_the_homes_own_across_the_change_of_the_clock() -> None:
    diary = Diary(20, start=date(2026, 3, 20))
    lamp = diary.made(ours=0)
    for day in range(20):
        diary.evening(lamp, day, off=AT + 60)
    one = diary.watched()
    assert [day.fired for day in one.days] == [1] * 20 + [0]
    assert total(one)[3] == 0


def test_no_more_than_five_weeks_are_told_and_the_first_of_them_is_whole() -> None:
    diary = Diary(50)
    lamp = diary.made(name="old")
    for day in range(50):
        diary.evening(lamp, day)
    days = diary.watched("old").days
    assert len(days) == 35
    assert [day.fired for day in days] == [1] * 34 + [0]


def invented() -> tuple[Home, bytes]:
    until = datetime.fromisoformat("2026-05-03T01:00:00+00:00")
    home = invent(7, 40, until)
    payload = encode_snapshot(home.home, until) + frame(home.events.encode())
    return home.home, payload


def test_the_invented_homes_automations_are_all_seen_at_work() -> None:
    home, payload = invented()
    told = analyse_home_of(payload)
    assert {one.entity_id for one in told} == {one.entity_id for one in home.automations}
    by_name = {one.entity_id: total(one) for one in told}
    assert by_name["automation.night_light_on"][0] >= 30
    assert by_name["automation.heating_off"][1] == 0
    assert all(fired for fired, *_ in by_name.values())


def analyse_home_of(payload: bytes) -> list[Any]:
    said = analyse(io.BytesIO(payload), lambda _step, _done, _of: None)
    return Analysis.model_validate_json(said).watched


def test_a_row_of_an_unknown_automation_changes_nothing() -> None:
    diary = Diary(20)
    diary.made(ours=0)
    when = to_ms(diary.at(3, AT))
    diary.events.append(Event(LAMP, "on", when, Cause.MACHINE, 7, "automation.gone"))
    assert total(diary.watched())[0] == 0
