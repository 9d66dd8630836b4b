"""A stand-in for the Supervisor, in front of the real hub and the real broker.

It does what the Supervisor does between an app and the hub, as its code and documentation describe it:
checks the app's token, says where the broker is, passes REST and WebSocket on to the hub under its own user,
and shows the app's page under an ingress prefix with the headers that the hub adds.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, Self

import aiohttp
from aiohttp import WSMsgType, web

from tests.real_hub.peer import RealHub

TOKEN: Final = "token-of-this-start"
PREFIX: Final = "/api/hassio_ingress/Yy0_-sOmEiNgReSsToKeN"
SLUG: Final = "local_nightshift"
_TO_HUB: Final = 64 * 1024 * 1024
_HOP: Final = {"connection", "content-length", "host", "keep-alive", "transfer-encoding", "upgrade"}
_FROM_CLIENTS: Final = {"x-remote-user-id", "x-remote-user-name", "x-remote-user-display-name"}


class Supervisor:
    """The stand-in. `open` can be cleared: questions about the past then wait until it is set again."""

    def __init__(self, hub: RealHub, app: str, mine: str, version: str) -> None:
        self.hub = hub
        self.user: dict[str, Any] = {}
        """Who opens the page: the hub's owner."""
        self.open = asyncio.Event()
        self.open.set()
        self.asked = asyncio.Event()
        """Set when the app asks about the past."""
        self.refused = 0
        """How many requests came without the right token."""
        self._app = app
        self._mine = mine
        self._version = version
        self._cables: set[asyncio.StreamWriter] = set()
        self._exits = AsyncExitStack()
        self._http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        async with self._exits as exits:
            self._http = await exits.enter_async_context(
                aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(self._mine, 0)))
            )
            self._hub = await exits.enter_async_context(
                aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.hub.token}"})
            )
            self.user = await self._who()
            server = web.AppRunner(self._routes(), access_log=None, shutdown_timeout=1)
            await server.setup()
            exits.push_async_callback(server.cleanup)
            await web.TCPSite(server, self._mine, 80).start()
            broker = await asyncio.start_server(self._to_broker, self._mine, 1883)
            exits.push_async_callback(self._close_broker, broker)
            self._exits = exits.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.open.set()
        await self._exits.aclose()

    @property
    def page(self) -> str:
        """The app's page as a browser in the hub opens it."""
        return f"http://{self._mine}{PREFIX}/"

    def _routes(self) -> web.Application:
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_get("/services/mqtt", self._mqtt)
        app.router.add_get("/addons/self/info", self._self_info)
        app.router.add_get("/info", self._info)
        app.router.add_get("/core/websocket", self._websocket)
        app.router.add_route("*", "/core/api/{path:.*}", self._core)
        app.router.add_route("*", PREFIX + "/{path:.*}", self._ingress)
        return app

    async def _who(self) -> dict[str, Any]:
        async with self._hub_socket() as socket:
            await socket.send_json({"id": 1, "type": "auth/current_user"})
            return dict((await socket.receive_json())["result"])

    @asynccontextmanager
    async def _hub_socket(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with self._hub.ws_connect(f"{self.hub.url}/api/websocket", max_msg_size=_TO_HUB) as socket:
            await socket.receive_json()
            await socket.send_json({"type": "auth", "access_token": self.hub.token})
            if (answer := await socket.receive_json())["type"] != "auth_ok":
                raise AssertionError(f"the hub refused the tests' token: {answer}")
            yield socket

    # What the Supervisor tells an app about itself

    def _check(self, request: web.Request) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.refused += 1
            raise web.HTTPUnauthorized

    async def _mqtt(self, request: web.Request) -> web.Response:
        self._check(request)
        return _ok(
            {
                "addon": "core_mosquitto",
                "host": "core-mosquitto",
                "port": 1883,
                "ssl": False,
                "username": "addons",
                "password": "made-by-the-stand-in",
                "protocol": "3.1.1",
            }
        )

    async def _self_info(self, request: web.Request) -> web.Response:
        self._check(request)
        return _ok(
            {
                "slug": SLUG,
                "name": "Nightshift",
                "version": self._version,
                "hostname": SLUG.replace("_", "-"),
                "ip_address": self._app,
                "ingress": True,
                "ingress_entry": PREFIX,
                "ingress_url": PREFIX + "/",
                "ingress_port": 8099,
            }
        )

    async def _info(self, request: web.Request) -> web.Response:
        self._check(request)
        return _ok({"timezone": "Europe/Amsterdam", "arch": "amd64", "supervisor": "2026.08.0"})

    # What it passes on to the hub

    async def _core(self, request: web.Request) -> web.StreamResponse:
        self._check(request)
        if request.path.startswith(("/core/api/history", "/core/api/logbook")):
            await self._about_the_past()
        url = f"{self.hub.url}/api/{request.match_info['path']}"
        headers = {
            name: request.headers[name] for name in ("Content-Type", "Accept") if name in request.headers
        }
        try:
            async with self._hub.request(
                request.method, url, params=request.query, headers=headers, data=await request.read()
            ) as answer:
                return web.Response(
                    status=answer.status, body=await answer.read(), headers=_type_of(answer.headers)
                )
        except aiohttp.ClientConnectionError:
            raise web.HTTPBadGateway from None

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        try:
            async with self._hub_socket() as hub:
                app = web.WebSocketResponse(heartbeat=30)
                await app.prepare(request)
                await app.send_json({"type": "auth_required", "ha_version": "2026.2.3"})
                if (await app.receive_json()).get("access_token") != TOKEN:
                    self.refused += 1
                    await app.send_json({"type": "auth_invalid", "message": "Invalid access"})
                    return app
                await app.send_json({"type": "auth_ok", "ha_version": "2026.2.3"})
                there = asyncio.create_task(self._app_to_hub(app, hub))
                back = asyncio.create_task(_hub_to_app(hub, app))
                await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
                for task in (there, back):
                    task.cancel()
                await app.close()
                return app
        except aiohttp.ClientConnectionError:
            raise web.HTTPBadGateway from None

    async def _app_to_hub(self, app: web.WebSocketResponse, hub: aiohttp.ClientWebSocketResponse) -> None:
        async for message in app:
            if message.type is not WSMsgType.TEXT:
                return
            said = json.loads(message.data)
            for one in said if isinstance(said, list) else [said]:
                if str(one.get("type", "")).startswith(("history/", "logbook/")):
                    await self._about_the_past()
            await hub.send_str(message.data)

    async def _about_the_past(self) -> None:
        self.asked.set()
        await self.open.wait()

    async def _to_broker(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._cables.add(writer)
        try:
            broker_reader, broker_writer = await asyncio.open_connection(
                self.hub.mqtt_host, self.hub.mqtt_port
            )
        except OSError:
            writer.close()
            return
        self._cables.add(broker_writer)
        await asyncio.gather(_pipe(reader, broker_writer), _pipe(broker_reader, writer))
        self._cables -= {writer, broker_writer}

    async def _close_broker(self, broker: asyncio.Server) -> None:
        broker.close()
        while self._cables:
            # Both directions of a cable then read its end, and its handler is over.
            for writer in self._cables:
                writer.close()
            await asyncio.sleep(0.05)

    # What it shows of the app

    async def _ingress(self, request: web.Request) -> web.StreamResponse:
        headers = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in _HOP | _FROM_CLIENTS | {"accept-encoding"}
        }
        headers |= {
            "X-Ingress-Path": PREFIX,
            "X-Hass-Source": "core.ingress",
            "X-Remote-User-Id": self.user["id"],
            "X-Remote-User-Display-Name": self.user["name"],
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Host": request.host,
            "X-Forwarded-Proto": "http",
        }
        url = f"http://{self._app}:8099/{request.match_info['path']}"
        try:
            async with self._http.request(
                request.method,
                url,
                params=request.query,
                headers=headers,
                data=await request.read(),
                allow_redirects=False,
            ) as answer:
                return await _stream(request, answer)
        except aiohttp.ClientConnectionError:
            raise web.HTTPBadGateway from None


async def _stream(request: web.Request, answer: aiohttp.ClientResponse) -> web.StreamResponse:
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP}
    response = web.StreamResponse(status=answer.status, headers=kept)
    await response.prepare(request)
    async for part in answer.content.iter_any():
        await response.write(part)
    return response


async def _hub_to_app(hub: aiohttp.ClientWebSocketResponse, app: web.WebSocketResponse) -> None:
    async for message in hub:
        if message.type is not WSMsgType.TEXT:
            return
        await app.send_str(message.data)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while part := await reader.read(64 * 1024):
            writer.write(part)
            await writer.drain()
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _ok(data: dict[str, Any]) -> web.Response:
    return web.json_response({"result": "ok", "data": data})


def _type_of(headers: Any) -> dict[str, str]:
    return {"Content-Type": headers["Content-Type"]} if "Content-Type" in headers else {}
