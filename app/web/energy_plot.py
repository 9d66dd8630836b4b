"""The chart of the energy: a bar for each day, before it the band that is usual for such a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from app.statistics.queries import EnergyDay
from app.web.plots import Label, Tick, day_labels, middle, scale_of
from app.web.wording import counted, date_text, listed


class Against(StrEnum):
    """How a day stands against what is usual; each has its own shape."""

    USUAL = "usual"
    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"
    """It is not over, hours of it are missing, or nothing is usual yet."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: `kind`, from where to where it is, its mark's place, and the day in words."""

    kind: Against
    x: float
    width: float
    y: float
    height: float
    middle: float
    said: str


@dataclass(frozen=True, slots=True)
class Band:
    """What is usual for one day, over its whole column."""

    x: float
    width: float
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class EnergyPlot:
    """`lead` is the newest whole day in a sentence; `rows` the table, newest first."""

    bars: tuple[Bar, ...]
    bands: tuple[Band, ...]
    ticks: tuple[Tick, ...]
    labels: tuple[Label, ...]
    kinds: tuple[Against, ...]
    lead: str
    said: str
    rows: tuple[tuple[str, str, str, str], ...]


def draw_energy(days: Sequence[EnergyDay], today: date) -> EnergyPlot | None:
    """Draw the days, oldest first. Returns None where nothing was measured."""
    known = [(number, day, day.kwh) for number, day in enumerate(days) if day.kwh is not None]
    if not known:
        return None
    highest = [value for day in days for value in (day.kwh, day.usual_high) if value is not None]
    scale = scale_of(highest, least=1.0, from_zero=True)
    pitch = 100 / len(days)
    bars = []
    for number, day, kwh in known:
        y = scale.y(max(0.0, kwh))
        bars.append(
            Bar(
                kind=_against(day),
                x=round((number + 0.2) * pitch, 3),
                width=round(0.6 * pitch, 3),
                y=y,
                height=round(100 - y, 2),
                middle=middle(number, len(days)),
                said=f"{date_text(day.day)}: {_kwh(kwh)}{_than(day, today)}",
            )
        )
    bands = [
        Band(
            round(number * pitch, 3),
            round(pitch, 3),
            scale.y(day.usual_high),
            round(max(0.8, scale.y(day.usual_low) - scale.y(day.usual_high)), 2),
        )
        for number, day in enumerate(days)
        if day.usual_low is not None and day.usual_high is not None
    ]
    kinds = [bar.kind for bar in bars]
    return EnergyPlot(
        bars=tuple(bars),
        bands=tuple(bands),
        ticks=scale.ticks(),
        labels=day_labels([day.day for day in days]),
        kinds=tuple(kind for kind in Against if kind in kinds),
        lead=_lead(days, today),
        said=_said(kinds),
        rows=tuple(_row(day, today) for day in reversed(days)),
    )


def _against(day: EnergyDay) -> Against:
    if not day.whole or day.kwh is None or day.usual_low is None or day.usual_high is None:
        return Against.OPEN
    if day.kwh > day.usual_high:
        return Against.ABOVE
    return Against.BELOW if day.kwh < day.usual_low else Against.USUAL


def _lead(days: Sequence[EnergyDay], today: date) -> str:
    newest = next((day for day in reversed(days) if day.whole and day.kwh is not None), None)
    if newest is None or newest.kwh is None:
        return "No whole day was measured yet."
    name = "Yesterday" if (today - newest.day).days == 1 else date_text(newest.day)
    said = f"{name} took {_kwh(newest.kwh)}"
    if newest.usual_low is None or newest.usual_high is None:
        return f"{said}. What is usual shows once there are enough days of its kind."
    words = {Against.ABOVE: "more than usual", Against.BELOW: "less than usual"}
    band = f"{newest.usual_low:.1f} to {_kwh(newest.usual_high)} on such a day"
    return f"{said}, {words.get(_against(newest), 'as usual')} ({band})."


def _said(kinds: Sequence[Against]) -> str:
    words = {
        Against.USUAL: "as usual",
        Against.ABOVE: "above the usual",
        Against.BELOW: "below the usual",
        Against.OPEN: "not whole, or without a usual yet",
    }
    counts = [f"{kinds.count(kind)} {said}" for kind, said in words.items() if kind in kinds]
    return f"Energy on {counted(len(kinds), 'day', 'days')}: {listed(counts)}."


def _than(day: EnergyDay, today: date) -> str:
    if day.day == today:
        return " so far"
    return {Against.ABOVE: ", above the usual", Against.BELOW: ", below the usual"}.get(_against(day), "")


def _row(day: EnergyDay, today: date) -> tuple[str, str, str, str]:
    remark = {
        Against.ABOVE: "above",
        Against.BELOW: "below",
        Against.USUAL: "as usual",
        Against.OPEN: "so far" if day.day == today else "not measured" if day.kwh is None else "—",
    }[_against(day)]
    usual = "—"
    if day.usual_low is not None and day.usual_high is not None:
        usual = f"{day.usual_low:.1f} to {_kwh(day.usual_high)}"
    return date_text(day.day), "—" if day.kwh is None else _kwh(day.kwh), usual, remark


def _kwh(value: float) -> str:
    return f"{value:,.1f} kWh"
