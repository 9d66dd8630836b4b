"""Tells the home over MQTT what Nightshift does, and does what the home asks."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import timedelta
from random import SystemRandom
from typing import Any, TypeAlias

from app.announce.broker import BrokerFinder
from app.announce.commands import Command, command_of
from app.announce.connection import Backoff, MqttConnection
from app.announce.decisions import Commander, told_of
from app.announce.discovery import DeviceFacts, device_payload
from app.announce.job_news import News, listen, news_message
from app.announce.morning import MorningSources, MorningTeller
from app.announce.session import Incoming
from app.announce.status import Standing, completion_message, counted, event_message, state_message
from app.announce.topics import ANALYSIS_COMPLETE, Topics
from app.bus import Bus
from app.clock import Clock
from app.habits.announcements import SuggestionDecided, SuggestionsChanged
from app.habits.nightly import ANALYSIS
from app.jobs.announcements import JobChanged, RunEnded, RunSkipped, RunStarted
from app.jobs.ledger import Ledger
from app.jobs.run import AlreadyRunningError
from app.jobs.runner import Jobs
from app.neighbours import Neighbours
from app.options import Options

_log = logging.getLogger(__name__)
_chance = SystemRandom()

_GREETING_PAUSE = (timedelta(seconds=1), timedelta(seconds=6))
"""After a start Home Assistant is busy, and every device greets it: ours waits somewhere in between."""
_COMMANDS_WAITING = 16

Titles: TypeAlias = Callable[[], Awaitable[Sequence[str]]]
"""Returns the titles of what is on offer now, the surest first."""


class Announcer:
    """The device in Home Assistant, the message at the end of each analysis, and the commands.

    It never fails towards those who start it: without a broker it waits for one, and the rest lives on.
    Start it before the jobs, `refresh` it once they work, stop it after them: so no end of a run goes untold.
    """

    def __init__(
        self,
        options: Options,
        neighbours: Neighbours,
        bus: Bus,
        clock: Clock,
        jobs: Jobs,
        ledger: Ledger,
        titles: Titles,
        find_broker: BrokerFinder,
        *,
        instance: str = "nightshift",
        facts: DeviceFacts | None = None,
        commander: Commander | None = None,
        morning: MorningSources | None = None,
        keep_looking: bool = False,
        backoff: Backoff | None = None,
    ) -> None:
        """Take the parts; see MqttConnection for `find_broker`, `keep_looking` and `backoff`.

        `instance` tells two Nightshifts on one broker apart and stays the same for ever: Home Assistant knows
        the entities by it. Without a `commander` nothing is decided over MQTT, without a `morning` nothing is
        told of scores, alerts, reports and areas.

        Raises InputError when `instance` has characters that discovery does not take.
        """
        self._topics = Topics(instance, options.mqtt_discovery_prefix, options.mqtt_birth_topic)
        self._facts = facts or DeviceFacts()
        self._bus = bus
        self._clock = clock
        self._jobs = jobs
        self._ledger = ledger
        self._titles = titles
        self._commander = commander or Commander(None, "")
        self._stale = asyncio.Event()
        self._greeting = asyncio.Event()
        self._commands: asyncio.Queue[Command | bytes] = asyncio.Queue(_COMMANDS_WAITING)
        self._unsubscribe: list[Callable[[], None]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._connection = MqttConnection(
            find_broker,
            neighbours,
            clock,
            client_id=self._topics.device_id,
            availability_topic=self._topics.availability,
            topics=(
                self._topics.run,
                self._topics.enabled,
                self._topics.suggestion,
                self._topics.birth,
                *((self._topics.discovery,) if morning else ()),
            ),
            on_message=self._hear,
            keep_looking=keep_looking,
            backoff=backoff,
        )
        self._morning = (
            MorningTeller(morning, bus, clock, self._topics, self._facts, self._connection.publish)
            if morning
            else None
        )

    async def start(self) -> None:
        """Begin to listen to the bus and to connect; returns at once."""
        self._unsubscribe = [
            self._bus.subscribe(RunStarted, self._on_change),
            self._bus.subscribe(RunSkipped, self._on_change),
            self._bus.subscribe(JobChanged, self._on_change),
            self._bus.subscribe(RunEnded, self._on_end),
            self._bus.subscribe(SuggestionsChanged, self._on_suggestions),
            self._bus.subscribe(SuggestionDecided, self._on_decision),
            *listen(self._bus, self._on_news),
        ]
        if self._morning:
            self._morning.start()
        else:
            self._connection.publish(
                self._topics.discovery, json.dumps(device_payload(self._topics, self._facts)), retain=True
            )
        self._connection.start()
        self._stale.set()
        works = (self._keep_state_true(), self._obey(), self._greet())
        self._tasks = [asyncio.create_task(work) for work in works]

    async def stop(self, seconds: float = 3.0) -> None:
        """Tell what is left to tell, say offline and disconnect, each within about `seconds`."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        if self._morning:
            await self._morning.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._safely(self._publish_state())
        await self._connection.stop(seconds)

    def refresh(self) -> None:
        """Read the state anew and tell it, if it changed; for changes that the bus does not carry."""
        self._stale.set()

    def _on_change(self, event: RunStarted | RunSkipped | RunEnded | JobChanged) -> None:
        job = event.job if isinstance(event, JobChanged) else event.run.job
        if job == ANALYSIS:
            self._stale.set()

    def _on_end(self, event: RunEnded) -> None:
        self._on_change(event)
        if event.run.job == ANALYSIS and counted(event.run):
            self._connection.publish(ANALYSIS_COMPLETE, completion_message(event.run), retain=False)

    def _on_suggestions(self, event: SuggestionsChanged) -> None:
        self._stale.set()
        for event_type, titles, ids in (
            ("created", event.created, event.created_ids),
            ("faded", event.faded, ()),
        ):
            if titles:
                self._tell(event_message(event_type, titles, event.run_id, ids))

    def _on_decision(self, event: SuggestionDecided) -> None:
        self._stale.set()
        if message := told_of(event):
            self._tell(message)

    def _tell(self, message: str) -> None:
        self._connection.publish(self._topics.event, message, retain=False)

    def _on_news(self, news: News) -> None:
        self._connection.publish(self._topics.job_event, news_message(news), retain=False)

    async def _keep_state_true(self) -> None:
        while True:
            await self._stale.wait()
            self._stale.clear()
            await self._safely(self._publish_state())

    async def _publish_state(self) -> None:
        """Read how things stand and say so; the connection leaves out what it has said already.

        The jobs may not have begun yet, so whether this one is paused is asked of the ledger.
        """
        ended = (run for run in await self._ledger.recent(ANALYSIS) if counted(run))
        standing = Standing(
            running=self._jobs.running(ANALYSIS) is not None,
            last=next(ended, None),
            next_run=self._jobs.next_run(ANALYSIS),
            paused=ANALYSIS in await self._ledger.paused(),
            titles=await self._titles(),
        )
        self._connection.publish(self._topics.state, state_message(standing), retain=True)

    def _hear(self, incoming: Incoming) -> None:
        if incoming.topic == self._topics.discovery:
            # Kept by the broker: what we said before we were started. Our own words of now come back too.
            if self._morning and incoming.retained:
                self._morning.hear(incoming.payload)
            return
        command = command_of(incoming, self._topics)
        if command is Command.GREET:
            self._greeting.set()
        elif command:
            try:
                self._commands.put_nowait(command)
            except asyncio.QueueFull:
                _log.debug("Too many commands at once; ignored one on %s", incoming.topic)

    async def _obey(self) -> None:
        while True:
            command = await self._commands.get()
            await self._safely(self._decide(command) if isinstance(command, bytes) else self._do(command))

    async def _decide(self, payload: bytes) -> None:
        if message := await self._commander.carry_out(payload):
            self._tell(message)

    async def _do(self, command: Command) -> None:
        if command is Command.RUN:
            try:
                await self._jobs.trigger(ANALYSIS)
            except AlreadyRunningError:
                _log.info("Asked over MQTT to run the analysis, which is running already")
        elif command is Command.PAUSE:
            await self._jobs.pause(ANALYSIS)
        elif command is Command.RESUME:
            await self._jobs.resume(ANALYSIS)
        # A switch that was asked for what it is already still waits for its state.
        self._stale.set()

    async def _greet(self) -> None:
        shortest, longest = _GREETING_PAUSE
        while True:
            await self._greeting.wait()
            await self._clock.sleep(_chance.uniform(shortest.total_seconds(), longest.total_seconds()))
            self._greeting.clear()
            self._connection.repeat_states()

    async def _safely(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it, and only log what goes wrong: the home's other business does not depend on MQTT."""
        try:
            await work
        except Exception:  # noqa: BLE001 - the edge: MQTT never takes the rest down
            _log.exception("MQTT: could not do what was due; the next change tries again")
