"""Making, changing and removing automations, as Home Assistant's own editor does."""

from typing import Any

import pytest

from app.clock import TurnedClock
from app.errors import NeighbourError, RefusedError
from app.hub.client import Hub
from app.hub.editor import LABEL_ID, HubEditor, NotLoadedError, NotWantedError, can_be_edited, editor_path
from app.hub.errors import ReplyError
from tests.hub.peer import Fail, Peer, while_the_clock_turns

UID = "nightshift_5f0c"
ENTITY = "automation.lamp"
CONFIG = {
    "alias": "Lamp",
    "triggers": [{"trigger": "time", "at": "07:00:00"}],
    "conditions": [],
    "actions": [{"action": "light.turn_on", "target": {"entity_id": ["light.a"]}}],
    "mode": "single",
}


class Automations:
    """What a hub does with its automations.yaml, registry and labels."""

    def __init__(self, peer: Peer, *, loads: bool = True) -> None:
        self.configs: dict[str, Any] = {}
        self.entries: list[dict[str, Any]] = [{"entity_id": "light.a", "platform": "hue", "unique_id": UID}]
        self.labels: list[dict[str, Any]] = []
        self.on = True
        self.loads = loads
        self.posted = 0
        path = f"/api/config/automation/config/{UID}"
        peer.pages |= {
            f"POST {path}": self._post,
            f"GET {path}": lambda _: (200, self.configs[UID]) if UID in self.configs else (404, {}),
            f"DELETE {path}": self._delete,
            f"GET /api/states/{ENTITY}": lambda _: (200, {"state": "on" if self.on else "off"}),
        }
        peer.answers |= {
            "validate_config": {part: {"valid": True, "error": None} for part in ("triggers", "actions")},
            "config/entity_registry/list": lambda _: self.entries,
            "config/entity_registry/get": lambda said: self._entry(said["entity_id"]),
            "config/entity_registry/update": self._update,
            "config/label_registry/list": lambda _: self.labels,
            "config/label_registry/create": self._label,
            "call_service": self._turn,
        }

    def _post(self, said: Any) -> tuple[int, Any]:
        self.posted += 1
        self.configs[UID] = {"id": UID, **said}
        if self.loads and not any(entry["entity_id"] == ENTITY for entry in self.entries):
            self.entries.append(
                {
                    "entity_id": ENTITY,
                    "platform": "automation",
                    "unique_id": UID,
                    "labels": [],
                    "area_id": None,
                }
            )
        return 200, {"result": "ok"}

    def _delete(self, _: Any) -> tuple[int, Any]:
        if self.configs.pop(UID, None) is None:
            return 400, {"message": "Resource not found"}
        self.entries = [entry for entry in self.entries if entry["entity_id"] != ENTITY]
        return 200, {"result": "ok"}

    def _entry(self, entity_id: str) -> dict[str, Any]:
        return next(entry for entry in self.entries if entry["entity_id"] == entity_id)

    def _update(self, said: dict[str, Any]) -> Any:
        self._entry(said["entity_id"]).update(
            {key: said[key] for key in ("labels", "area_id") if key in said}
        )
        return {}

    def _label(self, said: dict[str, Any]) -> Any:
        self.labels.append({"label_id": LABEL_ID, "name": said["name"]})
        return {}

    def _turn(self, said: dict[str, Any]) -> Any:
        self.on = said["service"] == "turn_on"
        return {"context": {}}


@pytest.fixture
def editor(hub: Hub, clock: TurnedClock) -> HubEditor:
    return HubEditor(hub, clock)


async def test_it_is_made_labelled_placed_and_found_again(editor: HubEditor, peer: Peer) -> None:
    hub = Automations(peer)
    standing = await editor.put(UID, CONFIG, area_id="hall")
    assert (standing.entity_id, standing.enabled, standing.config) == (ENTITY, True, CONFIG)
    assert standing.editor == editor_path(UID) == f"/config/automation/edit/{UID}"
    assert (hub.entries[-1]["labels"], hub.entries[-1]["area_id"]) == ([LABEL_ID], "hall")
    assert hub.labels == [{"label_id": LABEL_ID, "name": "Nightshift"}]


async def test_made_twice_it_is_there_once_and_what_people_arranged_stays(
    editor: HubEditor, peer: Peer
) -> None:
    hub = Automations(peer)
    await editor.put(UID, CONFIG, area_id="hall")
    hub.entries[-1] |= {"labels": ["mine", LABEL_ID], "area_id": "attic"}
    await editor.put(UID, {**CONFIG, "alias": "Lamp two"}, area_id="hall")
    assert (hub.entries[-1]["labels"], hub.entries[-1]["area_id"]) == (["mine", LABEL_ID], "attic")
    assert (len(hub.entries), len(hub.labels), hub.configs[UID]["alias"]) == (2, 1, "Lamp two")


async def test_peoples_own_is_changed_and_neither_labelled_nor_placed(editor: HubEditor, peer: Peer) -> None:
    hub = Automations(peer)
    hub.configs[UID] = {"id": UID, **CONFIG}
    hub.entries.append({"entity_id": ENTITY, "platform": "automation", "unique_id": UID, "labels": []})
    standing = await editor.change(UID, {**CONFIG, "alias": "Lamp two"})
    assert (standing.config["alias"], standing.enabled) == ("Lamp two", True)
    assert (hub.entries[-1]["labels"], hub.labels) == ([], [])
    assert peer.times("config/entity_registry/update") == 0
    peer.answers["validate_config"] = {"actions": {"valid": False, "error": "no such action"}}
    with pytest.raises(NotWantedError, match="actions: no such action"):
        await editor.change(UID, CONFIG)
    assert (hub.posted, hub.configs[UID]["alias"]) == (1, "Lamp two")


@pytest.mark.parametrize(
    ("unique_id", "can"),
    [
        ("1699000000000", True),
        ("Evening-lights_2.1", True),
        ("", False),
        ("..", False),
        (".hidden", False),
        ("a/b", False),
        ("a b", False),
        ("a?b=1", False),
        ("%2e", False),
        ("x" * 101, False),
    ],
)
def test_only_ids_that_make_an_address_are_asked_for(unique_id: str, *, can: bool) -> None:
    assert can_be_edited(unique_id) is can


async def test_what_the_validator_does_not_take_is_not_made(editor: HubEditor, peer: Peer) -> None:
    hub = Automations(peer)
    peer.answers["validate_config"] = {"triggers": {"valid": False, "error": "no such time"}}
    with pytest.raises(NotWantedError, match="triggers: no such time"):
        await editor.put(UID, CONFIG, area_id=None)
    assert hub.posted == 0


async def test_what_is_refused_at_the_making_says_why(editor: HubEditor, peer: Peer) -> None:
    Automations(peer)
    peer.pages[f"POST /api/config/automation/config/{UID}"] = lambda _: (
        400,
        {"message": "Message malformed: extra keys"},
    )
    with pytest.raises(NotWantedError, match="extra keys"):
        await editor.put(UID, CONFIG, area_id=None)


async def test_a_hub_that_does_not_load_what_it_keeps_is_told_the_line(
    editor: HubEditor, peer: Peer, clock: TurnedClock
) -> None:
    Automations(peer, loads=False)
    with pytest.raises(NotLoadedError, match=r"automation: !include automations\.yaml"):
        await while_the_clock_turns(clock, editor.put(UID, CONFIG, area_id=None))


async def test_a_label_that_cannot_be_set_is_no_reason_to_fail(editor: HubEditor, peer: Peer) -> None:
    Automations(peer)
    peer.answers["config/label_registry/create"] = Fail("not_allowed")
    peer.answers["config/entity_registry/update"] = Fail("not_found")
    assert (await editor.put(UID, CONFIG, area_id="hall")).enabled


async def test_it_is_switched_off_and_on(editor: HubEditor, peer: Peer) -> None:
    Automations(peer)
    assert await editor.turn(UID, on=False) is None
    await editor.put(UID, CONFIG, area_id=None)
    off, on = await editor.turn(UID, on=False), await editor.turn(UID, on=True)
    assert off is not None
    assert on is not None
    assert (off.enabled, on.enabled) == (False, True)


async def test_removed_twice_it_is_gone_once(editor: HubEditor, peer: Peer) -> None:
    Automations(peer)
    await editor.put(UID, CONFIG, area_id=None)
    assert (await editor.remove(UID), await editor.remove(UID)) == (True, False)
    assert await editor.find(UID) is None


async def test_one_that_is_kept_and_not_loaded_is_found_switched_off(editor: HubEditor, peer: Peer) -> None:
    hub = Automations(peer, loads=False)
    hub.configs[UID] = {"id": UID, "alias": "Old", "trigger": {"platform": "time", "at": "7:00"}}
    standing = await editor.find(UID)
    assert standing is not None
    assert (standing.entity_id, standing.enabled) == ("", False)
    assert standing.config["triggers"] == [{"trigger": "time", "at": "7:00"}]


async def test_one_that_is_registered_and_has_no_state_yet_is_not_on(editor: HubEditor, peer: Peer) -> None:
    Automations(peer)
    await editor.put(UID, CONFIG, area_id=None)
    del peer.pages[f"GET /api/states/{ENTITY}"]
    standing = await editor.find(UID)
    assert standing is not None
    assert not standing.enabled


async def test_a_hub_in_trouble_is_not_taken_for_one_without_the_automation(
    editor: HubEditor, peer: Peer
) -> None:
    Automations(peer)
    path = f"/api/config/automation/config/{UID}"
    peer.pages[f"GET {path}"] = lambda _: (500, {"message": "Oh"})
    peer.pages[f"DELETE {path}"] = lambda _: (500, {"message": "Oh"})
    for asking in (editor.find(UID), editor.remove(UID)):
        with pytest.raises(ReplyError, match="500"):
            await asking
    peer.pages[f"GET {path}"] = lambda _: (200, ["no automation"])
    with pytest.raises(NeighbourError, match="a form that is none"):
        await editor.find(UID)


async def test_a_token_without_rights_is_a_persons_to_mend(editor: HubEditor, peer: Peer) -> None:
    Automations(peer)
    peer.pages[f"POST /api/config/automation/config/{UID}"] = lambda _: (401, {})
    with pytest.raises(RefusedError, match="administrator"):
        await editor.put(UID, CONFIG, area_id=None)


async def test_an_id_that_is_none_of_ours_never_reaches_the_hub(editor: HubEditor, peer: Peer) -> None:
    with pytest.raises(ValueError, match="no automation's id"):
        await editor.find("../states")
    assert peer.heard == []


async def test_the_phones_are_those_with_the_app(editor: HubEditor, peer: Peer) -> None:
    peer.answers["get_services"] = {
        "notify": {"mobile_app_ana": {}, "notify": {}, "mobile_app_ben": {}},
        "light": {"turn_on": {}},
    }
    assert await editor.phones() == ("notify.mobile_app_ana", "notify.mobile_app_ben")
    peer.answers["get_services"] = {}
    assert await editor.phones() == ()
