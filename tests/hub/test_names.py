import pytest

from app.hub.client import Hub
from app.hub.names import plain_name
from app.hub.registries import read_home
from tests.hub.peer import Peer


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("Kitchen lamp", "Kitchen lamp"),
        ("\u0645\u0635\u0628\u0627\u062d", "\u0645\u0635\u0628\u0627\u062d"),
        ("\u202eLamp\u202c \u2067left\u2069", "Lamp left"),
        ("two\r\nlines\u2028and\x00more\x1b[31m", "two lines and more [31m"),
        (
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 room",
            "\U0001f468\u200d\U0001f469\u200d\U0001f467 room",
        ),
        ("half a letter \ud800", "half a letter"),
        ("x" * 300, "x" * 200),
        (None, ""),
        (7, ""),
    ],
)
def test_a_name_is_one_line_that_leaves_the_text_around_it_alone(given: object, plain: str) -> None:
    assert plain_name(given) == plain


async def test_names_are_made_plain_as_they_are_read(hub: Hub, peer: Peer) -> None:
    nasty, plain = "\u202eHall\nlamp", "Hall lamp"
    peer.answers |= {
        "get_config": {"state": "RUNNING", "time_zone": "UTC", "location_name": nasty},
        "config/area_registry/list": [{"area_id": "hall", "name": nasty}],
        "config/device_registry/list": [{"id": "d", "name": nasty}],
        "config/entity_registry/list": [{"entity_id": "light.registered", "name": nasty}],
        "get_states": [
            {"entity_id": "light.posted", "state": "on", "attributes": {"friendly_name": nasty}},
            {"entity_id": "automation.hall", "state": "on", "attributes": {"friendly_name": nasty}},
        ],
        "person/list": {"storage": [{"id": "ana", "name": nasty}]},
        "config/auth/list": [{"id": "u", "name": nasty}],
        "automation/config": {"config": {"id": "1"}},
    }

    home = await read_home(hub)

    names = [home.name, *(area.name for area in home.areas), *(device.name for device in home.devices)]
    names += [
        *(entity.name for entity in home.entities),
        *(automation.alias for automation in home.automations),
    ]
    names += [*(person.name for person in home.persons), *(user.name for user in home.users)]
    assert names == [plain] * 9
