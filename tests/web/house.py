"""What the web's tests share: a house of real parts with one job that waits to be let go, and ways in."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import ClientSession
from aiohttp.test_utils import TestServer

from app.archive.archive import ArchiveSize
from app.bus import Bus
from app.clock import Clock, TurnedClock
from app.errors import NeighbourError
from app.habits.nightly import analysis_job
from app.habits.offers.decisions import Decisions
from app.habits.offers.deploying import Deploying
from app.habits.offers.exclusions import Exclusions
from app.habits.offers.offers import Offers
from app.habits.suggestion import Evidence, Replay, Suggestion
from app.habits.suggestions import Suggestions
from app.hub.editor import AutomationEditor
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.runner import Jobs
from app.jobs.spec import Outcome
from app.model import Entity, Home, User
from app.neighbours import Neighbours
from app.options import Options
from app.store.database import Store
from app.web.app import FEED, build_web
from app.web.live import LiveFeed
from app.web.parts import WebParts

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
    """The job's work: says where it is, waits for `open`, then counts or fails as told."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.error = ""
        self.counts = {"events": 1234, "days": 30, "patterns_detected": 4, "suggestions_generated": 2}
        self.details: dict[str, Any] = {}
        self.context: RunContext | None = None

    async def __call__(self, context: RunContext) -> Outcome:
        self.context = context
        context.progress("Reading what happened", 3, 10)
        await self.open.wait()
        if self.error:
            raise NeighbourError(self.error)
        return Outcome(counts=self.counts, details=self.details)


@dataclass
class House:
    """A running web application over real parts."""

    parts: WebParts
    store: Store
    server: TestServer
    analysis: Analysis
    feed: LiveFeed
    known: dict[str, Home] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def run_once(self) -> None:
        """Let one whole run happen."""
        run = await self.parts.jobs.trigger("analysis")
        self.analysis.open.set()
        await self.parts.jobs.wait(run.run_id)
        self.analysis.open.clear()


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
    ledger = Ledger(store, clock)
    work = Analysis()
    jobs = Jobs(
        [analysis_job(work, "0 3 * * *")],
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock),
        zone=ZoneInfo("Europe/Amsterdam"),
        schedule_path=folder / "clock.db",
    )
    known = {"home": home} if home else {}

    async def size() -> ArchiveSize:
        await asyncio.sleep(0)
        return ArchiveSize(1234, 30, NOON - timedelta(days=30), NOON, 40_000)

    neighbours = Neighbours(bus, clock)
    suggestions = Suggestions(store, bus, clock, lambda: known.get("home"))
    decisions = Decisions(store, bus, clock)
    deploying = Deploying(
        home_id="home", editor=editor, decisions=decisions, neighbours=neighbours, bus=bus, clock=clock
    )
    offers = Offers(
        home_id="home",
        home=lambda: known.get("home"),
        suggestions=suggestions,
        decisions=decisions,
        exclusions=Exclusions(store, clock),
        deploying=deploying,
        clock=clock,
    )
    parts = WebParts(
        options=options or Options(),
        clock=clock,
        bus=bus,
        neighbours=neighbours,
        jobs=jobs,
        ledger=ledger,
        suggestions=suggestions,
        offers=offers,
        home=lambda: known.get("home"),
        archive_size=size,
        ingress=ingress,
        **changes,
    )
    app = build_web(parts)
    server = TestServer(app)
    try:
        await jobs.start()
        deploying.start()
        await server.start_server()
        yield House(parts, store, server, work, app[FEED], known)
    finally:
        await server.close()
        await deploying.stop()
        await jobs.stop(0)
        await store.close()


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
