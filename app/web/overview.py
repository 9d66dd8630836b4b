"""What ran last night, what went wrong and what to do: the first thing the jobs' page says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.jobs.run import Run, Trigger
from app.jobs.subject import Retry
from app.neighbours import Neighbour, NeighbourState
from app.web.history import TROUBLE, WORDS, Kind, came_of, kind_of
from app.web.night import Mood
from app.web.wording import counted, duration, listed, sentence, when

_EVENING: Final = 18
_MORNING: Final = 6
_LONGEST_WHY: Final = 160
RETRIES: Final = "#retries"
"""Where on the page the retry queue is."""
_DID: Final = {
    Kind.PART: "is incomplete",
    Kind.FAILED: "failed",
    Kind.RETRYING: "failed, and is tried again",
    Kind.CUT: "was cut short",
    Kind.MISSED: "was missed",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How one job stands for one home. `newest` is its newest run that is over or was missed."""

    job: str
    title: str
    home_id: str
    home: str
    """The home's name where there are several, else ""."""
    newest: Run | None
    running: Run | None
    following: datetime | None
    paused: bool
    failures: int
    alert_after: int
    retries: tuple[Retry, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.title} ({self.home})" if self.home else self.title

    @property
    def kind(self) -> Kind | None:
        """How the newest run looks; None when there is none, or a person ended it."""
        if self.newest is None or self.newest.cancelled:
            return None
        return kind_of(self.newest)


@dataclass(frozen=True, slots=True)
class _Trouble:
    standing: Standing
    run: Run
    kind: Kind


@dataclass(frozen=True, slots=True)
class Line:
    """A run in the overview: its shape, its job, what is said of it, its page; texts may be hostile."""

    kind: Kind
    title: str
    text: str
    path: str


@dataclass(frozen=True, slots=True)
class ToDo:
    """What to do, with a button (`label`, which calls `post`) and a link (`link`, to `path`) where not ""."""

    text: str
    post: str = ""
    label: str = ""
    path: str = ""
    link: str = ""
    home_id: str = ""
    """For which home the button is, where there are several."""


@dataclass(frozen=True, slots=True)
class Overview:
    """The headline and the three answers, each possibly empty; `since` says how far `ran` looks back."""

    mood: Mood
    title: str
    since: str
    ran: tuple[Line, ...]
    wrong: tuple[Line, ...]
    to_do: tuple[ToDo, ...]
    next: str
    """What runs next, and when."""
    attention: int
    """How many things somebody has to look at."""


def tell_overview(standings: Sequence[Standing], hub: Neighbour, now: datetime, zone: ZoneInfo) -> Overview:
    """Say how the jobs stand."""
    since = last_evening(now, zone)
    ran = [_going(one, one.running, now, zone) for one in standings if one.running]
    ran += [_ran(one, run, now, zone) for one in standings if (run := _since(one, since))]
    troubled = [
        _Trouble(one, one.newest, one.kind)
        for one in standings
        if one.newest and one.kind in TROUBLE and not one.running
    ]
    dead = [retry for one in standings for retry in one.retries if retry.dead]
    wrong = [_wrong(trouble, now, zone) for trouble in troubled]
    to_do = [
        replace(_to_do(trouble, now, zone), home_id=trouble.standing.home_id if trouble.standing.home else "")
        for trouble in troubled
    ]
    if dead:
        names = listed([_short(retry.name or retry.subject_id, 40) for retry in dead[:3]])
        more = f" and {len(dead) - 3} more" if len(dead) > 3 else ""
        wrong.append(Line(Kind.FAILED, f"{len(dead)} given up", f"{names}{more}: every try failed.", RETRIES))
        to_do.append(
            ToDo("Decide on what was given up: try it again, or dismiss it.", path=RETRIES, link="Show it")
        )
    if troubled and hub.state is NeighbourState.FAILED:
        to_do.insert(0, ToDo(f"Check that Home Assistant runs. {sentence(hub.message)}".strip()))
    to_do += [
        ToDo(
            f"{one.title} is paused: resume it when it should run again.",
            f"api/jobs/{one.job}/resume",
            "Resume",
        )
        for one in {one.job: one for one in standings if one.paused}.values()
    ]
    return Overview(
        mood=_mood(standings, troubled, dead),
        title=_title(standings, troubled, dead, since),
        since=f"since {when(since, now, zone)}",
        ran=tuple(ran),
        wrong=tuple(wrong),
        to_do=tuple(to_do),
        next=_next(standings, now, zone),
        attention=len(dead) + sum(trouble.kind is not Kind.RETRYING for trouble in troubled),
    )


def last_evening(now: datetime, zone: ZoneInfo) -> datetime:
    """Return when last night began: yesterday evening; before six in the morning the evening before that.

    So that somebody who looks at one in the morning still sees the night before.
    """
    local = now.astimezone(zone)
    day = local.date() - timedelta(days=1 if local.hour >= _MORNING else 2)
    return datetime(day.year, day.month, day.day, _EVENING, tzinfo=zone)


def _since(one: Standing, since: datetime) -> Run | None:
    """Return the newest run if it ran since then."""
    run = one.newest
    if run is None or kind_of(run) is Kind.MISSED or (run.completed_at or run.started_at) < since:
        return None
    return run


def _ran(one: Standing, run: Run, now: datetime, zone: ZoneInfo) -> Line:
    kind = kind_of(run)
    word = "cancelled" if run.cancelled else WORDS[Kind.FAILED if kind is Kind.RETRYING else kind]
    took = f" in {duration(run.duration_seconds)}" if run.duration_seconds is not None else ""
    came = came_of(run)
    text = f"{when(run.started_at, now, zone)}: {word}{took}" + (f", {came}" if came else "")
    return Line(kind, one.name, sentence(text), f"runs/{run.run_id}")


def _going(one: Standing, run: Run, now: datetime, zone: ZoneInfo) -> Line:
    text = f"Running since {when(run.started_at, now, zone)}."
    return Line(Kind.RUNNING, one.name, text, f"runs/{run.run_id}")


def _wrong(trouble: _Trouble, now: datetime, zone: ZoneInfo) -> Line:
    one, run = trouble.standing, trouble.run
    why = _short(sentence(run.error_message) or "No reason was kept.", _LONGEST_WHY)
    row = f" It failed {one.failures} times in a row." if one.failures > 1 else ""
    at = when(run.scheduled_for or run.started_at, now, zone)
    text = f"{at[0].upper()}{at[1:]}: {why}{row}"
    return Line(trouble.kind, f"{one.name} {_DID[trouble.kind]}", text, f"runs/{run.run_id}")


def _to_do(trouble: _Trouble, now: datetime, zone: ZoneInfo) -> ToDo:
    """Say what there is to do about a job in trouble; often nothing."""
    one, run = trouble.standing, trouble.run
    run_now, its_page = f"api/jobs/{one.job}/run", f"runs/{run.run_id}"
    waiting = [retry.next_retry_at for retry in one.retries if retry.next_retry_at is not None]
    if trouble.kind is Kind.RETRYING and run.next_retry_at:
        again = when(run.next_retry_at, now, zone)
        return ToDo(f"Nothing yet: {one.name} is tried again {again}.", run_now, "Try now")
    if trouble.kind is Kind.PART and waiting:
        who = "the one that failed is" if len(waiting) == 1 else f"the {len(waiting)} that failed are"
        return ToDo(
            f"Nothing yet: {who} tried again alone {when(min(waiting), now, zone)}.",
            path=RETRIES,
            link="Show",
        )
    if one.failures >= one.alert_after:
        said = f"Look at the log of {one.name} and mend what it stumbles over: waiting has not helped."
        return ToDo(said, run_now, "Run now", its_page, "See its log")
    if one.paused:
        return ToDo(f"Run {one.name} once more, or leave it: it is paused.", run_now, "Run now")
    following = f"runs again {when(one.following, now, zone)}" if one.following else "does not run by itself"
    return ToDo(f"{one.name} {following}. Run it now if you would rather not wait.", run_now, "Run now")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _next(standings: Sequence[Standing], now: datetime, zone: ZoneInfo) -> str:
    planned = [(one.following, one.name) for one in standings if one.following]
    if not planned:
        return "No run is planned."
    following, name = min(planned)
    return f"Next is {name}, {when(following, now, zone)}."


def _mood(standings: Sequence[Standing], troubled: Sequence[_Trouble], dead: Sequence[Retry]) -> Mood:
    if any(trouble.kind is Kind.FAILED for trouble in troubled):
        return Mood.FAILED
    if troubled or dead:
        return Mood.WARNING
    if any(one.running for one in standings):
        return Mood.WORKING
    resting = all(one.paused or one.newest is None for one in standings)
    return Mood.WAITING if resting else Mood.GOOD


def _title(
    standings: Sequence[Standing], troubled: Sequence[_Trouble], dead: Sequence[Retry], since: datetime
) -> str:
    if len(troubled) == 1:
        (trouble,) = troubled
        return f"{trouble.standing.name} {_DID[trouble.kind]}"
    if troubled:
        return f"{len(troubled)} of {counted(len(standings), 'job', 'jobs')} did not go well"
    if dead:
        return f"{counted(len(dead), 'thing was', 'things were')} given up"
    return _calm_title(standings, since)


def _calm_title(standings: Sequence[Standing], since: datetime) -> str:
    if running := [one.name for one in standings if one.running]:
        return f"{listed(running)} {'is' if len(running) == 1 else 'are'} running"
    if all(one.paused for one in standings):
        return "All jobs are paused"
    if ran := [run for one in standings if (run := _since(one, since))]:
        by_itself = any(run.trigger is not Trigger.MANUAL for run in ran)
        return "Last night went well" if by_itself else "All is well"
    if any(one.newest for one in standings):
        return "Nothing ran last night, and nothing was due"
    return "No job has run yet"
