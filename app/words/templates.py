"""Plain words for a habit, without a model: title and description from facts, nothing added.

Only what was counted is said, in whole numbers. Nothing is escaped here; each face escapes for itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.words.wording import Words

_DAYS: dict[str, str] = {"daily": "every day", "workdays": "on workdays", "weekends": "on weekends"}
_PLURALS: dict[str, str] = {"daily": "days", "workdays": "workdays", "weekends": "weekend days"}
_VERBS: dict[tuple[str, str], str] = {
    ("cover", "open"): "Open {}",
    ("cover", "closed"): "Close {}",
    ("lock", "locked"): "Lock {}",
    ("lock", "unlocked"): "Unlock {}",
    ("media_player", "playing"): "Start playing on {}",
    ("vacuum", "cleaning"): "Start {}",
    ("valve", "open"): "Open {}",
    ("valve", "closed"): "Close {}",
    ("lawn_mower", "mowing"): "Start {}",
    ("alarm_control_panel", "disarmed"): "Disarm {}",
}
_STATES: dict[tuple[str, str], str] = {
    ("motion", "on"): "{} sees motion",
    ("motion", "off"): "{} sees no more motion",
    ("occupancy", "on"): "{} becomes occupied",
    ("occupancy", "off"): "{} is no longer occupied",
    ("presence", "on"): "{} becomes present",
    ("presence", "off"): "{} is no longer present",
    ("door", "on"): "{} opens",
    ("door", "off"): "{} closes",
    ("garage_door", "on"): "{} opens",
    ("garage_door", "off"): "{} closes",
    ("window", "on"): "{} opens",
    ("window", "off"): "{} closes",
    ("opening", "on"): "{} opens",
    ("opening", "off"): "{} closes",
    ("person", "home"): "{} comes home",
    ("person", "not_home"): "{} leaves home",
    ("device_tracker", "home"): "{} comes home",
    ("device_tracker", "not_home"): "{} leaves home",
    ("lock", "locked"): "{} is locked",
    ("lock", "unlocked"): "{} is unlocked",
    ("cover", "open"): "{} opens",
    ("cover", "closed"): "{} closes",
    ("media_player", "playing"): "{} starts to play",
    ("zone", "home"): "the first person comes home",
    ("zone", "not_home"): "the last person leaves home",
}
_IS: dict[tuple[str, str], str] = {
    ("motion", "on"): "{} sees motion",
    ("motion", "off"): "{} sees no motion",
    ("occupancy", "on"): "{} is occupied",
    ("occupancy", "off"): "{} is not occupied",
    ("presence", "on"): "{} is present",
    ("presence", "off"): "{} is not present",
    ("person", "home"): "{} is home",
    ("person", "not_home"): "{} is away",
}
_OPENINGS = frozenset({"door", "garage_door", "window", "opening"})
_PAST: dict[str, str] = {"open": "opened", "closed": "closed"}
_MOST_NAMED = 3
_MOST_STEPS_SAID = 3


@dataclass(frozen=True, slots=True)
class Moment:
    """When: `anchor` midnight, sunrise or sunset; minutes after it."""

    anchor: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Cause:
    """What it follows: a trigger's name, its device class or domain, its new state, the seconds waited.

    A number's crossing has its `limit` and `unit`; its state then is `above` or `below`. `itself` marks what
    is timed by the thing's own change: off some minutes after it was turned on.
    """

    name: str
    kind: str
    state: str
    delay: int = 0
    limit: float | None = None
    unit: str = ""
    itself: bool = False


@dataclass(frozen=True, slots=True)
class Also:
    """Something else that has to be so: a name, its device class or domain, and its state or its limit
    (`state` is `above` or `below` then).
    """

    name: str
    kind: str
    state: str
    limit: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing of several that are done as one; as in `Facts`."""

    domain: str
    state: str
    names: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a template may say.

    `names` are what people call the entities; `place` the one area they share, or empty. `quiet` and `away`
    are minutes; `hours` local minutes of the day, from and to.
    """

    domain: str
    state: str
    names: tuple[str, ...]
    place: str = ""
    moment: Moment | None = None
    cause: Cause | None = None
    day_type: str = "daily"
    quiet: int | None = None
    away: int | None = None
    hours: tuple[int, int] | None = None
    dark: bool | None = None
    someone_home: bool | None = None
    also: tuple[Also, ...] = ()
    steps: tuple[Step, ...] = ()
    """All of a routine's steps, the first too; empty where there is just one."""
    moved: int = 0
    days_observed: int = 0
    days_kept: int = 0
    replay_days: int = 0
    wanted: int = 0
    unwanted: int = 0
    missed: int = 0


def words_for(facts: Facts, language: str = "en") -> Words:
    """Return title and description. Only English so far: any other language gets it too."""
    del language
    title = f"{act(facts)} {_when(facts)}"
    return Words(title[0].upper() + title[1:], " ".join(_sentences(facts)))


def act(facts: Facts) -> str:
    """Return what is done, as an order: "Turn on the kitchen light"."""
    if len(facts.steps) > _MOST_STEPS_SAID:
        first = one_act(facts.steps[0])
        return f"{first} and do {len(facts.steps) - 1} more things"
    if facts.steps:
        acts = [one_act(step) for step in facts.steps]
        return enumerate_words([acts[0], *(f"{text[0].lower()}{text[1:]}" for text in acts[1:])])
    return one_act(Step(facts.domain, facts.state, facts.names, facts.place))


def one_act(facts: Step) -> str:
    """Return what one step does: "Turn on the kitchen light"."""
    what = listed(facts)
    if pattern := _VERBS.get((facts.domain, facts.state)):
        return pattern.format(what)
    if facts.state in {"on", "off"}:
        return f"Turn {facts.state} {what}"
    return f"Set {what} to {facts.state.replace('_', ' ')}"


def listed(facts: Step) -> str:
    """Return the entities by name, or counted if there are many."""
    names = facts.names
    if len(names) > _MOST_NAMED:
        nouns = {"light": "lights", "cover": "covers", "switch": "switches", "fan": "fans"}
        noun = nouns.get(facts.domain, "devices")
        where = f" in {the(facts.place)}" if facts.place else f" ({names[0]} and {len(names) - 1} more)"
        return f"{len(names)} {noun}{where}"
    return enumerate_words([the(name) for name in names])


def the(name: str) -> str:
    """Put an article before a name, unless it stands without one ("Ana's lamp", "TV 2")."""
    if not name or "'s " in name or name.lower().startswith(("the ", "my ", "our ")):
        return name
    return f"the {name}"


def enumerate_words(words: Sequence[str]) -> str:
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def clock(minutes: int) -> str:
    """Return minutes of the day as `06:45`."""
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def span(minutes: int) -> str:
    """Return a length of time in words: "15 minutes", "2 hours", "1 hour 30 minutes"."""
    hours, rest = divmod(minutes, 60)
    parts = []
    if hours:
        parts.append(f"{hours} hour{'s' if hours > 1 else ''}")
    if rest or not hours:
        parts.append(f"{rest} minute{'s' if rest != 1 else ''}")
    return " ".join(parts)


def _days(day_type: str) -> str:
    return _DAYS.get(day_type, f"on {day_type.capitalize()}")


def _when(facts: Facts) -> str:
    if facts.moment is not None:
        return f"{_moment(facts.moment)} {_days(facts.day_type)}"
    if facts.cause is None:
        return _days(facts.day_type)
    after = f"{span(facts.cause.delay // 60)} after" if facts.cause.delay else "when"
    limits = []
    if facts.hours is not None:
        limits.append(f"between {clock(facts.hours[0])} and {clock(facts.hours[1])}")
    if facts.dark is not None:
        limits.append("while it is dark" if facts.dark else "by daylight")
    if facts.day_type != "daily":
        limits.append(_days(facts.day_type))
    if facts.someone_home is False:
        limits.append("while nobody is home")
    limits += [f"while {_so(also)}" for also in facts.also]
    if facts.quiet is not None:
        limits.append(f"for the first time in {span(facts.quiet)}")
    return " ".join([after, happening(facts.cause), *limits])


def happening(cause: Cause) -> str:
    """Return what happens: "the hall sensor sees motion"."""
    if cause.itself:
        return f"it was {_PAST.get(cause.state, f'turned {cause.state}')}"
    name = cause.name if cause.kind == "person" else the(cause.name)
    if cause.limit is not None:
        move = "rises above" if cause.state == "above" else "falls below"
        return f"{name} {move} {number(cause.limit)}{_unit(cause.unit)}"
    if pattern := _STATES.get((cause.kind, cause.state)):
        return pattern.format(name)
    if cause.state in {"on", "off"}:
        return f"{name} turns {cause.state}"
    return f"{name} changes to {cause.state.replace('_', ' ')}"


def number(value: float) -> str:
    """Return a number as people write it: `68`, `21.5`."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _so(also: Also) -> str:
    name = also.name if also.kind == "person" else the(also.name)
    if also.limit is not None:
        return f"{name} is {also.state} {number(also.limit)}{_unit(also.unit)}"
    if pattern := _IS.get((also.kind, also.state)):
        return pattern.format(name)
    state = also.state.replace("_", " ")
    if also.kind in _OPENINGS:
        state = {"on": "open", "off": "closed"}.get(state, state)
    return f"{name} is {state}"


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


def _moment(moment: Moment) -> str:
    if moment.anchor == "midnight":
        return f"at {clock(moment.minutes)}"
    if not moment.minutes:
        return f"at {moment.anchor}"
    side = "before" if moment.minutes < 0 else "after"
    return f"{span(abs(moment.minutes))} {side} {moment.anchor}"


def _sentences(facts: Facts) -> list[str]:
    kept, of = facts.days_kept, facts.days_observed
    said: list[str] = []
    if facts.moment is not None:
        plural = _PLURALS.get(facts.day_type, facts.day_type.capitalize())
        said.append(f"You did this on {kept} of {of} {plural}.")
    else:
        said.append(f"This came up on {of} days, and on {kept} of them you did it.")
    if facts.moved:
        side = "later" if facts.moved > 0 else "earlier"
        said.append(f"It has become {span(abs(facts.moved))} {side} meanwhile; the time is that of late.")
    fires = facts.wanted + facts.unwanted
    if fires:
        said.append(
            f"Tried on the last {facts.replay_days} days, it would have acted {fires} times:"
            f" {facts.wanted} as you did, {facts.unwanted} not wanted, {facts.missed} missed."
        )
    if len(facts.steps) > _MOST_STEPS_SAID:
        acts = [one_act(step) for step in facts.steps]
        said.insert(0, f"{enumerate_words([acts[0], *(f'{t[0].lower()}{t[1:]}' for t in acts[1:])])}.")
    limits = []
    if facts.someone_home:
        limits.append("only while somebody is home")
    if facts.away is not None:
        limits.append(
            f"only if {'they had' if len(facts.names) > 1 else 'it had'} not been so for {span(facts.away)}"
        )
    if limits:
        text = enumerate_words(limits)
        said.append(f"{text[0].upper()}{text[1:]}.")
    return said
