"""The page Home: the score first, said plainly, and nothing made up where nothing is known."""

from datetime import date, timedelta
from html import unescape
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from app.insights.insight import Insight
from app.insights.previous import Previous
from app.insights.trend import Direction, Trend
from app.web.score_view import view_of_score, word_of
from tests.insights.small import AMSTERDAM
from tests.web.house import HOME, NOON, House, ingress_house, local_house
from tests.web.morning import finding, insight
from tests.web.test_page import HOSTILE, tags

TODAY = date(2026, 3, 10)


async def shown(http: ClientSession, path: str = "/home") -> str:
    """Return a page's text as a browser takes it, tags and all."""
    async with http.get(path, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200, path
        return " ".join(unescape(await answer.text()).split())


async def a_month(opened: House, **newest: Any) -> None:
    """Let there be a score of every day of the last thirty, rising slowly."""
    for ago in range(29, 0, -1):
        await opened.morning.scored(insight(TODAY - timedelta(days=ago), 80 - ago))
    await opened.morning.scored(insight(TODAY, **newest))


async def test_before_anything_is_known_it_says_what_comes_next(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        text = await shown(http)
    assert "How is the home?" in text
    assert "Nothing is counted yet." in text
    assert text.count("Not measured yet.") == 2
    assert "No alert in the last twelve weeks." in text
    assert "What to do" not in text


async def test_the_score_is_the_first_thing_with_a_word_its_trend_and_what_it_rests_on(
    tmp_path: Path,
) -> None:
    async with local_house(tmp_path) as (opened, http):
        await a_month(opened)
        text = await shown(http)
    assert '<h1 id="score-title">Good<span class="unseen">: 82 of 100</span></h1>' in text
    assert "Improving: up about" in text
    assert "points in the last 30 days." in text
    assert "Confidence 76 %: 1 of 3 readings is missing, so the score rests on the others." in text
    assert "Today at 06:00".lower() in text.lower()
    assert text.index("score-title") < text.index("What to do") < text.index("What it is made of")


async def test_a_missing_reading_is_shown_as_missing_with_why(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY))
        text = await shown(http)
    assert "missing</strong> <bdi>No pass has looked yet.</bdi>" in text
    assert "1 of 2 missing" in text
    assert "40 % of this part" in text


async def test_a_recommendation_says_what_it_rests_on_and_what_it_would_change(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY))
        text = await shown(http)
    assert "High priority" in text
    assert "Batteries low: 1 (one: 85 of 100)." in text
    assert "At 0, the whole score would go from 82 to 88." in text
    assert 'id="advice-rec_1_20260310"' in text  # where the news of it leads


async def test_old_readings_are_called_old(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY, stale_since=NOON - timedelta(days=1)))
        text = await shown(http)
    assert "Not fresh." in text
    assert "Home Assistant was away: readings of yesterday at 12:00 stand in" in text


async def test_a_score_of_another_day_is_not_passed_off_as_todays(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY - timedelta(days=2)))
        text = await shown(http)
    assert "This is the score of Sunday: there is no newer one." in text


async def test_a_score_older_than_a_month_is_still_there_without_a_line(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY - timedelta(days=60)))
        text = await shown(http)
    assert "82 of 100" in text
    assert "No score in the last 30 days." in text


async def test_where_nothing_could_be_read_no_number_is_shown(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY, None, confidence=0.0, recommendations=()))
        text = await shown(http)
    assert "Not enough is known yet" in text
    assert "of 100" not in text
    assert "Nothing of what it is made of could be read; a score takes at least 50 %." in text


async def test_a_score_that_rests_on_too_little_is_no_number_and_says_what_is_missing(
    tmp_path: Path,
) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY - timedelta(days=1), 70))
        await opened.morning.scored(insight(TODAY, 97, confidence=0.4999))
        text, cards = await shown(http), await shown(http, "/scorecards")
    hero = text[text.index('<section id="score"') : text.index('<section id="lacking"')]
    assert '<h1 id="score-title">Not enough is known yet</h1>' in hero
    assert "97 of 100" not in text
    assert ">97<" not in text
    assert "Only 49 % of what it is made of could be read; a score takes at least 50 %." in hero
    assert "The last score is of Mon 9 Mar: 70." in hero
    assert "Improving" not in hero
    lacking = text[text.index('<section id="lacking"') : text.index('<section id="advice"')]
    assert "Devices <i>away</i></bdi></strong> <span><bdi>No pass has looked yet.</bdi>" in lacking
    assert "Have Home Assistant there." in lacking
    assert "1 day is a gap: too little was known for a score" in text
    assert '<td class="number">too little known (49 %)</td>' in text
    assert "Not enough is known yet. Only 49 % of what it is made of could be read" in cards
    assert "<strong>97</strong>" not in cards


async def test_half_of_the_weight_is_enough_for_a_score(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY, confidence=0.5))
        text = await shown(http)
    assert "82 of 100" in text
    assert "What is missing" not in text


async def test_people_choose_between_scorecards(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY))
        await opened.morning.scored(
            insight(TODAY, 41, scorecard="business", title="Business health", insight_id="b")
        )
        first, other = await shown(http), await shown(http, "/home?scorecard=business")
        unknown = await shown(http, "/home?scorecard=nosuch")
    assert '<a href="home?scorecard=home" aria-current="true">' in first
    assert "Needs attention" in other
    assert '<a href="home?scorecard=business" aria-current="true">' in other
    assert "82 of 100" in unknown


async def test_the_figures_of_the_home_and_its_areas_are_told(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.computed(
            events_today=1234, automations_fired_today=7, energy_today=3.21, temperature=21.04, co2=655.0
        )
        text = await shown(http)
    for said in ("1,234", "3.2 kWh", "21.0 °C", "655 ppm", "As of", "today at 12:00"):
        assert said in text
    assert "By area" in text
    assert "No energy was measured." in text  # there are figures, but no day of a meter
    assert "No room has a thermometer." in text


async def test_every_chart_has_its_numbers_as_a_table(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await a_month(opened)
        for ago in range(1, 8):
            await opened.morning.measured(TODAY - timedelta(days=ago), 9.0 + ago, (8.0, 12.0))
        await opened.morning.found(finding())
        text = await shown(http)
    for chart in ("score-chart", "energy-chart", "alert-chart"):
        assert f'id="{chart}-table"' in text
    assert "Energy on 7 days: 3 as usual and 4 above the usual." in text
    assert "1 alert in 12 weeks: 1 critical" in text
    charts = [found for tag, found in tags(text) if tag == "svg" and found.get("role") == "img"]
    assert charts
    assert all(found.get("aria-label") for found in charts)


async def test_no_text_of_the_home_breaks_out_of_it(tmp_path: Path) -> None:
    hostile = insight(TODAY, title=HOSTILE)
    home = HOME.model_copy(update={"name": HOSTILE})
    async with local_house(tmp_path, home=home) as (opened, http):
        await opened.morning.scored(hostile)
        await opened.morning.computed(events_today=3)
        async with http.get("/home", headers={"Accept": "text/html"}) as answer:
            text = await answer.text()
    found = tags(text)
    assert "<b>" not in text
    assert "<i>" not in text
    assert "alert(1)</script>" not in text
    for tag, given in found:
        assert not [name for name in given if name.startswith("on")], (tag, given)
        assert "style" not in given, (tag, given)
        assert tag != "style"
        assert tag != "script" or given.get("src"), given


async def test_who_may_not_change_anything_sees_dead_buttons_and_why(tmp_path: Path) -> None:
    async with ingress_house(tmp_path) as (opened, http):
        await opened.morning.scored(insight(TODAY))
        http.headers["X-Remote-User-Id"] = "guest"
        text = await shown(http)
    assert "Only an administrator of Home Assistant can do this." in text


def seen(going: Trend, **more: Any) -> str:
    one: Insight = insight(TODAY, **more)
    return view_of_score(one, going, None, NOON, AMSTERDAM).trend


def test_the_trend_is_a_sentence_and_none_before_there_is_one() -> None:
    assert seen(Trend(Direction.UNKNOWN, 3, 80.0)) == (
        "No trend yet: that takes 7 days that can be compared, and there are 3 so far."
    )
    assert seen(Trend(Direction.UNKNOWN, 0)).endswith("and there are none so far.")
    assert seen(Trend(Direction.UNKNOWN, 1, 80.0)).endswith("and there is 1 so far.")
    assert seen(Trend(Direction.DECLINING, 20, 75.0, 80, 70, -9.6)) == (
        "Declining: down about 10 points in the last 30 days, of which 20 can be compared."
    )
    assert (
        seen(Trend(Direction.STEADY, 30, 81.6, 80, 82, 1.0)) == "Steady: 82 on average in the last 30 days."
    )


def test_the_score_before_is_told_for_a_trend_is_slow() -> None:
    def told(previous: Previous | None) -> str:
        going = Trend(Direction.UNKNOWN, 0)
        return view_of_score(insight(TODAY), going, previous, NOON, AMSTERDAM).before

    def on(days: int, score: int, why_not: str = "") -> Previous:
        return Previous(score, 1.0, TODAY - timedelta(days=days), why_not)

    assert told(on(1, 90)) == "It was 90 the day before."
    assert told(on(1, 82)) == "It was the same the day before."
    assert told(on(3, 70)) == "It was 70 on Sat 7 Mar."
    assert told(on(1, 90, "the scorecard was changed since")) == (
        "It was 90 the day before, which cannot be compared: the scorecard was changed since."
    )
    assert told(None) == ""


def test_the_words_for_a_score_change_where_the_page_says() -> None:
    words = [word_of(score)[0] for score in (100, 90, 89, 75, 74, 60, 59, 40, 39, 0, None)]
    assert words == [
        "Very good", "Very good", "Good", "Good", "Fair", "Fair", "Needs attention", "Needs attention",
        "In trouble", "In trouble", "Not enough is known yet",
    ]  # fmt: skip
