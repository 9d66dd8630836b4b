"""A suggestion as its card shows it: the sentence, the automation in words, the evidence."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from app.habits.days import DAY_TYPES
from app.habits.suggestion import Evidence, Suggestion
from app.habits.suggestions import Offered
from app.model import Home
from app.web.automation import Reading, as_yaml, read_automation
from app.web.drawings import Strip, draw_days
from app.web.wording import counted, date_text, time_of

_MOST_DATES = 24
"""Instants shown of each kind; the strip shows them all."""
_DAY_TYPES = frozenset(DAY_TYPES) - {"daily"}
_RISKS = {
    "confirm": "A mistake here costs more than a lamp left on. Think twice before you let it run alone."
}


@dataclass(frozen=True, slots=True)
class Dates:
    """Instants of one kind, the newest first: one text for each day, such as `Tue 17 Nov 23:08, 23:40`."""

    label: str
    days: tuple[str, ...]
    has_older: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What the template lays out; every text may be hostile and is escaped there."""

    anchor: str
    title: str
    description: str
    risk: str
    is_new: bool
    reading: Reading
    yaml: str
    yaml_url: str
    path: str
    """The way to its own page, from the first page."""
    returned: str
    kept: str
    strip: Strip | None
    strip_span: str
    strip_said: str
    replay: str
    wanted: int
    unwanted: int
    missed: int
    sureness: int
    dates: tuple[Dates, ...]


def make_cards(offered: Sequence[Offered], home: Home | None, zone: ZoneInfo) -> list[Card]:
    """Lay out what is on offer; a few milliseconds each, so not on the event loop."""
    newest = max((one.last_seen for one in offered), default=None)
    return [_card(one, home, zone, is_new=one.first_seen == newest) for one in offered]


def _card(offered: Offered, home: Home | None, zone: ZoneInfo, *, is_new: bool) -> Card:
    suggestion = offered.suggestion
    evidence = suggestion.evidence
    kept, missed = _instants(evidence.examples), _instants(evidence.misses)
    # The night's own day is hardly begun: the strip ends the day before, unless something is known of it.
    days = [instant.astimezone(zone).date() for instant in (*kept, *missed)]
    last = max(days, default=offered.last_seen.astimezone(zone).date() - timedelta(days=1))
    whole_since = _whole_since(kept, missed, evidence, zone)
    strip = draw_days(kept, missed, zone, last=last, whole_since=whole_since)
    return Card(
        # An id comes from the data: only its digest is certain to be a name.
        anchor="s-" + hashlib.sha256(suggestion.id.encode()).hexdigest()[:10],
        title=suggestion.title,
        # A template's sentences give the evidence, which the card draws; a model's say something more.
        description=suggestion.description if offered.words_key else "",
        risk=_RISKS.get(suggestion.risk, ""),
        is_new=is_new,
        reading=read_automation(suggestion.automation, home),
        yaml=as_yaml(suggestion.automation),
        yaml_url=f"api/suggestions/{quote(suggestion.id, safe='')}/automation.yaml",
        path=f"suggestions/{quote(suggestion.id, safe='')}",
        returned=offered.returned.said(zone, "Someone") if offered.returned else "",
        kept=_kept(suggestion),
        strip=strip,
        strip_span=f"{'The newest: ' if whole_since else ''}{_span(strip)}" if strip else "",
        strip_said=_said(strip),
        replay=_replay(evidence),
        wanted=evidence.replay.wanted,
        unwanted=evidence.replay.unwanted,
        missed=evidence.replay.missed,
        sureness=round(evidence.confidence * 100),
        dates=_all_dates(evidence, zone),
    )


def _instants(texts: Sequence[str]) -> list[datetime]:
    return sorted(datetime.fromisoformat(text) for text in texts)


def _whole_since(
    kept: list[datetime], missed: list[datetime], evidence: Evidence, zone: ZoneInfo
) -> datetime | None:
    """Return since when the (sorted) instants are all there, None if they all are.

    Evidence carries the newest of each kind, up to the same number: if days that were counted have no
    instant, the older ones are missing, and those not kept may be too if there are as many of them.
    """
    if len({instant.astimezone(zone).date() for instant in kept}) >= evidence.days_kept or not kept:
        return None
    return max(kept[0], missed[0]) if len(missed) >= len(kept) else kept[0]


def _kept(suggestion: Suggestion) -> str:
    """Return the first thing that speaks for it: on how many days it was kept."""
    evidence = suggestion.evidence
    days = _days(evidence.days_observed, suggestion.habit.get("day_type"))
    if suggestion.habit.get("trigger"):
        return f"It came up on {days}, and you did this on {evidence.days_kept}"
    return f"You did this on {evidence.days_kept} of {days}"


def _replay(evidence: Evidence) -> str:
    replay = evidence.replay
    fires = counted(replay.fires, "time", "times")
    return f"Tried on {counted(replay.days, 'later day', 'later days')}, it would have run {fires}:"


def _days(observed: int, day_type: object) -> str:
    """Return `21 workdays`, `4 Mondays`, `9 weekend days`, `30 days`."""
    if day_type not in _DAY_TYPES:
        return counted(observed, "day", "days")
    if day_type == "weekends":
        return counted(observed, "weekend day", "weekend days")
    many = str(day_type) if day_type == "workdays" else str(day_type).capitalize()
    return counted(observed, many.removesuffix("s"), many)


def _span(strip: Strip) -> str:
    return f"{date_text(strip.first)} to {date_text(strip.last)}"


def _said(strip: Strip | None) -> str:
    if strip is None:
        return ""
    return f"From {_span(strip)}: done on {strip.days_kept} days, not done on {strip.days_missed}."


def _all_dates(evidence: Evidence, zone: ZoneInfo) -> tuple[Dates, ...]:
    """Return the dates of each kind that there are; those of the trial apart where they are known."""
    # Empty in what an earlier version stored.
    unwanted, missed = evidence.replay.unwanted_at, evidence.replay.missed_at
    in_trial = {*unwanted, *missed}
    rest = [text for text in evidence.misses if text not in in_trial]
    kinds = (
        ("You did it", evidence.examples),
        ("In the trial it would have run, and you did not want it", unwanted),
        ("In the trial you did it, and it would have missed that", missed),
        ("Not kept before the trial" if in_trial else "Not kept", rest),
    )
    return tuple(_dates(label, texts, zone) for label, texts in kinds if texts)


def _dates(label: str, texts: Sequence[str], zone: ZoneInfo) -> Dates:
    newest = _instants(texts)[-_MOST_DATES:]
    days: dict[date, list[str]] = {}
    for instant in newest:
        days.setdefault(instant.astimezone(zone).date(), []).append(time_of(instant, zone))
    said = [f"{date_text(day)} {', '.join(times)}" for day, times in days.items()]
    return Dates(label, tuple(reversed(said)), has_older=len(texts) > len(newest))
