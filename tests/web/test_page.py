"""The page as it is sent: what it says in each state, and that no text of the home can break out of it."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

from aiohttp import ClientSession

from app.clock import TurnedClock
from app.jobs.run import RunStatus, SkippedBecause, Trigger
from app.model import Entity
from app.neighbours import NeighbourState
from tests.web.house import HOME, NOON, House, ingress_house, local_house, offer, suggestion, until

OURS = (
    "suggestions/", "decided", "static/", "api/", "#", "logout", "./", "jobs", "runs/", "home", "alerts",
    "reports",
)  # fmt: skip
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7*7 }}\u202egnp"


class _Tags(HTMLParser):
    """Collects the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    reader = _Tags()
    reader.feed(text)
    return reader.found


async def page(http: ClientSession) -> str:
    async with http.get("/", headers={"Accept": "text/html"}) as answer:
        assert answer.status == 200
        return await answer.text()


async def _fail(opened: House, error: str) -> None:
    opened.analysis.error = error
    await opened.run_once()


async def test_a_fresh_install_says_when_the_first_night_is(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        text = await page(http)
    assert "No night has run yet" in text
    assert "The first run is tonight at 03:00." in text
    assert "Suggestions appear here after the first good night." in text
    assert "Nightshift looks tomorrow at 03:00." in text
    assert '<time datetime="2026-03-11T02:00:00+00:00">tomorrow at 03:00</time>' in text


async def test_after_a_good_run_it_says_what_was_done_and_what_is_on_offer(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.run_once()
        await offer(opened, suggestion())
        text = await page(http)
    assert "The last run went well" in text
    assert "looked at 1,234 state changes over 30 days, found 4 habits and has 2 suggestions for you" in text
    assert "You did this on 19 of 21 workdays" in text
    assert "<strong>at least 87 times in 100</strong>" in text
    assert "turn on Kitchen lamp" in text
    assert "at 07:00" in text
    assert "1,234 state changes in 40 KB" in text


async def test_a_night_without_suggestions_is_called_normal(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.run_once()
        text = await page(http)
    assert "Nothing to offer, and that is normal." in text
    assert "Nightshift looks again tomorrow at 03:00." in text
    assert "not offered (" not in text


async def test_habits_that_were_set_aside_are_listed_by_reason_until_the_next_good_run(
    tmp_path: Path,
) -> None:
    async with local_house(tmp_path) as (opened, http):
        opened.analysis.details = {
            "notes": ["15 days were left out as not observed"],
            "noticed": ["In the hall people switch something 9 times a day", HOSTILE],
            "set_aside": [
                {"habit": "Unlock the door at 8:00", "why": "never automated: locks open"},
                {"habit": HOSTILE, "why": "beaten by chance"},
                {"habit": "Turn on the fan at 9:00", "why": "beaten by chance"},
            ],
        }
        await opened.run_once()
        await _fail(opened, "Home Assistant was away")
        text = await page(http)
    assert "Looked at, and not offered (3)" in text
    assert "Also noticed (2)" in text
    assert "<dd><bdi>In the hall people switch something 9 times a day.</bdi></dd>" in text
    assert "Never automated: locks open." in text
    assert text.count("No more often than chance would have it.") == 1
    assert "<li><bdi>15 days were left out as not observed.</bdi></li>" in text
    assert "<script>alert" not in text
    assert [attributes["open"] for tag, attributes in tags(text) if "open" in attributes] == []


async def test_the_dates_of_a_trial_are_told_apart_in_the_homes_own_time(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await offer(opened, suggestion())
        text = await page(http)
    assert "<li>Mon 9 Mar 06:58</li><li>Thu 5 Mar 07:01</li>" in text
    assert "<dt>Not kept</dt>" in text


async def test_a_failed_run_says_why_and_what_comes_next(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await _fail(opened, "Home Assistant did not answer within 30 s")
        text = await page(http)
    assert "The last run failed" in text
    assert "Home Assistant did not answer within 30 s." in text
    assert "It runs again tomorrow at 03:00; Run now tries at once." in text
    assert "Nothing to offer" not in text


async def test_while_it_runs_it_shows_how_far_it_is_and_offers_to_cancel(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run = await opened.parts.jobs.trigger("analysis")
        await until(lambda: opened.parts.jobs.progress("analysis"))
        text = await page(http)
    assert "Looking for habits" in text
    assert f'data-run="{run.run_id}"' in text
    assert 'max="10" value="3"' in text
    assert f"api/runs/{run.run_id}/cancel" in text


async def test_a_paused_job_says_that_no_night_runs(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.parts.jobs.pause("analysis")
        text = await page(http)
        await opened.run_once()
        assert "resume it, or press Run now" in await page(http)
    assert "No night runs until you resume." in text
    assert "The nightly analysis is paused." in text


async def test_nights_that_did_not_happen_are_noticed(tmp_path: Path) -> None:
    clock = TurnedClock(NOON)
    async with local_house(tmp_path, clock=clock) as (opened, http):
        await opened.run_once()
        clock._move(NOON + timedelta(days=3))
        assert "Last night was missed" in await page(http)


async def test_a_hub_that_is_away_is_named_with_what_to_do(tmp_path: Path) -> None:
    async with local_house(tmp_path, home=None) as (opened, http):
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "http://hub:8123 refuses the connection")
        text = await page(http)
    assert "Waiting for Home Assistant" in text
    assert "http://hub:8123 refuses the connection" in text
    assert "Check that it runs" in text
    assert "The first run is " in text


async def test_advice_is_not_given_twice(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "token refused: put a new one in hub_token")
        text = await page(http)
    assert "Token refused: put a new one in hub_token." in text
    assert "Check that it runs" not in text


async def test_a_mail_server_shows_once_it_is_set_up(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        opened.parts.neighbours.set("mail", NeighbourState.OFF)
        assert "Mail server" not in await page(http)
        opened.parts.neighbours.set("mail", NeighbourState.OK, "mail.example.org:587")
        assert "<p>mail.example.org:587</p>" in await page(http)


async def test_a_demo_home_is_called_one(tmp_path: Path) -> None:
    demo = HOME.model_copy(update={"demo": True})
    async with local_house(tmp_path, home=demo) as (opened, http):
        opened.parts.neighbours.set("hub", NeighbourState.OK, "an invented home")
        text = await page(http)
    assert "This is an invented demo home." in text
    assert '<span class="state">invented</span>' in text
    assert "<p>An invented home.</p>" in text


async def test_every_kind_of_run_has_its_line_in_the_history(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        ledger, clock = opened.parts.ledger, opened.parts.clock
        assert isinstance(clock, TurnedClock)
        for number, status in enumerate(RunStatus):
            run = await ledger.claim("analysis", "home", list(Trigger)[number % 3])
            assert run
            if status in {RunStatus.PENDING, RunStatus.RUNNING}:
                await ledger.finish(run.run_id, RunStatus.COMPLETED, seconds=61)
            else:
                again = clock.now() + timedelta(hours=1) if status is RunStatus.RETRYING else None
                await ledger.finish(
                    run.run_id, status, seconds=3.0, error_message=f"because {number}", next_retry_at=again
                )
            clock._move(clock.now() + timedelta(minutes=5))
        await ledger.skip(
            "analysis", "home", clock.now(), because=SkippedBecause.MISSED, why="Home Assistant was away"
        )
        text = await page(http)
    for said in ("done", "incomplete", "failed", "cut short", "skipped", "missed"):
        assert re.search(rf"</svg> {said}\s*</span>", text), said
    assert ">caught up<" in text
    assert "1 min 1 s" in text
    assert "Last night was skipped" in text


async def test_a_guest_sees_the_page_with_its_buttons_off(tmp_path: Path) -> None:
    async with ingress_house(tmp_path) as (_, http):
        assert "Only an administrator of Home Assistant can do this." not in await page(http)
        async with http.get("/", headers={"Accept": "text/html", "X-Remote-User-Id": "guest"}) as answer:
            text = await answer.text()
    assert "Only an administrator of Home Assistant can do this." in text
    (run,) = [attributes for tag, attributes in tags(text) if attributes.get("id") == "run"]
    assert "disabled" in run


async def test_before_the_hub_was_reached_the_page_says_why_its_buttons_are_off(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=None) as (_, http):
        assert "Home Assistant has not told yet who is an administrator." in await page(http)


async def test_no_text_of_the_home_breaks_out_of_the_page(tmp_path: Path) -> None:
    home = HOME.model_copy(
        update={"name": HOSTILE, "entities": (Entity(entity_id="light.kitchen", name=HOSTILE),)}
    )
    hostile = suggestion(
        HOSTILE,
        title=HOSTILE,
        description=HOSTILE,
        habit={"day_type": HOSTILE},
        automation={
            **suggestion().automation,
            "alias": HOSTILE,
            "triggers": [{"trigger": HOSTILE}, {"trigger": "state", "entity_id": HOSTILE, "to": HOSTILE}],
            "conditions": [{"condition": HOSTILE}, {"condition": "template", "value_template": HOSTILE}],
        },
    )
    async with local_house(tmp_path, home=home) as (opened, http):
        await _fail(opened, HOSTILE)
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, HOSTILE)
        opened.parts.neighbours.set(HOSTILE, NeighbourState.TRYING, HOSTILE)
        await offer(opened, hostile)
        text = await page(http)
    found = tags(text)
    assert [attributes["src"] for tag, attributes in found if tag == "script"] != []
    for tag, attributes in found:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        assert "style" not in attributes
        for name in ("src", "href", "action", "data-post"):
            target = attributes.get(name)
            assert target is None or target.startswith(OURS), (tag, target)
    assert "alert(1)" in text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "49gnp" not in text


async def test_hostile_text_in_requests_and_answers_stays_where_it_is(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await offer(opened, suggestion("a/b c?<script>"))
        (link,) = [
            str(attributes["href"])
            for _, attributes in tags(await page(http))
            if "automation.yaml" in str(attributes.get("href"))
        ]
        async with http.get("/%3Cscript%3Ealert(1)%3C/script%3E", headers={"Accept": "text/html"}) as answer:
            assert "<script>alert" not in await answer.text()
        async with http.get("/static/a%0d%0aX-Evil:%201") as answer:
            assert answer.status == 404
            assert "X-Evil" not in answer.headers
    assert link == "api/suggestions/a%2Fb%20c%3F%3Cscript%3E/automation.yaml"


async def test_the_page_has_names_for_what_is_pressed_and_no_address_that_starts_at_the_root(
    tmp_path: Path,
) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.run_once()
        await offer(opened, suggestion())
        text = await page(http)
    ids = [attributes["id"] for _, attributes in tags(text) if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in tags(text):
        for name in ("aria-labelledby", "for", "data-copy"):
            if name in attributes:
                assert attributes[name] in ids, (tag, attributes)
        for name in ("href", "src", "action"):
            assert not str(attributes.get(name) or "").startswith(("/", "http")), (tag, attributes)
