"""The health in full, over HTTP; the bare liveness beside it."""

from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from app.neighbours import NeighbourState
from app.options import Options
from tests.web.house import KEY, house, local_house


async def _json(http: ClientSession, path: str) -> Any:
    async with http.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_the_health_tells_every_check_with_its_advice(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "the token was revoked")
        health = await _json(http, "/api/health")
        assert health["timestamp"] == "2026-03-10T11:00:00+00:00"
        assert health["jobs"]["analysis"] == {"healthy": True, "score": 1.0}
        last_run = health["checks"]["analysis.last_run"]
        assert last_run["healthy"] is None
        assert last_run["job"] == "analysis"
        hub = health["checks"]["hub"]
        assert hub["title"] == "Home Assistant"
        assert hub["healthy"] is False
        assert hub["message"].endswith("the token was revoked")
        assert hub["advice"]
        assert hub["job"] is None
        judged = [check["healthy"] for check in health["checks"].values() if check["healthy"] is not None]
        assert health["score"] == round(sum(judged) / len(judged), 4)
        assert health["healthy"] is (health["score"] > 0.8)


async def test_a_look_is_told_again_for_a_few_seconds(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        first = await _json(http, "/api/health")
        opened.parts.neighbours.set("hub", NeighbourState.FAILED, "gone")
        assert await _json(http, "/api/health") == first


async def test_the_liveness_stays_bare(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await opened.store.close()
        assert (await _json(http, "/health"))["status"] == "ok"
        await opened.store.open()


async def test_the_health_is_for_those_who_may_read(tmp_path: Path) -> None:
    locked = Options(api_key=KEY)
    async with house(tmp_path, options=locked) as opened, ClientSession(opened.url) as http:
        async with http.get("/api/health") as answer:
            assert answer.status == 401
        async with http.get("/api/health", headers={"X-Api-Key": KEY}) as answer:
            assert answer.status == 200
