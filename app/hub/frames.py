"""What a WebSocket frame of the hub says."""

import asyncio
import json
from typing import Any

_LARGE = 128 * 1024
"""Characters from which decoding leaves the event loop (about 1 ms of it)."""


async def decode_frame(text: str) -> list[dict[str, Any]] | None:
    """Return the messages of a frame (one, or several the hub put together), or None when it is none."""
    if len(text) > _LARGE:
        return await asyncio.to_thread(_messages, text)
    return _messages(text)


def _messages(text: str) -> list[dict[str, Any]] | None:
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(said, dict):
        return [said]
    if isinstance(said, list):
        return [message for message in said if isinstance(message, dict)] or None
    return None
