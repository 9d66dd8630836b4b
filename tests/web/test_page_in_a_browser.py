"""The page in a real browser (Chromium): nothing refused by its own policy, and everything works live."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer

from app.clock import SystemClock
from tests.conftest import chromium
from tests.web.house import ADMIN, House, house, offer, suggestion, until

pytestmark = pytest.mark.browser

_PANEL = """<!doctype html><title>Home</title><link rel="icon" href="data:,">
<iframe src="%s/" width="390" height="700"></iframe><script>
const [prefix] = location.pathname.match(/^[/]app[/][^/]+/);
const frame = document.querySelector("iframe");
addEventListener("message", ({ source, data }) => {
  if (source !== frame.contentWindow) return;
  if (data.type === "home-assistant/navigate") history.replaceState(null, "", data.path);
  if (data.type !== "home-assistant/subscribe-properties") return;
  const route = { prefix, path: location.pathname.slice(prefix.length) };
  source.postMessage({ type: "home-assistant/properties", narrow: false, route }, "*");
});
</script>"""
"""What Home Assistant's panel for apps says to the frame in it (frontend 20260128, `ha-panel-app`)."""
_WORSE = {"error", "warning"}
_PREFIX = "/api/hassio_ingress/abc_DEF-1"
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Hub:
    """Stands where Home Assistant does: a prefix in front, its own headers added, answers streamed back."""

    def __init__(self, behind: str) -> None:
        self._behind = behind
        self._http = ClientSession(timeout=ClientTimeout(total=None))

    async def close(self) -> None:
        await self._http.close()

    async def passes(self, request: web.Request) -> web.StreamResponse:
        kept = {k: v for k, v in request.headers.items() if k.lower() not in {"host", "accept-encoding"}}
        async with self._http.request(
            request.method,
            self._behind + request.raw_path.removeprefix(_PREFIX),
            headers={**kept, **ADMIN, "X-Ingress-Path": _PREFIX},
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            dropped = {"content-length", "transfer-encoding", "content-encoding"}
            headers = {k: v for k, v in answer.headers.items() if k.lower() not in dropped}
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response


async def _panel(_: web.Request) -> web.Response:
    return web.Response(text=_PANEL % _PREFIX, content_type="text/html")


@asynccontextmanager
async def behind_a_prefix(folder: Path) -> AsyncIterator[tuple[House, str]]:
    """Open a house behind a hub; give the address a person opens."""
    peers = frozenset({"127.0.0.1"})
    async with house(folder, clock=SystemClock(), ingress=True, ingress_peers=peers) as opened:
        hub = Hub(opened.url)
        app = web.Application()
        app.router.add_route("*", _PREFIX + "/{rest:.*}", hub.passes)
        app.router.add_get("/app/{rest:.*}", _panel)
        server = TestServer(app)
        await server.start_server()
        try:
            yield opened, str(server.make_url(_PREFIX + "/"))
        finally:
            await opened.feed.stop()
            await server.close()
            await hub.close()


@asynccontextmanager
async def browsing(expected: str = "api/events", **settings: Any) -> AsyncIterator[Any]:
    """Open a browser's page; what its console complains of is a failure, a broken policy too.

    What going to another page cuts off is none, nor is what is `expected`.
    """
    complaints: list[str] = []
    # Only a machine that runs these tests has it: the others skip them by their mark.
    from playwright.async_api import async_playwright  # noqa: PLC0415

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium(), args=list(_QUIET))
        context = await browser.new_context(**settings)
        page = await context.new_page()
        page.on("console", lambda said: complaints.append(said.text if said.type in _WORSE else ""))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda failed: complaints.append(f"{failed.url} {failed.failure}"))
        yield page
        fine = ("api/events", "net::ERR_ABORTED", expected)
        seen = [line for line in complaints if line and not any(one in line for one in fine)]
        await browser.close()
    assert seen == []


async def test_run_now_shows_progress_and_result_live_under_an_ingress_prefix(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await page.goto(address)
        await page.get_by_role("heading", name="No night has run yet").wait_for()
        await until(lambda: opened.feed.pages)
        await page.get_by_role("button", name="Run now").click()
        await page.get_by_text("Looking for habits").wait_for()
        await page.get_by_role("progressbar").wait_for()
        assert opened.analysis.context
        opened.analysis.context.progress("Finding the words", 7, 8)
        await page.get_by_text("Finding the words").wait_for()
        await page.get_by_text("7 of 8").wait_for()
        await offer(opened, suggestion())
        opened.analysis.open.set()
        await page.get_by_role("heading", name="The last run went well").wait_for()
        await page.get_by_role("heading", name="Kitchen lamp on at 7:00").wait_for()
        assert page.url == address


async def test_the_hubs_own_address_leads_to_one_suggestion_and_no_further(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await offer(opened, suggestion())
        panel = address.replace(f"{_PREFIX}/", "/app/local_nightshift")
        ours = page.frame_locator("iframe")
        for rest in ("", "/suggestions/clock-kitchen/x", "/jobs"):
            await page.goto(panel + rest)
            await ours.get_by_role("heading", name="Kitchen lamp on at 7:00").wait_for()
            assert await ours.locator("#decide").count() == 0
        await page.goto(f"{panel}/suggestions/clock-kitchen")
        await ours.get_by_role("heading", name="Your decision").wait_for()
        assert page.url == panel
        await ours.get_by_role("link", name="Suggestions").first.click()
        await ours.get_by_role("button", name="Run now").wait_for()
        await until(lambda: opened.feed.pages)
        assert await ours.locator("#decide").count() == 0


async def test_progress_that_overtakes_a_fresh_copy_of_the_page_is_kept(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await page.goto(address)
        await until(lambda: opened.feed.pages)
        run = await opened.parts.jobs.trigger("analysis")
        await page.get_by_text("Reading what happened").wait_for()
        drawn, passed_on = asyncio.Event(), asyncio.Event()

        async def held_back(route: Any) -> None:
            answer = await route.fetch()
            drawn.set()
            await passed_on.wait()
            await route.fulfill(response=answer)

        await page.route(address, held_back)
        await offer(opened, suggestion())
        await drawn.wait()
        assert opened.analysis.context
        opened.analysis.context.progress("Finding the words", 7, 8)
        await page.get_by_text("Finding the words").wait_for()
        passed_on.set()
        await page.get_by_role("heading", name="Kitchen lamp on at 7:00").wait_for()
        step = page.locator(f"[data-run='{run.run_id}'] [data-step]")
        assert await step.text_content() == "Finding the words"
        opened.analysis.open.set()
        await page.get_by_role("heading", name="The last run went well").wait_for()


async def test_a_run_is_cancelled_and_the_nights_are_paused_from_the_page(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await page.goto(address)
        await page.get_by_role("button", name="Run now").click()
        await page.get_by_role("button", name="Cancel").click()
        await page.get_by_role("heading", name="The last run was cancelled").wait_for()
        await page.get_by_role("switch", name="Every night").click()
        await page.get_by_text("No night runs until you resume.").wait_for()
        assert opened.parts.jobs.is_paused("analysis")
        await page.get_by_role("switch", name="Every night").click()
        await page.get_by_text("tomorrow at").or_(page.get_by_text("today at")).first.wait_for()
        assert not opened.parts.jobs.is_paused("analysis")


async def test_the_yaml_is_copied_and_what_was_opened_stays_open(tmp_path: Path) -> None:
    permissions = ["clipboard-read", "clipboard-write"]
    async with behind_a_prefix(tmp_path) as (opened, address), browsing(permissions=permissions) as page:
        await offer(opened, suggestion())
        await page.goto(address)
        await until(lambda: opened.feed.pages)
        await page.get_by_text("Automation as YAML").click()
        await page.get_by_role("button", name="Copy").click()
        await page.get_by_text("Copied.").wait_for()
        copied = await page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("alias: Kitchen lamp on at 7:00\ntriggers:\n- trigger: time\n")
        other = suggestion("other", title="Hall lamp off at 23:00")
        await offer(opened, suggestion(), other)
        await page.get_by_role("heading", name="Hall lamp off at 23:00").wait_for()
        assert await page.get_by_role("button", name="Copy").count() == 1


async def test_the_theme_is_the_systems_until_one_is_chosen_and_the_choice_stays(tmp_path: Path) -> None:
    dark = "getComputedStyle(document.body).getPropertyValue('--ns-page').trim() === '#0d101e'"
    async with behind_a_prefix(tmp_path) as (_, address), browsing(color_scheme="dark") as page:
        await page.goto(address)
        assert await page.evaluate(dark)
        await page.get_by_role("button", name="Switch to light").click()
        assert not await page.evaluate(dark)
        await page.reload()
        assert not await page.evaluate(dark)
        await page.get_by_role("button", name="Switch to dark").click()
        assert await page.evaluate("localStorage.getItem('nightshift.theme')") is None
        assert await page.evaluate(dark)


@pytest.mark.parametrize("width", [320, 390, 1280])
async def test_nothing_is_wider_than_the_screen(tmp_path: Path, width: int) -> None:
    wide = "x" * 120
    async with behind_a_prefix(tmp_path) as (opened, address):
        opened.analysis.details = {"notes": [wide], "set_aside": [{"habit": wide, "why": wide}]}
        await opened.run_once()
        opened.analysis.error = f"cannot read {wide}"
        await opened.run_once()
        await offer(opened, suggestion(), suggestion("wide", title=wide, description=wide))
        async with browsing(viewport={"width": width, "height": 800}) as page:
            await page.goto(address)
            for summary in await page.locator("summary").all():
                await summary.click()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_what_is_pressed_is_reached_with_the_keyboard_and_is_large_enough(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await offer(opened, suggestion())
        await page.goto(address)
        reached = []
        for _ in range(14):
            await page.keyboard.press("Tab")
            reached.append(await page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        assert {"theme", "run", "nightly", "SUMMARY"} <= set(reached)
        box = await page.get_by_role("button", name="Run now").bounding_box()
        assert box["height"] >= 44


async def test_a_lost_connection_is_said_and_made_good(tmp_path: Path) -> None:
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await page.goto(address)
        await until(lambda: opened.feed.pages)
        for mailbox in tuple(opened.feed._pages):
            mailbox.close()
        await page.get_by_text("The connection to Nightshift is lost.").wait_for()
        await offer(opened, suggestion())
        await page.get_by_role("heading", name="Kitchen lamp on at 7:00").wait_for()
        await page.get_by_text("The connection to Nightshift is lost.").wait_for(state="hidden")


async def test_hostile_names_do_nothing_in_a_browser(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"
    async with behind_a_prefix(tmp_path) as (opened, address), browsing() as page:
        await offer(opened, suggestion(hostile, title=hostile, description=hostile))
        await page.goto(address)
        await page.get_by_role("heading", name="<img").wait_for()
        assert await page.title() == "Nightshift"


@pytest.mark.parametrize("width", [390, 1280])
async def test_on_a_card_nothing_lies_over_anything_else(tmp_path: Path, width: int) -> None:
    async with (
        behind_a_prefix(tmp_path) as (opened, address),
        browsing(viewport={"width": width, "height": 844}) as page,
    ):
        await offer(opened, suggestion())
        await page.goto(address)
        await page.locator(".card .strip").wait_for()
        over = await page.evaluate(
            """() => [...document.querySelectorAll(".card, .card .evidence, .card .strip")].flatMap((box) => {
                const parts = [...box.children].filter((one) => one.checkVisibility());
                const boxes = parts.map((one) => one.getBoundingClientRect());
                const end = box.getBoundingClientRect().bottom + 1;
                const lies = (one, at) => one.bottom > end || one.top < boxes[at - 1]?.bottom - 1;
                return parts.filter((_, at) => lies(boxes[at], at)).map((one) => one.outerHTML);
            })"""
        )
        assert over == []
