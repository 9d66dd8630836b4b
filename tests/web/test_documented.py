"""The documents and the description say what is there."""

import re
from pathlib import Path

from app.web.endpoints import describe
from tests.web.house import local_house

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"


async def test_every_endpoint_is_documented_and_nothing_else(tmp_path: Path) -> None:
    documented = set(re.findall(r"^### `(\w+ /\S*)`", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    async with local_house(tmp_path) as (opened, _):
        served = {
            f"{route.method} {route.resource.canonical}"
            for route in opened.server.app.router.routes()
            if route.resource and route.method != "HEAD"
        }
    assert documented == {path for path in served if "/static/" not in path}


async def test_the_description_is_served_and_names_every_answer(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (_, http), http.get("/api/openapi.json") as answer:
        text = await answer.json()
    assert text["openapi"].startswith("3.1")
    trigger = text["paths"]["/api/analyze/trigger"]["post"]
    assert set(trigger["responses"]) == {"202", "403", "409"}
    assert {parameter["name"] for parameter in trigger["parameters"]} == {"X-Nightshift"}
    run = text["paths"]["/api/jobs/{job}/run"]["post"]
    assert set(run["responses"]) == {"202", "400", "403", "404", "409", "429"}
    sent = run["requestBody"]["content"]["application/json"]["schema"]
    assert set(sent["properties"]) == {"home", "person", "date", "force"}
    assert describe(())["paths"] == {}
