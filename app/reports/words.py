"""Numbers and times as a report says them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_LONGEST = 160


def counted(count: int, one: str, many: str = "") -> str:
    """Return `1 alert`, `3 alerts`, `no alerts`."""
    word = one if count == 1 else many or f"{one}s"
    return f"{count:,} {word}" if count else f"no {word}"


def kwh(energy: float) -> str:
    return f"{energy:,.1f} kWh" if energy < 100 else f"{energy:,.0f} kWh"


def lasted(span: timedelta) -> str:
    """Return `40 s`, `12 min`, `3 h 5 min`, `2 days 4 h`."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    said = f"{days} day" if days == 1 else f"{days} days"
    return f"{said} {hours} h" if hours else said


def at(instant: datetime, zone: ZoneInfo) -> str:
    return instant.astimezone(zone).strftime("%H:%M")


def on(instant: datetime, zone: ZoneInfo) -> str:
    local = instant.astimezone(zone)
    return f"{local.day} {local:%b %H:%M}"


def line(text: str) -> str:
    """Return a name or a text from the hub as one short line."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1] + "…"


def percent(share: float) -> str:
    """Return a change as `12 % more`, `5 % less`, `about as much`."""
    rounded = round(share * 100)
    return "about as much" if rounded == 0 else f"{abs(rounded)} % {'more' if rounded > 0 else 'less'}"
