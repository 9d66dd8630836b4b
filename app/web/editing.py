"""The form in which an automation is changed, before it is accepted or after: its fields as they stand."""

from dataclasses import dataclass
from typing import Any, Final

from app.errors import InputError
from app.habits.offers.adjusting import (
    MOST_DELAY,
    MOST_LIMIT,
    MOST_OFFSET,
    WEEKDAYS,
    delay_of,
    kind_of,
    limit_of,
    seconds_of,
    times_of,
)
from app.hub.names import readable_name
from app.model import Home
from app.web.automation import read_automation

_MOVES: Final = {"above": "rises above", "below": "falls below"}
_FIXED: Final = (
    "What starts it and what it does can be changed in Home Assistant's own editor, once accepted."
)
_FIXED_NOW: Final = (
    "What starts it and what it does is changed in Home Assistant's own editor. An edit made there is not "
    "shown here, and is replaced only if you say so."
)
_NAMES: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Choice:
    """A box to tick; `label` may be hostile."""

    value: str
    label: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class LimitField:
    """A number's limit, as people write it: `field` is the id of its input; texts may be hostile."""

    field: str
    label: str
    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class EditForm:
    """The form's fields. `at`, `offset`, `delay` are None where the trigger has no such thing; minutes.

    `limits` are the trigger's (`limit`) and the conditions' (`limit-<number>`).
    `hours` is (after, before), empty texts for any hour; None where the trigger is itself a time. What is
    `accepted` is saved to Home Assistant; before, it is made as changed once it is accepted.
    """

    accepted: bool
    alias: str
    at: str | None
    sun: str
    offset: int | None
    delay: int | None
    most_offset: int
    most_delay: int
    limits: tuple[LimitField, ...]
    most_limit: float
    days: tuple[Choice, ...]
    hours: tuple[str, str] | None
    conditions: tuple[Choice, ...]
    fixed: str


def form_of(automation: dict[str, Any], home: Home | None, *, accepted: bool = False) -> EditForm | None:
    """Return the form for an automation, None where none of it can be changed here."""
    kind = kind_of(automation)
    if not kind:
        return None
    trigger = automation["triggers"][0]
    try:
        times = times_of(automation)
        offset = round(seconds_of(trigger.get("offset")) / 60) if kind == "sun" else None
        delay = round(delay_of(automation) / 60) if kind in {"state", "numeric_state"} else None
    except (InputError, KeyError, IndexError, AttributeError):
        return None
    weekdays = times.get("weekday") or WEEKDAYS
    words = read_automation(automation, home).conditions
    others = [
        Choice(str(number), said, ticked=True)
        for number, (one, said) in enumerate(zip(automation["conditions"], words, strict=False))
        if one.get("condition") != "time"
    ]
    return EditForm(
        accepted=accepted,
        alias=str(automation.get("alias") or ""),
        at=str(trigger.get("at"))[:5] if kind == "time" else None,
        sun=str(trigger.get("event") or "") if kind == "sun" else "",
        offset=offset,
        delay=delay,
        most_offset=MOST_OFFSET,
        most_delay=MOST_DELAY,
        limits=_limits(automation, home),
        most_limit=MOST_LIMIT,
        days=tuple(Choice(day, name, day in weekdays) for day, name in zip(WEEKDAYS, _NAMES, strict=True)),
        hours=None if kind == "time" else (str(times.get("after", ""))[:5], str(times.get("before", ""))[:5]),
        conditions=tuple(others),
        fixed=_FIXED_NOW if accepted else _FIXED,
    )


def _limits(automation: dict[str, Any], home: Home | None) -> tuple[LimitField, ...]:
    known = {entity.entity_id: entity for entity in home.entities} if home else {}
    parts = [("limit", automation["triggers"][0])]
    parts += [(f"limit-{number}", one) for number, one in enumerate(automation["conditions"])]
    fields: list[LimitField] = []
    for field, part in parts:
        limit = limit_of(part)
        if limit is None:
            continue
        given = part["entity_id"]
        entity_id = str(given[0] if isinstance(given, list) else given)
        entity = known.get(entity_id)
        called = (entity.name if entity else "") or readable_name(entity_id)
        move = _MOVES[limit[0]] if field == "limit" else f"is {limit[0]}"
        unit = (entity.unit if entity else "") or ""
        fields.append(LimitField(field, f"{called} {move}", f"{limit[1]:.10g}", unit))
    return tuple(fields)
