"""The jobs' pages as they are sent: what they say in each state, and that no text breaks out of them."""

import json
from datetime import timedelta
from pathlib import Path

from aiohttp import ClientSession

from app.clock import TurnedClock
from app.jobs.places import Place
from app.jobs.run import RunStatus, Trigger
from app.jobs.subject import Subject
from tests.web.house import HOME, NOON, give_up_on_ben, ingress_house, local_house, until
from tests.web.past import COUNTS, Told, good_nights, happened, was_missed
from tests.web.test_page import HOSTILE, tags

NIGHT = NOON - timedelta(hours=9)


async def page(http: ClientSession, path: str, status: int = 200) -> str:
    async with http.get(path, headers={"Accept": "text/html"}) as answer:
        assert answer.status == status, await answer.text()
        return await answer.text()


async def test_every_page_leads_to_every_room(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run = await opened.run_once()
        for path, root in (
            ("/", ""),
            ("/jobs", ""),
            ("/jobs/analysis", "../"),
            (f"/runs/{run.run_id}", "../"),
        ):
            links = [attributes for tag, attributes in tags(await page(http, path)) if tag == "a"]
            assert {root or "./", f"{root}jobs"} <= {link.get("href") for link in links}
            here = [link["href"] for link in links if link.get("aria-current") == "page"]
            assert here == (["./"] if path == "/" else [f"{root}jobs"])


async def test_a_fresh_house_shows_its_jobs_and_when_they_run(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        text = await page(http, "/jobs")
        job = await page(http, "/jobs/outlook")
    assert "No job has run yet" in text
    assert "Nothing. <bdi>Next is Nightly analysis, tomorrow at 03:00.</bdi>" in text
    assert "not run yet" in text
    assert "(every day at 03:00)" in text
    assert "Monday to Friday at 06:45" in job
    assert "No run yet." in job
    assert "10 at a time; one that fails touches no other." in job


async def test_a_good_night_is_told_with_what_came_of_it(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await good_nights(opened, "analysis", NIGHT, 30)
        text = await page(http, "/jobs")
    assert "Last night went well" in text
    assert "182,340 changes, 14 habits, 5 suggestions" in text
    assert "The last 30 runs, oldest first: 30 done." in text
    assert "in 15 h 0 min" not in text
    assert 'class="count"' not in text


async def test_a_failure_a_miss_and_what_was_given_up_are_all_told(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await good_nights(opened, "analysis", NIGHT - timedelta(days=2), 5)
        await was_missed(opened, "analysis", NIGHT - timedelta(days=1))
        await happened(opened, "analysis", NIGHT, Told(RunStatus.FAILED, error="the hub is away", counts={}))
        retry_id = await give_up_on_ben(opened)
        text = await page(http, "/jobs")
    assert "2 of 2 jobs did not go well" in text
    assert "The hub is away." in text
    assert "Missed 1 of the last 7 runs: yesterday at 03:00." in text
    assert "Every try failed." in text
    assert f'data-post="api/retries/{retry_id}/again"' in text
    assert f'data-post="api/retries/{retry_id}/dismiss"' in text
    assert "no calendar of this name." in text.lower()
    assert ", 3 to look at" in text


async def test_a_job_shows_the_usual_range_of_its_durations_and_a_drop(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await good_nights(opened, "analysis", NIGHT - timedelta(days=1), 80)
        await happened(opened, "analysis", NIGHT, Told(seconds=1.5, counts={"events": 0}))
        text = await page(http, "/jobs/analysis")
        card = await page(http, "/jobs")
    assert "The last run took 1.5 s; usually it takes 38 s to 45 s." in text
    assert "usually 38 s to 45 s (8 of 10 runs)" in text
    assert 'class="odd"' in text
    assert "<dt>Unusual</dt>" in card


async def test_a_schedule_that_was_changed_says_what_it_was(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.parts.jobs.set_schedule("analysis", "every 2 hours")
        text = await page(http, "/jobs/analysis")
        await opened.parts.jobs.set_schedule("analysis", "off")
        off = await page(http, "/jobs/analysis")
    assert "<strong>every 2 hours</strong>" in text
    assert "set on this page. Without that: every day at 03:00." in text
    assert '<option value="every" selected>' in text
    assert "Off: it does not run by itself." in off


async def test_a_paused_job_says_so_and_offers_to_resume(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.parts.jobs.pause("analysis")
        text = await page(http, "/jobs/analysis")
    assert "Paused: it does not run by itself." in text
    assert 'data-post="../api/jobs/analysis/resume"' in text
    assert "Nothing is planned." in text


async def test_a_running_job_shows_how_far_it_is_on_every_page(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run = await opened.parts.jobs.trigger("analysis")
        await until(lambda: opened.parts.jobs.progress("analysis"))
        for path, root in (("/jobs", ""), ("/jobs/analysis", "../"), (f"/runs/{run.run_id}", "../")):
            text = await page(http, path)
            assert f'data-run="{run.run_id}"' in text
            assert "3 of 10" in text
            assert f'data-post="{root}api/runs/{run.run_id}/cancel"' in text


async def test_a_run_tells_why_what_and_whom_those_that_failed_first(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        opened.outlook.failing = {"ben": "no calendar of this name"}
        run = await opened.write_once()
        text = await page(http, f"/runs/{run.run_id}")
    assert "incomplete" in text
    assert "2 of 3 went well." in text
    assert "Somebody pressed Run now, or a program asked for it." in text
    assert text.index("<bdi>Ben</bdi>") < text.index("<bdi>Anna</bdi>")
    assert "No calendar of this name." in text
    assert "Writing to Anna" in text


async def test_a_run_shows_the_tries_it_is_one_of(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        first = await happened(
            opened, "analysis", NIGHT, Told(RunStatus.RETRYING, error="away", counts={}, again=NOON)
        )
        waiting = await page(http, f"/runs/{first.run_id}")
        second = await happened(
            opened, "analysis", NIGHT + timedelta(minutes=31), Told(trigger=Trigger.RETRY),
            attempt=2, retry_of=first.run_id,
        )  # fmt: skip
        text = await page(http, f"/runs/{first.run_id}")
        later = await page(http, f"/runs/{second.run_id}")
    assert "It is tried again" in waiting
    assert "Do not try again" in waiting
    assert f'href="../runs/{second.run_id}"' in text
    assert "The try before it failed. This is try 2." in later


async def test_a_skipped_run_says_why_it_did_not_run(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await was_missed(opened, "analysis", NIGHT)
        (run,) = await opened.parts.ledger.recent()
        text = await page(http, f"/runs/{run.run_id}")
    assert "missed" in text
    assert "Missed: Nightshift was off or asleep." in text


async def test_a_run_about_another_day_names_it(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        run = await opened.parts.jobs.trigger("outlook", day=(NOON - timedelta(days=9)).date())
        await opened.parts.jobs.wait(run.run_id)
        assert "<dd>Sun 1 Mar</dd>" in await page(http, f"/runs/{run.run_id}")


async def test_what_is_not_there_is_a_page_that_leads_back(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        for path in ("/jobs/none", "/runs/none", "/jobs/analysis/more"):
            text = await page(http, path, 404)
            assert "There is nothing here." in text


async def test_a_job_for_two_homes_has_a_button_for_each(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        zone = HOME.zone
        await opened.parts.jobs.set_places([Place("home", zone), Place('cabin"<', zone)])
        await happened(opened, "analysis", NIGHT, Told(RunStatus.FAILED, counts={}), home='cabin"<')
        text = await page(http, "/jobs")
    bodies = [attributes["data-body"] for _, attributes in tags(text) if "data-body" in attributes]
    homes = [json.loads(str(body))["home"] for body in bodies]
    # What failed first, then a row for each home of both jobs.
    assert homes == ['cabin"<', "home", 'cabin"<', "home", 'cabin"<']
    assert "Nightly analysis (cabin&#34;&lt;) failed" in text


async def test_a_guest_sees_the_jobs_with_their_buttons_off(tmp_path: Path) -> None:
    async with ingress_house(tmp_path) as (opened, http):
        run = await opened.run_once()
        http.headers["X-Remote-User-Id"] = "guest"
        for path in ("/jobs", "/jobs/analysis", f"/runs/{run.run_id}"):
            text = await page(http, path)
            assert "Only an administrator of Home Assistant can do this." in text
            buttons = [attributes for tag, attributes in tags(text) if "data-post" in attributes]
            assert buttons
            assert all("disabled" in attributes for attributes in buttons)


async def test_no_text_breaks_out_of_the_jobs_pages(tmp_path: Path) -> None:
    home = HOME.model_copy(update={"name": HOSTILE})
    async with local_house(tmp_path, home=home) as (opened, http):
        opened.outlook.people = [Subject(HOSTILE, HOSTILE), Subject("b", "b")]
        opened.outlook.failing = {HOSTILE: HOSTILE}
        run = await opened.write_once()
        opened.analysis.error = HOSTILE
        failed = await opened.run_once()
        texts = [
            await page(http, path)
            for path in ("/jobs", "/jobs/outlook", f"/runs/{run.run_id}", f"/runs/{failed.run_id}")
        ]
    for text in texts:
        found = tags(text)
        for tag, attributes in found:
            assert not any(name.startswith("on") for name in attributes), (tag, attributes)
            assert "style" not in attributes
            for name in ("href", "src", "action", "data-post"):
                assert not str(attributes.get(name) or "").startswith(("/", "http", "javascript")), (
                    tag,
                    name,
                )
        ids = [attributes["id"] for _, attributes in found if "id" in attributes]
        assert len(ids) == len(set(ids))
        for _, attributes in found:
            for name in ("aria-labelledby", "for", "aria-describedby"):
                assert name not in attributes or attributes[name] in ids
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert "49gnp" not in text


async def test_in_the_small_hours_last_night_is_still_the_one_before(tmp_path: Path) -> None:
    clock = TurnedClock(NOON + timedelta(hours=13))  # one in the morning
    async with local_house(tmp_path, clock=clock) as (opened, http):
        await happened(opened, "analysis", NIGHT, Told(counts=COUNTS))
        text = await page(http, "/jobs")
    assert "Last night went well" in text
    assert "Yesterday at 03:00: done in 42 s" in text
