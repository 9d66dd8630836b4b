"""What people decided on suggestions, in words: what stands, since when, by whom, and what to do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.habits.offers.decision import IN_THE_HUB, Decision, Mode, Verdict, Via
from app.habits.offers.exclusions import Kept
from app.hub.editor import editor_path
from app.model import Home
from app.web.extending import added_stands
from app.web.happenings import is_in
from app.web.history import Moment, moment
from app.web.wording import date_text, sentence

_MODES: Final = {
    Mode.ENABLED: "it runs",
    Mode.NOTIFY: "it asks on the phone first",
    Mode.DISABLED: "it is switched off",
}
_PAST: Final = {
    Verdict.ACCEPTING: "accepted this",
    Verdict.ACCEPTED: "accepted this",
    Verdict.DECLINED: "declined this",
    Verdict.SNOOZED: "put this off",
    Verdict.UNDOING: "took it back",
    Verdict.UNDONE: "took it back",
}
_FAILED: Final = "What was asked could not be done"
_VIAS: Final = {Via.PHONE: "on the phone", Via.MQTT: "over MQTT", Via.API: "over the API"}
_STANDS: Final = {
    Verdict.ACCEPTING: ("waiting", "Accepted, not in Home Assistant yet", "It is tried again by itself."),
    Verdict.UNDOING: (
        "waiting",
        "Being removed",
        "It is removed from Home Assistant as soon as that answers.",
    ),
    Verdict.DECLINED: (
        "no",
        "Declined",
        "It stays away, unless what spoke against it has clearly changed.",
    ),
    Verdict.SNOOZED: ("later", "Put off", ""),
    Verdict.UNDONE: ("back", "Taken back", "It is as if nothing had been decided."),
}
_STANDING: Final = {Verdict.ACCEPTING, Verdict.ACCEPTED}
_CHANGE_WAITS: Final = "Home Assistant still has it as it was before. It is tried again by itself."
_BY: Final = {
    "clock": "by the clock",
    "sun": "by the sun",
    "trigger": "after something else happened",
}
_THINGS: Final = {
    "light": "lights",
    "switch": "switches",
    "cover": "covers",
    "fan": "fans",
    "media_player": "players",
    "climate": "heating and cooling",
    "lock": "locks",
    "vacuum": "vacuum cleaners",
    "humidifier": "humidifiers",
    "input_boolean": "helpers",
}


@dataclass(frozen=True, slots=True)
class People:
    """Who is who: `you` is the visitor's user id, "" where nobody is known by name (the API key)."""

    you: str
    names: Mapping[str, str]

    @classmethod
    def of(cls, home: Home | None, you: str) -> "People":
        return cls(you, {user.id: user.name for user in home.users} if home else {})

    def name(self, user_id: str) -> str:
        """Return who it was, at the start of a sentence."""
        if user_id and user_id == self.you:
            return "You"
        return self.names.get(user_id, "") or "Someone"


@dataclass(frozen=True, slots=True)
class Past:
    """One decision of the past, in a line; `reason` may be empty, both may be hostile."""

    at: Moment
    said: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stand:
    """What stands decided. `state` is a shape's name; texts may be empty, and hostile.

    `editor` is the path of the automation's editor in Home Assistant, "" where there is none to open.
    """

    suggestion_id: str
    path: str
    subject: str
    state: str
    title: str
    text: str
    trouble: str
    at: Moment
    said: str
    reason: str
    never: tuple[str, ...]
    mode: str
    editor: str
    undo: str
    undone: str
    force: bool
    again: bool
    added: bool


@dataclass(frozen=True, slots=True)
class Never:
    """What is never to be offered: `kind` and `value` as the API takes them, and in words."""

    kind: str
    value: str
    title: str
    since: str


def stand_of(decision: Decision, home: Home | None, people: People, now: datetime, zone: ZoneInfo) -> Stand:
    """Put a decision into words."""
    body, verdict = decision.body, decision.verdict
    state, title, text = _stands(decision, zone)
    in_hub = verdict in IN_THE_HUB
    return Stand(
        suggestion_id=decision.suggestion_id,
        path=f"suggestions/{quote(decision.suggestion_id, safe='')}",
        subject=body.suggestion.title,
        state=state,
        title=title,
        text=text,
        trouble=sentence(body.trouble),
        at=moment(decision.decided_at, now, zone),
        said=_said(decision, people),
        # What could not be done is told once, as the trouble.
        reason="" if decision.reason == body.trouble else decision.reason,
        never=tuple(_never_title(kind, value, home) for kind, value in body.never),
        mode=decision.mode.value if decision.mode else "",
        editor=editor_path(body.unique_id) if verdict is Verdict.ACCEPTED and not decision.gone else "",
        undo=_undo(decision),
        undone=_undone(decision),
        force=body.edited and in_hub,
        again=decision.gone,
        added=body.onto is not None and in_hub,
    )


def past_of(decision: Decision, people: People, now: datetime, zone: ZoneInfo, *, changed: str = "") -> Past:
    """Put a decision of the past into a line; `changed` is what it changed of an automation's wiring."""
    if _failed(decision):
        said = f"{_FAILED}: it stays as it was."
        return Past(moment(decision.decided_at, now, zone), said, decision.reason)
    mode = _MODES[decision.mode] if decision.mode and decision.verdict in IN_THE_HUB else ""
    if changed and decision.verdict in _STANDING:
        mode = changed
    if mode and decision.body.onto:
        mode = f"it was added to “{decision.body.onto.name}”"
    until = f", until {date_text(decision.until.astimezone(zone).date())}" if decision.until else ""
    said = f"{_said(decision, people)}{f': {mode}' if mode else ''}{until}"
    return Past(moment(decision.decided_at, now, zone), f"{said}.", decision.reason)


def never_of(kept: Kept, home: Home | None, people: People, zone: ZoneInfo) -> Never:
    """Put an exclusion into words."""
    kind, value = kept.exclusion.kind.value, kept.exclusion.value
    who = f", by {people.name(kept.created_by)}" if kept.created_by else ""
    since = f"Since {date_text(kept.created_at.astimezone(zone).date())}{who.replace('You', 'you')}."
    return Never(kind, value, _never_title(kind, value, home), since)


def kind_in_words(value: str) -> str:
    """Return a kind of habit (`sun:cover:closed`) in words: `covers brought to closed by the sun`."""
    kind, _, rest = value.partition(":")
    domain, _, state = rest.partition(":")
    by = _BY.get(kind, kind)
    if not domain:
        return f"anything done {by}"
    things = _THINGS.get(domain, domain.replace("_", " "))
    return f"{things} turned {state} {by}" if state in {"on", "off"} else _brought(things, domain, state, by)


def _brought(things: str, domain: str, state: str, by: str) -> str:
    return f"{things} brought to “{is_in(domain, state)}” {by}" if state else f"{things} {by}"


def _never_title(kind: str, value: str, home: Home | None) -> str:
    if kind == "kind":
        words = kind_in_words(value)
        return words[0].upper() + words[1:]
    names: dict[str, str] = {}
    if home is not None:
        names = {
            **{f"entity {one.entity_id}": one.name for one in home.entities},
            **{f"area {one.area_id}": one.name for one in home.areas},
        }
    if kind == "domain":
        things = _THINGS.get(value, value.replace("_", " "))
        return f"All {things}"
    known = names.get(f"{kind} {value}", "")
    if kind == "entity":
        return known or value
    return f"All with the label {value}" if kind == "label" else f"All in {known or value}"


def _failed(decision: Decision) -> bool:
    """Return whether it only says that another could not be carried out: the reason is why."""
    return decision.verdict in {Verdict.ACCEPTED, Verdict.UNDONE} and bool(decision.reason)


def _said(decision: Decision, people: People) -> str:
    if _failed(decision):
        return _FAILED
    past = _PAST[decision.verdict]
    if decision.body.changes and decision.verdict in _STANDING:
        past = "changed this"
    if decision.body.never and decision.verdict is Verdict.DECLINED:
        past = "said never"
    via = f" {_VIAS[decision.via]}" if decision.via in _VIAS else ""
    return f"{people.name(decision.decided_by)} {past}{via}"


def _undo(decision: Decision) -> str:
    if decision.verdict in {Verdict.UNDONE, Verdict.UNDOING}:
        return ""
    if decision.verdict in IN_THE_HUB:
        if decision.gone or (decision.verdict is Verdict.ACCEPTING and not decision.change_waits):
            return "Take it back"
        return "Take it out again" if decision.body.onto else "Remove it"
    return "Offer it again"


def _undone(decision: Decision) -> str:
    again = "It is on offer again."
    if decision.verdict not in IN_THE_HUB:
        return again
    return f"{'Taken out' if decision.body.onto else 'Removed'}. {again}"


def _stands(decision: Decision, zone: ZoneInfo) -> tuple[str, str, str]:
    """Return how it stands: a shape's name, a title, and a sentence on what to do."""
    if decision.change_waits:
        return "waiting", "Change not made yet", _CHANGE_WAITS
    if decision.verdict is Verdict.ACCEPTED:
        return added_stands(decision) or _accepted(decision, zone)
    if decision.verdict is Verdict.UNDOING and decision.body.onto:
        return "waiting", "Being taken out", "That automation is put back as soon as Home Assistant answers."
    if decision.verdict is Verdict.DECLINED and decision.body.never:
        return "no", "Never", "Nothing of that kind is offered any more."
    if decision.verdict is Verdict.SNOOZED and decision.until:
        return "later", "Put off", f"It is offered again on {_day(decision.until, zone)}."
    return _STANDS[decision.verdict]


def _day(instant: datetime, zone: ZoneInfo) -> str:
    return date_text(instant.astimezone(zone).date())


def _accepted(decision: Decision, zone: ZoneInfo) -> tuple[str, str, str]:
    body = decision.body
    if decision.gone:
        since = _day(datetime.fromisoformat(body.gone_since or ""), zone)
        return (
            "gone",
            "Gone from Home Assistant",
            f"It was deleted there, as was noticed on {since}. Accept it again, or take it back.",
        )
    if body.edited:
        return (
            "edited",
            "Changed in Home Assistant",
            "Someone edited it there. Nightshift leaves it so, and asks before it replaces or removes it.",
        )
    if body.enabled is False:
        text = "It was made that way." if decision.mode is Mode.DISABLED else "Someone switched it off."
        return "off", "Switched off", f"{text} Switch it on in Home Assistant whenever you like."
    if decision.mode is Mode.NOTIFY:
        return "on", "Asks first", "It asks on the phone, and acts when somebody says yes."
    return "on", "Runs by itself", "It is an automation of Home Assistant now."
