import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from pydantic import SecretStr

from app.errors import NeighbourError, RefusedError
from app.hub.supervisor import AppInfo, MqttService, Supervisor

TOKEN = "supervisors-token"
MQTT = {
    "addon": "core_mosquitto", "host": "core-mosquitto", "port": 1883, "ssl": False, "protocol": "3.1.1",
    "username": "addons", "password": "secret-of-the-broker",
}  # fmt: skip
INFO = {
    "slug": "local_nightshift", "version": "0.1.0", "hostname": "local-nightshift",
    "ip_address": "172.30.33.5", "ingress_entry": "/api/hassio_ingress/abc",
    "ingress_url": "/api/hassio_ingress/abc/", "ingress_port": 8099, "options": {},
}  # fmt: skip


class Answers:
    """What the Supervisor says to everything."""

    status = 200
    body: Any = None

    async def handle(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.json_response({"result": "error", "message": "Forbidden"}, status=403)
        if isinstance(self.body, bytes):
            return web.Response(status=self.status, body=self.body)
        if self.body is None:
            await asyncio.Event().wait()
        return web.json_response(self.body, status=self.status)

    def ok(self, data: Any) -> None:
        self.status, self.body = 200, {"result": "ok", "data": data}


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as http:
        yield http


@pytest.fixture
async def supervisor(answers: Answers, http: aiohttp.ClientSession) -> AsyncIterator[Supervisor]:
    app = web.Application()
    app.router.add_get("/{path:.*}", answers.handle)
    async with TestServer(app) as server:
        yield Supervisor(SecretStr(TOKEN), http, str(server.make_url("")).rstrip("/"))


async def test_the_broker_is_found_without_showing_its_password(
    supervisor: Supervisor, answers: Answers
) -> None:
    answers.ok(MQTT)

    found = await supervisor.mqtt_service()

    assert found == MqttService(
        host="core-mosquitto", port=1883, username="addons", password=SecretStr("secret-of-the-broker")
    )
    assert "secret" not in repr(found)
    assert TOKEN not in repr(supervisor)


async def test_no_broker_is_none(supervisor: Supervisor, answers: Answers) -> None:
    answers.status, answers.body = 400, {"result": "error", "message": "Service not enabled"}

    assert await supervisor.mqtt_service() is None


async def test_a_broker_without_a_login_is_one(supervisor: Supervisor, answers: Answers) -> None:
    answers.ok(MQTT | {"username": None, "password": None})

    found = await supervisor.mqtt_service()
    assert found is not None
    assert (found.username, found.password.get_secret_value()) == ("", "")


async def test_we_are_told_who_we_are(supervisor: Supervisor, answers: Answers) -> None:
    answers.ok(INFO)

    assert await supervisor.info() == AppInfo(
        slug="local_nightshift",
        version="0.1.0",
        hostname="local-nightshift",
        ip_address="172.30.33.5",
        ingress_entry="/api/hassio_ingress/abc",
        ingress_url="/api/hassio_ingress/abc/",
        ingress_port=8099,
    )


async def test_without_ingress_there_is_none(supervisor: Supervisor, answers: Answers) -> None:
    answers.ok({"slug": "x", "ingress_entry": None, "ingress_port": None})

    info = await supervisor.info()
    assert (info.ingress_entry, info.ingress_port) == ("", None)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, {"result": "error", "message": "Bad path"}, "HTTP 400 Bad path"),
        (500, b"", "HTTP 500"),
        (200, b"<html>", "not JSON"),
        (200, b"\xff\xfe", "not JSON"),
        (
            200,
            {"result": "ok", "data": {"host": "", "port": 0}},
            "host: String should have at least 1 character",
        ),
        (200, {"result": "ok", "data": None}, "not usable"),
        (200, b" " * (2 << 20), "too large"),
    ],
)
async def test_what_is_no_answer_is_one_line(
    supervisor: Supervisor, answers: Answers, status: int, body: Any, said: str
) -> None:
    answers.status, answers.body = status, body

    with pytest.raises(NeighbourError, match=said) as caught:
        await supervisor.mqtt_service()
    assert "\n" not in str(caught.value)


async def test_what_it_says_of_us_is_checked(supervisor: Supervisor, answers: Answers) -> None:
    answers.ok(INFO | {"ip_address": "not one"})

    with pytest.raises(NeighbourError, match="ip_address"):
        await supervisor.info()


async def test_a_refusal_is_told_apart(supervisor: Supervisor, http: aiohttp.ClientSession) -> None:
    with pytest.raises(RefusedError, match=r"/services/mqtt refused \(HTTP 403\)"):
        await Supervisor(SecretStr("another"), http, supervisor.url).mqtt_service()


async def test_silence_is_given_up(
    supervisor: Supervisor, answers: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.hub.supervisor._SECONDS", 0.05)

    with pytest.raises(NeighbourError, match="no answer to /addons/self/info"):
        await supervisor.info()


async def test_an_absent_supervisor_is_said_to_be_so(http: aiohttp.ClientSession) -> None:
    absent = Supervisor(SecretStr(TOKEN), http, f"http://127.0.0.1:{unused_port()}")

    with pytest.raises(NeighbourError, match="cannot be reached"):
        await absent.info()
