"""The page of one suggestion and the list of what was decided, as the server draws them."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import ClientSession

from app.archive.archive import Archive
from app.clock import to_ms
from app.events import Event, Events
from app.habits.suggestion import Evidence, Replay
from app.model import Area, Cause, Entity, Home, User
from app.neighbours import NeighbourState
from app.options import Options
from app.web.decided import kind_in_words
from app.web.moments import draw_moments
from tests.habits.offers.hub import LOST, Editor
from tests.web.house import NOON, House, ingress_house, local_house, offer, suggestion

ZONE = ZoneInfo("Europe/Amsterdam")
HOME = Home(
    name="Canal House",
    time_zone="Europe/Amsterdam",
    areas=(Area(area_id="kitchen", name="Kitchen"),),
    users=(
        User(id="admin", name="Ana", is_admin=True),
        User(id="ben", name="Ben", is_admin=True),
        User(id="guest", name="Gus"),
    ),
    entities=(
        Entity(entity_id="light.kitchen", name="Kitchen lamp"),
        Entity(entity_id="cover.blind", name="Blind"),
    ),
)
HABIT = {"entities": ["light.kitchen"], "state": "on", "day_type": "workdays", "at": "07:00:00"}
ONE = "/suggestions/clock-kitchen"
API = f"/api{ONE}"


def kitchen(**changes: Any) -> Any:
    return suggestion(**{"habit": HABIT, **changes})


def blind() -> Any:
    return kitchen(
        identity="sun-blind",
        title="Blind closed at sunset",
        kind="sun",
        risk="confirm",
        habit={"entities": ["cover.blind"], "state": "closed", "sun": {"event": "sunset"}},
        automation={
            "alias": "Blind closed at sunset",
            "triggers": [{"trigger": "sun", "event": "sunset"}],
            "conditions": [{"condition": "numeric_state", "entity_id": "zone.home", "above": 0}],
            "actions": [{"action": "cover.close_cover", "target": {"entity_id": ["cover.blind"]}}],
            "mode": "single",
        },
    )


async def page(http: ClientSession, path: str = ONE, status: int = 200, user: str = "admin") -> str:
    async with http.get(path, headers={"Accept": "text/html", "X-Remote-User-Id": user}) as answer:
        assert answer.status == status
        return " ".join((await answer.text()).split())


async def post(http: ClientSession, path: str, given: Any = None) -> tuple[int, Any]:
    async with http.post(path, json=given) as answer:
        return answer.status, await answer.json()


def connected(opened: House) -> None:
    opened.parts.neighbours.set("hub", NeighbourState.OK)


async def test_it_says_what_it_would_do_and_what_speaks_for_it(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        await offer(opened, kitchen())
        text = await page(http)
        assert '<h1 id="what-title"><bdi>Kitchen lamp on at 7:00</bdi></h1>' in text
        assert "at 07:00" in text
        assert "turn on Kitchen lamp" in text
        assert "You did this on 19 of 21 workdays." in text
        assert "2 of 24 runs in the trial were not wanted." in text
        assert "It would have missed that you did it 3 times." in text
        assert "Nothing yet." in text
        assert 'id="accept"' in text
        assert 'name="confirm"' not in text
        assert "Never" in text


async def test_what_it_saves_comes_from_the_trial_alone(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=HOME) as (opened, http):
        half = Replay(days=10, fires=8, wanted=6, unwanted=2, missed=0, precision=0.75, coverage=1)
        evidence = kitchen().evidence
        await offer(opened, kitchen(evidence=evidence.model_copy(update={"replay": half})))
        assert "by hand 6 times: about 3 a week." in await page(http)
        rare = half.model_copy(update={"days": 60})
        await offer(opened, kitchen(evidence=evidence.model_copy(update={"replay": rare})))
        assert "by hand 6 times: less than once a week." in await page(http)
        none = half.model_copy(update={"wanted": 0})
        await offer(opened, kitchen(evidence=evidence.model_copy(update={"replay": none})))
        assert "spared you" not in await page(http)


async def test_what_can_do_harm_takes_a_tick_that_says_why(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        await offer(opened, blind())
        text = await page(http, "/suggestions/sun-blind")
        assert 'name="confirm" required' in text
        assert "It moves a cover, with nobody looking." in text
        home = await page(http, "/")
        assert "Look, then accept" in home
        assert "sun-blind/accept" not in home


async def test_once_accepted_it_says_how_it_stands_and_leads_to_its_editor(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        connected(opened)
        await offer(opened, kitchen())
        assert (await post(http, f"{API}/accept"))[0] == 200
        text = await page(http)
        assert "Runs by itself" in text
        assert "<bdi>You accepted this</bdi>" in text
        assert 'href="/config/automation/edit/nightshift_clock_kitchen" target="_top"' in text
        assert 'id="accept"' not in text
        assert "You accepted this: it runs." in text
        assert "Ana accepted this" in await page(http, user="ben")
        home = await page(http, "/")
        assert 'id="accepted"' in home
        assert "Runs by itself" in home
        assert (await post(http, f"{API}/undo"))[0] == 200
        assert 'id="accept"' in await page(http)


async def test_what_waits_for_the_hub_says_so(tmp_path: Path) -> None:
    editor = Editor()
    editor.fails = LOST
    async with ingress_house(tmp_path, editor=editor, home=HOME) as (opened, http):
        await offer(opened, kitchen())
        assert (await post(http, f"{API}/accept"))[0] == 202
        text = await page(http)
        assert "Accepted, not in Home Assistant yet" in text
        assert "Home Assistant cannot be reached just now" in text
        assert "Take it back" in text


async def test_what_was_deleted_or_edited_there_is_told_with_what_to_do(tmp_path: Path) -> None:
    editor = Editor()
    async with ingress_house(tmp_path, editor=editor, home=HOME) as (opened, http):
        connected(opened)
        await offer(opened, kitchen())
        await post(http, f"{API}/accept")
        editor.configs["nightshift_clock_kitchen"]["alias"] = "Mine"
        await opened.parts.offers.deploying.look(HOME)
        assert "Someone edited it there." in await page(http)
        editor.configs.clear()
        await opened.parts.offers.deploying.look(HOME)
        text = await page(http)
        assert "Gone from Home Assistant" in text
        assert "Accept again" in text
        assert (await post(http, f"{API}/accept"))[0] == 200
        assert "Runs by itself" in await page(http)


async def test_what_was_declined_or_excluded_is_listed_and_taken_back(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        await offer(opened, kitchen(), blind())
        await post(http, f"{API}/decline", {"reason": "<b>No</b>"})
        await post(http, "/api/suggestions/sun-blind/never", {"what": "kind"})
        await post(http, "/api/exclusions", {"kind": "area", "value": "kitchen"})
        text = await page(http, "/decided")
        assert "“<bdi>&lt;b&gt;No&lt;/b&gt;</bdi>”" in text
        assert "<bdi>All in Kitchen</bdi>" in text
        assert "<bdi>Covers brought to “closed” by the sun</bdi>" in text
        assert "<bdi>You said never</bdi>" in text
        assert "Never: <bdi>Covers" in await page(http, "/suggestions/sun-blind")
        await post(http, "/api/exclusions/remove", {"kind": "area", "value": "kitchen"})
        assert "All in Kitchen" not in await page(http, "/decided")


async def test_one_that_faded_says_why_it_cannot_be_accepted(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=HOME) as (opened, http):
        await offer(opened, kitchen())
        await offer(opened)
        text = await page(http)
        assert "The last night did not find this habit any more." in text
        assert "/accept" not in text
        await page(http, "/suggestions/unheard-of", status=404)


async def test_who_may_not_decide_sees_it_all_with_dead_buttons(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=HOME) as (opened, http):
        await offer(opened, kitchen())
        text = await page(http, user="guest")
        assert "administrator" in text
        # Theme, copy, back, the question's two, and putting away news.
        assert text.count("<button") - text.count("disabled>") == 6
        assert "The buttons need JavaScript" in text


async def test_hostile_names_stay_text(tmp_path: Path) -> None:
    hostile = "</script><script>alert(1)</script>\"'{{ 7*7 }}"
    named = HOME.model_copy(update={"entities": (Entity(entity_id="light.kitchen", name=hostile),)})
    async with ingress_house(tmp_path, home=named, editor=Editor()) as (opened, http):
        connected(opened)
        await offer(opened, kitchen(identity="hostile", title=hostile, description=hostile))
        path = "suggestions/hostile"
        assert "<script>alert" not in await page(http, f"/{path}")
        await post(http, f"/api/{path}/accept")
        for where in ("/", "/decided", f"/{path}"):
            assert "<script>alert" not in await page(http, where)
            assert "{{ 7*7 }}" in await page(http, where)


async def test_outside_of_the_hubs_frame_the_editor_is_at_its_address(tmp_path: Path) -> None:
    options = Options.model_validate({"hub_url": "http://hub.lan:8123", "hub_token": "a" * 20})
    async with local_house(tmp_path, editor=Editor(), home=HOME, options=options) as (opened, http):
        connected(opened)
        await offer(opened, kitchen())
        await post(http, f"{API}/accept")
        address = "http://hub.lan:8123/config/automation/edit/nightshift_clock_kitchen"
        assert address in await page(http)


async def test_a_change_is_tried_on_the_past(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=HOME) as (opened, http):
        await lived(opened)
        await offer(opened, kitchen())
        status, said = await post(http, f"{API}/replay", {"at": "07:10", "alias": "Breakfast"})
        assert status == 200
        assert said["automation"]["alias"] == "Breakfast"
        assert said["automation"]["triggers"] == [{"trigger": "time", "at": "07:10:00"}]
        assert said["before"]["wanted"] > 5
        assert said["after"]["wanted"] == said["before"]["wanted"]
        assert said["days"].endswith(" days")
        _, said = await post(http, f"{API}/replay", {"at": "15:00"})
        assert (said["after"]["wanted"], said["after"]["missed"] > 5) == (0, True)
        status, said = await post(http, f"{API}/replay", {"at": "noon"})
        assert (status, said["error"]) == (422, "at: give HH:MM")
        status, said = await post(http, f"{API}/replay", {"offset_minutes": 5})
        assert (status, said["error"]) == (422, "offset_minutes: this automation is not triggered that way")
        assert (await post(http, "/api/suggestions/other/replay", {}))[0] == 404


async def test_a_past_that_is_no_longer_kept_is_said(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=HOME) as (opened, http):
        await offer(opened, kitchen())
        status, said = await post(http, f"{API}/replay", {"at": "07:10"})
        assert status == 422
        assert "no longer kept" in said["error"]


async def lived(opened: House) -> None:
    """Let the kitchen lamp be switched on at about seven for forty days before today."""
    events: list[Event] = []
    for back in range(40, 0, -1):
        day = (NOON - timedelta(days=back)).replace(hour=0, minute=0)
        for minutes in range(0, 1440, 30):
            at = to_ms(day + timedelta(minutes=minutes))
            events.append(Event("binary_sensor.door", "on" if minutes % 60 else "off", at, Cause.UNKNOWN, at))
        at = to_ms(day + timedelta(hours=6, minutes=back * 7 % 9))
        events.append(Event("light.kitchen", "on", at, Cause.HAND, at))
        off = at + 2_400_000
        events.append(Event("light.kitchen", "off", off, Cause.HAND, off))
    events.sort(key=lambda one: one.at)
    await Archive(opened.store, opened.parts.clock).append("home", Events.of(events))


def test_marks_lie_by_day_and_by_time_of_day() -> None:
    replay = Replay(
        days=2, fires=2, wanted=1, unwanted=1, missed=1, precision=0.5, coverage=0.5,
        wanted_at=["2026-03-09T07:00:00+01:00"], unwanted_at=["2026-03-10T07:00:00+01:00"],
        missed_at=["2026-03-10T09:00:00+01:00"],
    )  # fmt: skip
    evidence = Evidence(
        days_observed=3, days_kept=2, confidence=0.5, replay=replay,
        examples=["2026-03-06T08:00:00+01:00", "2026-03-09T06:50:00+01:00"],
        misses=["2026-03-05T07:00:00+01:00", "2026-03-10T07:00:00+01:00", "2026-03-10T09:00:00+01:00"],
    )  # fmt: skip
    drawing = draw_moments(evidence, ZONE, 420)
    assert drawing is not None
    assert [mark.kind for mark in drawing.marks] == [
        "act", "act", "wanted", "unwanted", "missed", "unkept",
    ]  # fmt: skip
    assert [hour.label for hour in drawing.hours] == ["6:00", "7:00", "8:00", "9:00", "10:00"]
    assert drawing.line == 25.0
    xs = {mark.kind: mark.x for mark in drawing.marks}
    assert xs["unkept"] < xs["act"] < xs["unwanted"] == xs["missed"]
    assert len(drawing.weekends) == 2
    assert "2 times done by hand, 1 run that was wanted" in drawing.said


@pytest.mark.parametrize("at", ["00:10", "23:50", "12:00"])
def test_the_hours_drawn_stay_within_the_day(at: str) -> None:
    replay = Replay(days=1, fires=0, wanted=0, unwanted=0, missed=0, precision=0, coverage=0)
    evidence = Evidence(
        days_observed=1, days_kept=1, confidence=0, replay=replay,
        examples=[f"2026-03-06T{at}:00+01:00"], misses=[],
    )  # fmt: skip
    drawing = draw_moments(evidence, ZONE)
    assert drawing is not None
    assert all(0 <= mark.y <= 100 for mark in drawing.marks)
    assert all(0 <= hour.y <= 100 for hour in drawing.hours)
    assert len(drawing.hours) == 5


def test_nothing_known_draws_nothing() -> None:
    replay = Replay(days=1, fires=0, wanted=0, unwanted=0, missed=0, precision=0, coverage=0)
    none = Evidence(days_observed=1, days_kept=0, confidence=0, replay=replay, examples=[], misses=[])
    assert draw_moments(none, ZONE) is None


def test_kinds_of_habits_are_told_in_words() -> None:
    assert kind_in_words("sun:cover:closed") == "covers brought to “closed” by the sun"
    assert kind_in_words("trigger:light:on") == "lights turned on after something else happened"
    assert kind_in_words("clock") == "anything done by the clock"
