"""The page's door."""

import logging
import os
from contextlib import AsyncExitStack

from aiohttp import web

from app.composition.setting import Doorway
from app.errors import InputError
from app.web.app import build_web
from app.web.parts import WebParts
from app.web.rooms import RoomParts

_log = logging.getLogger(__name__)


async def open_door(doorway: Doorway, parts: WebParts, rooms: RoomParts, closing: AsyncExitStack) -> None:
    """Serve the page.

    Raises InputError when the address cannot be listened on.
    """
    runner = web.AppRunner(build_web(parts, rooms), access_log=None, shutdown_timeout=3)
    closing.push_async_callback(runner.cleanup)
    await runner.setup()
    try:
        await web.TCPSite(runner, doorway.host, doorway.port).start()
    except OSError as error:
        raise InputError(
            f"cannot listen on {doorway.host}:{doorway.port} ({os.strerror(error.errno or 0)}); "
            "choose another with NIGHTSHIFT_PORT"
        ) from error
    _log.info("The page is at http://%s:%d", doorway.host, doorway.port)
