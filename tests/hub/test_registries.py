from typing import Any

import pytest

from app.errors import NeighbourError
from app.hub.client import Hub
from app.hub.errors import NoReplyError
from app.hub.registries import read_home
from app.model import Area, Automation, Device, Person
from tests.hub.conftest import impatient
from tests.hub.peer import SILENCE, Fail, Peer

ANA = "3fec5b61f1e2479ab9409264e9602d4a"
ANSWERS: dict[str, Any] = {
    "get_config": {
        "state": "RUNNING", "location_name": "Canal house", "time_zone": "Europe/Amsterdam",
        "latitude": 52.37, "longitude": 4.89, "elevation": 2, "language": "nl", "version": "2026.2.3",
        "components": ["history"],
    },
    "config/area_registry/list": [{"area_id": "hall", "name": "Hall"}, {"area_id": "attic", "name": "Attic"}],
    "config/device_registry/list": [
        {"id": "bridge", "name": "Bridge", "name_by_user": "My bridge", "area_id": "attic"},
        {"id": "dimmer", "name": "Dimmer", "area_id": None, "parent_device_id": "bridge"},
        {"id": "plug", "name": None, "area_id": "hall", "parent_device_id": "bridge"},
    ],
    "config/entity_registry/list": [
        {"entity_id": "light.spot", "device_id": "dimmer", "platform": "hue", "original_name": "Spot"},
        {
            "entity_id": "light.own", "device_id": "dimmer", "area_id": "hall", "name": "Mine",
            "hidden_by": "user",
        },
        {"entity_id": "switch.plug", "device_id": "plug", "disabled_by": "integration"},
        {"entity_id": "person.anna", "platform": "person", "unique_id": "ana"},
        {"entity_id": "automation.evening", "platform": "automation", "unique_id": "nightshift_1"},
    ],
    "get_states": [
        {"entity_id": "light.spot", "state": "on", "attributes": {"friendly_name": "Hall spot"}},
        {
            "entity_id": "sensor.lux",
            "state": "12",
            "attributes": {"device_class": "illuminance", "unit_of_measurement": "lx"},
        },
        {"entity_id": "group.all", "state": "on", "attributes": {"entity_id": ["light.spot", "light.own"]}},
        {"entity_id": "scene.movie", "state": "unknown", "attributes": {"entity_id": ["light.spot"]}},
        {"entity_id": "automation.evening", "state": "on", "attributes": {"friendly_name": "Evening"}},
        {
            "entity_id": "automation.broken",
            "state": "off",
            "attributes": {"id": "17", "friendly_name": "Broken"},
        },
        {"entity_id": "person.guest", "state": "home", "attributes": {"id": "g", "user_id": None}},
    ],
    "person/list": {
        "storage": [{"id": "ana", "name": "Ana", "user_id": ANA}],
        "config": [{"id": "g", "name": "Guest"}, {"id": "nobody", "name": "Nobody"}],
    },
    "config/auth/list": [
        {"id": ANA, "name": "Ana", "is_owner": True, "group_ids": [], "system_generated": False},
        {"id": "b", "name": "Bob", "is_active": False, "group_ids": ["system-users"]},
        {"id": "c", "name": "Cy", "group_ids": ["system-admin"]},
        {"id": "s", "name": "Supervisor", "system_generated": True, "group_ids": ["system-admin"]},
    ],
}  # fmt: skip


def config_of(message: dict[str, Any]) -> Any:
    if message["entity_id"] == "automation.broken":
        return Fail("not_found", "Entity not found")
    return {"config": {"id": "nightshift_1", "alias": "Evening lights", "trigger": {"platform": "sun"}}}


@pytest.fixture
def whole(peer: Peer) -> Peer:
    peer.answers |= ANSWERS | {"automation/config": config_of}
    return peer


async def test_a_home_is_read_whole(hub: Hub, whole: Peer) -> None:
    home = await read_home(hub, "canal")

    assert (home.home_id, home.name, home.time_zone, home.place) == (
        "canal",
        "Canal house",
        "Europe/Amsterdam",
        (52.37, 4.89),
    )
    assert (home.elevation, home.language, home.version, home.demo) == (2, "nl", "2026.2.3", False)
    assert home.areas == (Area(area_id="hall", name="Hall"), Area(area_id="attic", name="Attic"))


async def test_a_child_device_lies_where_its_parent_does(hub: Hub, whole: Peer) -> None:
    home = await read_home(hub)

    assert home.devices == (
        Device(device_id="bridge", name="My bridge", area_id="attic"),
        Device(device_id="dimmer", name="Dimmer", area_id="attic"),
        Device(device_id="plug", name="", area_id="hall"),
    )


async def test_an_entity_lies_in_its_own_area_or_its_devices(hub: Hub, whole: Peer) -> None:
    by_id = {entity.entity_id: entity for entity in (await read_home(hub)).entities}

    assert {i: by_id[i].area_id for i in ("light.spot", "light.own", "switch.plug", "sensor.lux")} == {
        "light.spot": "attic",
        "light.own": "hall",
        "switch.plug": "hall",
        "sensor.lux": None,
    }
    assert (by_id["light.spot"].name, by_id["light.own"].name) == ("Hall spot", "Mine")
    assert (by_id["light.own"].hidden, by_id["switch.plug"].disabled) == (True, True)
    assert (by_id["sensor.lux"].device_class, by_id["sensor.lux"].unit) == ("illuminance", "lx")


async def test_a_group_has_members_and_a_scene_has_none(hub: Hub, whole: Peer) -> None:
    by_id = {entity.entity_id: entity for entity in (await read_home(hub)).entities}

    assert by_id["group.all"].members == ("light.spot", "light.own")
    assert by_id["scene.movie"].members == ()


async def test_people_are_found_under_their_entities(hub: Hub, whole: Peer) -> None:
    assert (await read_home(hub)).persons == (
        Person(entity_id="person.anna", name="Ana", user_id=ANA),
        Person(entity_id="person.guest", name="Guest"),
        Person(entity_id="person.nobody", name="Nobody"),
    )


async def test_owners_and_the_admin_group_are_administrators(hub: Hub, whole: Peer) -> None:
    users = (await read_home(hub)).users

    assert [(u.name, u.is_admin, u.is_active, u.system_generated) for u in users] == [
        ("Ana", True, True, False),
        ("Bob", False, False, False),
        ("Cy", True, True, False),
        ("Supervisor", True, True, True),
    ]


async def test_automations_come_with_their_configuration_as_far_as_it_is_told(hub: Hub, whole: Peer) -> None:
    assert (await read_home(hub)).automations == (
        Automation(entity_id="automation.broken", unique_id="17", alias="Broken", enabled=False),
        Automation(
            entity_id="automation.evening",
            unique_id="nightshift_1",
            alias="Evening lights",
            config={
                "id": "nightshift_1",
                "alias": "Evening lights",
                "triggers": [{"trigger": "sun"}],
                "conditions": [],
                "actions": [],
            },
        ),
    )


async def test_one_broken_item_is_left_out_and_said_once(
    hub: Hub, whole: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    whole.answers["config/area_registry/list"] = [
        {"area_id": "hall"},
        {"name": 7},
        None,
        {"area_id": "b", "name": "B"},
    ]
    whole.answers["get_states"] = [
        {"entity_id": "light.odd", "attributes": ["no", "mapping"]},
        {"entity_id": 7},
        "garbage",
        {"entity_id": "light.fine", "state": "on", "attributes": None},
    ]

    home = await read_home(hub)

    assert [area.area_id for area in home.areas] == ["b"]
    assert "light.fine" in {entity.entity_id for entity in home.entities}
    assert "2 of the hub's areas could not be read" in caplog.text
    assert "1 of the hub's entities could not be read" in caplog.text


async def test_what_a_hub_refuses_is_done_without(
    hub: Hub, whole: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    whole.answers["config/auth/list"] = Fail("unauthorized", "Unauthorized")

    home = await read_home(hub)

    assert home.users == ()
    assert "config/auth/list: Unauthorized (unauthorized): going on without it" in caplog.text


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"state": "RUNNING", "time_zone": "Mars/Olympus"}, "unknown time zone 'Mars/Olympus'"),
        ({"state": "RUNNING", "latitude": 1000}, "latitude"),
    ],
)
async def test_a_configuration_that_makes_no_sense_is_named(
    hub: Hub, whole: Peer, config: dict[str, Any], said: str
) -> None:
    whole.answers["get_config"] = config

    with pytest.raises(NeighbourError, match=said):
        await read_home(hub)


@impatient
async def test_a_hub_that_stops_answering_is_not_taken_for_an_empty_home(hub: Hub, whole: Peer) -> None:
    whole.answers["get_states"] = SILENCE

    with pytest.raises(NoReplyError):
        await read_home(hub)


async def test_a_ring_of_devices_ends(hub: Hub, whole: Peer) -> None:
    whole.answers["config/device_registry/list"] = [
        {"id": "a", "name": "A", "parent_device_id": "b"},
        {"id": "b", "name": "B", "parent_device_id": "a"},
    ]

    assert [device.area_id for device in (await read_home(hub)).devices] == [None, None]


async def test_an_entity_has_its_own_labels_its_devices_and_its_areas(hub: Hub, whole: Peer) -> None:
    def labelled(kind: str, key: str, one: str, labels: Any) -> None:
        known: Any = whole.answers[kind]
        items = [dict(item) for item in known]
        next(item for item in items if item[key] == one)["labels"] = labels
        whole.answers[kind] = items

    labelled("config/area_registry/list", "area_id", "hall", ["downstairs"])
    labelled("config/device_registry/list", "id", "dimmer", ["nightshift_never", "downstairs"])
    labelled("config/entity_registry/list", "entity_id", "light.own", ["mine", 3])
    labelled("config/entity_registry/list", "entity_id", "switch.plug", "no list")
    labels = {entity.entity_id: entity.labels for entity in (await read_home(hub)).entities}

    assert labels["light.own"] == ("downstairs", "mine", "nightshift_never")
    assert labels["light.spot"] == ("downstairs", "nightshift_never")
    assert labels["switch.plug"] == ("downstairs",)
    assert labels["sensor.lux"] == ()


async def test_its_own_entities_are_no_part_of_the_home(hub: Hub, whole: Peer) -> None:
    whole.answers["config/entity_registry/list"] = [
        {"entity_id": "sensor.my_status", "platform": "mqtt", "unique_id": "nightshift_nightshift_status"},
        {"entity_id": "sensor.washer", "platform": "mqtt", "unique_id": "washer_status"},
    ]
    whole.answers["get_states"] = [
        {"entity_id": name, "state": "idle", "attributes": {}}
        for name in ("sensor.my_status", "sensor.washer")
    ]
    home = await read_home(hub)
    assert [one.entity_id for one in home.entities] == ["sensor.washer"]
