"""What an automation would do, act by act, so that each can be held against the safety table. Pure.

Stricter than Home Assistant on purpose: what cannot be judged by reading (a template that names what it acts
on, a script, a whole area) is not made by Nightshift; people can make it in Home Assistant's own editor.
"""

from collections.abc import Iterator
from typing import Any, Final

from app.errors import InputError
from app.habits.safety import NEVER, Verdict, judge_acts
from app.model import Home

_KEYS: Final = frozenset({"alias", "description", "triggers", "conditions", "actions", "mode"})
_MODES: Final = frozenset({"single", "restart", "queued", "parallel"})
_MOST: Final = {"triggers": 20, "conditions": 50, "actions": 50}
_LONGEST_ALIAS = 255
_LONGEST_DESCRIPTION = 4_000
_DEEPEST = 12
_HARMLESS: Final = frozenset({"delay", "condition", "wait_for_trigger", "wait_template", "stop", "variables"})
_IN_A_CALL: Final = frozenset(
    {
        "action", "service", "target", "data", "entity_id", "alias", "enabled", "continue_on_error",
        "metadata", "response_variable",
    }
)  # fmt: skip
_WHOLE_PLACES: Final = frozenset({"area_id", "device_id", "floor_id", "label_id"})
_TOLD: Final = ("notify.mobile_app_", "persistent_notification.")
_ELSEWHERE: Final = "make this one in Home Assistant's own editor"
_ON_OFF: Final = {"turn_on": ("on",), "turn_off": ("off",), "toggle": ("on", "off")}

STATES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "light": _ON_OFF,
    "switch": _ON_OFF,
    "input_boolean": _ON_OFF,
    "fan": {**_ON_OFF, "set_percentage": ("on",), "set_preset_mode": ("on",), "oscillate": ("on",)},
    "humidifier": {**_ON_OFF, "set_humidity": ("on",), "set_mode": ("on",)},
    "cover": {
        "open_cover": ("open",),
        "close_cover": ("closed",),
        "set_cover_position": ("open", "closed"),
        "toggle": ("open", "closed"),
    },
    "media_player": {
        "media_play": ("playing",),
        "play_media": ("playing",),
        "select_source": ("playing",),
        "volume_set": ("playing",),
        "turn_on": ("playing",),
        "media_pause": ("off",),
        "media_stop": ("off",),
        "turn_off": ("off",),
    },
    "climate": {
        "turn_off": ("off",),
        "turn_on": ("auto",),
        "set_temperature": ("heat",),
        "set_preset_mode": ("heat",),
    },
    "vacuum": {"start": ("cleaning",), "return_to_base": ("cleaning",)},
    "lock": {"lock": ("locked",), "unlock": ("unlocked",), "open": ("open",)},
    "alarm_control_panel": {},
    "valve": {},
    "siren": {},
    "water_heater": {},
    "lawn_mower": {},
}
"""The states that each action brings its targets to. A domain without actions is never acted on at all."""


def checked(automation: Any) -> dict[str, Any]:
    """Return an automation in the shape that Nightshift makes.

    Raises InputError, naming what is wrong.
    """
    if not isinstance(automation, dict):
        raise InputError("automation: give an object with triggers, conditions and actions")
    if unknown := sorted(str(key) for key in automation.keys() - _KEYS):
        raise InputError(f"automation: {unknown[0][:50]!r} is not taken; {_ELSEWHERE}")
    alias = automation.get("alias")
    if not isinstance(alias, str) or not alias.strip() or len(alias) > _LONGEST_ALIAS:
        raise InputError(f"automation: alias: give a name of at most {_LONGEST_ALIAS} characters")
    description = automation.get("description", "")
    if not isinstance(description, str) or len(description) > _LONGEST_DESCRIPTION:
        raise InputError(f"automation: description: give at most {_LONGEST_DESCRIPTION} characters")
    mode = automation.get("mode", "single")
    if mode not in _MODES:
        raise InputError(f"automation: mode: give one of {', '.join(sorted(_MODES))}")
    whole: dict[str, Any] = {"alias": " ".join(alias.split()), "description": description.strip()}
    for key, most in _MOST.items():
        parts = automation.get(key, [])
        if not isinstance(parts, list) or len(parts) > most or not all(isinstance(p, dict) for p in parts):
            raise InputError(f"automation: {key}: give a list of at most {most} objects")
        if not parts and key != "conditions":
            raise InputError(f"automation: {key}: give at least one")
        whole[key] = parts
    whole["mode"] = mode
    return whole


def judged(automation: dict[str, Any], home: Home | None) -> Verdict:
    """Return how risky an automation is, by every target of every action in it.

    Raises InputError when an action cannot be judged.
    """
    return judge_acts(list(acts_in(automation["actions"])), home)


def refuse_unsafe(automation: dict[str, Any], home: Home | None) -> Verdict:
    """Return the verdict on an automation that may be made.

    Raises InputError when it does what is never automated, or what cannot be judged.
    """
    verdict = judged(automation, home)
    if verdict.risk == NEVER:
        raise InputError(f"Nightshift never makes this: {verdict.why}.")
    return verdict


def acts_in(node: Any, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield each entity acted on with the state it is brought to, inside choose, if, repeat and parallel too.

    Raises InputError for an action that cannot be judged.
    """
    if depth > _DEEPEST:
        raise InputError(f"automation: its actions are nested too deeply; {_ELSEWHERE}")
    if isinstance(node, list):
        for part in node:
            yield from acts_in(part, depth + 1)
        return
    if not isinstance(node, dict):
        raise InputError(f"automation: an action that is none; {_ELSEWHERE}")
    name = node.get("action", node.get("service"))
    if name is not None:
        yield from _call(name, node)
        return
    inner = [key for key in ("sequence", "choose", "default", "then", "else", "parallel") if key in node]
    if isinstance(node.get("repeat"), dict):
        yield from acts_in(node["repeat"].get("sequence", []), depth + 1)
    elif not inner and not _HARMLESS & node.keys():
        said = next(iter(sorted(str(key) for key in node)), "nothing")
        raise InputError(f"automation: an action with {said[:50]!r} cannot be judged; {_ELSEWHERE}")
    for key in inner:
        yield from acts_in(node[key], depth + 1)


def _call(name: Any, node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not isinstance(name, str) or "{" in name:
        raise InputError(f"automation: an action whose name is a template cannot be judged; {_ELSEWHERE}")
    if name.startswith(_TOLD):
        return
    domain, _, verb = name.partition(".")
    actions = STATES.get(domain)
    if actions is None:
        raise InputError(
            f"automation: {name[:60]} is not in the table of what may be automated; {_ELSEWHERE}"
        )
    data = node.get("data") or {}
    if not isinstance(data, dict) or node.keys() - _IN_A_CALL or _WHOLE_PLACES & data.keys():
        raise InputError(f"automation: {name[:60]}: what it acts on cannot be judged; {_ELSEWHERE}")
    if domain == "climate" and verb == "set_hvac_mode":
        states: tuple[str, ...] | None = (str(data.get("hvac_mode")),)
    else:
        # What a domain that is never acted on would be brought to makes no difference.
        states = actions.get(verb) if actions else ("",)
    if states is None:
        raise InputError(
            f"automation: {name[:60]} is not in the table of what may be automated; {_ELSEWHERE}"
        )
    for entity_id in _targets(name, node, data):
        for state in states:
            yield entity_id, state


def _targets(name: str, node: dict[str, Any], data: dict[str, Any]) -> list[str]:
    target = node.get("target", {})
    if not isinstance(target, dict):
        raise InputError(f"automation: {name}: a target that is a template cannot be judged; {_ELSEWHERE}")
    if others := sorted(target.keys() - {"entity_id"}):
        raise InputError(f"automation: {name}: name each entity; {str(others[0])[:20]} is not taken")
    found: list[str] = []
    for said in (target.get("entity_id"), data.get("entity_id"), node.get("entity_id")):
        ones = [part.strip() for part in said.split(",")] if isinstance(said, str) else said or []
        if not isinstance(ones, list) or not all(isinstance(one, str) for one in ones):
            raise InputError(f"automation: {name}: entity_id: give entity ids")
        found += ones
    if not found:
        raise InputError(f"automation: {name}: name the entities it acts on")
    if any("{" in one or "." not in one for one in found):
        raise InputError(f"automation: {name}: what it acts on cannot be judged; name each entity")
    return found
