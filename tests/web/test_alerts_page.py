"""The page Alerts: what is wrong, the worst first, who has seen it; what was; and the words to look for."""

from datetime import timedelta
from pathlib import Path

from app.alerts.alert import Level
from app.alerts.keywords import DEFAULTS, Keyword
from app.model import User
from tests.web.house import HOME, NOON, ingress_house, local_house
from tests.web.morning import alerts_of, finding
from tests.web.test_home_page import shown
from tests.web.test_page import HOSTILE, tags


async def test_before_it_was_looked_nothing_is_called_well(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        text = await shown(http, "/alerts")
    assert "Not looked yet" in text
    assert "Nothing is wrong" not in text
    assert "Water, smoke, gas and carbon monoxide show here at once" in text
    assert "None yet. What was wrong and is no more is kept here" in text


async def test_the_worst_is_first_and_each_says_where_and_since_when(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.found_at(
            NOON - timedelta(hours=3),
            finding("open:window", Level.MEDIUM, title="Window open", place="Attic"),
        )
        await opened.morning.found_at(
            NOON - timedelta(days=1), finding("battery:x", Level.LOW, title="Low battery")
        )
        await opened.morning.found(finding())
        text = await shown(http, "/alerts")
    assert "1 critical alert is open" in text
    assert "1 critical, 1 medium, 1 low; nobody takes care of 3 of them yet." in text
    assert "Look now" in text
    assert text.index("Water under the sink") < text.index("Window open") < text.index("Low battery")
    assert "Medium · <bdi>Attic</bdi>" in text
    assert "today at 09:00</time>, for 3 h 0 min." in text
    assert '<span aria-hidden="true">3</span><span class="unseen">, 3 to look at</span>' in text


async def test_who_read_it_and_who_takes_care_is_said_by_name(tmp_path: Path) -> None:
    home = HOME.model_copy(update={"users": (User(id="admin", name="Anna", is_admin=True),)})
    async with ingress_house(tmp_path, home=home) as (opened, http):
        (alert,) = alerts_of(await opened.morning.found(finding()))
        async with http.post(f"/api/alerts/{alert.alert_id}/read") as answer:
            assert answer.status == 200
        assert "Anna read it today at 12:00." in await shown(http, "/alerts")
        async with http.post(f"/api/alerts/{alert.alert_id}/acknowledge") as answer:
            assert answer.status == 200
        text = await shown(http, "/alerts")
    assert "Anna takes care of it, since today at 12:00." in text
    assert "I take care of it" not in text
    assert "to look at" not in text


async def test_what_is_over_is_kept_below_with_how_long_it_lasted(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.found_at(NOON - timedelta(minutes=20), finding())
        await opened.morning.found(over=("water:sink",))
        text = await shown(http, "/alerts")
    assert "today at 11:40</time>, for 20 min." in text
    assert "The last 1, the newest first." in text
    assert "I take care of it" not in text


async def test_what_came_back_says_since_when_it_is_open_again(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.found_at(NOON - timedelta(hours=2), finding())
        await opened.morning.found_at(NOON - timedelta(hours=1), over=("water:sink",))
        await opened.morning.found_at(NOON - timedelta(minutes=10), finding())
        text = await shown(http, "/alerts")
        await opened.morning.found(over=("water:sink",))
        over = await shown(http, "/alerts")
    assert "Open again since" in text
    assert "today at 11:50</time>, for 10 min; first noticed" in text
    assert "today at 10:00</time>; came back 1 time." in text
    assert "today at 11:50</time>, for 10 min; first noticed" in over


async def test_what_came_back_before_that_was_noted_says_no_more_than_is_known(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.found_at(NOON - timedelta(hours=2), finding())
        async with opened.morning.store.writing() as db:
            await db.execute("UPDATE alert SET times = 2")
        text = await shown(http, "/alerts")
    assert "First noticed" in text
    assert "Open again" not in text
    assert "came back 1 time." in text


async def test_the_words_are_listed_with_their_levels(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        text = await shown(http, "/alerts")
        assert f"{len(DEFAULTS)} words, as Nightshift came" in text
        await opened.morning.parts.alerts.keywords.replace(
            "home", [Keyword(word='dis"k <b>', level=Level.HIGH)], "admin"
        )
        text = await shown(http, "/alerts")
    assert "1 word<" in text
    assert "Back to what Nightshift came with" in text


async def test_no_text_of_an_alert_breaks_out_of_the_page(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.morning.found(finding(title=HOSTILE, description=HOSTILE, place=HOSTILE))
        await opened.morning.parts.alerts.keywords.replace("home", [Keyword(word=HOSTILE[:70])], "admin")
        async with http.get("/alerts", headers={"Accept": "text/html"}) as answer:
            text = await answer.text()
    assert "alert(1)</script>" not in text
    for tag, given in tags(text):
        assert not [name for name in given if name.startswith("on")], (tag, given)
        assert tag != "script" or given.get("src"), given
        assert tag != "img" or str(given["src"]).startswith("static/"), given
