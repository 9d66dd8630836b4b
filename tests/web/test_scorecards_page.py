"""The pages of the scorecards: which are on, what each is made of, and a text to begin with."""

from datetime import date
from pathlib import Path

from app.insights.checking import read_scorecard
from app.insights.shipped import shipped_texts
from app.web.scorecards_page import _renamed
from tests.web.house import House, local_house
from tests.web.morning import insight
from tests.web.test_home_page import shown

MINE = """name: mine
title: My <b>score</b>
categories:
  - key: air
    title: Air
    weight: 100
    metrics:
      - key: low
        title: Batteries
        figure: batteries_low
        bands:
          - {at_most: 0, score: 100}
          - {score: 50}
"""


async def keep(opened: House, text: str) -> None:
    await opened.morning.parts.insights.scorecards.put("home", text, "admin")


async def test_those_that_came_with_it_are_listed_with_what_they_are_made_of(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(date(2026, 3, 10)))
        text = await shown(http, "/scorecards")
    assert "Safety and security 35 %, Devices 25 %, Comfort 25 %, Energy 15 %; 9 readings" in text
    assert "<strong>82</strong> of 100" in text
    assert "Never scored." in text  # business is off
    assert 'id="on-home" data-switch="api/scorecards/home/switch" checked>' in text
    assert 'id="on-business" data-switch="api/scorecards/business/switch">' in text


async def test_ones_own_is_called_so_and_can_be_removed(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await keep(opened, MINE)
        listed, one = await shown(http, "/scorecards"), await shown(http, "/scorecards/mine")
        shipped = await shown(http, "/scorecards/home")
    assert "Your own" in listed
    assert "Remove it" in one
    assert 'id="remove"' not in shipped


async def test_a_shipped_one_that_was_changed_goes_back_to_how_it_came(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await keep(opened, shipped_texts()["home"].replace("title: Home health", "title: Our home"))
        text = await shown(http, "/scorecards/home")
    assert "Came with Nightshift, changed here" in text
    assert "Back to how it came" in text


async def test_a_text_that_an_earlier_version_took_shows_its_wrong_line(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await keep(opened, MINE)
        async with opened.store.writing() as db:
            await db.execute(
                "UPDATE scorecard SET text = ? WHERE name = 'mine'", (MINE.replace("100", "90"),)
            )
        listed, one = await shown(http, "/scorecards"), await shown(http, "/scorecards/mine")
    assert "Its text is wrong: line 3: categories: the weights of the categories add up to 90" in listed
    assert 'data-line="3">Line 3</button>' in one


async def test_a_new_one_begins_with_a_text_that_is_right_under_a_name_that_is_free(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await keep(opened, MINE)
        text = await shown(http, "/new-scorecard?from=business")
    assert "name: mine_2 title: My own score" in text
    assert "Begun from business" in text
    card = read_scorecard(_renamed(shipped_texts()["home"], {"home", "business"}))
    assert (card.name, card.title) == ("mine", "My own score")


async def test_the_figures_one_may_ask_for_are_listed_beside_the_text(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        text = await shown(http, "/scorecards/home")
    assert "<code>batteries_low</code>" in text


async def test_one_that_is_not_there_is_answered_plainly(tmp_path: Path) -> None:
    async with (
        local_house(tmp_path) as (_, http),
        http.get("/scorecards/nosuch", headers={"Accept": "text/html"}) as answer,
    ):
        assert answer.status == 404
