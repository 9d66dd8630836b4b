"""What a suggestion's page says became of its automation: counted, drawn by day, proposed."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from app.clock import TurnedClock
from app.habits.offers.watched import Proposal, Watched, WatchedDay
from app.habits.offers.watches import Watches
from app.neighbours import NeighbourState
from app.web.since import since_of
from tests.habits.offers.hub import Editor
from tests.web.house import NOON, House, ingress_house, offer
from tests.web.test_page_in_a_browser import browsing
from tests.web.test_suggestion_page import API, HOME, ONE, kitchen
from tests.web.test_suggestion_page_in_a_browser import HEADERS, home_of

UNDONE = ["2026-03-08T07:03:00+01:00", "2026-03-09T07:01:30+01:00"]
WHY = "Shift it to 7:30: on 6 of 8 days since 24 February people did it themselves."
LATER = [{"trigger": "time", "at": "07:30:00"}]


def day(number: int, *, missed: int | None = 0, **counts: int) -> WatchedDay:
    whole = {"fired": 0, "undone": 0, "by_hand": 0, **counts}
    return WatchedDay(day=f"2026-03-{number:02}", missed=missed, **whole)


def watched(*days: WatchedDay, **changes: Any) -> Watched:
    given = {"unique_id": "nightshift_lamp", "entity_id": "automation.lamp", "alias": "Lamp"}
    return Watched.model_validate({**given, "days": list(days), **changes})


def shift() -> Proposal:
    return Proposal(proposal="shift", why=WHY, automation={**kitchen().automation, "triggers": LATER})


async def tell(opened: House, **changes: Any) -> None:
    """Let a night have seen two days of the kitchen's automation."""
    watches = Watches(opened.store, opened.parts.bus, opened.parts.clock)
    (own,) = await watches.accepted("home")
    names = {"unique_id": own.unique_id, "suggestion_id": own.suggestion_id, "since": own.since}
    newest = opened.parts.clock.now().date()
    days = [
        WatchedDay(day=(newest - timedelta(days=3)).isoformat(), fired=2, undone=1, by_hand=0, missed=0),
        WatchedDay(day=newest.isoformat(), fired=1, undone=1, by_hand=0, missed=1),
    ]
    await watches.keep("home", [watched(*days, undone_at=UNDONE, **names, **changes)])


async def read(http: ClientSession, path: str) -> str:
    async with http.get(path) as reply:
        assert reply.status == 200
        return await reply.text()


def test_each_day_has_its_place_and_two_weeks_have_room() -> None:
    said = since_of(watched(day(1, fired=2), day(2, undone=1, fired=1), day(4, missed=3)))
    assert said is not None
    assert (said.watched, said.first, said.last) == ("3 days", "Sun 1 Mar", "Sun 15 Mar")
    assert [(one.label, one.said, one.kind, one.marks) for one in said.figures] == [
        ("Ran", "3 times", "wanted", (3.33, 10.0)),
        ("Taken back by someone", "1 time", "unwanted", (10.0,)),
        ("Done by hand all the same", "0 times", "act", ()),
        ("Did not run although its moment came", "3 times", "missed", (23.33,)),
    ]


def test_what_cannot_be_told_is_left_out_and_before_the_first_day_there_is_nothing() -> None:
    said = since_of(watched(day(1, missed=None), day(31, missed=None)))
    assert said is not None
    assert [one.kind for one in said.figures] == ["wanted", "unwanted", "act"]
    assert said.last == "Tue 31 Mar"
    assert since_of(watched()) is None


def test_the_newest_undos_are_named_first_and_not_all_of_many() -> None:
    many = [f"2026-03-{number:02}T07:00:00+01:00" for number in range(1, 8)]
    few, all_of = (since_of(watched(day(9), undone_at=at)) for at in (UNDONE, many))
    assert few is not None
    assert all_of is not None
    assert few.undos.replace("\u00a0", " ") == "Mon 9 Mar at 07:01 and Sun 8 Mar at 07:03"
    named, _, rest = all_of.undos.replace("\u00a0", " ").rpartition(" and ")
    assert (named.split(", ")[0], len(named.split(", ")), rest) == ("Sat 7 Mar at 07:00", 5, "earlier")


async def test_the_page_says_it_after_the_first_night_and_a_proposal_only_while_it_stands(
    tmp_path: Path,
) -> None:
    clock = TurnedClock(NOON)
    async with ingress_house(tmp_path, editor=Editor(), home=HOME, clock=clock) as (opened, http):
        opened.parts.neighbours.set("hub", NeighbourState.OK)
        await offer(opened, kitchen())
        assert 'id="since"' not in await read(http, ONE)
        await http.post(f"{API}/accept")
        assert 'id="since"' not in await read(http, ONE)
        await tell(opened)
        page = await read(http, ONE)
        assert "<span>3 times</span>" in page
        assert "After two weeks, counted from its last change" in page
        await tell(opened, proposal=shift())
        page = await read(http, ONE)
        assert page.count(WHY) == 1
        assert "After two weeks" not in page
        await clock.turn(timedelta(hours=1))
        await http.post(f"{API}/change", json={"mode": "disabled"})
        assert WHY not in await read(http, ONE)
        await http.post(f"{API}/undo")
        assert 'id="since"' not in await read(http, ONE)


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_the_proposal_is_taken_with_one_press_and_fits_the_screen(tmp_path: Path, width: int) -> None:
    editor = Editor()
    size = {"width": width, "height": 800}
    async with home_of(tmp_path, editor) as opened, browsing(viewport=size, **HEADERS) as page:
        await page.goto(f"{opened.url}{ONE}")
        await page.locator("#accept").click()
        await page.get_by_text("Runs by itself").wait_for()
        await tell(opened, proposal=shift())
        await page.reload()
        since = page.locator("#since")
        assert await since.locator(".mark.wanted").count() == 2
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        for line in await since.locator("p, dt, .counted span").all():
            box = await line.bounding_box()
            assert box
            assert box["width"] > box["height"], await line.inner_text()
        await since.get_by_role("button", name="Shift it").click()
        await page.locator("#what").get_by_text("at 07:30").wait_for()
        assert await since.get_by_text(WHY).count() == 0
        assert editor.configs["nightshift_clock_kitchen"]["triggers"] == LATER
