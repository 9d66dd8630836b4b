"""The geometry of what the job pages draw of runs: how each ended, and how long each took.

A kind has its own shape, so that colour is never all that tells them apart. One path holds all of a kind;
colours come from the style sheet. Lengths are in pixels.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

from app.jobs.run import Run, Trigger
from app.web.history import WORDS, Kind, kind_of, kinds_said
from app.web.wording import duration

STRIP_RUNS: Final = 30
_PITCH, CELL, TALL = 10, 8, 24
_CROSS: Final = "h2.8l1.2 3.6l1.2-3.6h2.8l-2.6 7l2.6 7h-2.8l-1.2-3.6l-1.2 3.6h-2.8l2.6-7z"
_SHAPES: Final[Mapping[Kind, str]] = {
    Kind.DONE: "m0 0h8v24h-8z",
    Kind.PART: "m0 0h8v24h-8zm1.5 1.5v11h5v-11z",
    Kind.FAILED: "m0 5" + _CROSS,
    Kind.RETRYING: "m0 2" + _CROSS + "m0 18h8v2.5h-8z",
    Kind.CUT: "m0 0h8v9h-8zm0 15h8v9h-8z",
    Kind.MISSED: "m4 2l4 10l-4 10l-4-10zm0 5l-2 5l2 5l2-5z",
    Kind.SKIPPED: "m0 11h8v2.5h-8z",
    Kind.RUNNING: "m0 5l8 7l-8 7z",
    Kind.WAITING: "m0 11h2v2h-2zm3 0h2v2h-2zm3 0h2v2h-2z",
}

LEAST_FOR_USUAL: Final = 8
"""Good runs that it takes to call a range of durations usual."""
_BARS: Final = ((30, 10, 7), (60, 5.2, 4), (90, 3.5, 2.5))
"""Up to so many runs: from one bar to the next, and how wide a bar is."""
_ROOM, _HEAD = 64.0, 10.0
_MUCH: Final = 2.0
"""So many times beyond the usual range is told: a fifth of all runs lies just outside of it."""
_WORTH_TELLING_SECONDS: Final = 1.0
_CUT_OFF: Final = 1.001
_GOOD: Final = frozenset({Kind.DONE, Kind.PART})
_RAN: Final = _GOOD | {Kind.FAILED, Kind.RETRYING, Kind.CUT}


@dataclass(frozen=True, slots=True)
class RunStrip:
    """The last runs, oldest first: a path for each kind that occurs, and all of it in words."""

    width: int
    height: int
    paths: tuple[tuple[Kind, str], ...]
    said: str


@dataclass(frozen=True, slots=True)
class Durations:
    """How long runs took, oldest first, as bars.

    `odd` ones are far outside of the usual range (hollow), `bad` ones did not end well (capped with a cross),
    `cut` marks those that are higher than the drawing. `band` is the usual range as (top, height), None
    before there is one.
    """

    width: float
    height: float
    good: str
    odd: str
    bad: str
    cut: str
    band: tuple[float, float] | None
    usual: str
    longest: str
    runs: int
    remark: str


def shape_of(kind: Kind) -> str:
    """Return the shape of a kind as a path in a box of 8 by 24."""
    return "M0 0" + _SHAPES[kind]


def draw_strip(runs: Sequence[Run]) -> RunStrip | None:
    """Draw how the newest 30 of `runs` (newest first) ended; None when there are none."""
    shown = list(reversed(runs[:STRIP_RUNS]))
    if not shown:
        return None
    kinds = [kind_of(run) for run in shown]
    paths = dict.fromkeys(kinds, "")
    for number, kind in enumerate(kinds):
        paths[kind] += f"M{number * _PITCH} 0{_SHAPES[kind]}"
    width = len(shown) * _PITCH - (_PITCH - CELL)
    said = f"The last {len(shown)} runs, oldest first: {kinds_said(kinds)}."
    if len(shown) == 1:
        said = f"The only run so far: {WORDS[kinds[0]]}."
    return RunStrip(width, TALL, tuple(paths.items()), said)


def usual_range(seconds: Sequence[float]) -> tuple[float, float] | None:
    """Return the 10th and the 90th percentile; None of too few to speak of a usual range."""
    if len(seconds) < LEAST_FOR_USUAL:
        return None
    tenths = quantiles(seconds, n=10, method="inclusive")
    return tenths[0], tenths[-1]


def draw_durations(runs: Sequence[Run]) -> Durations | None:
    """Draw how long the newest 90 of `runs` (newest first) took; None for fewer than two that ran."""
    ran = [(run, run.duration_seconds, kind_of(run)) for run in reversed(runs)]
    ran = [(run, took, kind) for run, took, kind in ran if took is not None and kind in _RAN]
    bars = [(took, kind) for _, took, kind in ran if took is not None][-_BARS[-1][0] :]
    if len(bars) < 2:
        return None
    usual = usual_range([took for took, kind in bars if kind in _GOOD])
    longest = max(took for took, _ in bars)
    # One run that took for ever must not flatten all others: it is cut off at the top.
    top = min(longest, 3 * usual[1]) if usual else longest
    pitch, wide = next((pitch, wide) for most, pitch, wide in _BARS if len(bars) <= most)
    paths, cut = {"good": "", "odd": "", "bad": ""}, ""
    for number, (took, kind) in enumerate(bars):
        x = number * pitch
        tall = max(2.0, min(took / (top or 1.0), 1.0) * _ROOM)
        y = _HEAD + _ROOM - tall
        if kind not in _GOOD:
            paths["bad"] += _box(x, y, wide, tall) + _cross(x + wide / 2, y - 5)
        elif usual and _is_odd(took, usual):
            inner = _box(x + 0.8, y + 0.8, wide - 1.6, max(0.4, tall - 1.6))
            paths["odd"] += _box(x, y, wide, tall) + inner
        else:
            paths["good"] += _box(x, y, wide, tall)
        if took > top * _CUT_OFF:
            cut += _box(x - 0.5, _HEAD + 4, wide + 1, 2)
    return Durations(
        width=round((len(bars) - 1) * pitch + wide, 1),
        height=_HEAD + _ROOM,
        **paths,
        cut=cut,
        band=_band(usual, top) if usual else None,
        usual=_range_said(usual) if usual else "",
        longest=duration(longest),
        runs=len(bars),
        # What a person starts between two nights finds little to do: that is as it should be.
        remark="" if ran[-1][0].trigger is Trigger.MANUAL else _remark(bars, usual),
    )


def _is_odd(took: float, usual: tuple[float, float]) -> bool:
    low, high = usual
    if high < _WORTH_TELLING_SECONDS and took < _WORTH_TELLING_SECONDS:
        return False
    return took < low / _MUCH or took > high * _MUCH


def _band(usual: tuple[float, float], top: float) -> tuple[float, float]:
    low, high = (min(one / (top or 1.0), 1.0) * _ROOM for one in usual)
    tall = max(1.5, high - low)
    return round(_HEAD + _ROOM - low - tall, 2), round(tall, 2)


def _range_said(usual: tuple[float, float]) -> str:
    low, high = (duration(one) for one in usual)
    return low if low == high else f"{low} to {high}"


def _remark(bars: Sequence[tuple[float, Kind]], usual: tuple[float, float] | None) -> str:
    """Return what is odd about the newest run: one that suddenly takes no time may have done nothing."""
    took, kind = bars[-1]
    if usual is None or kind not in _GOOD or not _is_odd(took, usual):
        return ""
    said = f"The last run took {duration(took)}; usually it takes {_range_said(usual)}."
    if took < usual[0]:
        return f"{said} One that is suddenly so short may have found nothing to do: look at what it counted."
    return f"{said} If that goes on, look at its log for what it waits for."


def _box(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.4g} {y:.4g}h{width:.3g}v{height:.4g}h-{width:.3g}z"


def _cross(x: float, y: float) -> str:
    """Draw a small cross with its middle there."""
    arms = "l1.2-1.2l1.3 1.3l1.3-1.3l1.2 1.2l-1.3 1.3l1.3 1.3l-1.2 1.2l-1.3-1.3l-1.3 1.3l-1.2-1.2l1.3-1.3z"
    return f"M{x - 2.5:.4g} {y - 1.3:.4g}{arms}"
