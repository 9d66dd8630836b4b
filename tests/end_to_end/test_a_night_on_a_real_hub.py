"""A whole Nightshift beside a real Home Assistant with a month of an invented past, and a real Mosquitto."""

import asyncio
import json
import secrets
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import aiomqtt
import pytest

from app.hub.invented import invent
from tests.process import Process, serving
from tests.real_hub.past import SEED, furnish
from tests.real_hub.peer import RealHub

pytestmark = [pytest.mark.hub, pytest.mark.timeout(300)]

MACHINE_MADE = {"light.garden", "light.study", "light.night_light"}
"""Lights that only the invented home's automations switch."""
READING = "Reading what happened"


@pytest.fixture(autouse=True)
async def furnished(real_hub: RealHub) -> None:
    await furnish(real_hub, await asyncio.to_thread(invent, SEED))


async def _completed(ear: aiomqtt.Client) -> dict[str, Any]:
    """Return the next message at the end of an analysis."""
    async with asyncio.timeout(120):
        async for message in ear.messages:
            if str(message.topic) == "ha-ai/status/analysis_complete":
                assert message.qos == 1
                told: dict[str, Any] = json.loads(bytes(message.payload))
                return told
    raise AssertionError("the broker went away")


async def _device(hub_api: aiohttp.ClientSession) -> dict[str, dict[str, Any]]:
    """Return Nightshift's entities in the hub, by entity id."""
    async with hub_api.get("/api/states") as reply:
        states: list[dict[str, Any]] = await reply.json()
    return {one["entity_id"]: one for one in states if ".nightshift" in one["entity_id"]}


async def _until(hub_api: aiohttp.ClientSession, entity_id: str, *wanted: str) -> None:
    async with asyncio.timeout(60):
        while (await _device(hub_api)).get(entity_id, {}).get("state") not in wanted:
            await asyncio.sleep(0.1)


async def _accepted_by(hub: RealHub, automations: list[dict[str, Any]]) -> None:
    """Let the hub's own validator look at each automation."""
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{hub.url}/api/websocket") as wire:
        await wire.receive_json()
        await wire.send_json({"type": "auth", "access_token": hub.token})
        assert (await wire.receive_json())["type"] == "auth_ok"
        for number, automation in enumerate(automations, 1):
            parts = {name: automation[name] for name in ("triggers", "conditions", "actions")}
            await wire.send_json({"id": number, "type": "validate_config", **parts})
            answer = await wire.receive_json()
            assert all(part["valid"] for part in answer["result"].values()), (automation, answer["result"])


def _targets(automation: dict[str, Any]) -> set[str]:
    """Return what an automation acts on."""
    named = [action["target"]["entity_id"] for action in automation["actions"] if "target" in action]
    return {name for names in named for name in ([names] if isinstance(names, str) else names)}


async def test_the_button_in_the_hub_runs_a_night_that_ends_on_the_page_and_over_mqtt(
    real_hub: RealHub, nightshift: Process, hub_api: aiohttp.ClientSession, ear: aiomqtt.Client
) -> None:
    await _until(hub_api, "sensor.nightshift_status", "idle")
    device = await _device(hub_api)
    (button,) = [name for name in device if name.startswith("button.")]
    async with hub_api.post("/api/services/button/press", json={"entity_id": button}):
        pass
    told = await _completed(ear)
    assert {
        "timestamp",
        "patterns_detected",
        "suggestions_generated",
        "duration_seconds",
        "status",
        "run_id",
    } <= set(told)
    assert told["status"] == "completed"
    assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None
    (run,) = await nightshift.runs("analysis")
    assert run["run_id"] == told["run_id"]
    assert run["trigger"] == "manual"
    assert run["counts"]["events"] > 50_000
    suggestions = await nightshift.get("/api/suggestions")
    assert len(suggestions) == told["suggestions_generated"] > 0
    targets = {name for one in suggestions for name in _targets(one["automation"])}
    assert "light.bedroom" in targets
    assert not targets & MACHINE_MADE
    await _accepted_by(real_hub, [one["automation"] for one in suggestions])
    page = await nightshift.page()
    assert all(one["id"] in page for one in suggestions)
    await _until(hub_api, "sensor.nightshift_status", "ok")
    device = await _device(hub_api)
    assert device["sensor.nightshift_pending_suggestions"]["state"] == str(len(suggestions))


async def test_a_second_night_reads_only_what_is_new_and_keeps_every_id(nightshift: Process) -> None:
    found = []
    for _ in range(2):
        _, started = await nightshift.post("/api/analyze/trigger")
        found.append(
            (
                await nightshift.ended(started["run_id"]),
                {one["id"] for one in await nightshift.get("/api/suggestions")},
            )
        )
    (first, ids), (second, same_ids) = found
    assert first["counts"]["events_new"] > 50_000
    assert second["counts"]["events_new"] < first["counts"]["events_new"] / 20
    assert same_ids == ids
    assert second["counts"]["suggestions_new"] == 0


async def test_a_second_trigger_is_told_of_the_run_that_is_going_on(nightshift: Process) -> None:
    status, first = await nightshift.post("/api/analyze/trigger")
    assert status == 202
    again, second = await nightshift.post("/api/analyze/trigger")
    assert again == 409
    assert first["run_id"] in json.dumps(second)
    await nightshift.ended(first["run_id"])


async def test_killed_in_the_middle_it_is_interrupted_and_caught_up_once(
    tmp_path: Path, variables: dict[str, str]
) -> None:
    folder = tmp_path / "data"
    async with serving(folder, variables) as process:
        _, cut = await process.post("/api/analyze/trigger")
        await process.in_the_middle(READING)
        await process.kill()
    async with serving(folder, variables) as process:
        async with asyncio.timeout(60):
            # The page opens a moment before what is owed is taken up.
            while (newest := (await process.runs("analysis"))[0])["run_id"] == cut["run_id"]:
                await asyncio.sleep(0.05)
        caught_up = await process.ended(newest["run_id"])
        runs = await process.runs("analysis")
    assert [run["status"] for run in runs] == ["completed", "interrupted"]
    assert runs[1]["run_id"] == cut["run_id"]
    assert (caught_up["trigger"], caught_up["retry_of"]) == ("catch-up", cut["run_id"])
    async with serving(folder, variables) as process:
        assert len(await process.runs("analysis")) == 2


async def test_asked_to_stop_in_the_middle_it_leaves_in_good_order(
    tmp_path: Path, variables: dict[str, str], hub_api: aiohttp.ClientSession
) -> None:
    folder = tmp_path / "data"
    async with serving(folder, variables) as process:
        await _until(hub_api, "sensor.nightshift_status", "idle", "ok", "warning", "failed")
        _, started = await process.post("/api/analyze/trigger")
        await process.in_the_middle(READING)
        async with asyncio.timeout(60):
            assert await process.stop() == 0
    await _until(hub_api, "sensor.nightshift_status", "unavailable")
    async with serving(folder, variables) as process:
        runs = {run["run_id"]: run for run in await process.runs("analysis")}
        assert runs[started["run_id"]]["status"] in {"completed", "interrupted"}


async def test_a_broker_that_goes_away_misses_nothing(
    real_hub: RealHub, nightshift: Process, hub_api: aiohttp.ClientSession
) -> None:
    await _until(hub_api, "sensor.nightshift_status", "idle")
    await real_hub.say("broker-stop")
    try:
        _, started = await nightshift.post("/api/analyze/trigger")
        run = await nightshift.ended(started["run_id"])
    finally:
        await real_hub.say("broker-start")
    async with aiomqtt.Client(real_hub.mqtt_host, real_hub.mqtt_port, identifier=secrets.token_hex(8)) as ear:
        await ear.subscribe("ha-ai/status/#", qos=1)
        told = await _completed(ear)
    assert (told["run_id"], told["status"]) == (run["run_id"], "completed")
    await _until(hub_api, "sensor.nightshift_status", "ok")


async def test_a_hub_that_goes_away_fails_the_night_and_the_next_one_has_all(
    real_hub: RealHub, nightshift: Process
) -> None:
    await real_hub.say("hub-stop")
    try:
        _, started = await nightshift.post("/api/analyze/trigger")
        failed = await nightshift.ended(started["run_id"])
        page = await nightshift.page()
    finally:
        await real_hub.say("hub-start")
    assert failed["status"] == "failed"
    assert "hub" in failed["error_message"]
    assert failed["error_message"].partition("'")[0] in page
    await furnish(real_hub, await asyncio.to_thread(invent, SEED))
    _, started = await nightshift.post("/api/analyze/trigger")
    run = await nightshift.ended(started["run_id"])
    assert run["status"] == "completed"
    assert run["counts"]["events"] > 50_000
