"""What can be changed of an automation, before it is accepted and after, as our own habits write it. Pure.

One trigger (the clock, the sun, a state, a number), conditions, actions. What is not named here is left as it
is: that takes Home Assistant's own editor.
"""

import copy
import math
import re
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import InputError
from app.habits.automation import clock_text
from app.habits.suggestion import Replay
from app.habits.triggers import HOME

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_OFFSET: Final = 240
MOST_DELAY: Final = 720
"""Minutes."""
MOST_LIMIT: Final = 10_000_000.0
_CLOCK = r"([01]\d|2[0-3]):[0-5]\d"
_TAKES: Final = {
    "at": "give HH:MM",
    "offset_minutes": f"give whole minutes from -{MOST_OFFSET} to {MOST_OFFSET}",
    "delay_minutes": f"give whole minutes from 0 to {MOST_DELAY}",
    "days": f"give some of {', '.join(WEEKDAYS)}",
    "hours": "give after and before, each HH:MM",
    "any_hour": "give true or false",
    "drop": "give numbers of conditions",
    "limit": "give a number",
    "limits": "give for each its condition and its limit, both numbers",
    "alias": "give a name of at most 255 characters",
}
_DURATION = re.compile(r"(-?)(\d{1,2}):([0-5]\d):([0-5]\d)")


class Hours(BaseModel):
    """A stretch of the day, `HH:MM`; it may run across midnight."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    after: str = Field(pattern=rf"^{_CLOCK}$")
    before: str = Field(pattern=rf"^{_CLOCK}$")


class Limit(BaseModel):
    """Another limit for the number that a condition asks for; `condition` counts from 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    condition: int = Field(ge=0, le=49, strict=True)
    limit: float = Field(ge=-MOST_LIMIT, le=MOST_LIMIT, allow_inf_nan=False, strict=True)


class Adjustments(BaseModel):
    """What a person wants otherwise; what is left out stays.

    `at`: a clock trigger's time, `HH:MM`. `offset_minutes`: the sun's, negative before it. `delay_minutes`
    after a state or a number. `limit`: the number above or below which it is triggered, `limits` those that
    conditions ask for. `days`: on which days of the week. `hours`: only then (`any_hour`: at any). `drop`:
    the numbers of conditions to leave out, as they stand in the automation. `alias`: its name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str | None = Field(default=None, pattern=rf"^{_CLOCK}$")
    offset_minutes: int | None = Field(default=None, ge=-MOST_OFFSET, le=MOST_OFFSET, strict=True)
    delay_minutes: int | None = Field(default=None, ge=0, le=MOST_DELAY, strict=True)
    limit: float | None = Field(default=None, ge=-MOST_LIMIT, le=MOST_LIMIT, allow_inf_nan=False, strict=True)
    limits: tuple[Limit, ...] = Field(default=(), max_length=50)
    days: tuple[str, ...] | None = Field(default=None, min_length=1, max_length=7)
    hours: Hours | None = None
    any_hour: bool = Field(default=False, strict=True)
    drop: tuple[int, ...] = Field(default=(), max_length=50)
    alias: str | None = Field(default=None, min_length=1, max_length=255)

    @classmethod
    def of(cls, given: Any) -> "Adjustments":
        """Return them checked.

        Raises InputError, naming the first that is wrong.
        """
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = str(next(iter(first["loc"]), ""))[:50]
            said = _TAKES.get(where, "that is not taken here")
            raise InputError(f"{where or 'adjustments'}: {said}") from None


class Adjusted(BaseModel):
    """An automation as adjusted, with both tried on the same past: as it was, and as adjusted.

    `untried` says why they were not; it is empty otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    automation: dict[str, Any]
    before: Replay | None = None
    after: Replay | None = None
    untried: str = ""


def kind_of(automation: dict[str, Any]) -> str:
    """Return what triggers it: `time`, `sun`, `state`, `numeric_state`; "" for what cannot be adjusted."""
    triggers = automation.get("triggers")
    if not isinstance(triggers, list) or len(triggers) != 1 or not isinstance(triggers[0], dict):
        return ""
    kind = str(triggers[0].get("trigger") or "")
    return kind if kind in {"time", "sun", "state", "numeric_state"} else ""


def seconds_of(text: Any) -> int:
    """Return `[-]HH:MM:SS` in seconds; 0 for nothing.

    Raises InputError for anything else.
    """
    if text is None:
        return 0
    found = _DURATION.fullmatch(str(text))
    if found is None:
        raise InputError("automation: a length of time that is not written as HH:MM:SS")
    seconds = int(found[2]) * 3600 + int(found[3]) * 60 + int(found[4])
    return -seconds if found[1] else seconds


def delay_of(automation: dict[str, Any]) -> int:
    """Return how long (seconds) it waits after its trigger, whichever way that is written."""
    trigger, first = automation["triggers"][0], automation["actions"][0]
    return seconds_of(trigger.get("for")) or seconds_of(first.get("delay"))


def limit_of(part: dict[str, Any]) -> tuple[str, float] | None:
    """Return the side (`above`, `below`) and the limit of a trigger or condition on one number.

    None where there is no such limit to choose: how many people are home is no measurement.
    """
    kind = part.get("trigger") or part.get("condition")
    if kind != "numeric_state" or part.get("entity_id") in (HOME, [HOME]):
        return None
    sides = [side for side in ("above", "below") if part.get(side) is not None]
    if len(sides) != 1:
        return None
    value = part[sides[0]]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None  # another entity's number
    return sides[0], float(value)


def times_of(automation: dict[str, Any]) -> dict[str, Any]:
    """Return its condition on the time: `weekday`, `after`, `before`; empty without one."""
    return next((one for one in automation["conditions"] if one.get("condition") == "time"), {})


def adjust(automation: dict[str, Any], wanted: Adjustments) -> dict[str, Any]:
    """Return the automation as wanted.

    Raises InputError for what does not fit its trigger.
    """
    kind = kind_of(automation)
    if not kind:
        raise InputError("automation: its trigger cannot be changed here")
    whole = copy.deepcopy(automation)
    trigger = whole["triggers"][0]
    if wanted.at is not None:
        _only(kind, "at", "time")
        whole["alias"] = _renamed(whole["alias"], str(trigger["at"]), wanted.at)
        trigger["at"] = f"{wanted.at}:00"
    if wanted.offset_minutes is not None:
        _only(kind, "offset_minutes", "sun")
        trigger.pop("offset", None)
        if wanted.offset_minutes:
            sign = "-" if wanted.offset_minutes < 0 else ""
            trigger["offset"] = sign + clock_text(abs(wanted.offset_minutes) * 60)
    if wanted.delay_minutes is not None:
        _only(kind, "delay_minutes", "state", "numeric_state")
        _set_delay(whole, wanted.delay_minutes * 60)
    if wanted.limit is not None:
        _set_limit(whole, trigger, wanted.limit, "limit")
    _set_limits(whole, wanted.limits)
    _drop(whole, wanted.drop)
    _set_times(whole, wanted)
    if wanted.alias is not None and " ".join(wanted.alias.split()) not in {"", automation["alias"]}:
        whole["alias"] = " ".join(wanted.alias.split())
    return whole


def _only(kind: str, name: str, *kinds: str) -> None:
    if kind not in kinds:
        raise InputError(f"{name}: this automation is not triggered that way")


def _renamed(alias: str, before: str, at: str) -> str:
    """Return the name with the new time, where it names the old one."""
    old = before[:5]
    for shown in (old, old.removeprefix("0")):
        found = re.search(rf"(?<!\d){re.escape(shown)}(?!\d)", alias)
        if found:
            new = at if shown.startswith("0") else at.removeprefix("0")
            return alias[: found.start()] + new + alias[found.end() :]
    return alias


def _set_delay(whole: dict[str, Any], seconds: int) -> None:
    """Write the delay as it was written before: the state has to last, or the time just passes."""
    trigger, actions = whole["triggers"][0], whole["actions"]
    if "for" in trigger:
        trigger.pop("for")
        if seconds:
            trigger["for"] = clock_text(seconds)
        return
    if "delay" in actions[0]:
        actions.pop(0)
    if seconds:
        actions.insert(0, {"delay": clock_text(seconds)})


def _set_limits(whole: dict[str, Any], limits: tuple[Limit, ...]) -> None:
    conditions = whole["conditions"]
    if len({one.condition for one in limits}) < len(limits):
        raise InputError("limits: give each condition once")
    for one in limits:
        if one.condition >= len(conditions):
            raise InputError("limits: give the number of a condition")
        _set_limit(whole, conditions[one.condition], one.limit, "limits")


def _set_limit(whole: dict[str, Any], part: dict[str, Any], wanted: float, name: str) -> None:
    known = limit_of(part)
    if known is None:
        raise InputError(f"{name}: there is no number to choose there")
    side, before = known
    part[side] = int(wanted) if wanted == int(wanted) else wanted
    whole["alias"] = re.sub(
        rf"(?<![\d.,]){re.escape(f'{before:g}')}(?![\d:]|[.,]\d)", f"{wanted:g}", whole["alias"], count=1
    )


def _drop(whole: dict[str, Any], numbers: tuple[int, ...]) -> None:
    conditions = whole["conditions"]
    for number in numbers:
        if not 0 <= number < len(conditions) or conditions[number].get("condition") == "time":
            raise InputError("drop: give the number of a condition, other than that on the time")
    whole["conditions"] = [one for number, one in enumerate(conditions) if number not in numbers]


def _set_times(whole: dict[str, Any], wanted: Adjustments) -> None:
    if wanted.days is None and wanted.hours is None and not wanted.any_hour:
        return
    times = {**times_of(whole), "condition": "time"}
    if wanted.days is not None:
        if unknown := set(wanted.days) - set(WEEKDAYS):
            raise InputError(f"days: {min(unknown)[:20]!r} is none; give some of {', '.join(WEEKDAYS)}")
        times["weekday"] = [day for day in WEEKDAYS if day in wanted.days]
        if len(times["weekday"]) == len(WEEKDAYS):
            del times["weekday"]
    if wanted.any_hour:
        times.pop("after", None)
        times.pop("before", None)
    elif wanted.hours is not None:
        if wanted.hours.after == wanted.hours.before:
            raise InputError("hours: give two different times")
        times["after"], times["before"] = f"{wanted.hours.after}:00", f"{wanted.hours.before}:00"
    rest = [one for one in whole["conditions"] if one.get("condition") != "time"]
    whole["conditions"] = [*([times] if len(times) > 1 else []), *rest]
