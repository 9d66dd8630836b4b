"""The composition root: builds every room once, starts them in order, stops them in reverse.

Nothing else builds a room; a part receives what it needs. `app/composition` has the larger pieces of it.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import aiohttp

from app.announce.digest import MorningDigest, morning_digest_job
from app.announce.digest_book import DigestBook
from app.archive.archive import Archive, ArchiveSize
from app.bus import Bus
from app.composition.door import open_door
from app.composition.household import Household
from app.composition.morning import Morning, build_morning
from app.composition.outside import Outside, reach
from app.composition.reporting import reporting_specs, start_report_mail
from app.composition.setting import Doorway, Invented, Setting
from app.composition.telling import OwnPage, start_alerting, start_answering, start_letters, start_mqtt
from app.declared import HOME_ID, JOBS, places_of, schedules_of
from app.errors import NightshiftError
from app.habits.nightly import ANALYSIS, NightlyAnalysis, analysis_job
from app.habits.offers.decisions import Decisions
from app.habits.offers.deploying import Deploying
from app.habits.offers.exclusions import Exclusions
from app.habits.offers.offers import Offers
from app.habits.offers.replays import Replays
from app.habits.offers.watches import Watches
from app.habits.suggestions import Suggestions
from app.hub.editor import AutomationEditor
from app.hub.homes import Homes
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
from app.neighbours import Neighbours
from app.reach import supervisor_token
from app.store.database import Store
from app.upkeep.job import HealthCheck, health_check_job
from app.upkeep.metrics import Metrics
from app.upkeep.monitor import Monitor
from app.upkeep.sight import UpkeepParts
from app.web.parts import SUPERVISOR_PEER, WebParts
from app.words.models import model_of
from app.words.writer import Writer

__all__ = ["HOME_ID", "JOBS", "Doorway", "Invented", "Runtime", "Setting", "running"]

# The container is given 30 s to stop (config.yaml, `timeout`). After the runs were cut off a database that
# another program holds is waited for three times 5 s, and the broker has to be told.
_STOP_SECONDS = 15.0
_LOOK_AROUND_SECONDS = 30.0
_log = logging.getLogger(__name__)


class Runtime:
    """The rooms of one running Nightshift that its commands speak with; made by `running`."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.clock = setting.clock
        self.bus = Bus()
        self.neighbours = Neighbours(self.bus, setting.clock)
        self.store = Store(setting.folder / "nightshift.db", setting.clock)
        self.household = Household(Homes(self.store, setting.clock), setting.options, setting.clock)
        self.archive = Archive(self.store, setting.clock)
        self.ledger = Ledger(self.store, setting.clock)
        self.results = SubjectResults(self.store)
        self.queue = RetryQueue(self.store, setting.clock, self.ledger.generation, self.bus)
        self.log = RunLog(self.store, self.bus, setting.clock)
        self.suggestions = Suggestions(self.store, self.bus, setting.clock, self.household.home)
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
        self._page = OwnPage()
        self._outside: Outside
        self.morning: Morning
        self.deploying: Deploying
        self.offers: Offers
        self.jobs: Jobs

    @property
    def home(self) -> Home | None:
        """The home as last known; None before the hub was ever reached."""
        return self.household.home()

    async def start(self, closing: AsyncExitStack) -> None:
        """Start from the ground up; what has to stop is pushed on the stack, which stops it in reverse."""
        setting, options = self._setting, self._setting.options
        schedules = schedules_of(options)  # a wrong one ends the start before anything is touched
        closing.callback(self.monitor.close)
        closing.callback(self.metrics.close)
        await self._keep_others_out(closing)
        http = await closing.enter_async_context(aiohttp.ClientSession())
        self._outside = outside = await reach(setting, self.neighbours, http, closing)
        closing.push_async_callback(self.store.close)
        await self.store.open()
        await self.household.load()
        self._prepare_offers(outside.editor)
        self.morning = build_morning(
            outside,
            options=options,
            store=self.store,
            archive=self.archive,
            bus=self.bus,
            home=self.household.home,
            pending=self._pending,
        )
        self.jobs = self._crew(await self._specs(outside, closing), schedules)
        self.household.when_moved(self._moved)
        mailer = mailer_of(options, self.neighbours, self.clock)
        # The door first: an address that is taken ends the start before anything is announced or run.
        if setting.doorway:
            await open_door(setting.doorway, self._web_parts(setting.doorway), self.morning.parts, closing)
        # What listens to the bus starts before the jobs run, so that no end of a run goes untold.
        await start_mqtt(
            setting,
            closing,
            http=http,
            facts=await self._page.find(setting, http),
            neighbours=self.neighbours,
            bus=self.bus,
            jobs=self.jobs,
            offers=self.offers,
            titles=self._titles,
            morning=self.morning,
        )
        start_alerting(setting, outside, closing, bus=self.bus, morning=self.morning, page=self._page)
        start_letters(mailer, closing, bus=self.bus, jobs=self.jobs)
        start_report_mail(
            mailer, closing, options=options, store=self.store, bus=self.bus, morning=self.morning
        )
        if setting.scheduling:
            start_answering(
                outside,
                closing,
                bus=self.bus,
                offers=self.offers,
                home=self.household.home,
                page=self._page,
            )
        if setting.scheduling:
            self.morning.start(closing)
        closing.push_async_callback(self.jobs.stop, _STOP_SECONDS)
        await self.jobs.start(scheduling=setting.scheduling)
        if setting.scheduling:
            closing.push_async_callback(self.deploying.stop)
            self.deploying.start()
            closing.push_async_callback(self.household.stop)
            if outside.hub is not None:
                self.household.follow(outside.hub, closing)
            self.household.start(outside.source, self.deploying.look)

    async def look_around(self) -> None:
        """Meet the home and hear what it is now, for a single run: while nothing is scheduled nobody does.

        A hub that does not answer within half a minute is left: the run says what it lacks.
        """
        try:
            async with asyncio.timeout(_LOOK_AROUND_SECONDS):
                await self.household.meet(await self._outside.source.describe())
                while self._outside.now.since is None:
                    await self.clock.sleep(0.1)
        except TimeoutError:
            _log.warning("The home could not be looked at: it did not answer in time")
        except NightshiftError as error:
            _log.warning("The home could not be looked at: %s", error)

    async def _keep_others_out(self, closing: AsyncExitStack) -> None:
        """Be the only Nightshift in this folder until all is closed.

        Before anything is reached: on a broker a second one has the first one's name and would drive it out.
        Raises StoreError.
        """
        only_one = OnlyOne(self._setting.folder / "clock.lock")
        closing.callback(only_one.release)
        await asyncio.to_thread(only_one.take)

    async def _specs(self, outside: Outside, closing: AsyncExitStack) -> list[JobSpec]:
        """Return the jobs there are, each with what it works with."""
        options = self._setting.options
        model = model_of(options, outside.call)
        if model:
            closing.push_async_callback(model.close)
        night = NightlyAnalysis(
            source=outside.source,
            meet=self.household.meet,
            archive=self.archive,
            suggestions=self.suggestions,
            writer=Writer(model, self.neighbours, self.clock, options.model_requests_a_night),
            history_days=options.history_days,
            keep_days=options.keep_days,
            watches=self.watches,
        )
        health = HealthCheck(self.monitor, self.ledger, self.bus)
        digest = MorningDigest(
            home_id=HOME_ID,
            home=self.household.home,
            suggestions=self.suggestions,
            decisions=self.offers.decisions,
            phones=outside.phones,
            book=DigestBook(self.store, self.clock, HOME_ID),
            page=self._page,
            watches=self.watches,
        )
        return [
            analysis_job(night.run),
            *self.morning.specs,
            *reporting_specs(
                self.morning,
                store=self.store,
                bus=self.bus,
                ledger=self.ledger,
                suggestions=self.suggestions,
                watches=self.watches,
                jobs=lambda: self.jobs,
            ),
            morning_digest_job(digest.run),
            health_check_job(health.run),
        ]

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
            home=self.household.home,
            suggestions=self.suggestions,
            decisions=decisions,
            exclusions=Exclusions(self.store, self.clock),
            deploying=self.deploying,
            clock=self.clock,
            watches=self.watches,
        )

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

    def _web_parts(self, doorway: Doorway) -> WebParts:
        peers = os.environ.get("NIGHTSHIFT_INGRESS_PEER", SUPERVISOR_PEER)
        return WebParts(
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
                home=self.household.home,
                suggestions=self.suggestions,
                decisions=self.offers.decisions,
                archive=self.archive,
                # A place of its own: whoever waits at the page does not wait for the night's work.
                engine=EmbeddedEngine(self.clock),
                keep_days=self._setting.options.keep_days,
            ),
            home=self.household.home,
            archive_size=self._archive_size,
            ingress=supervisor_token() is not None and self._setting.invented is None,
            loopback_only=doorway.loopback_only,
            ingress_peers=frozenset(peers.split(",")),
        )

    async def _moved(self, home: Home) -> None:
        await self.jobs.set_places(places_of(home, self._setting.options))

    def _since_tick(self) -> float | None:
        return self.jobs.since_tick()

    async def _archive_size(self) -> ArchiveSize | None:
        return await self.archive.size(HOME_ID)

    async def _pending(self, home_id: str) -> int:
        return len(await self.suggestions.offered(home_id))

    async def _titles(self) -> list[str]:
        return [one.suggestion.title for one in await self.suggestions.offered(HOME_ID)]


@asynccontextmanager
async def running(setting: Setting) -> AsyncIterator[Runtime]:
    """Start one Nightshift; stop it, in reverse order, when the block ends."""
    async with AsyncExitStack() as closing:
        runtime = Runtime(setting)
        await runtime.start(closing)
        yield runtime
