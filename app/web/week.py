"""When things run in the coming week: a map of seven days and 24 hours, and where two jobs meet.

Instants are put into the home's own days and hours one by one, so that a day of 23 or 25 hours is right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.jobs.due import When
from app.web.wording import date_text, listed, time_of

DAYS: Final = 7
MOST_INSTANTS: Final = 2_100
"""Of one job in a week: every five minutes. What runs more often is no map but a background."""
_LANES: Final = 3
_WIDE, _GAP = 9, 2
ROW_HEIGHT: Final = 22
_LEAST: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Planned:
    """A job on the map: when it comes round, and how many seconds it usually takes (None: not known)."""

    title: str
    when: When
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour in which something starts: a bar for each of up to three starts; `said` may be hostile."""

    path: str
    meets: bool
    said: str


@dataclass(frozen=True, slots=True)
class Day:
    """A row of the map; `gone` draws the hour that a change of clocks takes out, "" on other days."""

    label: str
    cells: tuple[Cell, ...]
    gone: str


@dataclass(frozen=True, slots=True)
class Week:
    """The map, where jobs `meet`, and which run `always` (too often to be drawn); texts may be hostile."""

    days: tuple[Day, ...]
    meet: tuple[str, ...]
    always: tuple[str, ...]
    starts: int


@dataclass(frozen=True, slots=True)
class _Start:
    at: datetime
    until: datetime
    title: str


def draw_week(planned: Sequence[Planned], now: datetime, zone: ZoneInfo) -> Week:
    """Draw the seven local days from today on. Some milliseconds per job: not on the event loop."""
    days = [now.astimezone(zone).date() + timedelta(days=number) for number in range(DAYS)]
    begin, end = _midnight(days[0], zone), _midnight(days[-1] + timedelta(days=1), zone)
    starts: list[_Start] = []
    always = []
    for one in planned:
        # `between` leaves out its first instant and has its last one.
        instants = one.when.between(begin - _LEAST, end - _LEAST, MOST_INSTANTS + 1)
        if len(instants) > MOST_INSTANTS:
            always.append(one.title)
            continue
        takes = max(_LEAST, timedelta(seconds=one.seconds or 0))
        starts += [_Start(at, at + takes, one.title) for at in instants]
    starts.sort(key=lambda start: (start.at, start.title))
    met = _meetings(starts)
    cells: dict[tuple[date, int], list[_Start]] = {}
    for start in starts:
        local = start.at.astimezone(zone)
        cells.setdefault((local.date(), local.hour), []).append(start)
    rows = [
        Day(
            "Today" if number == 0 else date_text(day).rpartition(" ")[0],
            tuple(_cell(hour, cells[day, hour], met, zone) for hour in range(24) if (day, hour) in cells),
            "".join(_track(hour) for hour in range(24) if _is_gone(day, hour, zone)),
        )
        for number, day in enumerate(days)
    ]
    return Week(tuple(rows), _say_meetings(met, zone), tuple(always), len(starts))


def tracks() -> str:
    """Return the path of an empty row: 24 hours."""
    return "".join(_track(hour) for hour in range(24))


def _meetings(starts: Sequence[_Start]) -> dict[datetime, set[str]]:
    """Return when a run starts while that of another job probably still goes on, and which jobs those are."""
    met: dict[datetime, set[str]] = {}
    going: list[_Start] = []
    for start in starts:
        going = [one for one in going if one.until > start.at]
        if others := {one.title for one in going if one.title != start.title}:
            met.setdefault(start.at, set()).update(others | {start.title})
        going.append(start)
    return met


def _say_meetings(met: Mapping[datetime, set[str]], zone: ZoneInfo) -> tuple[str, ...]:
    """Say each meeting once, with the days on which it happens."""
    found: dict[tuple[str, tuple[str, ...]], list[date]] = {}
    for at, titles in met.items():
        local = at.astimezone(zone)
        found.setdefault((time_of(at, zone), tuple(sorted(titles))), []).append(local.date())
    said = []
    for (clock, names), days in sorted(found.items()):
        weekdays = [date_text(day).split(" ")[0] for day in sorted(set(days))]
        on = "Every day" if len(weekdays) == DAYS else listed(weekdays)
        said.append(f"{on} at {clock}: {listed(list(names))}")
    return tuple(said)


def _cell(hour: int, starts: Sequence[_Start], met: Mapping[datetime, set[str]], zone: ZoneInfo) -> Cell:
    met_here = any(start.at in met for start in starts)
    by_title: dict[str, list[str]] = {}
    for start in starts:
        by_title.setdefault(start.title, []).append(time_of(start.at, zone))
    said = "; ".join(
        f"{title} at {times[0]}" if len(times) == 1 else f"{title} {len(times)} times from {times[0]}"
        for title, times in by_title.items()
    )
    return Cell(_bars(hour, min(len(starts), _LANES), hollow=met_here), met_here, said)


def _bars(hour: int, count: int, *, hollow: bool) -> str:
    """Draw an hour's bars over its whole height; hollow ones stand for jobs that meet."""
    tall = (ROW_HEIGHT - (count - 1) * _GAP) / count
    path = ""
    for number in range(count):
        y = number * (tall + _GAP)
        path += f"M{hour * 10} {y:.3g}h{_WIDE}v{tall:.3g}h-{_WIDE}z"
        if hollow:
            path += f"M{hour * 10 + 2} {y + 2:.3g}h{_WIDE - 4}v{tall - 4:.3g}h-{_WIDE - 4}z"
    return path


def _track(hour: int) -> str:
    return f"M{hour * 10} 0h{_WIDE}v{ROW_HEIGHT}h-{_WIDE}z"


def _is_gone(day: date, hour: int, zone: ZoneInfo) -> bool:
    """Return whether that whole hour is left out on that day, because clocks go forward."""
    local = datetime(day.year, day.month, day.day, hour, 59, 59, tzinfo=zone)
    back = datetime.fromtimestamp(local.timestamp(), zone)
    first = local.replace(minute=0, second=0)
    return back.hour != hour and datetime.fromtimestamp(first.timestamp(), zone).hour != hour


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone)
