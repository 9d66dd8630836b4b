"""Times, durations and counts as people read them, in the home's own zone. English, whole phrases."""

from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_of(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return `today`, `yesterday`, `tomorrow`, a weekday within a week, or a date."""
    local, today = instant.astimezone(zone).date(), now.astimezone(zone).date()
    apart = (local - today).days
    near = {0: "today", -1: "yesterday", 1: "tomorrow"}
    if apart in near:
        return near[apart]
    if abs(apart) < 7:
        return _DAYS[local.weekday()]
    return date_text(local)


def date_text(day: date) -> str:
    """Return a date such as `Tue 3 Nov`."""
    return f"{_DAYS[day.weekday()][:3]} {day.day} {_MONTHS[day.month - 1]}"


def time_of(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%H:%M")


def when(instant: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return a moment such as `yesterday at 03:00`."""
    return f"{day_of(instant, now, zone)} at {time_of(instant, zone)}"


def duration(seconds: float | None) -> str:
    """Return a length of time such as `42 s`, `3 min 5 s`, `1 h 20 min`; an em dash when it is not known."""
    if seconds is None:
        return "—"
    if seconds < 0.1:
        return "under 0.1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    return remaining(timedelta(seconds=whole))


def remaining(left: timedelta) -> str:
    """Return what is left of a wait, to the minute: `2 d 4 h`, `5 h 12 min`, `3 min`."""
    minutes = max(0, int(left.total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def counted(number: int, one: str, many: str) -> str:
    """Return `1 habit`, `12,400 state changes`."""
    return f"{number:,} {one if number == 1 else many}"


def listed(words: list[str], joint: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"


def size(count: int) -> str:
    """Return bytes as `820 KB` or `3.1 MB`."""
    return f"{count / 1e6:,.1f} MB" if count >= 1_000_000 else f"{max(1, round(count / 1e3)):,} KB"


def sentence(text: str | None) -> str:
    """Return a line (an error's, a neighbour's) as a sentence; an address at its start is left as it is."""
    text = " ".join((text or "").split())
    if not text:
        return ""
    if text.partition(" ")[0].isalpha():
        text = text[0].upper() + text[1:]
    return text + ("" if text[-1] in ".!?" else ".")
