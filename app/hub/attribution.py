"""Who made a state change, from what Home Assistant links it to. Pure rules.

A change carries a context: the service call, automation run or other state change it came from. Home
Assistant 2026.2 to 2026.11 tell it through the logbook; the order of the rules matters (see `attribute`).
"""

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import NamedTuple

from app.model import Automation, Cause, Home

ACTUATORS = frozenset({
    "alarm_control_panel", "climate", "cover", "fan", "humidifier", "input_boolean", "input_button",
    "input_number", "input_select", "lawn_mower", "light", "lock", "media_player", "number", "remote",
    "select", "siren", "switch", "vacuum", "valve", "water_heater",
})  # fmt: skip
"""Domains of things that are acted on: what changes there without a link was done by hand."""
CALLABLE = ACTUATORS | {"automation", "button", "scene", "script"}
"""Domains of which the logbook is asked."""
OURS = "nightshift_"
"""What the ids of automations begin with that Nightshift made, and those of its own entities over MQTT."""

_AWAY = frozenset({"unavailable", "unknown", ""})
_RUNS = frozenset({"automation_triggered", "script_started"})
_PLANNED = frozenset({"automation", "scene", "script"})
"""Domains whose services carry out a plan: what they change is nobody's press, whoever started it."""
_ON = frozenset({"on", "open", "opening", "locked", "locking", "playing", "buffering", "cleaning"})
_OFF = frozenset({"off", "closed", "closing", "unlocked", "unlocking", "paused", "idle", "standby", "docked"})
_MEANS: Mapping[str, frozenset[str]] = {
    "turn_on": _ON - {"locked", "locking"},
    "turn_off": _OFF - {"unlocked", "unlocking"},
    "open_cover": frozenset({"open", "opening"}),
    "close_cover": frozenset({"closed", "closing"}),
    "open_valve": frozenset({"open", "opening"}),
    "close_valve": frozenset({"closed", "closing"}),
    "lock": frozenset({"locked", "locking"}),
    "unlock": frozenset({"unlocked", "unlocking"}),
}
"""The states a service leads to. Only these are judged: a climate's `turn_on` may well end in `heat`."""
_OPPOSITES = (frozenset({"on", "off"}), frozenset({"open", "opening", "closed", "closing"}),
              frozenset({"locked", "locking", "unlocked", "unlocking"}))  # fmt: skip
_SETTLES: Mapping[str, frozenset[str]] = {
    "opening": frozenset({"open"}),
    "closing": frozenset({"closed"}),
    "locking": frozenset({"locked", "jammed"}),
    "unlocking": frozenset({"unlocked", "jammed"}),
    "arming": frozenset({"armed_home", "armed_away", "armed_night", "armed_vacation"}),
    "buffering": frozenset({"playing"}),
    "returning": frozenset({"docked"}),
}
"""What a moving state comes to rest in: the end of the same act, though its link may be gone by then."""
_SETTLING_MS = 180_000
_CROCKFORD = {letter: value for value, letter in enumerate("0123456789ABCDEFGHJKMNPQRSTVWXYZ")}


class Attribution(NamedTuple):
    """Who did it. `actor` is a user's id, or the entity id of the automation, script or scene, or empty;
    `context` is `context_number` of the context's id, or 0.
    """

    cause: Cause
    actor: str = ""
    context: int = 0


UNTOLD = Attribution(Cause.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Link:
    """What a state change is linked to, as far as it is told; all empty: linked to nothing.

    `user_id` is the context's user. `event_type` is what began the context (`call_service`,
    `automation_triggered`, `script_started`, an integration's own); `domain` and `service` are the call's,
    or the domain of the run. `source` is the entity the context began with: the automation, the script, or
    the entity whose change this one followed. `context` is its `context_number`, 0 where it is not told.
    """

    user_id: str = ""
    event_type: str = ""
    domain: str = ""
    service: str = ""
    source: str = ""
    context: int = 0


def context_number(context_id: str) -> int:
    """Return the 63-bit number of a context id, the same everywhere and always; 0 for none.

    Home Assistant's are ULIDs (and some UUIDs), whose last eight bytes are random: the recorder's reader
    takes the same bytes. Any other text is hashed.
    """
    if not context_id:
        return 0
    text = context_id.replace("-", "")
    if len(text) == 26 and set(text.upper()) <= _CROCKFORD.keys():
        number = 0
        for letter in text.upper():
            number = number * 32 + _CROCKFORD[letter]
    elif len(text) == 32 and set(text.lower()) <= set("0123456789abcdef"):
        number = int(text, 16)
    else:
        number = int.from_bytes(hashlib.blake2b(context_id.encode(), digest_size=8).digest(), "big")
    return number & 0x7FFF_FFFF_FFFF_FFFF or 1


def attribute(entity_id: str, state: str, link: Link, machines: AbstractSet[str]) -> Attribution:
    """Say who set `entity_id` to `state`, given its link and the ids of users that are no people.

    In this order, because newer hubs copy a parent's user into what an automation does, and because a
    context without user and parent is also that of an automation on a schedule:
    an automation's or script's run, a scene or script that somebody started, a call that does not fit the
    state (the link of an earlier call, which an entity keeps for 5 s), a machine's user, a person, a call
    by nobody, another entity followed, nothing.
    """
    domain = entity_id.partition(".")[0]
    if link.event_type in _RUNS:
        return Attribution(Cause.MACHINE, link.source, link.context)
    if link.domain in _PLANNED and link.domain != domain:
        return Attribution(Cause.MACHINE, link.source, link.context)
    if link.domain in {domain, "homeassistant"} and contradicts(link.service, state):
        return _nothing_linked(domain)
    if link.user_id:
        cause = Cause.MACHINE if link.user_id in machines else Cause.PERSON
        return Attribution(cause, link.user_id, link.context)
    # A call by nobody is an integration's (HomeKit, a bridge); what follows a sensor is a thermostat.
    if link.event_type or (link.source and link.source.partition(".")[0] not in ACTUATORS):
        return Attribution(Cause.MACHINE, link.source, link.context)
    return _nothing_linked(domain, link.context)


def contradicts(service: str, state: str) -> bool:
    """Whether that service cannot have led to that state: the press of a switch just after the call."""
    meant = _MEANS.get(service)
    if meant is None or state in meant:
        return False
    return any(state in kind and meant & kind for kind in _OPPOSITES)


def script_called(domain: str, service: str) -> str:
    """Return the entity id of a script that was called by its name (`script.good_night`), else nothing."""
    generic = {"turn_on", "turn_off", "toggle", "reload", ""}
    return f"script.{service}" if domain == "script" and service not in generic else ""


def leads_to(service: str, state: str) -> bool:
    """Whether that service is known to end in that state."""
    return state in _MEANS.get(service, ())


def machine_users(home: Home) -> frozenset[str]:
    """Return the ids of users that are apps and integrations; the Supervisor's, which is ours, is one."""
    return frozenset(user.id for user in home.users if user.system_generated)


def is_ours(automation: Automation) -> bool:
    """Whether Nightshift made that automation: what it does is never mined again."""
    return (automation.unique_id or str(automation.config.get("id", ""))).startswith(OURS)


class Attributor:
    """Applies the rules along each entity's own past, where the state before tells more than the link.

    What comes back after having been away, linked to nothing, is nobody's act; what a moving thing comes to
    rest in belongs to whoever set it moving. Call oldest first.
    """

    def __init__(self, machines: AbstractSet[str]) -> None:
        self._machines = machines
        self._before: dict[str, tuple[str, int, Attribution]] = {}

    def state_of(self, entity_id: str) -> str | None:
        """Return the last state noted, None when there is none yet."""
        known = self._before.get(entity_id)
        return known[0] if known else None

    def seed(self, entity_id: str, state: str, at: int) -> None:
        """Note a state that was already so at `at` (ms): no change, but what the next one starts from."""
        self._before.setdefault(entity_id, (state, at, UNTOLD))

    def note(self, entity_id: str, state: str, at: int, link: Link | None) -> Attribution:
        """Return who made this change (`at` in ms); a link of None means that the source does not tell."""
        before = self._before.get(entity_id)
        who = self._judge(entity_id, state, at, link, before)
        self._before[entity_id] = (state, at, who)
        return who

    def _judge(
        self,
        entity_id: str,
        state: str,
        at: int,
        link: Link | None,
        before: tuple[str, int, Attribution] | None,
    ) -> Attribution:
        if state in _AWAY or link is None:
            return UNTOLD
        if before and state in _SETTLES.get(before[0], ()) and at - before[1] <= _SETTLING_MS:
            return before[2]
        who = attribute(entity_id, state, link, self._machines)
        came_back = before is not None and before[0] in _AWAY
        return UNTOLD if came_back and who.cause is Cause.HAND else who


def _nothing_linked(domain: str, context: int = 0) -> Attribution:
    return Attribution(Cause.HAND if domain in ACTUATORS else Cause.UNKNOWN, "", context)
