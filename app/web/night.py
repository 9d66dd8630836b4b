"""What happened last night, in a sentence: the first thing the page says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from app.jobs.run import Run, RunStatus, Trigger
from app.neighbours import Neighbour, NeighbourState
from app.web.wording import counted, day_of, duration, listed, sentence, time_of, when

_LATE: Final = timedelta(hours=36)


class Mood(StrEnum):
    """How the page should look at it."""

    WAITING = "waiting"
    WORKING = "working"
    GOOD = "good"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Night:
    """The headline, what was done, and what to do next (may be empty)."""

    mood: Mood
    title: str
    detail: str = ""
    advice: str = ""


def tell_night(
    last: Run | None,
    running: Run | None,
    following: datetime | None,
    hub: Neighbour,
    now: datetime,
    zone: ZoneInfo,
) -> Night:
    """Say how things stand. `last` is the newest run that is over, `following` the next planned one."""
    again = _again(following, now, zone)
    if running:
        return Night(Mood.WORKING, "Looking for habits", _started(running, now, zone))
    if last is None:
        return _first_night(following, hub, now, zone)
    ended = last.completed_at or last.started_at
    name = _name_of(last, now, zone)
    if last.status is not RunStatus.COMPLETED:
        return _tell_trouble(last, name, again, now, zone)
    if now - ended > _LATE and following is not None:
        return Night(
            Mood.WARNING,
            "Last night was missed",
            f"The last good run was {when(ended, now, zone)}. {_did(last)}",
            f"Nightshift was probably not running at the time. {again}",
        )
    if following is None:
        return Night(Mood.WAITING, f"{name} went well", _did(last), again)
    return Night(Mood.GOOD, f"{name} went well", _did(last))


def _tell_trouble(last: Run, name: str, again: str, now: datetime, zone: ZoneInfo) -> Night:
    """Say what became of a run that did not end well."""
    why = sentence(last.error_message)
    if last.cancelled:
        return Night(Mood.WAITING, f"{name} was cancelled", why, again)
    if last.status is RunStatus.RETRYING and last.next_retry_at is not None:
        tried = f"It is tried again {when(last.next_retry_at, now, zone)}; Run now tries at once."
        return Night(Mood.FAILED, f"{name} failed", why or "No reason was kept.", tried)
    told = {
        RunStatus.PARTIAL: Night(Mood.WARNING, f"{name} is incomplete", _did(last), why or again),
        RunStatus.INTERRUPTED: Night(Mood.WARNING, f"{name} was cut short", why or "It did not end.", again),
        RunStatus.SKIPPED: Night(Mood.WARNING, f"{name} was skipped", why, again),
    }
    failed = Night(Mood.FAILED, f"{name} failed", why or "No reason was kept.", again)
    return told.get(last.status, failed)


def _first_night(following: datetime | None, hub: Neighbour, now: datetime, zone: ZoneInfo) -> Night:
    if hub.state is NeighbourState.FAILED:
        return Night(
            Mood.WARNING,
            "Waiting for Home Assistant",
            sentence(hub.message) or "It does not answer.",
            f"Nightshift keeps trying by itself. {_first_run(following, now, zone)}",
        )
    if following is None:
        return Night(
            Mood.WAITING,
            "No night has run yet",
            "The nightly analysis is paused.",
            "Resume it, or press Run now.",
        )
    return Night(
        Mood.WAITING,
        "No night has run yet",
        f"{_first_run(following, now, zone)} It reads what happened at home and looks for habits.",
        "Press Run now if you would rather not wait.",
    )


def _first_run(following: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    if following is None:
        return "The nightly analysis is paused."
    first = {"today": "today", "tomorrow": "tonight"}.get(day_of(following, now, zone), "")
    planned = f"{first} at {time_of(following, zone)}" if first else when(following, now, zone)
    return f"The first run is {planned}."


def _name_of(run: Run, now: datetime, zone: ZoneInfo) -> str:
    """Return what people call that run: last night's only if it was planned and is of today."""
    planned = run.trigger is not Trigger.MANUAL
    if planned and run.started_at.astimezone(zone).date() == now.astimezone(zone).date():
        return "Last night"
    return "The last run"


def _did(run: Run) -> str:
    counts = run.counts
    parts = []
    if "events" in counts:
        days = f" over {counted(counts['days'], 'day', 'days')}" if counts.get("days") else ""
        parts.append(f"looked at {counted(counts['events'], 'state change', 'state changes')}{days}")
    if "patterns_detected" in counts:
        habits = counts["patterns_detected"]
        parts.append(f"found {counted(habits, 'habit', 'habits') if habits else 'no habits'}")
    if "suggestions_generated" in counts:
        parts.append(
            f"has {counted(counts['suggestions_generated'], 'suggestion', 'suggestions')} for you"
            if counts["suggestions_generated"]
            else "has nothing to suggest"
        )
    took = f" It took {duration(run.duration_seconds)}." if run.duration_seconds is not None else ""
    return f"Nightshift {listed(parts)}.{took}" if parts else took.strip()


def _started(run: Run, now: datetime, zone: ZoneInfo) -> str:
    who = {
        Trigger.MANUAL: "on request",
        Trigger.CATCH_UP: "to catch up on a missed night",
        Trigger.RETRY: "as a second try",
    }.get(run.trigger, "on schedule")
    return f"Started {when(run.started_at, now, zone)}, {who}."


def _again(following: datetime | None, now: datetime, zone: ZoneInfo) -> str:
    if following is None:
        return "The nightly analysis is paused: resume it, or press Run now."
    return f"It runs again {when(following, now, zone)}; Run now tries at once."
