"""Learning from the archive: each finished day once, across midnight, gaps and clock changes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.alerts.learned import Learned
from app.alerts.learning import DayFacts, learn
from app.alerts.past import Past, local_day
from app.events import Event, Events
from tests.alerts.house import AlertHouse, alert_house, entity, home_of, hours, minutes, people
from tests.alerts.past import Diary

DOOR = "binary_sensor.front_door"


async def learned_of(house: AlertHouse) -> Learned:
    return await Past(house.store, house.archive, house.clock, "home").learned()


async def test_each_finished_day_is_learned_once_and_a_pass_learns_one(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        for day in diary.days(6):
            diary.spell(DOOR, day, 9, minutes(5))
        assert await diary.learned(passes=1) == 1
        assert await diary.learned() == 4, "the day on which the archive begins is not whole"
        assert await diary.learned() == 0
        assert [one.day for one in (await learned_of(house)).days] == [
            day.isoformat() for day in diary.days(5)
        ]


async def test_today_is_not_learned_before_the_archive_has_all_of_it(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        for day in [*diary.days(3), diary.today]:
            diary.spell(DOOR, day, 9, minutes(5))
        assert await diary.learned() == 2
        await house.clock.turn(timedelta(days=1))
        assert await diary.learned() == 1


async def test_what_was_open_over_midnight_is_one_stay_and_open_at_night(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        for day in diary.days(5):
            diary.spell(DOOR, day, 22, hours(9))
        await diary.learned()
        days = (await learned_of(house)).days
        assert days[-1].spells == {DOOR: [9 * 3600]}
        assert days[-1].night == [DOOR]
        assert set(days[-1].running) == {DOOR}


async def test_what_was_unavailable_meanwhile_is_one_stay(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        for day in diary.days(4):
            diary.spell(DOOR, day, 9, hours(2))
            diary.spell(DOOR, day, 9.5, minutes(10), on="unavailable", off="on")
        await diary.learned()
        facts = (await learned_of(house)).days[-1]
        assert facts.spells == {DOOR: [7200]}
        assert facts.gone == {DOOR: 600}
        assert facts.uses == {DOOR: {"9": 1}}


async def test_open_with_nobody_home_is_known_from_where_people_were(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        days = diary.days(5)
        for day in days:
            diary.spell(DOOR, day, 10, hours(1))
        diary.write("person.ana", "not_home", days[1], 8)
        diary.write("person.ben", "Work", days[1], 19)
        diary.write("person.ben", "home", days[3], 9)
        await diary.learned()
        assert [one.away for one in (await learned_of(house)).days] == [[], [DOOR], [], []]


async def test_days_without_anything_are_not_learned_days(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        days = diary.days(10)
        for day in (*days[:3], days[-1]):
            diary.spell(DOOR, day, 10, hours(1))
        assert await diary.learned() == 9
        assert len((await learned_of(house)).days) == 3


async def test_only_the_last_ninety_days_are_kept(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        for day in diary.days(120):
            diary.spell(DOOR, day, 10, hours(1))
        await diary.learned(passes=200)
        assert len((await learned_of(house)).days) == 90


async def test_a_damaged_day_is_left_out(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        house.know(entity(DOOR, "door"))
        diary = Diary(house)
        for day in diary.days(4):
            diary.spell(DOOR, day, 10, hours(1))
        await diary.learned()
        async with house.store.writing() as db:
            await db.execute(
                "UPDATE alert_day SET facts = x'00' WHERE day = (SELECT max(day) FROM alert_day)"
            )
        assert len((await learned_of(house)).days) == 2


@pytest.mark.parametrize(("day", "length"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 3, 10), 24)])
def test_a_local_day_is_as_long_as_it_is(day: tuple[int, int, int], length: int) -> None:
    found = local_day(datetime(*day, tzinfo=UTC).date(), home_of())
    assert (found.end - found.start) == length * 3_600_000
    assert found.night[0][0] == found.start
    assert found.night[1][1] == found.end


def test_hours_are_those_of_the_wall_clock() -> None:
    home = home_of(entity("light.hall"))
    day = local_day(datetime(2026, 7, 1, tzinfo=UTC).date(), home)
    rows = [
        Event("light.hall", state, day.start + hour * 3_600_000)
        for hour, state in ((0, "off"), (7, "on"), (8, "off"))
    ]
    facts = learn(Events.of(rows), home, day, None, 2 * 3_600_000)
    assert facts.uses == {"light.hall": {"7": 1}}


def test_facts_come_back_as_they_were_kept_and_unknown_ones_are_dropped() -> None:
    facts = DayFacts(
        "2026-03-01", spells={"a": [1]}, range={"b": (1.0, 2.0, 3.0)}, people={"person.a": "home"}
    )
    again = DayFacts.of({**facts.to_json(), "later": 1})
    assert (again.spells, again.people, again.day) == (facts.spells, facts.people, facts.day)
    assert tuple(again.range["b"]) == (1.0, 2.0, 3.0)


async def test_a_home_of_which_no_zone_is_known_learns_nothing(tmp_path: Path) -> None:
    async with alert_house(tmp_path) as house:
        people(house.now, "home")
        diary = Diary(house)
        for day in diary.days(4):
            diary.spell(DOOR, day, 10, hours(1))
        house.home = house.home.__class__(home_id="home")
        assert await diary.learned() == 0
