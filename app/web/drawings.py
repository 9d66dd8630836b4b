"""The geometry of a habit's strip of days; Jinja writes them as SVG, colours come from the style sheet.

Each kind of mark is one path, however many there are: a page with fifty strips stays small.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

SHOWN_DAYS: Final = 91
"""A quarter of a year: thirteen weeks."""
_CELLS: Final = ((35, 10, 3), (56, 6, 2), (SHOWN_DAYS, 4, 1))
"""Up to so many days: how wide a day and the gap after it are. A card has room for about 460 pixels."""
_TALL, _LOW, _RIM = 22, 4, 1.5


@dataclass(frozen=True, slots=True)
class Strip:
    """A row of days: `kept`, `missed` and `quiet` are SVG paths; all lengths in pixels."""

    width: int
    height: int
    kept: str
    missed: str
    quiet: str
    first: date
    last: date
    days_kept: int
    days_missed: int


def draw_days(
    kept: Iterable[datetime],
    missed: Iterable[datetime],
    zone: ZoneInfo,
    *,
    last: date,
    whole_since: datetime | None = None,
) -> Strip | None:
    """Draw on which days of the thirteen weeks up to the local day `last` a habit was kept and missed,
    from the first that is known.

    Kept days are filled and missed ones hollow, so that the colour is not all that tells them apart; a day
    with both counts as kept. Before `whole_since` (None: always known) nothing is drawn, for instants are
    missing there. Returns None when no day can be drawn.
    """
    kept_days = {instant.astimezone(zone).date() for instant in kept}
    missed_days = {instant.astimezone(zone).date() for instant in missed} - kept_days
    if not kept_days | missed_days:
        return None
    first = last - timedelta(days=SHOWN_DAYS - 1)
    known = max(first, whole_since.astimezone(zone).date() if whole_since else min(kept_days | missed_days))
    known = min(known, last)
    paths = {"kept": "", "missed": "", "quiet": ""}
    counts = dict.fromkeys(paths, 0)
    days = (last - known).days + 1
    cell, gap = next((cell, gap) for most, cell, gap in _CELLS if days <= most)
    for number in range(days):
        day = known + timedelta(days=number)
        kind = "kept" if day in kept_days else "missed" if day in missed_days else "quiet"
        tall = _LOW if kind == "quiet" else _TALL
        x = number * (cell + gap)
        paths[kind] += _box(x, (_TALL - tall) / 2, cell, tall)
        if kind == "missed":
            paths[kind] += _box(x + _RIM, _RIM, cell - 2 * _RIM, _TALL - 2 * _RIM)
        counts[kind] += 1
    return Strip(
        width=days * (cell + gap) - gap,
        height=_TALL,
        kept=paths["kept"],
        missed=paths["missed"],
        quiet=paths["quiet"],
        first=known,
        last=last,
        days_kept=counts["kept"],
        days_missed=counts["missed"],
    )


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:g} {y:.3g}h{width:g}v{height:.3g}h-{width:g}z"
