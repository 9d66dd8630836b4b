"""The gate: who is let in, who may change something, and what browsers are told."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import ClientSession, CookieJar

from app.clock import TurnedClock
from app.options import Options
from app.web.throttle import Throttle, TooManyTriesError
from app.web.visitors import host_name
from tests.web.house import ADMIN, HOME, KEY, NOON, PROOF, house, ingress_house, local_house

TRIGGER = "/api/analyze/trigger"
HTML = {"Accept": "text/html"}


def keyed() -> Options:
    return Options.model_validate({"api_key": KEY})


async def test_under_the_supervisor_only_ingress_gets_in_and_loopback_for_health(tmp_path: Path) -> None:
    async with house(tmp_path, ingress=True) as opened, ClientSession(opened.url, headers=ADMIN) as http:
        for path in ("/", "/api/suggestions", "/api/events", "/static/nightshift.css", "/login", "/nothing"):
            async with http.get(path) as answer:
                assert answer.status == 403, path
        async with http.get("/health") as answer:
            assert answer.status == 200


async def test_an_administrator_may_change_things_and_a_guest_may_not(tmp_path: Path) -> None:
    async with ingress_house(tmp_path) as (_, http):
        async with http.post(TRIGGER) as answer:
            assert answer.status == 202
        for other in ("guest", "nobody", ""):
            async with http.post(TRIGGER, headers={"X-Remote-User-Id": other}) as answer:
                assert answer.status == 403
                assert await answer.json() == {
                    "error": "Only an administrator of Home Assistant can do this."
                }
            async with http.get("/api/suggestions", headers={"X-Remote-User-Id": other}) as answer:
                assert answer.status == 200


async def test_an_account_that_was_switched_off_is_no_administrator(tmp_path: Path) -> None:
    (admin, *_) = HOME.users
    gone = HOME.model_copy(update={"users": (admin.model_copy(update={"is_active": False}),)})
    async with ingress_house(tmp_path, home=gone) as (_, http), http.post(TRIGGER) as answer:
        assert answer.status == 403


async def test_before_the_hub_told_who_is_an_admin_nothing_is_changed(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=None) as (_, http), http.post(TRIGGER) as answer:
        assert answer.status == 503
        assert "who is an admin" in (await answer.json())["error"]


@pytest.mark.parametrize(
    "prefix",
    [
        '/api/hassio_ingress/"><script>',
        "//evil.example",
        "/api/hassio_ingress/a/../b",
        "/api/hassio_ingress/",
    ],
)
async def test_an_ingress_prefix_that_is_none_is_refused(tmp_path: Path, prefix: str) -> None:
    async with (
        ingress_house(tmp_path) as (_, http),
        http.get("/", headers={"X-Ingress-Path": prefix}) as answer,
    ):
        assert answer.status == 400
        assert "<script>" not in await answer.text()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X-Nightshift": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://[broken"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://home.example"}, 202),
        ({"Origin": "https://home.example", "X-Forwarded-Host": "home.example"}, 202),
    ],
)
async def test_a_change_has_to_come_from_our_own_page(
    tmp_path: Path, headers: dict[str, str], status: int
) -> None:
    async with ingress_house(tmp_path) as (_, http), http.post(TRIGGER, headers=headers) as answer:
        assert answer.status == status


async def test_without_a_key_there_is_no_direct_way_in(tmp_path: Path) -> None:
    async with house(tmp_path) as opened, ClientSession(opened.url, headers=PROOF) as http:
        for path in ("/", "/api/suggestions", "/login"):
            async with http.get(path) as answer:
                assert answer.status == 403
                assert "api_key" in (await answer.json())["error"]
        async with http.get("/health") as answer:
            assert answer.status == 200


@pytest.mark.parametrize("headers", [{"Authorization": f"Bearer {KEY}"}, {"X-Api-Key": KEY}])
async def test_a_program_with_the_key_needs_no_proof_of_origin(
    tmp_path: Path, headers: dict[str, str]
) -> None:
    async with house(tmp_path, options=keyed()) as opened, ClientSession(opened.url) as http:
        async with http.post(TRIGGER) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        async with http.post(TRIGGER, headers=headers) as answer:
            assert answer.status == 202


async def test_the_ingress_headers_of_a_stranger_mean_nothing(tmp_path: Path) -> None:
    async with (
        house(tmp_path, options=keyed(), ingress=True) as opened,
        ClientSession(opened.url, headers={**ADMIN, **PROOF}) as http,
        http.post(TRIGGER) as answer,
    ):
        assert answer.status == 401


async def test_wrong_keys_are_slowed_down_and_the_right_one_waits_too(tmp_path: Path) -> None:
    clock = TurnedClock(NOON)
    async with house(tmp_path, options=keyed(), clock=clock) as opened, ClientSession(opened.url) as http:
        for _ in range(5):
            async with http.get("/", headers={"X-Api-Key": "wrong"}) as answer:
                assert answer.status == 401
        async with http.get("/", headers={"X-Api-Key": KEY}) as answer:
            assert answer.status == 429
            wait = int(answer.headers["Retry-After"])
        await clock.turn(timedelta(seconds=wait))
        async with http.get("/api/suggestions", headers={"X-Api-Key": KEY}) as answer:
            assert answer.status == 200


@pytest.mark.parametrize("header", [b"X-Api-Key: \xff\xfe", b"Cookie: nightshift_session=9999999999.\xff"])
async def test_a_key_that_is_no_text_is_a_wrong_key(tmp_path: Path, header: bytes) -> None:
    async with house(tmp_path, options=keyed()) as opened:
        reader, writer = await asyncio.open_connection(opened.server.host, opened.server.port)
        writer.write(b"GET /api/jobs HTTP/1.0\r\n" + header + b"\r\n\r\n")
        assert (await reader.readline()).split()[1] == b"401"
        writer.close()
        await writer.wait_closed()


async def test_a_browser_logs_in_with_the_key_and_out_again(tmp_path: Path) -> None:
    clock = TurnedClock(NOON)
    async with house(tmp_path, options=keyed(), clock=clock) as opened:
        jar = CookieJar(unsafe=True)  # keeps cookies of a server that has no name, too
        async with ClientSession(opened.url, cookie_jar=jar, headers=HTML) as http:
            async with http.get("/") as answer:
                assert answer.status == 401
                assert "Log in" in await answer.text()
                assert "Canal House" not in await answer.text()
            async with http.post("/login", data={"key": "wrong"}) as answer:
                assert answer.status == 401
            async with http.post("/login", data={"key": KEY}, allow_redirects=False) as answer:
                assert answer.status == 303
                assert answer.headers["Location"] == "./"
                cookie = answer.headers["Set-Cookie"]
            assert KEY not in cookie
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            async with http.get("/") as answer:
                assert "Canal House" in await answer.text()
            async with http.post(TRIGGER) as answer:
                assert answer.status == 403, "a cookie alone is no proof"
            async with http.post(TRIGGER, headers=PROOF) as answer:
                assert answer.status == 202
            await clock.turn(timedelta(days=31))
            async with http.get("/") as answer:
                assert answer.status == 401
            async with http.post("/login", data={"key": KEY}) as answer:
                assert answer.status == 200
            async with http.post("/logout", headers={"Origin": "https://evil.example"}) as answer:
                assert answer.status == 403
            async with http.post("/logout") as answer:
                assert "Log in" in await answer.text()
            async with http.get("/") as answer:
                assert answer.status == 401


async def test_a_forged_session_is_none(tmp_path: Path) -> None:
    async with house(tmp_path, options=keyed()) as opened:
        for forged in ("9999999999.0", "9999999999", "x.y", "٣.x", "9" * 40 + ".a", "."):
            async with ClientSession(opened.url) as http:
                cookie = {"Cookie": f"nightshift_session={forged.encode().decode('latin-1')}"}
                async with http.get("/", headers=cookie) as answer:
                    assert answer.status == 401


async def test_on_loopback_only_our_own_names_are_answered(tmp_path: Path) -> None:
    async with local_house(tmp_path, hosts=frozenset({"demo.example"})) as (opened, http):
        port = opened.server.port
        for host in (f"localhost:{port}", "127.0.0.1", f"[::1]:{port}", "demo.example"):
            async with http.get("/api/suggestions", headers={"Host": host}) as answer:
                assert answer.status == 200, host
        for host in ("evil.example", f"localhost.evil.example:{port}", "127.0.0.1.evil.example"):
            async with http.get("/api/suggestions", headers={"Host": host}) as answer:
                assert answer.status == 403, host


def test_a_host_header_is_read_as_browsers_write_it() -> None:
    assert host_name("[::1]:8099") == "::1"
    assert host_name("LocalHost:8099") == "localhost"
    assert host_name("localhost") == "localhost"
    assert host_name("") == ""


async def test_every_answer_carries_the_policy_and_may_be_framed_by_the_hub(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        for path in ("/", "/api/suggestions", "/api/nothing", "/static/nightshift.css"):
            async with http.get(path) as answer:
                policy = answer.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert "frame-ancestors 'self'" in policy
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
                assert answer.headers["Referrer-Policy"] == "same-origin"
                assert "X-Frame-Options" not in answer.headers


async def test_only_files_with_their_digest_are_kept_by_browsers(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http):
        async with http.get("/static/nightshift.css") as answer:
            assert answer.headers["Cache-Control"] == "no-cache"
            tag = answer.headers["ETag"]
        async with http.get("/static/nightshift.css", headers={"If-None-Match": tag}) as answer:
            assert answer.status == 304
        async with http.get("/static/nightshift.css", headers={"If-None-Match": "*"}) as answer:
            assert answer.status == 304
        digest = tag.strip('"')
        async with http.get(f"/static/nightshift.css?v={digest}") as answer:
            assert "immutable" in answer.headers["Cache-Control"]
        for wrong in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/none"):
            async with http.get(wrong) as answer:
                assert answer.status == 404
        async with http.get("/") as answer:
            assert answer.headers["Cache-Control"] == "no-store"


async def test_the_throttle_doubles_forgets_and_takes_a_neighbourhood_as_one() -> None:
    clock = TurnedClock(NOON)
    throttle = Throttle(clock)
    waits = []
    for number in range(16):
        throttle.failed(f"2001:db8::{number:x}")
        try:
            throttle.check("2001:db8::ffff")
        except TooManyTriesError as error:
            waits.append(error.wait)
            await clock.turn(timedelta(seconds=error.wait))
    assert waits == [3, 5, 9, 17, 33, 65, 129, 257, 513, 901, 901, 901]
    throttle.check("2001:db8:0:1::1")
    for number in range(2000):
        throttle.failed(f"10.0.{number // 256}.{number % 256}")
    throttle.check("2001:db8::1")
