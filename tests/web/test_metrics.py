"""The figures for Prometheus, over HTTP."""

from pathlib import Path

from aiohttp import ClientSession
from prometheus_client.parser import text_string_to_metric_families

from app.options import Options
from tests.web.house import KEY, house, ingress_house, local_house

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


async def test_prometheus_reads_what_it_is_given(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.run_once()
        async with http.get("/metrics", headers={"Accept": ACCEPT}) as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            text = await answer.text()
        runs = next(one for one in text_string_to_metric_families(text) if one.name == "nightshift_runs")
        assert {"job": "analysis", "status": "completed"} in [
            sample.labels for sample in runs.samples if sample.value == 1
        ]


async def test_nothing_that_people_call_their_own_is_in_the_figures(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.run_once()
        async with http.get("/metrics") as answer:
            text = await answer.text()
    assert 'job="analysis"' in text
    for own in ("Canal House", "Kitchen", "light.", "home="):
        assert own not in text


async def test_a_key_lets_a_scraper_in_and_a_wrong_one_does_not(tmp_path: Path) -> None:
    locked = Options(api_key=KEY)
    async with house(tmp_path, options=locked) as opened, ClientSession(opened.url) as http:
        async with http.get("/metrics") as answer:
            assert answer.status == 401
            assert (await answer.json())["error"]
        async with http.get("/metrics", headers={"Authorization": "Bearer wrong"}) as answer:
            assert answer.status == 401
        async with http.get("/metrics", headers={"Authorization": f"Bearer {KEY}"}) as answer:
            assert answer.status == 200


async def test_through_the_hub_every_user_may_read_them(tmp_path: Path) -> None:
    async with (
        ingress_house(tmp_path) as (_, http),
        http.get("/metrics", headers={"X-Remote-User-Id": "guest"}) as answer,
    ):
        assert answer.status == 200


async def test_beside_the_hub_nobody_reads_them_without_a_key(tmp_path: Path) -> None:
    async with (
        house(tmp_path, ingress=True) as opened,
        ClientSession(opened.url) as http,
        http.get("/metrics") as answer,
    ):
        assert answer.status == 403


async def test_a_head_is_answered_without_the_figures(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http), http.head("/metrics") as answer:
        assert answer.status == 200
        assert await answer.read() == b""
