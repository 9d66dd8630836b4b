import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import to_ms
from app.events import Event
from app.hub.recorder import read_recorder
from tests.recorder_file import NEW_SCHEMA, OLD_SCHEMA, RecorderFile

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LAYOUTS = pytest.mark.parametrize("schema", [NEW_SCHEMA, OLD_SCHEMA])
MOIST = {"device_class": "humidity", "state_class": "measurement"}
WATTS = {"unit_of_measurement": "W", "state_class": "measurement"}
COUNT = {"unit_of_measurement": "kWh", "state_class": "total_increasing"}


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def readings(path: Path, entity_id: str) -> list[Event]:
    _, events = read_recorder(path)
    return [row for row in events.rows() if row.entity_id == entity_id]


def states(path: Path, entity_id: str) -> list[str | None]:
    return [row.state for row in readings(path, entity_id)]


def drop_indexes(path: Path) -> None:
    with sqlite3.connect(path) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'ix_states%'").fetchall():
            db.execute(f"DROP INDEX {name}")
    db.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home.db"


@pytest.mark.parametrize("indexes", ["kept", "dropped"])
@LAYOUTS
def test_streams_that_nobody_acts_on_are_thinned_and_words_are_not(
    path: Path, schema: int, indexes: str
) -> None:
    with RecorderFile(path, schema) as file:
        for second in range(0, 3600, 10):
            file.state("sensor.energy", str(second), after(second / 60), attributes=COUNT)
            file.state("sensor.mode", "eco" if second % 20 else "boost", after(second / 60))
    if indexes == "dropped":
        drop_indexes(path)
    assert states(path, "sensor.energy") == [str(n) for n in range(0, 3600, 300)]
    assert len(states(path, "sensor.mode")) == 360


@LAYOUTS
def test_other_streams_are_thinned_to_as_long_a_stretch_as_their_number_asks_for(
    path: Path, schema: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecorderFile(path, schema) as file:
        for minute in range(0, 600, 5):
            file.state("sensor.bath_humidity", str(minute), after(minute), attributes=MOIST)
            file.state("sensor.counter", str(minute), after(minute), attributes=COUNT)
    monkeypatch.setattr("app.hub.recorder_readings._READINGS", 11)
    assert len(states(path, "sensor.bath_humidity")) == 120
    assert states(path, "sensor.counter") == [str(n) for n in range(0, 600, 60)]


@pytest.mark.parametrize("indexes", ["kept", "dropped"])
@LAYOUTS
def test_the_minute_is_kept_in_which_a_humidity_passed_a_limit_for_eight_minutes(
    path: Path, schema: int, indexes: str
) -> None:
    with RecorderFile(path, schema) as file:
        for day in range(30):
            for number in range(31):
                file.state(
                    f"sensor.room_{number}_humidity", f"{40 + day}.0", after(1440 * day), attributes=MOIST
                )
            for minute, state in ((0, "51.0"), (407, "71.5"), (415, "52.0"), (900, "50.5")):
                file.state("sensor.bath_humidity", state, after(1440 * day + minute), attributes=MOIST)
    if indexes == "dropped":
        drop_indexes(path)
    rows = readings(path, "sensor.bath_humidity")
    assert [row.at for row in rows if row.state == "71.5"] == [
        to_ms(after(1440 * n + 407)) for n in range(30)
    ]
    assert [row.at for row in rows if row.state == "52"] == [to_ms(after(1440 * n + 415)) for n in range(30)]


@LAYOUTS
def test_what_is_no_number_among_the_readings_does_no_harm(path: Path, schema: int) -> None:
    said = [
        "51.0",
        "unavailable",
        "",
        None,
        "unknown",
        "nan",
        "inf",
        "1_000",
        "12 %",
        "1e1",
        "-3",
        "2026-05-04",
    ]
    with RecorderFile(path, schema) as file:
        for minute, state in enumerate([*said, "52.0"]):
            file.state("sensor.bath_humidity", state, after(minute), attributes=MOIST)
    rows = readings(path, "sensor.bath_humidity")
    assert [(row.state, row.at) for row in rows] == [
        ("51", to_ms(after(0))), ("10", to_ms(after(9))), ("-3", to_ms(after(10))), ("52", to_ms(after(12))),
    ]  # fmt: skip


def test_a_number_said_again_is_kept_once_an_hour(path: Path) -> None:
    with RecorderFile(path) as file:
        for minute in range(0, 180, 10):
            file.state("sensor.bath_humidity", "51.0", after(minute), attributes=MOIST)
    assert [row.at for row in readings(path, "sensor.bath_humidity")] == [
        to_ms(after(minute)) for minute in (0, 60, 120)
    ]


def test_what_only_changed_its_attributes_is_no_reading(path: Path) -> None:
    with RecorderFile(path) as file:
        file.state("sensor.bath_humidity", "51.0", NOON, attributes=MOIST)
        file.state("sensor.bath_humidity", "51.0", after(90), attributes=MOIST, changed=NOON)
    assert len(readings(path, "sensor.bath_humidity")) == 1


@LAYOUTS
def test_above_the_budget_meters_of_power_and_who_says_most_are_thinned(
    path: Path, schema: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecorderFile(path, schema) as file:
        for minute in range(60):
            file.state("sensor.washer_power", str(minute), after(minute), attributes=WATTS)
            file.state("sensor.bath_humidity", str(minute), after(minute), attributes=MOIST)
            for second in (0, 0.25, 0.5, 0.75):
                file.state("sensor.hall_humidity", str(minute), after(minute + second), attributes=MOIST)
    monkeypatch.setattr("app.hub.recorder_readings._MOST_IN_FULL", 100)
    monkeypatch.setattr("app.hub.recorder_readings._LARGE", 0)
    assert states(path, "sensor.bath_humidity") == [str(n) for n in range(60)]
    assert states(path, "sensor.hall_humidity") == [str(n) for n in range(0, 60, 5)]
    assert states(path, "sensor.washer_power") == [str(n) for n in range(0, 60, 5)]


def test_readings_that_a_hub_has_not_moved_to_the_new_layout_yet_are_heard_too(path: Path) -> None:
    with RecorderFile(path) as file:
        file.state("sensor.bath_humidity", "52.0", after(1), attributes=MOIST)
        file.db.execute(
            "INSERT INTO states (state_id, entity_id, state, last_updated_ts)"
            " VALUES (99, 'sensor.bath_humidity', '51.0', ?)",
            [NOON.timestamp()],
        )
    assert states(path, "sensor.bath_humidity") == ["51", "52"]


def test_readings_numbered_out_of_all_proportion_are_heard_too(path: Path) -> None:
    with RecorderFile(path) as file:
        file.state("sensor.bath_humidity", "52.0", NOON, attributes=MOIST)
        file.db.execute("UPDATE states_meta SET metadata_id = 1 << 40")
        file.db.execute("UPDATE states SET metadata_id = 1 << 40")
    assert states(path, "sensor.bath_humidity") == ["52"]
