"""The morning digest: once a day, only what is new, never yesterday's."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.announce.digest import MORNING_DIGEST, MorningDigest, morning_digest_job, schedule_of
from app.announce.digest_book import DigestBook
from app.announce.phones import Phones
from app.errors import NeighbourError
from app.habits.offers.decision import Mode
from app.habits.offers.watched import Proposal, Watched
from app.habits.offers.watches import Watches
from app.hub.errors import CommandError, NoReplyError
from app.jobs.announcements import RunEnded, RunSkipped
from app.jobs.context import RunContext
from app.jobs.engine import EmbeddedEngine
from app.jobs.ledger import Ledger
from app.jobs.places import Place
from app.jobs.retry_queue import RetryQueue
from app.jobs.run import RunStatus, Trigger
from app.jobs.run_log import RunLog
from app.jobs.runner import Jobs
from app.jobs.spec import Outcome
from tests.announce.phones import Hub
from tests.habits.offers.conftest import ANA, NOW, Desk, desk, found
from tests.habits.offers.hub import LOST

__all__ = ["desk"]
ZONE = ZoneInfo("Europe/Amsterdam")
DAY = timedelta(days=1)
REFUSED = CommandError("call_service", "home_assistant_error", "Device not connected to local push")


@dataclass
class Morning:
    """A desk, a phone or two, and the job."""

    desk: Desk
    hub: Hub
    digest: MorningDigest

    async def comes(self, occasion: datetime | None = None, **more: Any) -> Outcome:
        now = self.desk.clock.now()
        context = RunContext(
            "r", MORNING_DIGEST, "home", Trigger.SCHEDULE, None, now, self.desk.clock,
            EmbeddedEngine(self.desk.clock), lambda _: None, ZONE, occasion or now, **more,
        )  # fmt: skip
        return await self.digest.run(context)

    async def proposes(self, proposal: Any, why: str) -> None:
        """Let a night have watched what was accepted, and propose something."""
        watches = Watches(self.desk.store, self.desk.bus, self.desk.clock)
        (own,) = await watches.accepted("home")
        told = Watched(
            unique_id=own.unique_id,
            entity_id="automation.lamp",
            alias="Lamp",
            suggestion_id=own.suggestion_id,
            since=own.since,
            proposal=Proposal(proposal=proposal, why=why),
        )
        await watches.keep("home", [told])

    async def next_day(self) -> None:
        await self.desk.clock.turn(DAY)


def _digest(desk: Desk, hub: Hub | None) -> MorningDigest:
    return MorningDigest(
        home_id="home",
        home=lambda: desk.home,
        suggestions=desk.suggestions,
        decisions=desk.decisions,
        phones=Phones(hub) if hub else None,
        book=DigestBook(desk.store, desk.clock, "home"),
        page=lambda: "/app/n",
        watches=Watches(desk.store, desk.bus, desk.clock),
    )


@pytest.fixture
async def morning(desk: Desk) -> Morning:
    hub = Hub("mobile_app_ana")
    return Morning(desk, hub, _digest(desk, hub))


async def test_what_is_new_is_told_once(morning: Morning) -> None:
    await morning.desk.offer(found(), found("hall", "light.hall"))
    assert (await morning.comes()).counts == {"phones": 1, "told": 1, "new": 2}
    await morning.comes()
    await morning.next_day()
    assert (await morning.comes()).counts["told"] == 0
    assert morning.hub.titles == ["2 new suggestions"]
    await morning.desk.offer(found(), found("hall", "light.hall"), found("blind", "cover.blind", "closed"))
    await morning.comes()
    await morning.next_day()
    await morning.comes()
    assert morning.hub.titles == ["2 new suggestions", "A new suggestion"]


async def test_what_is_proposed_for_an_automation_is_told_once_and_leads_to_it(morning: Morning) -> None:
    await morning.desk.offer(found())
    await morning.desk.offers.accept("lamp", ANA)
    await morning.proposes("retire", "Retire it: nobody ever said yes.")
    assert (await morning.comes()).counts == {"phones": 1, "told": 1, "new": 1}
    await morning.next_day()
    await morning.proposes("retire", "Retire it: nobody ever said yes.")
    assert (await morning.comes()).counts["told"] == 0
    ((_, said),) = morning.hub.sent
    assert (said["title"], said["message"]) == (
        "An automation to look at",
        "Lamp. Retire it: nobody ever said yes.",
    )
    assert said["data"]["url"] == "/app/n/suggestions/lamp"
    assert [one["title"] for one in said["data"]["actions"]] == ["Details"]
    await morning.next_day()
    await morning.proposes("shift", "Shift it to 7:30: …")
    assert (await morning.comes()).counts["told"] == 1


async def test_that_all_is_well_is_worth_no_buzz_and_what_was_decided_anew_is_none(morning: Morning) -> None:
    await morning.desk.offer(found())
    await morning.desk.offers.accept("lamp", ANA)
    await morning.proposes("keep", "Keep it: …")
    assert (await morning.comes()).counts == {"told": 0, "new": 0}
    await morning.proposes("retire", "Retire it: …")
    await morning.next_day()
    await morning.desk.offers.change("lamp", ANA, mode=Mode.DISABLED)
    assert (await morning.comes()).counts["told"] == 0


async def test_both_are_one_notification(morning: Morning) -> None:
    await morning.desk.offer(found(), found("hall", "light.hall"))
    await morning.desk.offers.accept("lamp", ANA)
    await morning.proposes("retire", "Retire it: …")
    assert (await morning.comes()).counts["new"] == 2
    ((_, said),) = morning.hub.sent
    assert said["title"] == "A new suggestion"
    assert said["message"].endswith("Also an automation to look at.")
    assert said["data"]["url"] == "/app/n"
    assert said["data"]["actions"][2]["uri"] == "/app/n/suggestions/hall"


async def test_with_nothing_on_offer_nobody_is_asked_anything(morning: Morning) -> None:
    morning.hub.fails = LOST
    assert (await morning.comes()).counts == {"told": 0, "new": 0}


async def test_in_a_demo_there_is_no_phone(morning: Morning) -> None:
    await morning.desk.offer(found())
    morning.digest = _digest(morning.desk, None)
    assert (await morning.comes()).counts == {"told": 0, "new": 0}


async def test_yesterdays_is_never_delivered(morning: Morning) -> None:
    await morning.desk.offer(found())
    outcome = await morning.comes(NOW - DAY)
    assert (outcome.details, morning.hub.sent) == ({"too_late": "2026-05-02"}, [])


async def test_the_day_is_the_homes_own(morning: Morning) -> None:
    # 23:30 on the third of May in UTC is the fourth in Amsterdam.
    await morning.desk.clock.turn(datetime(2026, 5, 3, 23, 30, tzinfo=UTC) - NOW)
    await morning.desk.offer(found())
    assert (await morning.comes(datetime(2026, 5, 3, 8, 0, tzinfo=UTC))).details == {"too_late": "2026-05-03"}
    assert (await morning.comes(datetime(2026, 5, 3, 22, 30, tzinfo=UTC))).counts["told"] == 1


async def test_what_was_put_off_is_told_again_when_it_is_back(morning: Morning) -> None:
    await morning.desk.offer(found())
    await morning.comes()
    await morning.desk.offers.snooze("lamp", ANA, 7)
    for _ in range(8):
        await morning.next_day()
        await morning.comes()
    assert morning.hub.titles == ["A new suggestion"] * 2


async def test_what_was_taken_back_is_not_told_again(morning: Morning) -> None:
    await morning.desk.offer(found())
    await morning.comes()
    await morning.desk.offers.accept("lamp", ANA)
    await morning.desk.offers.undo("lamp", ANA)
    await morning.next_day()
    assert (await morning.comes()).counts["told"] == 0


async def test_what_the_hub_refused_is_tried_again_and_then_told_once(morning: Morning) -> None:
    await morning.desk.offer(found())
    morning.hub.failing["mobile_app_ana"] = REFUSED
    with pytest.raises(NeighbourError, match="Device not connected"):
        await morning.comes()
    morning.hub.failing.clear()
    assert (await morning.comes()).counts["told"] == 1


async def test_what_may_have_arrived_is_not_sent_twice_that_day_and_comes_with_the_next(
    morning: Morning,
) -> None:
    await morning.desk.offer(found())
    morning.hub.failing["mobile_app_ana"] = NoReplyError("hub: no answer")
    with pytest.raises(NeighbourError):
        await morning.comes()
    morning.hub.failing.clear()
    assert (await morning.comes()).counts["told"] == 0
    await morning.next_day()
    assert (await morning.comes()).counts["told"] == 1


async def test_killed_between_claiming_and_sending_it_is_silent_that_day_and_told_the_next(
    morning: Morning,
) -> None:
    await morning.desk.offer(found())
    book = DigestBook(morning.desk.store, morning.desk.clock, "home")
    assert await book.claim("notify.mobile_app_ana", NOW.date(), ["lamp"])
    assert (await morning.comes()).counts["told"] == 0
    await morning.next_day()
    assert (await morning.comes()).counts["told"] == 1


async def test_one_phone_that_is_gone_does_not_keep_the_other_from_being_told(morning: Morning) -> None:
    await morning.desk.offer(found())
    morning.digest = MorningDigest(
        home_id="home",
        home=lambda: morning.desk.home,
        suggestions=morning.desk.suggestions,
        decisions=morning.desk.decisions,
        phones=Phones(morning.hub, ["notify.mobile_app_gone", "notify.mobile_app_ana"]),
        book=DigestBook(morning.desk.store, morning.desk.clock, "home"),
        page=lambda: "/app/n",
        watches=Watches(morning.desk.store, morning.desk.bus, morning.desk.clock),
    )
    assert (await morning.comes()).counts == {"phones": 2, "told": 1, "new": 1}


async def test_a_person_who_asks_for_it_is_told_again(morning: Morning) -> None:
    await morning.desk.offer(found())
    await morning.comes()
    assert (await morning.comes(force=True)).counts["told"] == 1


@pytest.mark.parametrize(
    ("starts_again", "ended"), [(timedelta(hours=14), "completed"), (timedelta(hours=17), "skipped")]
)
async def test_missed_it_is_made_up_for_in_the_morning_and_not_later(
    morning: Morning, tmp_path: Path, starts_again: timedelta, ended: str
) -> None:
    desk = morning.desk
    await desk.clock.turn(timedelta(hours=11))  # nine in the evening
    await desk.offer(found())

    def jobs() -> Jobs:
        ledger = Ledger(desk.store, desk.clock)
        return Jobs(
            [morning_digest_job(morning.digest.run)],
            ledger=ledger,
            bus=desk.bus,
            clock=desk.clock,
            engine=EmbeddedEngine(desk.clock),
            places=[Place("home", ZONE)],
            schedule_path=tmp_path / "clock.db",
            queue=RetryQueue(desk.store, desk.clock, ledger.generation, desk.bus),
            log=RunLog(desk.store, desk.bus, desk.clock),
        )

    first = jobs()
    await first.start()
    await first.stop(1)
    await desk.clock.turn(starts_again)
    runs: list[RunStatus] = []
    desk.bus.subscribe(RunEnded, lambda event: runs.append(event.run.status))
    desk.bus.subscribe(RunSkipped, lambda event: runs.append(event.run.status))
    second = jobs()
    await second.start()
    await desk.until(lambda: bool(runs))
    await second.stop(1)
    assert runs == [ended]
    assert len(morning.hub.sent) == (ended == "completed")


@pytest.mark.parametrize(
    ("option", "schedule"), [("07:30", "30 7 * * *"), ("6:05", "5 6 * * *"), ("off", "off")]
)
async def test_the_option_is_the_schedule(morning: Morning, option: str, schedule: str) -> None:
    assert schedule_of(option) == schedule
    assert morning_digest_job(morning.digest.run).schedule == "30 7 * * *"
