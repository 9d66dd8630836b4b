"""The job: each scorecard on its own, stored, told once, stale while the hub is away."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import StoreError
from app.insights.announcements import CoachAlert
from app.insights.daily import DAILY_INSIGHTS
from app.insights.insight import Insight
from app.insights.trend import Direction
from app.jobs.due import schedule_of
from app.jobs.run import RunStatus
from tests.insights.house import House, house, with_business
from tests.insights.small import MORNING, SmallHome
from tests.insights.test_checking import GOOD

DAY = timedelta(days=1)


async def next_morning(opened: House) -> None:
    await opened.clock.turn(DAY)
    await opened.morning()


async def test_a_morning_scores_what_is_on_and_keeps_it(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        run = await opened.morning()
        found = await opened.insights.latest("home")
    assert run.status is RunStatus.COMPLETED
    assert found is not None
    assert (found.scorecard, found.day) == ("home", date(2026, 3, 10))
    assert (found.health_score, found.confidence) == (100, 1)
    assert [(one.title, one.weight, one.score) for one in found.health_breakdown] == [
        ("Safety and security", 0.35, 100),
        ("Devices", 0.25, 100),
        ("Comfort", 0.25, 100),
        ("Energy", 0.15, 100),
    ]
    assert found.connector_data_snapshot["energy.against_usual"] == {
        "value": 1.0,
        "unit": "times the usual",
        "read_from": "Nightshift's figure “yesterday's energy (times the usual)”",
        "source": "energy_ratio",
        "read_at": MORNING.isoformat(),
        "missing": "",
        "to_do": "",
        "away": False,
        "stale": False,
    }
    assert 3 <= len(found.recommendations) <= 5
    assert [(one.insight, one.before) for one in opened.ready] == [(found, None)]
    assert run.counts == {"recommendations": 3, "alerts_sent": 0, "metrics_read": 9, "metrics_missing": 0}


async def test_the_day_after_tells_the_score_before(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.morning()
        opened.figures.given["batteries_low"] = 9
        await next_morning(opened)
        assert [(one.before, one.insight.health_score) for one in opened.ready] == [(None, 100), (100, 94)]
        assert [one.day.day for one in await opened.insights.recent("home", "home")] == [11, 10]


async def test_a_score_that_rests_on_less_is_not_compared_with_the_day_before(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.morning()
        for name in ("alerts_open_critical", "alerts_open_high"):
            opened.figures.given[name] = None
        await next_morning(opened)
        assert [one.before for one in opened.ready] == [None, None]


async def test_a_second_run_of_a_day_takes_the_place_of_the_first(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.morning()
        opened.figures.given["batteries_low"] = 9
        await opened.clock.turn(timedelta(hours=2))
        await opened.morning()
        (found,) = await opened.insights.recent("home")
        assert found.health_score == 94
        assert opened.ready[-1].before is None


async def test_a_scorecard_that_is_wrong_fails_alone(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.scorecards.put("home", GOOD, "ana")
        async with opened.store.writing() as db:
            await db.execute("UPDATE scorecard SET text = replace(text, 'score: 60', 'score: 600')")
        run = await opened.morning()
        subjects = {one.subject_id: one for one in await opened.results.of(run.run_id)}
        assert run.status is RunStatus.PARTIAL
        assert (await opened.insights.recent("home"))[0].scorecard == "home"
    assert subjects["home"].error is None
    assert "line 14: air, co2, bands, 2, score: 600 cannot be taken" in (subjects["office"].error or "")


async def test_one_bad_template_never_stops_the_other_metrics(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.scorecards.put(
            "home",
            GOOD.replace("entity: sensor.co2", 'template: "{% if"').replace("        unit: ppm\n", ""),
            "ana",
        )
        opened.home.templates["{{ states('sensor.noise') }}"] = "31"
        run = await opened.morning()
        found = await opened.insights.latest("home", "office")
    assert run.status is RunStatus.COMPLETED
    assert found is not None
    assert [one.missing for one in found.health_breakdown[0].metrics] == [
        "The template is wrong: TemplateSyntaxError: unexpected end",
        "",
    ]
    assert found.health_breakdown[0].metrics[1].value == 31


async def test_with_the_hub_away_the_last_good_readings_stand_in_and_are_marked(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened, days_of_runway=40)
        await opened.morning()
        opened.home.since = None
        await next_morning(opened)
        stale = await opened.insights.latest("home", "business")
        own = await opened.insights.latest("home", "home")
        assert stale is not None
        assert own is not None
        assert (stale.day.day, stale.health_score, stale.stale_since) == (11, 90, MORNING)
        assert (own.health_score, own.stale_since) == (100, None)
        runway = stale.connector_data_snapshot["cash_flow.days_of_runway"]
        assert (runway["value"], runway["stale"], runway["read_at"]) == (40, True, MORNING.isoformat())
        assert "read 2026-03-10 05:00 UTC" in stale.recommendations[0].rests_on
        # Day by day they stay those of that morning, and a week later they stand for nothing any more.
        await next_morning(opened)
        assert (await latest(opened)).stale_since == MORNING
        for _ in range(6):
            await next_morning(opened)
        too_old = await latest(opened)
        assert (too_old.health_score, too_old.confidence, too_old.stale_since) == (None, 0, None)
        assert too_old.health_breakdown[0].metrics[0].missing == "The hub could not be asked: it is away."
        # Back, it is read afresh.
        opened.home.since = MORNING
        await next_morning(opened)
        assert ((await latest(opened)).health_score, (await latest(opened)).stale_since) == (90, None)


async def test_a_hub_that_was_away_is_read_when_the_scorecard_is_tried_again(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened, days_of_runway=40)
        await opened.morning()
        opened.home.since = None
        opened.home.put("sensor.days_of_runway", 100)
        await opened.clock.turn(DAY)
        run = await opened.morning()
        assert (run.status, run.subjects_successful, run.subjects_failed) == (RunStatus.PARTIAL, 1, 1)
        (failed,) = await opened.jobs.queue.all()
        assert failed.last_error == (
            "the hub could not be asked for 8 of 8 metrics; readings from 2026-03-10 05:00 UTC on stand in"
            " until it can"
        )
        assert (await latest(opened)).health_score == 90
        opened.home.since = MORNING
        again = await opened.jobs.retry_subject(failed.retry_id)
        assert (await opened.jobs.wait(again.run_id)).status is RunStatus.COMPLETED
        found = await latest(opened)
        assert (found.day.day, found.health_score, found.stale_since) == (11, 100, None)
        assert await opened.jobs.queue.all() == []


async def test_what_was_unavailable_stays_missing_while_the_hub_is_away(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened, days_of_runway="unavailable")
        await opened.morning()
        opened.home.since = None
        await next_morning(opened)
        found = await latest(opened)
    assert found.health_breakdown[0].score is None
    assert found.confidence == pytest.approx(0.65)


async def test_readings_of_an_earlier_day_take_the_place_of_none_read_today(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened)
        await opened.morning()
        before = await latest(opened)
        opened.home.since = None
        await opened.clock.turn(timedelta(hours=1))
        await opened.morning()
        assert await latest(opened) == before


async def test_a_renamed_entity_is_not_filled_up_from_the_other_one(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened)
        await opened.morning()
        kept = await opened.scorecards.get("home", "business")
        await opened.scorecards.put("home", kept.text.replace("sensor.net_margin", "sensor.margin"), "ana")
        opened.home.since = None
        await next_morning(opened)
        assert (await latest(opened)).health_breakdown[3].score is None


async def test_what_is_critical_is_told_once_for_as_long_as_it_lasts(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened, days_of_runway=12, net_margin=-3)
        run = await opened.morning()
        (told,) = opened.told
        found = await latest(opened)
        assert told == CoachAlert(
            home_id="home",
            priority="critical",
            title="Cash flow alert",
            message="Projected negative in 12 days.",
            recommendation_id=found.recommendations[0].recommendation_id,
            timestamp=MORNING,
            type="coach_alert",
        )
        assert run.counts["alerts_sent"] == 1
        opened.home.put("sensor.days_of_runway", 11)
        await next_morning(opened)
        await opened.morning()
        assert len(opened.told) == 1
        # Over for more than a week, it is news again.
        opened.home.put("sensor.days_of_runway", 100)
        for _ in range(9):
            await next_morning(opened)
        opened.home.put("sensor.days_of_runway", 10)
        await next_morning(opened)
        assert [one.message for one in opened.told[1:]] == ["Projected negative in 10 days."]
        assert opened.told[1].recommendation_id != told.recommendation_id


async def test_what_flutters_around_an_edge_is_told_once(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened)
        for number in range(10):
            opened.home.put("sensor.days_of_runway", 13.9 if number % 2 else 14.1)
            await next_morning(opened)
        assert len(opened.told) == 1


async def test_high_ones_are_told_too_where_people_want_them(tmp_path: Path) -> None:
    async with house(tmp_path, critical_only=False) as opened:
        await with_business(opened, days_of_runway=12, net_margin=-3)
        await opened.morning()
        assert [one.priority for one in opened.told] == ["critical", "high"]


async def test_nothing_is_told_where_nobody_wants_it_and_told_when_somebody_does(tmp_path: Path) -> None:
    async with house(tmp_path, send_alerts=False) as opened:
        await with_business(opened, days_of_runway=12)
        await opened.morning()
        assert (opened.told, await latest(opened) is not None) == ([], True)
    async with house(tmp_path) as opened:
        await with_business(opened, days_of_runway=12)
        await opened.morning()
        assert len(opened.told) == 1


async def test_what_a_crash_kept_from_being_told_is_told_by_the_next_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened, days_of_runway=12)

        async def killed(_insight: object) -> list[object]:
            raise StoreError("cut off here")

        with monkeypatch.context() as patched:
            patched.setattr(opened.insights, "untold", killed)
            assert (await opened.morning()).status is RunStatus.FAILED
        assert (opened.told, (await latest(opened)).health_score) == ([], 76)
        await opened.morning()
        assert len(opened.told) == 1
        await opened.morning()
        assert len(opened.told) == 1


async def test_a_day_that_is_over_cannot_be_read_any_more(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        run = await opened.morning(date(2026, 3, 9))
        assert run.status is RunStatus.FAILED
        assert run.error_message == "the readings of 2026-03-09 are gone: run it without a day, for today"
        assert (await opened.morning(date(2026, 3, 10))).status is RunStatus.COMPLETED


async def test_with_every_scorecard_off_nothing_is_done(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await opened.scorecards.switch("home", "home", "ana", active=False)
        run = await opened.morning()
        assert (run.status, await opened.insights.recent("home")) == (RunStatus.COMPLETED, [])


async def test_it_runs_by_itself_at_six_in_the_homes_own_zone(tmp_path: Path) -> None:
    chatham = ZoneInfo("Pacific/Chatham")
    at = datetime(2026, 3, 10, 5, 30, tzinfo=chatham).astimezone(UTC)
    async with house(tmp_path, at=at, zone=chatham, scheduling=True) as opened:
        following = opened.jobs.next_run(DAILY_INSIGHTS)
        assert following is not None
        assert following.astimezone(chatham).strftime("%d %H:%M") == "10 06:00"


@settings(deadline=None)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - made aware below
    st.sampled_from(["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
                     "Pacific/Chatham", "America/Santiago", "Africa/Casablanca"]),
)  # fmt: skip
def test_there_is_one_morning_each_local_day_whatever_the_clocks_do(naive: datetime, name: str) -> None:
    zone, at = ZoneInfo(name), naive.replace(tzinfo=UTC)
    when = schedule_of("0 6 * * *", name)
    mornings = []
    for _ in range(5):
        following = when.next(at)
        assert following is not None
        at = following
        mornings.append(following.astimezone(zone))
    assert {one.strftime("%H:%M") for one in mornings} == {"06:00"}
    days = [one.date() for one in mornings]
    assert days == [days[0] + number * DAY for number in range(5)]


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 3, 28, 22, 59, tzinfo=UTC), date(2026, 3, 28)),
        (datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29)),
        (datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 23, 0, tzinfo=UTC), date(2026, 10, 26)),
    ],
)
async def test_an_insight_is_of_the_local_day_over_the_changes_too(
    tmp_path: Path, at: datetime, day: date
) -> None:
    async with house(tmp_path, at=at, home=SmallHome(since=at)) as opened:
        await opened.morning()
        (found,) = await opened.insights.recent("home")
    assert found.day == day


async def test_the_trend_is_that_of_the_card_as_it_is_written_now(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened)
        assert (await opened.insights.trend("home", "business")).days == 0
        for number in range(8):
            opened.home.put("sensor.days_of_runway", 12 * (number + 1))
            await next_morning(opened)
        rising = await opened.insights.trend("home", "business")
        assert (rising.direction, rising.days) == (Direction.IMPROVING, 8)
        kept = await opened.scorecards.get("home", "business")
        await opened.scorecards.put("home", kept.text.replace("score: 50", "score: 55"), "ana")
        await next_morning(opened)
        assert (await opened.insights.trend("home", "business")).days == 1


async def test_old_insights_are_forgotten_and_what_still_stands_is_not_told_again(tmp_path: Path) -> None:
    async with house(tmp_path) as opened:
        await with_business(opened, days_of_runway=12)
        for _ in range(4):
            await next_morning(opened)
        assert await opened.insights.forget("home", date(2026, 3, 13)) == 4
        assert {one.day.day for one in await opened.insights.recent("home")} == {13, 14}
        await next_morning(opened)
        assert len(opened.told) == 1
        assert [one.scorecard for one in await opened.insights.latest_of_each("home")] == ["business", "home"]


async def latest(opened: House) -> Insight:
    found = await opened.insights.latest("home", "business")
    assert found is not None
    return found
