"""What the web's tests share: a house of real parts with two jobs that wait to be let go, and ways in.

One job is the nightly analysis; the other works through people, one by one, so that a part of it can fail.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from app.archive.archive import Archive, ArchiveSize
from app.bus import Bus
from app.clock import Clock, TurnedClock
from app.errors import InputError, NeighbourError
from app.habits.nightly import analysis_job
from app.habits.offers.decisions import Decisions
from app.habits.offers.deploying import Deploying
from app.habits.offers.exclusions import Exclusions
from app.habits.offers.offers import Offers
from app.habits.offers.replays import Replays
from app.habits.offers.watches import Watches
from app.habits.suggestion import Evidence, Replay, Suggestion
from app.habits.suggestions import Suggestions
from app.hub.editor import AutomationEditor
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.policies import RateLimit
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import AlreadyRunningError, Run
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec, Outcome, Subjects
from app.jobs.subject import Subject
from app.jobs.tally import Tally
from app.model import Entity, Home, User
from app.neighbours import Neighbours
from app.options import Options
from app.store.database import Store
from app.upkeep.metrics import Metrics
from app.upkeep.monitor import Monitor
from app.upkeep.sight import UpkeepParts
from app.web.app import FEED, build_web
from app.web.live import LiveFeed
from app.web.parts import WebParts
from tests.web.morning import Morning, morning

KEY = "a key of sixteen and more"
NOON = datetime(2026, 3, 10, 11, 0, tzinfo=UTC)
PROOF = {"X-Nightshift": "1"}
ADMIN = {"X-Remote-User-Id": "admin", "X-Ingress-Path": "/api/hassio_ingress/abc_DEF-1"}
HOME = Home(
    name="Canal House",
    time_zone="Europe/Amsterdam",
    users=(User(id="admin", is_admin=True), User(id="guest")),
    entities=(Entity(entity_id="light.kitchen", name="Kitchen lamp"),),
)


class Analysis:
    """The job's work: says where it is, waits for `open`, then counts or fails as told.

    What is put into `lines` meanwhile it writes to its log.
    """

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self.error = ""
        self.counts = {"events": 1234, "days": 30, "patterns_detected": 4, "suggestions_generated": 2}
        self.details: dict[str, Any] = {}
        self.context: RunContext | None = None

    async def __call__(self, context: RunContext) -> Outcome:
        self.context = context
        context.log.info("Reading from %s", "Canal House")
        context.progress("Reading what happened", 3, 10)
        logging_on = asyncio.create_task(self._log(context))
        await self.open.wait()
        logging_on.cancel()
        if self.error:
            raise NeighbourError(self.error)
        return Outcome(counts=self.counts, details=self.details)

    async def _log(self, context: RunContext) -> None:
        while True:
            context.log.info("%s", await self.lines.get())


class Outlook:
    """A job for people, one by one: each waits for `open`, then fails if its id is in `failing`."""

    def __init__(self) -> None:
        self.people = [Subject("anna", "Anna"), Subject("ben", "Ben"), Subject("chen", "Chen")]
        self.open = asyncio.Event()
        self.open.set()
        self.failing: dict[str, str] = {}
        self.done: list[str] = []

    async def everybody(self, context: RunContext) -> list[Subject]:
        context.log.info("There are %d people", len(self.people))
        return self.people

    async def write(self, context: RunContext, person: Subject) -> dict[str, int]:
        context.log.info("Writing to %s", person.label)
        await self.open.wait()
        if error := self.failing.get(person.subject_id):
            raise InputError(error)
        self.done.append(person.subject_id)
        return {"words": 40}

    def job(self, **changes: Any) -> JobSpec:
        given: dict[str, Any] = {
            "name": "outlook",
            "title": "Daily outlook",
            "description": "Writes to each person what the day will bring.",
            "schedule": "45 6 * * MON-FRI",
            "subjects": Subjects(self.everybody, self.write),
            "rate_limit": RateLimit(20, timedelta(hours=1)),
        }
        return JobSpec(**{**given, **changes})


@dataclass
class House:
    """A running web application over real parts."""

    parts: WebParts
    store: Store
    server: TestServer
    analysis: Analysis
    outlook: Outlook
    feed: LiveFeed
    morning: Morning
    known: dict[str, Home] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def run_once(self) -> Run:
        """Let one whole run of the analysis happen."""
        run = await self.parts.jobs.trigger("analysis")
        self.analysis.open.set()
        ended = await self.parts.jobs.wait(run.run_id)
        self.analysis.open.clear()
        return ended

    async def write_once(self) -> Run:
        """Let one whole run of the outlook happen."""
        run = await self.parts.jobs.trigger("outlook", force=True)
        return await self.parts.jobs.wait(run.run_id)


@asynccontextmanager
async def house(
    folder: Path,
    *,
    clock: Clock | None = None,
    home: Home | None = HOME,
    options: Options | None = None,
    ingress: bool = False,
    editor: AutomationEditor | None = None,
    **changes: Any,
) -> AsyncIterator[House]:
    """Open a house; everyone comes from 127.0.0.1, whom `changes` (of WebParts) let in one way or another."""
    clock = clock or TurnedClock(NOON)
    bus = Bus()
    store = Store(folder / "nightshift.db", clock)
    await store.open()
    work, outlook = Analysis(), Outlook()
    known = {"home": home} if home else {}
    specs = [analysis_job(work, "0 3 * * *"), outlook.job()]
    parts = _parts(folder, store, bus, clock, known, specs, editor, changes)
    parts = replace(parts, options=options or Options(), ingress=ingress)
    rooms = morning(store, bus, clock, lambda: known.get("home"))
    app = build_web(parts, rooms.parts)
    server = TestServer(app)
    logger = logging.getLogger("app")
    level = logger.level
    logger.setLevel(logging.INFO)  # as the option `log_level` has it
    try:
        await parts.jobs.start()
        parts.offers.deploying.start()
        await server.start_server()
        yield House(parts, store, server, work, outlook, app[FEED], rooms, known)
    finally:
        await server.close()
        await parts.offers.deploying.stop()
        await parts.jobs.stop(0)
        parts.monitor.close()
        parts.metrics.close()
        await store.close()
        logger.setLevel(level)


def _parts(
    folder: Path,
    store: Store,
    bus: Bus,
    clock: Clock,
    known: dict[str, Home],
    specs: list[JobSpec],
    editor: AutomationEditor | None,
    changes: dict[str, Any],
) -> WebParts:
    ledger = Ledger(store, clock)
    queue = RetryQueue(store, clock, ledger.generation, bus)
    log = RunLog(store, bus, clock)
    neighbours = Neighbours(bus, clock)
    jobs = Jobs(
        specs,
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock),
        places=[Place("home", ZoneInfo("Europe/Amsterdam"))],
        schedule_path=folder / "clock.db",
        queue=queue,
        log=log,
    )
    upkeep = UpkeepParts(
        clock=clock,
        store=store,
        jobs=lambda: jobs,
        ledger=ledger,
        tally=Tally(store),
        queue=queue,
        archive=Archive(store, clock),
        neighbours=neighbours,
    )
    monitor = Monitor(upkeep, bus)

    async def size() -> ArchiveSize:
        await asyncio.sleep(0)
        return ArchiveSize(1234, 30, NOON - timedelta(days=30), NOON, 40_000)

    suggestions = Suggestions(store, bus, clock, lambda: known.get("home"))
    decisions = Decisions(store, bus, clock)
    offers = Offers(
        home_id="home",
        home=lambda: known.get("home"),
        suggestions=suggestions,
        decisions=decisions,
        exclusions=Exclusions(store, clock),
        deploying=Deploying(
            home_id="home", editor=editor, decisions=decisions, neighbours=neighbours, bus=bus, clock=clock
        ),
        clock=clock,
        watches=Watches(store, bus, clock),
    )
    given: dict[str, Any] = {
        "options": Options(),
        "clock": clock,
        "bus": bus,
        "neighbours": neighbours,
        "jobs": jobs,
        "ledger": ledger,
        "results": SubjectResults(store),
        "queue": queue,
        "log": log,
        "monitor": monitor,
        "metrics": Metrics(upkeep, monitor, bus),
        "suggestions": suggestions,
        "offers": offers,
        "replays": Replays(
            home=lambda: known.get("home"),
            suggestions=suggestions,
            decisions=decisions,
            archive=Archive(store, clock),
            engine=EmbeddedEngine(clock),
            keep_days=400,
        ),
        "home": lambda: known.get("home"),
        "archive_size": size,
        "ingress": False,
    }
    return WebParts(**{**given, **changes})


@asynccontextmanager
async def local_house(folder: Path, **changes: Any) -> AsyncIterator[tuple[House, ClientSession]]:
    """Open a house that listens on loopback only, as the demo does, and a program beside it."""
    async with (
        house(folder, loopback_only=True, **changes) as opened,
        ClientSession(opened.url, headers=PROOF) as http,
    ):
        yield opened, http


@asynccontextmanager
async def ingress_house(folder: Path, **changes: Any) -> AsyncIterator[tuple[House, ClientSession]]:
    """Open a house under the Supervisor, and an administrator who comes through it."""
    peers = frozenset({"127.0.0.1"})
    async with (
        house(folder, ingress=True, ingress_peers=peers, **changes) as opened,
        ClientSession(opened.url, headers={**PROOF, **ADMIN}) as http,
    ):
        yield opened, http


async def until(condition: Callable[[], Any]) -> None:
    """Come back when the condition holds; the test's time limit is the bound."""
    while not condition():
        await asyncio.sleep(0.005)


def suggestion(identity: str = "clock-kitchen", **changes: Any) -> Suggestion:
    """Return a suggestion with everything in it."""
    given: dict[str, Any] = {
        "id": identity,
        "title": "Kitchen lamp on at 7:00",
        "description": "On workdays the kitchen lamp is switched on at about 7:00.",
        "kind": "clock",
        "habit": {"day_type": "workdays"},
        "automation": {
            "alias": "Kitchen lamp on at 7:00",
            "triggers": [{"trigger": "time", "at": "07:00:00"}],
            "conditions": [{"condition": "time", "weekday": ["mon", "tue", "wed", "thu", "fri"]}],
            "actions": [{"action": "light.turn_on", "target": {"entity_id": ["light.kitchen"]}}],
            "mode": "single",
        },
        "evidence": Evidence(
            days_observed=21,
            days_kept=19,
            confidence=0.87,
            replay=Replay(days=9, fires=24, wanted=22, unwanted=2, missed=3, precision=0.91, coverage=0.88),
            examples=["2026-03-05T07:01:00+01:00", "2026-03-09T06:58:00+01:00"],
            misses=["2026-03-06T07:00:00+01:00"],
        ),
        "risk": "low",
    }
    return Suggestion(**{**given, **changes})


async def offer(opened: House, *suggestions: Suggestion) -> None:
    """Put suggestions on offer, as a night does."""
    await opened.parts.suggestions.replace("home", "run", [(one, "worded") for one in suggestions])


async def give_up_on_ben(opened: House) -> int:
    """Let Ben fail until he is given up; return his number in the queue."""
    jobs = opened.parts.jobs
    opened.outlook.failing = {"ben": "no calendar of this name"}
    await opened.write_once()
    while True:  # the test's time limit is the bound
        (retry,) = await opened.parts.queue.all()
        if retry.dead:
            return retry.retry_id
        # It may just be tried by itself.
        with suppress(AlreadyRunningError, InputError):
            await jobs.wait((await jobs.retry_subject(retry.retry_id)).run_id)
        await asyncio.sleep(0.005)
