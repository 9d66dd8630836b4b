"""The device as Home Assistant is told of it."""

import json
from typing import Any

import pytest

import app
from app.announce.discovery import DeviceFacts, device_payload
from app.announce.morning_state import AreaPlan, MorningPlan
from app.announce.topics import Topics
from app.errors import InputError
from app.statistics.measures import Quantity

_WHOLE = MorningPlan(
    (("home", ""), ("business", "The business")), (AreaPlan("kitchen", "Kitchen", tuple(Quantity)),)
)
_TOPICS = Topics("attic", "discover/me", "ha/birth")


def _payload(facts: DeviceFacts | None = None, plan: MorningPlan | None = None) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(json.dumps(device_payload(_TOPICS, facts or DeviceFacts(), plan)))
    return payload


def test_the_topic_follows_the_prefix_and_the_instance() -> None:
    assert _TOPICS.discovery == "discover/me/device/nightshift_attic/config"


@pytest.mark.parametrize("instance", ["", "a/b", "a b", "#", "+", "x" * 65, "ü"])
def test_an_instance_that_discovery_would_not_take_is_refused(instance: str) -> None:
    with pytest.raises(InputError, match="instance id"):
        Topics(instance)


def test_the_device_names_its_version_and_its_page_only_where_that_is_known() -> None:
    assert _payload()["device"]["sw_version"] == app.__version__
    assert "configuration_url" not in _payload()["device"]
    known = _payload(DeviceFacts(url="homeassistant://app/local_nightshift"))
    assert known["device"]["configuration_url"] == "homeassistant://app/local_nightshift"


def test_every_entity_has_a_lasting_identity_of_its_own() -> None:
    parts = _payload(plan=_WHOLE)["components"]
    identities = {part["unique_id"] for part in parts.values()}
    assert len(identities) == len(parts) == 11 + 14 + 4
    assert len({part["default_entity_id"] for part in parts.values()}) == len(parts)
    assert all(identity.startswith("nightshift_attic_") for identity in identities)


def test_two_devices_get_entity_ids_of_their_own() -> None:
    demo = _payload(DeviceFacts(name="Nightshift demo"))["components"]["status"]
    assert demo["default_entity_id"] == "sensor.nightshift_demo_status"


def test_all_become_unavailable_together() -> None:
    payload = _payload()
    assert payload["availability_topic"] == "nightshift/attic/availability"
    assert (payload["payload_available"], payload["payload_not_available"]) == ("online", "offline")


def test_sensors_are_never_called_config_which_home_assistant_refuses() -> None:
    for part in _payload(plan=_WHOLE)["components"].values():
        if part["platform"] in {"sensor", "binary_sensor"}:
            assert part.get("entity_category") in {None, "diagnostic"}


def test_the_description_is_a_few_kilobytes_and_one_for_each_room() -> None:
    alone, whole = len(json.dumps(_payload(plan=MorningPlan()))), len(json.dumps(_payload(plan=_WHOLE)))
    assert alone < 12_000
    assert whole - alone < 3_000


def test_an_entity_that_is_gone_is_named_with_nothing_but_its_platform() -> None:
    gone = {"area_hall_co2": "sensor", "status": "sensor"}
    parts = device_payload(_TOPICS, DeviceFacts(), MorningPlan(), gone)["components"]
    assert parts["area_hall_co2"] == {"platform": "sensor"}
    assert "name" in parts["status"]
