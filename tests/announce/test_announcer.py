"""The announcer on a real broker, with real jobs: what is told, what is obeyed, what survives."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.announce.announcer import Announcer
from app.announce.broker import Broker, BrokerFinder
from app.announce.connection import Backoff
from app.announce.topics import ANALYSIS_COMPLETE, Topics
from app.bus import Bus
from app.clock import TurnedClock
from app.errors import NeighbourError
from app.habits.announcements import SuggestionDecided, SuggestionsChanged
from app.jobs.announcements import JobFailing, JobRecovered, SubjectGivenUp
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.retry_queue import RetryQueue
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import JobSpec, Outcome
from app.jobs.subject import Retry
from app.neighbours import NeighbourState
from app.options import Options
from app.store.database import Store
from tests.announce.conftest import Board, Ear, Mosquitto, always, ear_at, needs_mosquitto

TOPICS = Topics("test")
OPTIONS = Options()


@dataclass
class House:
    """What an announcer needs around it: a store, a clock, one small job."""

    bus: Bus
    clock: TurnedClock
    ledger: Ledger
    jobs: Jobs
    board: Board
    titles: list[str] = field(default_factory=list)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    ends_with: Exception | None = None

    async def offered(self) -> list[str]:
        return self.titles

    async def night(self, _: RunContext) -> Outcome:
        await self.may_end.wait()
        if self.ends_with:
            raise self.ends_with
        return Outcome(counts={"patterns_detected": 7, "suggestions_generated": 3})

    @asynccontextmanager
    async def announcing(self, find: BrokerFinder) -> AsyncIterator[Announcer]:
        before = asyncio.all_tasks()
        announcer = Announcer(
            OPTIONS,
            self.board,
            self.bus,
            self.clock,
            self.jobs,
            self.ledger,
            self.offered,
            find,
            instance="test",
            backoff=Backoff(0, 0),
        )
        await announcer.start()
        try:
            yield announcer
        finally:
            await announcer.stop(seconds=1)
            new = [repr(task) for task in asyncio.all_tasks() - before]
            assert not [task for task in new if "app/announce" in task and "DemoBroker" not in task]


@pytest.fixture
async def house(tmp_path: Path, bus: Bus, board: Board, clock: TurnedClock) -> AsyncIterator[House]:
    store = Store(tmp_path / "nightshift.db", clock)
    await store.open()
    ledger = Ledger(store, clock)

    async def night(context: RunContext) -> Outcome:
        return await around.night(context)

    spec = JobSpec(
        name="analysis",
        title="Analysis",
        description="A small one.",
        schedule="0 3 * * *",
        run=night,
        attempts=1,
    )
    jobs = Jobs(
        [spec],
        ledger=ledger,
        bus=bus,
        clock=clock,
        engine=EmbeddedEngine(clock),
        places=[Place("home", ZoneInfo("Europe/Amsterdam"))],
        schedule_path=tmp_path / "schedule.db",
        queue=RetryQueue(store, clock, ledger.generation, bus),
        log=RunLog(store, bus, clock),
    )
    around = House(bus, clock, ledger, jobs, board)
    await jobs.start(scheduling=False)
    yield around
    around.may_end.set()
    await jobs.stop(1)
    await store.close()


def _has(**fields: Any) -> Any:
    """Return a test for a JSON message that carries these."""

    def holds(text: str) -> bool:
        said = json.loads(text or "{}")
        return all(said.get(name, "absent") == value for name, value in fields.items())

    return holds


async def test_the_device_its_state_and_its_availability_are_kept_on_the_broker(
    house: House, broker: Broker
) -> None:
    house.titles = ["Hall light at dusk"]
    async with house.announcing(always(broker)):
        async with ear_at(broker) as first:
            await first.hear(TOPICS.state, _has(status="idle", pending=1))
        async with ear_at(broker) as late:
            device = json.loads(await late.hear(TOPICS.discovery))
            await late.hear(TOPICS.availability, "online".__eq__)
            await late.hear(TOPICS.state, _has(enabled=True, running=False, titles=["Hall light at dusk"]))
            assert device["device"]["identifiers"] == ["nightshift_test"]
            assert {message.retain for message in late.heard} == {True}


async def test_a_run_is_told_from_its_start_to_its_end(house: House, broker: Broker, ear: Ear) -> None:
    async with house.announcing(always(broker)):
        run = await house.jobs.trigger("analysis")
        await ear.hear(TOPICS.state, _has(running=True, status="running"))
        house.may_end.set()
        told = json.loads(await ear.hear(ANALYSIS_COMPLETE))
        assert told["run_id"] == run.run_id
        assert (told["status"], told["patterns_detected"], told["suggestions_generated"]) == (
            "completed",
            7,
            3,
        )
        await ear.hear(TOPICS.state, _has(running=False, status="ok", problem=False))
        [message] = [message for message in ear.heard if message.topic.value == ANALYSIS_COMPLETE]
        assert (message.qos, message.retain) == (1, False)


async def test_a_failed_night_is_told_and_is_a_problem(house: House, broker: Broker, ear: Ear) -> None:
    house.ends_with = NeighbourError("the hub does not answer")
    house.may_end.set()
    async with house.announcing(always(broker)):
        await house.jobs.trigger("analysis")
        told = json.loads(await ear.hear(ANALYSIS_COMPLETE))
        assert (told["status"], told["patterns_detected"]) == ("failed", 0)
        state = json.loads(await ear.hear(TOPICS.state, _has(status="failed", problem=True)))
        assert "the hub does not answer" in state["message"]


async def test_what_came_and_went_is_told_once_and_not_kept(house: House, broker: Broker, ear: Ear) -> None:
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.state)
        house.titles = ["a", "b"]
        house.bus.announce(SuggestionsChanged("home", "r1", 2, ("a", "b"), ("b",), ("z",), ("i2",)))
        await ear.hear(
            TOPICS.event, _has(event_type="created", count=1, titles=["b"], run_id="r1", ids=["i2"])
        )
        await ear.hear(TOPICS.event, _has(event_type="faded", count=1, titles=["z"]))
        await ear.hear(TOPICS.state, _has(pending=2))
    async with ear_at(broker) as late:
        await late.hear(TOPICS.discovery)
        await late.barrier()
        assert not late.texts(TOPICS.event)


async def test_a_decision_is_told_and_what_is_on_offer_follows(
    house: House, broker: Broker, ear: Ear
) -> None:
    house.titles = ["a"]
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.state, _has(pending=1))
        house.titles = []
        house.bus.announce(SuggestionDecided("home", "i1", "a", "accepted", "enabled", "page", "ana"))
        await ear.hear(TOPICS.event, _has(event_type="accepted", id="i1", title="a", via="page", reason=""))
        await ear.hear(TOPICS.state, _has(pending=0))


async def test_a_decision_asked_over_mqtt_is_answered_unless_it_had_waited(
    house: House, broker: Broker, ear: Ear
) -> None:
    await ear.say(TOPICS.suggestion, '{"id":"old","do":"accept"}', retain=True)
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.availability, "online".__eq__)
        await ear.say(TOPICS.suggestion, '{"id":"i1","do":"accept"}')
        await ear.hear(TOPICS.event, _has(event_type="refused"))
        await ear.barrier()
        assert len(ear.texts(TOPICS.event)) == 1


async def test_a_job_that_needs_looking_at_is_an_event(house: House, broker: Broker, ear: Ear) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    retry = Retry(1, "stats", "home", "person.ana", "Ana", "r1", at, 3, 3, "hub: gone", None, at)
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.state)
        house.bus.announce(JobFailing("stats", "home", 3, "hub: gone"))
        failing = json.loads(await ear.hear(TOPICS.job_event, _has(event_type="failing")))
        house.bus.announce(SubjectGivenUp(retry))
        given_up = json.loads(await ear.hear(TOPICS.job_event, _has(event_type="given_up")))
        house.bus.announce(JobRecovered("stats", "home"))
        await ear.hear(TOPICS.job_event, _has(event_type="recovered", job="stats"))
    assert failing == {
        "event_type": "failing",
        "job": "stats",
        "home": "home",
        "subject": "",
        "count": 3,
        "message": "hub: gone",
    }
    assert (given_up["subject"], given_up["count"], given_up["message"]) == ("Ana", 3, "hub: gone")


async def test_the_same_state_is_not_told_twice(house: House, broker: Broker, ear: Ear) -> None:
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.state)
        for _ in range(3):
            house.bus.announce(SuggestionsChanged("home", "r1", 0, (), (), ()))
            await ear.barrier()
        assert len(ear.texts(TOPICS.state)) == 1


async def test_pressing_the_button_runs_the_job_once_however_often(
    house: House, broker: Broker, ear: Ear
) -> None:
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.state)
        for _ in range(5):
            await ear.say(TOPICS.run, "PRESS")
        await ear.say(TOPICS.enabled, "OFF")
        await ear.hear(TOPICS.state, _has(running=True, enabled=False))  # commands are obeyed in turn
        house.may_end.set()
        await ear.hear(ANALYSIS_COMPLETE)
        assert len(await house.ledger.recent("analysis")) == 1


async def test_the_switch_pauses_and_resumes(house: House, broker: Broker, ear: Ear) -> None:
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.state, _has(enabled=True))
        await ear.say(TOPICS.enabled, "OFF")
        await ear.hear(TOPICS.state, _has(enabled=False, next_run=None))
        assert house.jobs.is_paused("analysis")
        await ear.say(TOPICS.enabled, "ON")
        await ear.hear(TOPICS.state, _has(enabled=True), times=2)
        assert not house.jobs.is_paused("analysis")


async def test_commands_that_waited_and_nonsense_change_nothing(
    house: House, broker: Broker, ear: Ear
) -> None:
    await ear.say(TOPICS.run, "PRESS", retain=True)
    await ear.say(TOPICS.enabled, "OFF", retain=True)
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.availability, "online".__eq__)
        for nonsense in (b"", b"\xff\xff", b"x" * 100_000, b"off", b'{"run": true}'):
            await ear.say(TOPICS.run, nonsense)
            await ear.say(TOPICS.enabled, nonsense)
        # Commands are obeyed in order: once this one has shown, the others have been dealt with.
        await ear.say(TOPICS.enabled, "OFF")
        await ear.hear(TOPICS.state, _has(enabled=False))
        assert await house.ledger.recent("analysis") == []


async def test_after_the_hub_starts_it_is_told_everything_again_a_little_later(
    house: House, broker: Broker, ear: Ear
) -> None:
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.state)
        await ear.say(TOPICS.birth, "online")
        await ear.barrier()
        await house.clock.turn(timedelta(milliseconds=900))
        await ear.barrier()
        assert len(ear.texts(TOPICS.discovery)) == 1
        await house.clock.turn(timedelta(seconds=6))
        for topic in (TOPICS.discovery, TOPICS.availability, TOPICS.state):
            await ear.hear(topic, times=2)


@needs_mosquitto
async def test_a_night_that_ends_while_the_broker_is_away_is_told_when_it_is_back(
    house: House, mosquitto: Mosquitto
) -> None:
    heard_from = asyncio.Event()

    async def find() -> Broker:
        if house.board.get("broker").state is NeighbourState.FAILED:
            await heard_from.wait()
        return mosquitto.broker

    async with house.announcing(find):
        await house.board.comes_to(NeighbourState.OK)
        await mosquitto.kill()
        await house.board.comes_to(NeighbourState.FAILED)
        house.may_end.set()
        run = await house.jobs.trigger("analysis")
        await house.jobs.wait(run.run_id)
        await mosquitto.start()
        async with ear_at(mosquitto.broker) as ear:
            heard_from.set()
            await house.clock.turn(timedelta(seconds=1))
            await ear.hear(ANALYSIS_COMPLETE, _has(run_id=run.run_id, status="completed"))
            await ear.hear(TOPICS.discovery)
            await ear.hear(TOPICS.state, _has(status="ok"))
            await ear.hear(TOPICS.availability, "online".__eq__)


async def test_without_a_broker_the_rest_lives(house: House) -> None:
    async with house.announcing(always(None)):
        house.may_end.set()
        run = await house.jobs.trigger("analysis")
        assert (await house.jobs.wait(run.run_id)).status == "completed"
        assert house.board.get("broker").state is NeighbourState.OFF


async def test_a_state_that_cannot_be_read_is_logged_and_read_again_at_the_next_change(
    house: House, broker: Broker, ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    trouble = [True]
    offered = house.offered

    async def sometimes() -> list[str]:
        if trouble.pop() if trouble else False:
            raise NeighbourError("no reading today")
        return await offered()

    house.offered = sometimes  # type: ignore[method-assign] # a part that fails once
    async with house.announcing(always(broker)):
        await ear.hear(TOPICS.availability, "online".__eq__)
        house.bus.announce(SuggestionsChanged("home", "r1", 0, (), (), ()))
        await ear.hear(TOPICS.state, _has(status="idle"))
    assert "no reading today" in caplog.text


async def test_stopping_tells_the_last_word_and_says_offline(house: House, broker: Broker, ear: Ear) -> None:
    async with house.announcing(always(broker)) as announcer:
        await house.board.comes_to(NeighbourState.OK)
        run = await house.jobs.trigger("analysis")
        await house.jobs.cancel(run.run_id)
        await house.jobs.wait(run.run_id)
        await announcer.stop(seconds=1)
    await ear.hear(ANALYSIS_COMPLETE, _has(status="interrupted"))
    await ear.hear(TOPICS.state, _has(status="warning"))
    await ear.hear(TOPICS.availability, "offline".__eq__)
    await ear.barrier()
    assert ear.texts(TOPICS.availability)[-1] == "offline"
