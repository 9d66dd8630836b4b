"""Take a fresh Home Assistant through its onboarding and print a long-lived token of its owner.

Runs inside the hub's own environment (it brings aiohttp): `onboard.py HUB_URL MQTT_PORT`.
"""

import asyncio
import sys
from typing import Any

import aiohttp


async def main(hub: str, mqtt_port: int) -> str:
    """Make the owner, answer every onboarding step, add the MQTT integration; return the token."""
    async with aiohttp.ClientSession(hub, raise_for_status=True) as http:

        async def post(path: str, **request: Any) -> Any:
            async with http.post(path, **request) as answer:
                return await answer.json()

        client = f"{hub}/"
        owner = {"client_id": client, "name": "Owner", "username": "owner", "language": "en"}
        owner["password"] = "only-for-tests-1"
        made = await post("/api/onboarding/users", json=owner)
        grant = {"client_id": client, "grant_type": "authorization_code", "code": made["auth_code"]}
        session = await post("/auth/token", data=grant)
        token = session["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        for step in ("core_config", "analytics"):
            await post(f"/api/onboarding/{step}", json={})
        await post("/api/onboarding/integration", json={"client_id": client, "redirect_uri": client})
        await _add_mqtt(post, mqtt_port)
        return await _long_lived(http, token)


async def _add_mqtt(post: Any, port: int) -> None:
    flow = await post("/api/config/config_entries/flow", json={"handler": "mqtt"})
    answer = {"broker": "127.0.0.1", "port": port}
    done = await post(f"/api/config/config_entries/flow/{flow['flow_id']}", json=answer)
    if done["type"] != "create_entry":
        raise SystemExit(f"the hub did not take the broker: {done}")


async def _long_lived(http: aiohttp.ClientSession, token: str) -> str:
    async with http.ws_connect("/api/websocket") as socket:
        await socket.receive_json()
        await socket.send_json({"type": "auth", "access_token": token})
        if (answer := await socket.receive_json())["type"] != "auth_ok":
            raise SystemExit(f"the hub refused the owner's token: {answer}")
        wanted = {"id": 1, "type": "auth/long_lived_access_token", "client_name": "tests", "lifespan": 30}
        await socket.send_json(wanted)
        return str((await socket.receive_json())["result"])


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(main(sys.argv[1], int(sys.argv[2]))) + "\n")
