"""The composition root: builds every room once, starts them in order, stops them in reverse.

Nothing else builds a room; a part receives what it needs.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import aiohttp
from aiohttp import web

from app.announce.announcer import Announcer
from app.announce.broker import BrokerFinder
from app.announce.decisions import Commander
from app.announce.digest import MorningDigest, morning_digest_job
from app.announce.digest_book import DigestBook
from app.announce.discovery import DeviceFacts
from app.announce.letters import Letters
from app.announce.phone import PhoneAnswers
from app.announce.phones import Phones
from app.archive.archive import Archive, ArchiveSize
from app.bus import Bus
from app.clock import Clock
from app.declared import HOME_ID, JOBS, places_of, schedules_of, strangers
from app.errors import InputError, NeighbourError, NightshiftError
from app.habits.nightly import ANALYSIS, NightlyAnalysis, analysis_job
from app.habits.offers.decisions import Decisions
from app.habits.offers.deploying import Deploying
from app.habits.offers.exclusions import Exclusions
from app.habits.offers.offers import Offers
from app.habits.offers.replays import Replays
from app.habits.offers.watches import Watches
from app.habits.suggestions import Suggestions
from app.hub.client import Hub
from app.hub.editor import AutomationEditor, HubEditor
from app.hub.homes import Homes
from app.hub.live import HubSource
from app.hub.services import ServiceCall, no_service_call, service_call
from app.hub.source import HomeSource
from app.hub.supervisor import Supervisor
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.only_one import OnlyOne
from app.jobs.results import SubjectResults
from app.jobs.retry_queue import RetryQueue
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec
from app.jobs.tally import Tally
from app.mail.sender import mailer_of
from app.model import Home
from app.neighbours import Neighbours, NeighbourState
from app.options import MqttMode, Options
from app.reach import finder_of, hub_of, supervisor_token
from app.store.database import Store
from app.upkeep.job import HealthCheck, health_check_job
from app.upkeep.metrics import Metrics
from app.upkeep.monitor import Monitor
from app.upkeep.sight import UpkeepParts
from app.web.app import build_web
from app.web.parts import SUPERVISOR_PEER, WebParts
from app.words.models import model_of
from app.words.writer import Writer

__all__ = ["HOME_ID", "JOBS", "Doorway", "Runtime", "Setting", "running"]

_log = logging.getLogger(__name__)
_LOOK_AGAIN = timedelta(hours=1)
_AFTER_A_FAILURE = timedelta(minutes=1)
# The container is given 30 s to stop (config.yaml, `timeout`). After the runs were cut off a database that
# another program holds is waited for three times 5 s, and the broker has to be told.
_STOP_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Doorway:
    """Where the page listens."""

    host: str = "127.0.0.1"
    port: int = 8099

    @property
    def loopback_only(self) -> bool:
        return self.host in {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Where and how one Nightshift runs.

    `source` and `find_broker` stand in for the hub's (the demo); `doorway` None means no page; `scheduling`
    off means that nothing starts by itself (`run JOB`).
    """

    options: Options
    folder: Path
    clock: Clock
    doorway: Doorway | None = None
    source: HomeSource | None = None
    find_broker: BrokerFinder | None = None
    scheduling: bool = True


class Runtime:
    """The rooms of one running Nightshift that its commands speak with; made by `running`."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.clock = setting.clock
        self.home: Home | None = None
        self.bus = Bus()
        self.neighbours = Neighbours(self.bus, setting.clock)
        self.store = Store(setting.folder / "nightshift.db", setting.clock)
        self.homes = Homes(self.store, setting.clock)
        self.archive = Archive(self.store, setting.clock)
        self.ledger = Ledger(self.store, setting.clock)
        self.results = SubjectResults(self.store)
        self.queue = RetryQueue(self.store, setting.clock, self.ledger.generation, self.bus)
        self.log = RunLog(self.store, self.bus, setting.clock)
        self.suggestions = Suggestions(self.store, self.bus, setting.clock, lambda: self.home)
        self.watches = Watches(self.store, self.bus, setting.clock)
        upkeep = UpkeepParts(
            clock=setting.clock,
            store=self.store,
            jobs=lambda: self.jobs,
            ledger=self.ledger,
            tally=Tally(self.store),
            queue=self.queue,
            archive=self.archive,
            neighbours=self.neighbours,
            since_tick=self._since_tick,
            fed_by=ANALYSIS,
        )
        self.monitor = Monitor(upkeep, self.bus)
        self.metrics = Metrics(upkeep, self.monitor, self.bus)
        self._page = ""
        self.deploying: Deploying
        self.offers: Offers
        self.jobs: Jobs

    async def start(self, closing: AsyncExitStack) -> None:
        """Start from the ground up; what has to stop is pushed on the stack, which stops it in reverse."""
        setting, options = self._setting, self._setting.options
        schedules = schedules_of(options)  # a wrong one ends the start before anything is touched
        closing.callback(self.monitor.close)
        closing.callback(self.metrics.close)
        await self._keep_others_out(closing)
        http = await closing.enter_async_context(aiohttp.ClientSession())
        source, call, editor, hub = await self._reach(http, closing)
        closing.push_async_callback(self.store.close)
        await self.store.open()
        self.home = await self.homes.load(HOME_ID)
        model = model_of(options, call)
        if model:
            closing.push_async_callback(model.close)
        writer = Writer(model, self.neighbours, self.clock, options.model_requests_a_night)
        night = NightlyAnalysis(
            source=source,
            meet=self._meet,
            archive=self.archive,
            suggestions=self.suggestions,
            writer=writer,
            history_days=options.history_days,
            keep_days=options.keep_days,
            watches=self.watches,
        )
        health = HealthCheck(self.monitor, self.ledger, self.bus)
        self._prepare_offers(editor)
        phones = Phones(hub, options.digest_phones) if hub else None
        digest = self._digest(phones)
        specs = [analysis_job(night.run), health_check_job(health.run), morning_digest_job(digest.run)]
        self.jobs = self._crew(specs, schedules)
        # The door first: an address that is taken ends the start before anything is announced or run.
        if setting.doorway:
            await self._open_door(setting.doorway, closing)
        await self._start_telling(http, closing)
        if setting.scheduling and hub and phones:
            self._start_answering(hub, phones, closing)
        closing.push_async_callback(self.jobs.stop, _STOP_SECONDS)
        await self.jobs.start(scheduling=setting.scheduling)
        if setting.scheduling:
            closing.push_async_callback(self.deploying.stop)
            self.deploying.start()
            learning = asyncio.create_task(self._keep_learning(source), name="learning the home")
            closing.push_async_callback(_ended, learning)

    async def _keep_others_out(self, closing: AsyncExitStack) -> None:
        """Be the only Nightshift in this folder until all is closed.

        Before anything is reached: on a broker a second one has the first one's name and would drive it out.
        Raises StoreError.
        """
        only_one = OnlyOne(self._setting.folder / "clock.lock")
        closing.callback(only_one.release)
        await asyncio.to_thread(only_one.take)

    async def _reach(
        self, http: aiohttp.ClientSession, closing: AsyncExitStack
    ) -> tuple[HomeSource, ServiceCall, AutomationEditor | None, Hub | None]:
        """Return what the home is read from, how its services are called, who makes its automations, and the
        hub itself; the last two are None in a demo.
        """
        if self._setting.source:
            closing.push_async_callback(self._setting.source.close)
            self.neighbours.set("hub", NeighbourState.OK, "an invented home, nothing is asked of a real one")
            return self._setting.source, no_service_call, None, None
        hub = hub_of(self._setting.options, self.neighbours, self.clock, http)
        closing.push_async_callback(hub.close)
        hub.start()
        return HubSource(hub), service_call(hub), HubEditor(hub, self.clock), hub

    def _prepare_offers(self, editor: AutomationEditor | None) -> None:
        decisions = Decisions(self.store, self.bus, self.clock)
        self.deploying = Deploying(
            home_id=HOME_ID,
            editor=editor,
            decisions=decisions,
            neighbours=self.neighbours,
            bus=self.bus,
            clock=self.clock,
        )
        self.offers = Offers(
            home_id=HOME_ID,
            home=lambda: self.home,
            suggestions=self.suggestions,
            decisions=decisions,
            exclusions=Exclusions(self.store, self.clock),
            deploying=self.deploying,
            clock=self.clock,
            watches=self.watches,
        )

    def _digest(self, phones: Phones | None) -> MorningDigest:
        return MorningDigest(
            home_id=HOME_ID,
            home=lambda: self.home,
            suggestions=self.suggestions,
            decisions=self.offers.decisions,
            phones=phones,
            book=DigestBook(self.store, self.clock, HOME_ID),
            page=lambda: self._page,
            watches=self.watches,
        )

    def _start_answering(self, hub: Hub, phones: Phones, closing: AsyncExitStack) -> None:
        """Hear what people tap on their phones."""
        answers = PhoneAnswers(
            hub, phones, self.offers, bus=self.bus, home=lambda: self.home, page=lambda: self._page
        )
        closing.push_async_callback(answers.stop)
        answers.start()

    def _crew(self, specs: list[JobSpec], schedules: dict[str, str]) -> Jobs:
        return Jobs(
            specs,
            ledger=self.ledger,
            bus=self.bus,
            clock=self.clock,
            engine=EmbeddedEngine(self.clock),
            places=places_of(self.home, self._setting.options),
            # The clock's own file: a transaction held elsewhere must never keep a job from firing.
            schedule_path=self._setting.folder / "clock.db",
            schedules=schedules,
            queue=self.queue,
            log=self.log,
        )

    async def _start_telling(self, http: aiohttp.ClientSession, closing: AsyncExitStack) -> None:
        """Start what listens to the bus before the jobs run, so that no end of a run goes untold."""
        options = self._setting.options
        announcer = Announcer(
            options,
            self.neighbours,
            self.bus,
            self.clock,
            self.jobs,
            self.ledger,
            self._titles,
            self._setting.find_broker or finder_of(options, http),
            # A demo must not pass itself off as the home's own Nightshift on a broker that both use.
            instance="nightshift_demo" if self._setting.source else "nightshift",
            facts=await self._device_facts(http),
            commander=Commander(self.offers if options.mqtt_decisions else None, HOME_ID),
            keep_looking=supervisor_token() is not None and options.mqtt is MqttMode.AUTO,
        )
        await announcer.start()
        closing.push_async_callback(announcer.stop)
        if mailer := mailer_of(options, self.neighbours, self.clock):
            letters = Letters(mailer, self.bus, {name: spec.title for name, spec in self.jobs.specs.items()})
            letters.start()
            closing.push_async_callback(letters.stop)

    async def _device_facts(self, http: aiohttp.ClientSession) -> DeviceFacts:
        """Return how the device presents itself; under the Supervisor it leads to our page in the hub."""
        if self._setting.source:
            return DeviceFacts(name="Nightshift demo")
        token = supervisor_token()
        if token is None:
            return DeviceFacts()
        try:
            slug = (await Supervisor(token, http).info()).slug
        except NeighbourError as error:
            _log.info("The device will have no link to this page: %s", error)
            return DeviceFacts()
        self._page = f"/app/{slug}"
        return DeviceFacts(url=f"homeassistant://app/{slug}")

    async def _titles(self) -> list[str]:
        return [one.suggestion.title for one in await self.suggestions.offered(HOME_ID)]

    async def _open_door(self, doorway: Doorway, closing: AsyncExitStack) -> None:
        """Serve the page.

        Raises InputError when the address cannot be listened on.
        """
        peers = os.environ.get("NIGHTSHIFT_INGRESS_PEER", SUPERVISOR_PEER)
        parts = WebParts(
            options=self._setting.options,
            clock=self.clock,
            bus=self.bus,
            neighbours=self.neighbours,
            jobs=self.jobs,
            ledger=self.ledger,
            results=self.results,
            queue=self.queue,
            log=self.log,
            monitor=self.monitor,
            metrics=self.metrics,
            suggestions=self.suggestions,
            offers=self.offers,
            replays=Replays(
                home=lambda: self.home,
                suggestions=self.suggestions,
                archive=self.archive,
                # A place of its own: whoever waits at the page does not wait for the night's work.
                engine=EmbeddedEngine(self.clock),
                keep_days=self._setting.options.keep_days,
            ),
            home=lambda: self.home,
            archive_size=self._archive_size,
            ingress=supervisor_token() is not None and self._setting.source is None,
            loopback_only=doorway.loopback_only,
            ingress_peers=frozenset(peers.split(",")),
        )
        runner = web.AppRunner(build_web(parts), access_log=None, shutdown_timeout=3)
        closing.push_async_callback(runner.cleanup)
        await runner.setup()
        try:
            await web.TCPSite(runner, doorway.host, doorway.port).start()
        except OSError as error:
            raise InputError(
                f"cannot listen on {doorway.host}:{doorway.port} ({os.strerror(error.errno or 0)}); "
                "choose another with NIGHTSHIFT_PORT"
            ) from error
        _log.info("The page is at http://%s:%d", doorway.host, doorway.port)

    def _since_tick(self) -> float | None:
        return self.jobs.since_tick()

    async def _archive_size(self) -> ArchiveSize | None:
        return await self.archive.size(HOME_ID)

    async def _meet(self, home: Home) -> None:
        """Take note of the home as it is now: its zone moves the clock, its users open the page's buttons."""
        if home == self.home:
            return
        await self.homes.save(home)
        await self.jobs.set_places(places_of(home, self._setting.options))
        if unknown := strangers(home, self._setting.options):
            _log.warning(
                "options: people: the home knows no %s; Settings, People names those it knows",
                ", ".join(unknown),
            )
        self.home = home  # last: what could not be noted is noted the next time

    async def _keep_learning(self, source: HomeSource) -> None:
        """Ask for the home soon after the start, and again now and then: an administrator may be new."""
        while True:
            try:
                home = await source.describe()
                await self._meet(home)
                await self.deploying.look(home)
            except NightshiftError as error:
                _log.info("The home could not be read yet: %s", error)
                await self.clock.sleep(_AFTER_A_FAILURE.total_seconds())
            except Exception:  # noqa: BLE001 - a task's edge: it would end unheard, and a new administrator never be met
                _log.exception("The home could not be read; again in an hour")
                await self.clock.sleep(_LOOK_AGAIN.total_seconds())
            else:
                await self.clock.sleep(_LOOK_AGAIN.total_seconds())


@asynccontextmanager
async def running(setting: Setting) -> AsyncIterator[Runtime]:
    """Start one Nightshift; stop it, in reverse order, when the block ends."""
    async with AsyncExitStack() as closing:
        runtime = Runtime(setting)
        await runtime.start(closing)
        yield runtime


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
