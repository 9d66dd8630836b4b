"""The drawings of the home: round scales, lines with gaps, bands, and words for who cannot see them."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.alerts.alert import Level
from app.statistics.queries import EnergyDay, RoomPoint, RoomSeries
from app.web.alert_plot import draw_alerts, first_week
from app.web.energy_plot import Against, draw_energy
from app.web.plots import Scale, day_labels, line, middle, scale_of
from app.web.room_plot import draw_rooms
from app.web.score_plot import draw_scores
from tests.insights.small import AMSTERDAM
from tests.web.morning import insight

TODAY = date(2026, 3, 10)
NOW = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=40), st.floats(0.5, 100))
def test_a_scale_holds_every_value_on_few_round_lines(values: list[float], least: float) -> None:
    scale = scale_of(values, least=least)
    assert scale.low <= min(values) + 1e-6
    assert scale.high >= max(values) - 1e-6
    assert scale.high - scale.low >= least - 1e-6
    assert 2 <= len(scale.ticks()) <= 7


def test_what_is_beyond_the_scale_stays_on_its_edge() -> None:
    scale = Scale(0, 100, 25)
    assert [scale.y(value) for value in (-5, 0, 25, 100, 130)] == [100, 100, 75, 0, 0]


def test_a_line_ends_where_nothing_is_known_and_one_alone_is_a_dot() -> None:
    assert line([(1, 5), (2, 6), (3, None), (4, 7), (5, None)]) == "M1 5L2 6M4 7h0"
    assert line([(1, None)]) == ""


def test_the_first_the_middle_and_the_last_day_are_named() -> None:
    days = [TODAY - timedelta(days=29 - number) for number in range(30)]
    assert [label.text for label in day_labels(days)] == ["Mon 9 Feb", "Tue 24 Feb", "Tue 10 Mar"]
    assert [label.text for label in day_labels(days[:1])] == ["Mon 9 Feb"]
    assert day_labels([]) == ()
    assert middle(0, 2) == 25


def test_the_score_and_each_part_have_a_line_of_their_own() -> None:
    drawn = draw_scores([insight(TODAY), insight(TODAY - timedelta(days=2), 70)], TODAY)
    assert drawn
    assert drawn.said == "The score of the last 30 days: from 70 to 82, 82 at last with 28 days without one."
    assert drawn.path.count("M") == 2  # the day between is not known
    assert drawn.last == (98.333, 18.0)
    assert [(part.title, part.value) for part in drawn.parts] == [("Devices", "85"), ("Comfort", "70")]
    assert drawn.rows == (("Tue 10 Mar", "82", "85", "70"), ("Sun 8 Mar", "70", "85", "70"))


def test_days_with_old_readings_are_marked_in_the_drawing_and_in_the_table() -> None:
    old = insight(TODAY, stale_since=NOW - timedelta(days=1))
    drawn = draw_scores([old], TODAY)
    assert drawn
    assert drawn.stale == ((98.333, 18.0),)
    assert drawn.rows[0][0] == "Tue 10 Mar (earlier readings)"


def test_a_day_of_which_too_little_is_known_is_a_gap_and_the_table_says_so() -> None:
    few = insight(TODAY - timedelta(days=1), 99, confidence=0.2)
    none = insight(TODAY - timedelta(days=3), None, confidence=0.0)
    drawn = draw_scores([insight(TODAY), few, insight(TODAY - timedelta(days=2), 70), none], TODAY)
    assert drawn
    assert drawn.path.count("M") == 2
    assert (drawn.lacking, drawn.parts[0].path.count("M")) == (2, 1)
    assert [row[1] for row in drawn.rows] == [
        "82", "too little known (20 %)", "70", "too little known (nothing)",
    ]  # fmt: skip
    assert drawn.said.endswith("with 28 days without one, 2 of them because too little was known.")
    alone = draw_scores([few], TODAY)
    assert alone
    assert (alone.path, alone.last, alone.lacking) == ("", None, 1)


def test_without_any_score_nothing_is_drawn() -> None:
    assert draw_scores([], TODAY) is None
    assert draw_scores([insight(TODAY, None)], TODAY) is None
    assert draw_scores([insight(TODAY - timedelta(days=40))], TODAY) is None


def energy(number: int, kwh: float | None, *, whole: bool = True, usual: bool = True) -> EnergyDay:
    low, high = (8.0, 12.0) if usual else (None, None)
    return EnergyDay(TODAY - timedelta(days=number), kwh, low, 10.0 if usual else None, high, whole)


def test_each_day_stands_against_what_is_usual() -> None:
    days = [energy(4, 7), energy(3, 10), energy(2, 14), energy(1, 9, usual=False), energy(0, 3, whole=False)]
    drawn = draw_energy(days, TODAY)
    assert drawn
    assert [bar.kind for bar in drawn.bars] == [
        Against.BELOW, Against.USUAL, Against.ABOVE, Against.OPEN, Against.OPEN,
    ]  # fmt: skip
    assert drawn.lead.startswith("Yesterday took 9.0 kWh. What is usual shows")
    assert drawn.said == (
        "Energy on 5 days: 1 as usual, 1 above the usual, 1 below the usual"
        " and 2 not whole, or without a usual yet."
    )
    assert drawn.bars[-1].said == "Tue 10 Mar: 3.0 kWh so far"
    assert drawn.rows[2] == ("Sun 8 Mar", "14.0 kWh", "8.0 to 12.0 kWh", "above")


def test_the_newest_whole_day_is_told_in_a_sentence() -> None:
    drawn = draw_energy([energy(1, 13.24), energy(0, 3, whole=False)], TODAY)
    assert drawn
    assert drawn.lead == "Yesterday took 13.2 kWh, more than usual (8.0 to 12.0 kWh on such a day)."
    older = draw_energy([energy(3, 9), energy(2, None, whole=False)], TODAY)
    assert older
    assert older.lead.startswith("Sat 7 Mar took 9.0 kWh, as usual")
    assert older.rows[0][3] == "not measured"


def test_a_home_without_a_meter_has_no_energy_chart() -> None:
    assert draw_energy([], TODAY) is None
    assert draw_energy([energy(1, None)], TODAY) is None


@pytest.mark.parametrize("kwh", [0.0, -2.5])
def test_a_day_that_drew_nothing_has_a_bar_of_no_height(kwh: float) -> None:
    drawn = draw_energy([energy(1, kwh)], TODAY)
    assert drawn
    assert drawn.bars[0].height == 0


def room(name: str, *values: float | None, first: int = 10) -> RoomSeries:
    hour = NOW.replace(minute=0) - timedelta(hours=first)
    points = [RoomPoint(hour + timedelta(hours=at), value, None, None) for at, value in enumerate(values)]
    return RoomSeries(name.lower(), name, tuple(points))


def test_every_room_is_drawn_on_the_same_scale() -> None:
    drawn = draw_rooms([room("Attic", 15.5, 16, 17), room("Bedroom", 19, 20)], NOW, AMSTERDAM)
    assert drawn
    attic, bedroom = drawn.rooms
    assert attic.said == ("Attic: 17.0 °C at last, 15.5 to 17.0 °C in the last 48 hours. 3 h below 18 °C.")
    assert bedroom.outside == ""
    assert bedroom.last[1] < attic.last[1]
    assert drawn.midnights == (25.0, 75.0)
    assert drawn.rows[0][0] == "Tue 10 Mar, 10:00 to 13:00"
    assert len(drawn.rows) == 16


def test_a_room_tells_how_long_its_air_was_out_of_comfort() -> None:
    hour = NOW - timedelta(hours=3)
    damp = RoomPoint(hour, 20.0, 71.0, 1400.0)
    dry = RoomPoint(hour + timedelta(hours=1), 20.0, 25.0, 900.0)
    office = RoomSeries("office", "Office", (RoomPoint(hour, None, None, 1200.0),))
    drawn = draw_rooms([RoomSeries("bath", "Bath", (damp, dry)), office], NOW, AMSTERDAM)
    assert drawn
    assert drawn.rooms[0].outside == (
        "1 h below 30 % humidity, 1 h above 60 % humidity, 1 h above 1000 ppm CO₂"
    )
    assert drawn.others == ("Office: 1 h above 1000 ppm CO₂",)


def test_the_table_has_the_mean_of_each_three_hours() -> None:
    drawn = draw_rooms([room("Attic", 18, 19, 20, 30, first=3)], NOW, AMSTERDAM)
    assert drawn
    assert [row[1] for row in drawn.rows[:3]] == ["23.0 °C", "18.0 °C", "—"]


def test_hours_without_a_reading_leave_a_gap_in_the_line() -> None:
    series = room("Attic", 18, None, None, 19, 20)
    drawn = draw_rooms([series], NOW, AMSTERDAM)
    assert drawn
    assert drawn.rooms[0].path.count("M") == 2


def test_rooms_without_a_thermometer_are_not_drawn() -> None:
    assert draw_rooms([room("Attic", None)], NOW, AMSTERDAM) is None


def test_alerts_are_counted_by_the_local_week_they_were_noticed_in() -> None:
    # Sunday 23:30 in Amsterdam is still last week, though it is Monday nowhere but east of it.
    sunday = datetime(2026, 3, 8, 22, 30, tzinfo=UTC)
    drawn = draw_alerts(
        [(sunday, Level.HIGH), (sunday + timedelta(hours=1), Level.LOW), (NOW, Level.LOW)], NOW, AMSTERDAM
    )
    assert drawn
    assert drawn.said == "3 alerts in 12 weeks: 1 high and 2 low; 2 this week, 1 the week before."
    assert drawn.levels == (Level.HIGH, Level.LOW)
    assert drawn.rows[:2] == (("this week", "2", "0", "2"), ("Mon 2 Mar to Sun 8 Mar", "1", "1", "0"))
    assert [bar.total for bar in drawn.bars] == [1, 2]
    assert first_week(NOW, AMSTERDAM) == datetime(2025, 12, 22, tzinfo=AMSTERDAM)


def test_pieces_of_a_week_stand_on_one_another() -> None:
    drawn = draw_alerts([(NOW, level) for level in Level], NOW, AMSTERDAM)
    assert drawn
    assert [piece.level for piece in drawn.pieces] == list(Level)
    tops = [piece.y for piece in drawn.pieces]
    assert tops == sorted(tops, reverse=True)


def test_without_alerts_there_is_no_chart_of_them() -> None:
    assert draw_alerts([(NOW - timedelta(days=200), Level.HIGH)], NOW, AMSTERDAM) is None
