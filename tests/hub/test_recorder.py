import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.clock import to_ms
from app.errors import InputError
from app.events import Event, Events
from app.hub.config_folder import facts_beside
from app.hub.recorder import read_recorder
from app.model import Cause, Entity, Home, Person
from tests.recorder_file import NEW_SCHEMA, OLD_SCHEMA, Context, RecorderFile, write_home

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ANA = "a" * 32
BOT = "b" * 32
LAYOUTS = pytest.mark.parametrize("schema", [NEW_SCHEMA, OLD_SCHEMA])


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def of(events: Events, entity_id: str) -> list[Event]:
    return [row for row in events.rows() if row.entity_id == entity_id]


def call(action: str, entity_ids: str | list[str]) -> dict[str, object]:
    domain, _, service = action.partition(".")
    return {"domain": domain, "service": service, "service_data": {"entity_id": entity_ids}}


def put(folder: Path, name: str, data: object) -> None:
    storage = folder / ".storage"
    storage.mkdir(exist_ok=True)
    (storage / name).write_text(json.dumps({"version": 1, "key": name, "data": data}))


def cut(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])


def overwrite(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xa5" * (len(whole) - 8192))


def other_database(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    db.close()


def ancient(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE states (state_id INTEGER, entity_id TEXT, state TEXT, last_updated DATETIME)"
        )
        db.execute("CREATE TABLE schema_changes (change_id INTEGER, schema_version INTEGER)")
        db.execute("INSERT INTO schema_changes VALUES (1, 28)")
    db.close()


def drop_indexes(path: Path) -> None:
    with sqlite3.connect(path) as db:
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE name LIKE 'ix_states%'").fetchall():
            db.execute(f"DROP INDEX {name}")
    db.close()


@LAYOUTS
def test_changes_of_state_are_read_and_changes_of_attributes_are_not(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path, schema) as file:
        file.state("light.lamp", "off", NOON)
        file.state("light.lamp", "on", after(1.5))
        file.state("light.lamp", "on", after(2), changed=after(1.5))
        file.state("light.lamp", "off", after(3))
    _, events = read_recorder(path)
    assert [(row.state, row.at) for row in events.rows()] == [
        ("off", to_ms(NOON)), ("on", to_ms(after(1.5))), ("off", to_ms(after(3))),
    ]  # fmt: skip


@LAYOUTS
def test_a_restart_that_repeats_a_state_is_no_change(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path, schema) as file:
        for seconds, state in enumerate(("on", "on", "unavailable", "on", "on")):
            file.state("light.lamp", state, after(seconds))
    _, events = read_recorder(path)
    assert [row.state for row in events.rows()] == ["on", "unavailable", "on"]


@LAYOUTS
def test_only_the_stretch_asked_for_is_read(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path, schema) as file:
        for seconds in range(10):
            file.state("light.lamp", "on" if seconds % 2 else "off", after(seconds))
            file.state("sensor.power", str(seconds), after(seconds), attributes={"unit_of_measurement": "W"})
    _, events = read_recorder(path, after(3), after(6))
    assert [row.at for row in of(events, "light.lamp")] == [to_ms(after(n)) for n in (3, 4, 5)]
    assert [row.at for row in of(events, "sensor.power")] == [to_ms(after(n)) for n in (3, 4, 5)]


@LAYOUTS
def test_the_clocks_automation_a_person_a_wall_switch_and_an_app_are_told_apart(
    tmp_path: Path, schema: int
) -> None:
    path = tmp_path / "home.db"
    run, press, hand, bridge = (Context.number(n, ANA if n == 2 else None) for n in (1, 2, 3, 4))
    with RecorderFile(path, schema) as file:
        for entity in ("clock", "app", "wall", "bridge"):
            file.state(f"light.{entity}", "off", NOON, context=Context.number(9))
        file.event("automation_triggered", after(1), {"entity_id": "automation.dusk", "name": "Dusk"}, run)
        file.event("call_service", after(1), call("light.turn_on", "light.clock"), run)
        file.state("light.clock", "on", after(1.1), context=run)
        file.event("call_service", after(2), call("light.turn_on", "light.app"), press)
        file.state("light.app", "on", after(2.1), context=press)
        file.state("light.wall", "on", after(3), context=hand)
        file.event("call_service", after(4), call("light.turn_on", "light.bridge"), bridge)
        file.state("light.bridge", "on", after(4.1), context=bridge)
    _, events = read_recorder(path)
    made = {row.entity_id: (row.cause, row.actor) for row in events.rows() if row.state == "on"}
    assert made == {
        "light.clock": (Cause.MACHINE, "automation.dusk"),
        "light.app": (Cause.PERSON, ANA),
        "light.wall": (Cause.HAND, ""),
        "light.bridge": (Cause.MACHINE, ""),
    }


@LAYOUTS
def test_what_an_automation_started_below_itself_is_the_automations(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "home.db"
    run = Context.number(1, parent=5)
    below = Context.number(2, ANA, parent=1)  # newer hubs copy the user of what triggered the run
    with RecorderFile(path, schema) as file:
        file.state("light.lamp", "off", NOON, context=Context.number(9))
        file.event("automation_triggered", after(1), {"entity_id": "automation.hall"}, run)
        file.state("light.lamp", "on", after(1.2), context=below)
    _, events = read_recorder(path)
    (_, row) = events.rows()
    assert (row.cause, row.actor) == (Cause.MACHINE, "automation.hall")


def test_a_context_above_whose_event_was_not_recorded_still_means_a_machine(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "off", NOON, context=Context.number(9))
        file.state("light.lamp", "on", after(1), context=Context.number(1, ANA, parent=7))
    _, events = read_recorder(path)
    assert [row.cause for row in events.rows()][1] is Cause.MACHINE


def test_a_scene_is_pressed_by_a_person_and_its_lights_are_switched_by_the_scene(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    press = Context.number(1, ANA)
    with RecorderFile(path) as file:
        file.state("light.lamp", "off", NOON, context=Context.number(9))
        file.state("scene.movie", "2026-05-01T00:00:00+00:00", NOON, context=Context.number(8))
        file.event("call_service", after(1), call("scene.turn_on", "scene.movie"), press)
        file.event("call_service", after(1), call("light.turn_on", "light.lamp"), press)
        file.state("light.lamp", "on", after(1.1), context=press)
        file.state("scene.movie", "2026-05-04T12:00:01+00:00", after(1.2), context=press)
    _, events = read_recorder(path)
    assert [(row.cause, row.actor) for row in of(events, "scene.movie")][1] == (Cause.PERSON, ANA)
    assert [(row.cause, row.actor) for row in of(events, "light.lamp")][1] == (Cause.MACHINE, "scene.movie")


def test_a_slow_devices_report_belongs_to_the_call_and_the_hand_after_it_does_not(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    run = Context.number(1)
    with RecorderFile(path) as file:
        file.state("cover.blind", "open", NOON, context=Context.number(9))
        file.event("automation_triggered", after(1), {"entity_id": "automation.dusk"}, run)
        file.event("call_service", after(1), call("cover.close_cover", "cover.blind"), run)
        file.state("cover.blind", "closed", after(15), context=Context.number(2))
        file.state("cover.blind", "open", after(20), context=Context.number(3))
        file.state("cover.blind", "closed", after(25), context=Context.number(4))
    _, events = read_recorder(path)
    assert [row.cause for row in events.rows()] == [Cause.UNKNOWN, Cause.MACHINE, Cause.HAND, Cause.HAND]
    first, late, *_ = events.rows()
    assert late.actor == "automation.dusk"
    assert late.context != first.context


@LAYOUTS
def test_what_a_hub_sees_first_after_a_start_is_nobodys_act(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path, schema) as file:
        file.state("light.lamp", "off", NOON, context=Context.number(1))
        file.state("light.lamp", "on", after(60), context=Context.number(2))
        file.restart()
        file.state("light.lamp", "off", after(600), context=Context.number(3))
        file.state("light.lamp", "on", after(660), context=Context.number(4))
    _, events = read_recorder(path)
    assert [row.cause for row in events.rows()] == [Cause.UNKNOWN, Cause.HAND, Cause.UNKNOWN, Cause.HAND]


def test_a_file_whose_rows_do_not_point_to_the_ones_before_still_tells_causes(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        for second in range(6):
            file.restart()
            state = "on" if second % 2 else "off"
            file.state("light.lamp", state, after(second), context=Context.number(second + 1))
    _, events = read_recorder(path)
    assert [row.cause for row in events.rows()] == [Cause.UNKNOWN, *[Cause.HAND] * 5]


def test_one_press_has_one_context(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    press = Context.number(77, ANA)
    with RecorderFile(path) as file:
        file.event("call_service", after(1), call("light.turn_on", ["light.a", "light.b"]), press)
        for name in ("light.a", "light.b"):
            file.state(name, "off", NOON, context=Context.number(9))
            file.state(name, "on", after(1.1), context=press)
    _, events = read_recorder(path)
    assert len({row.context for row in events.rows() if row.state == "on"}) == 1


def test_a_file_without_contexts_tells_no_causes(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "off", NOON)
        file.state("light.lamp", "on", after(1))
    _, events = read_recorder(path)
    assert {row.cause for row in events.rows()} == {Cause.UNKNOWN}


def test_a_user_who_is_nobodys_person_is_no_person_when_the_accounts_are_not_known(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        file.state("person.ana", "home", NOON, attributes={"friendly_name": "Ana", "user_id": ANA})
        file.state("light.lamp", "off", NOON, context=Context.number(9))
        file.state("light.lamp", "on", after(1), context=Context.number(1, ANA))
        file.state("light.lamp", "off", after(60), context=Context.number(2, BOT))
    _, events = read_recorder(path)
    assert [row.cause for row in of(events, "light.lamp")] == [Cause.UNKNOWN, Cause.PERSON, Cause.MACHINE]


@LAYOUTS
def test_names_units_groups_persons_and_automations_come_from_attributes(tmp_path: Path, schema: int) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path, schema) as file:
        lamps = {"friendly_name": "All lamps", "entity_id": ["light.a", "light.b"]}
        file.state("light.all", "on", NOON, attributes=lamps)
        file.state("light.all", "unavailable", after(1), attributes={"friendly_name": "Restored"})
        file.state("sensor.power", "12.5", NOON, attributes={"unit_of_measurement": "W"})
        file.state("person.ana", "home", NOON, attributes={"friendly_name": "Ana", "user_id": ANA})
        file.state("automation.dusk", "off", NOON, attributes={"friendly_name": "Dusk", "id": "17"})
        file.state("binary_sensor.hall_motion", "off", NOON)
    home, _ = read_recorder(path)
    by_id = {entity.entity_id: entity for entity in home.entities}
    assert by_id["light.all"].members == ("light.a", "light.b")
    assert by_id["light.all"].name == "All lamps"
    assert by_id["sensor.power"].unit == "W"
    assert by_id["binary_sensor.hall_motion"].name == "Hall motion"
    assert home.persons == (Person(entity_id="person.ana", name="Ana", user_id=ANA),)
    (dusk,) = home.automations
    assert (dusk.unique_id, dusk.alias, dusk.enabled) == ("17", "Dusk", False)
    assert home.place is None


def test_an_entity_that_is_numbered_out_of_all_proportion_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "on", NOON)
        file.db.execute("UPDATE states_meta SET metadata_id = 1 << 40")
        file.db.execute("UPDATE states SET metadata_id = 1 << 40")
    _, events = read_recorder(path)
    assert [row.state for row in events.rows()] == ["on"]


def test_progress_is_told_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        for second in range(25):
            file.state("light.lamp", "on" if second % 2 else "off", after(second))
    monkeypatch.setattr("app.hub.recorder._PAGE", 10)
    heard: list[tuple[int, int]] = []
    _, events = read_recorder(path, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(10, 25), (20, 25), (25, 25)]
    assert len(events) == 25


def test_rows_that_a_hub_has_not_moved_to_the_new_layout_yet_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "on", after(1))
        file.db.execute(
            "INSERT INTO states (state_id, entity_id, state, last_updated_ts)"
            " VALUES (99, 'light.lamp', 'off', ?)",
            [NOON.timestamp()],
        )
    _, events = read_recorder(path)
    assert [row.state for row in events.rows()] == ["off", "on"]


def test_an_empty_recorder_is_a_home_without_events(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    RecorderFile(path).close()
    home, events = read_recorder(path)
    assert (home.entities, len(events)) == ((), 0)


def test_a_whole_home_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    home = Home(
        entities=(Entity(entity_id="light.a", name="A"), Entity(entity_id="light.b", name="B")),
        persons=(Person(entity_id="person.ana", name="Ana", user_id=ANA),),
    )
    events = Events.of([
        Event("light.a", "off", to_ms(NOON)),
        Event("light.b", "off", to_ms(NOON)),
        Event("light.a", "on", to_ms(after(60)), Cause.PERSON, 5, ANA),
        Event("light.b", "on", to_ms(after(61)), Cause.MACHINE, 6, "automation.echo"),
    ])  # fmt: skip
    write_home(path, home, events)
    _, read = read_recorder(path)
    assert list(read.rows()) == list(events.rows())


def test_a_live_hubs_newest_rows_are_seen_and_its_log_is_not_held(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "off", NOON)
        file.db.commit()
        file.state("light.lamp", "on", after(1))
        file.db.commit()
        file.state("light.lamp", "off", after(2))  # not committed
        _, events = read_recorder(path)
        assert [row.state for row in events.rows()] == ["off", "on"]
        file.db.commit()
        (busy, *_) = file.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert busy == 0


def test_nothing_is_left_beside_a_copied_file(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "off", NOON)
    read_recorder(path)
    assert [found.name for found in tmp_path.iterdir()] == ["home.db"]


def test_a_locked_file_is_waited_for_and_then_said_to_be_locked(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path, wal=False) as file:
        file.state("light.lamp", "off", NOON)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(InputError, match=r"^home\.db is locked by another program: try again"):
            read_recorder(path, busy_seconds=0.05)
    finally:
        holder.close()
    _, events = read_recorder(path)
    assert len(events) == 1


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.unlink(), "there is no file home.db"),
        (lambda path: path.write_bytes(b""), "home.db is empty"),
        (lambda path: path.write_bytes(b"not a database" * 99), "home.db is no SQLite database"),
        (lambda path: cut(path, 0.6), "home.db is damaged or cut short"),
        (lambda path: cut(path, 0.01), "home.db is damaged or cut short"),
        (overwrite, "home.db is damaged or cut short"),
        (other_database, "home.db is no Home Assistant recorder database"),
        (ancient, "older than 2023.2 (schema 28)"),
        (lambda path: (path.unlink(), path.mkdir()), "home.db is a folder"),
    ],
)
def test_an_unusable_file_is_one_clear_line(
    tmp_path: Path, spoil: Callable[[Path], object], told: str
) -> None:
    path = tmp_path / "home.db"
    with RecorderFile(path) as file:
        for second in range(3000):
            file.state(f"light.lamp_{second % 7}", "on" if second % 2 else "off", after(second))
    spoil(path)
    with pytest.raises(InputError) as raised:
        read_recorder(path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_zone_place_areas_and_accounts_are_read_from_the_folder_beside(tmp_path: Path) -> None:
    path = tmp_path / "home-assistant_v2.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "off", NOON, context=Context.number(9))
        file.state("light.lamp", "on", after(1), context=Context.number(1, BOT))
        file.state("light.lamp", "off", after(9), context=Context.number(2, ANA))
        file.state("automation.dusk", "on", NOON, attributes={"id": "17", "friendly_name": "Dusk"})
    put(tmp_path, "core.config", {
        "latitude": 52.37, "longitude": 4.89, "time_zone": "Europe/Amsterdam", "location_name": "Ours",
        "language": "nl",
    })  # fmt: skip
    put(tmp_path, "core.area_registry", {"areas": [{"id": "hall", "name": "Hall"}]})
    put(tmp_path, "core.device_registry", {"devices": [{"id": "d1", "name": "Lamp", "area_id": "hall"}]})
    put(tmp_path, "core.entity_registry", {"entities": [
        {"entity_id": "light.lamp", "device_id": "d1", "platform": "hue", "hidden_by": "user"},
        {"entity_id": "automation.dusk", "platform": "automation", "unique_id": "17"},
    ]})  # fmt: skip
    put(tmp_path, "auth", {"users": [
        {"id": BOT, "name": "Supervisor", "system_generated": True, "group_ids": ["system-admin"]},
        {"id": ANA, "name": "Ana", "system_generated": False, "is_owner": True},
    ]})  # fmt: skip
    (tmp_path / "automations.yaml").write_text(
        "- id: '17'\n  alias: Dusk\n  trigger: [{platform: sun, event: sunset}]\n"
        "  action: [{service: light.turn_on, data: !secret colour}]\n"
    )
    (tmp_path / "scripts.yaml").write_text(
        "night:\n  alias: Good night\n"
        "  sequence: [{service: light.turn_off, entity_id: light.lamp}]\nodd: 7\n"
    )
    home, events = read_recorder(path)
    (script,) = home.scripts
    assert (script.entity_id, script.alias) == ("script.night", "Good night")
    assert script.config["sequence"] == [{"action": "light.turn_off", "entity_id": "light.lamp"}]
    assert (home.time_zone, home.place, home.name, home.language) == (
        "Europe/Amsterdam", (52.37, 4.89), "Ours", "nl",
    )  # fmt: skip
    lamp = next(entity for entity in home.entities if entity.entity_id == "light.lamp")
    assert (lamp.area_id, lamp.platform, lamp.hidden) == ("hall", "hue", True)
    assert home.automations[0].config["triggers"] == [{"platform": "sun", "event": "sunset"}]
    causes = [row.cause for row in of(events, "light.lamp")]
    assert causes == [Cause.UNKNOWN, Cause.MACHINE, Cause.PERSON]
    assert facts_beside(path) is not None


def test_a_group_helpers_members_are_read_from_its_configuration_entry(tmp_path: Path) -> None:
    path = tmp_path / "home-assistant_v2.db"
    with RecorderFile(path) as file:
        file.state("light.all", "off", NOON)
    put(tmp_path, "core.config_entries", {"entries": [
        {"entry_id": "e1", "domain": "group", "options": {"entities": ["light.a", "light.b"]}},
        {"entry_id": "e2", "domain": "hue", "data": {"token": "secret"}},
    ]})  # fmt: skip
    put(tmp_path, "core.entity_registry", {"entities": [{"entity_id": "light.all", "config_entry_id": "e1"}]})
    home, _ = read_recorder(path)
    assert home.entities[0].members == ("light.a", "light.b")


def test_a_zone_set_in_yaml_is_found_and_a_damaged_folder_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "home-assistant_v2.db"
    with RecorderFile(path) as file:
        file.state("light.lamp", "off", NOON)
    assert facts_beside(path) is None
    (tmp_path / "configuration.yaml").write_text(
        "homeassistant:\n  time_zone: Europe/Paris\n  latitude: 4711\n  packages: !include_dir_named them\n"
    )
    storage = tmp_path / ".storage"
    storage.mkdir()
    (storage / "core.area_registry").write_bytes(b"\xff\xfe{")
    (storage / "person").write_text("[]")
    found = facts_beside(path)
    assert found is not None
    assert (found.time_zone, found.latitude, found.areas) == ("Europe/Paris", None, ())
