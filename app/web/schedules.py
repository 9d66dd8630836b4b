"""A schedule as people read and write it: cron or `every 15 minutes`, in words, with its next runs."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from app.errors import InputError
from app.jobs.agenda import check_text
from app.jobs.due import OFF, schedule_of
from app.web.wording import listed, when

LONGEST_TEXT: Final = 120
SHOWN_NEXT: Final = 5
DAYS: Final = {
    "MON": "Monday",
    "TUE": "Tuesday",
    "WED": "Wednesday",
    "THU": "Thursday",
    "FRI": "Friday",
    "SAT": "Saturday",
    "SUN": "Sunday",
}
_NUMBERS: Final = dict(zip("1234567", DAYS, strict=True)) | {"0": "SUN"}
_SETS: Final = {
    frozenset(DAYS): "every day",
    frozenset({"MON", "TUE", "WED", "THU", "FRI"}): "Monday to Friday",
    frozenset({"SAT", "SUN"}): "Saturday and Sunday",
}
_EVERY: Final = re.compile(r"every (?:(\d{1,4}) )?(minute|hour|day)s?")
_STEP: Final = re.compile(r"\*/(\d{1,2})")
_MOST_TIMES: Final = 4


@dataclass(frozen=True, slots=True)
class Form:
    """What the form for a schedule begins with: which of its `kind`s, and what its fields hold."""

    kind: str
    """`day`, `workdays`, `week`, `every`, `off` or `own`."""
    at: str = "03:00"
    weekday: str = "MON"
    count: int = 15
    unit: str = "minutes"
    rule: str = "0 3 * * *"


def form_of(text: str) -> Form:
    """Return the form for a schedule: the plainest of its kinds that can say it."""
    if text == OFF:
        return Form("off")
    if found := _EVERY.fullmatch(text):
        return Form("every", count=int(found[1] or 1), unit=f"{found[2]}s")
    minute, hour, *rest = text.upper().split()
    if rest[:2] == ["*", "*"] and (at := _times(minute, hour)) and at.count(":") == 1:
        at, weekday = at.removeprefix("at "), _NUMBERS.get(rest[2], rest[2])
        kind = {"*": "day", "MON-FRI": "workdays", "1-5": "workdays"}.get(weekday, "")
        if kind or weekday in DAYS:
            return Form(kind or "week", at=at, weekday=weekday if weekday in DAYS else "MON", rule=text)
    return Form("own", rule=text)


def in_words(text: str) -> str:
    """Return a schedule in words, such as `every day at 03:00`; a rule that has none is named as one."""
    fields = text.upper().split()
    if text == OFF:
        return "never by itself"
    if len(fields) != 5:
        return text
    minute, hour, day, month, weekday = fields
    if (day, month) != ("*", "*"):
        return f"by the cron rule {text}"
    days = _days(weekday)
    said = _times(minute, hour) or _stepped(minute, hour)
    if not days or not said:
        return f"by the cron rule {text}"
    if said.startswith("at "):
        return f"{days} {said}"
    return said if days == "every day" else f"{said}, {days}"


def read_schedule(given: object) -> str | None:
    """Return the schedule that was sent, None for "as it was declared". Raises InputError with one line."""
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > LONGEST_TEXT:
        raise InputError(f"schedule: give a text of at most {LONGEST_TEXT} characters, or null")
    text = " ".join(given.split())
    check_text(text)
    return text


def preview(text: str, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return what a checked schedule means: in words, and its next five runs in that zone."""
    following: list[datetime] = []
    if text != OFF:
        rule, after = schedule_of(text, zone.key), now
        while len(following) < SHOWN_NEXT and (found := rule.next(after)) is not None:
            following.append(found)
            after = found
    return {
        "schedule": text,
        "words": in_words(text),
        "next": [{"at": one.isoformat(), "text": when(one, now, zone)} for one in following],
    }


def _days(field: str) -> str:
    """Return `every day`, `every Monday`, `Monday to Friday`; "" for what has no short name."""
    if field == "*":
        return "every day"
    chosen: set[str] = set()
    names = list(DAYS)
    for part in field.split(","):
        first, _, last = part.partition("-")
        first, last = (_NUMBERS.get(one, one) for one in (first, last or first))
        if first not in DAYS or last not in DAYS or names.index(last) < names.index(first):
            return ""
        chosen |= set(names[names.index(first) : names.index(last) + 1])
    if said := _SETS.get(frozenset(chosen)):
        return said
    return "every " + listed([DAYS[name] for name in names if name in chosen])


def _times(minute: str, hour: str) -> str:
    """Return `at 03:00 and 15:00` for a few fixed times, else ""."""
    minutes, hours = minute.split(","), hour.split(",")
    if not all(one.isascii() and one.isdigit() for one in (*minutes, *hours)):
        return ""
    if len(minutes) * len(hours) > _MOST_TIMES:
        return ""
    times = sorted((int(h), int(m)) for h in hours for m in minutes)
    return "at " + listed([f"{h:02}:{m:02}" for h, m in times])


def _stepped(minute: str, hour: str) -> str:
    """Return `every 4 hours` and the like, else ""."""
    by_minute, by_hour = _STEP.fullmatch(minute), _STEP.fullmatch(hour)
    if hour == "*" and by_minute:
        return f"every {int(by_minute[1])} minutes" if int(by_minute[1]) > 1 else "every minute"
    if not (minute.isascii() and minute.isdigit()):
        return "every minute" if (minute, hour) == ("*", "*") else ""
    past = f", {int(minute)} minutes past" if int(minute) else ""
    if by_hour and int(by_hour[1]) > 1:
        return f"every {int(by_hour[1])} hours{past}"
    return f"every hour{past}" if hour == "*" or by_hour else ""
