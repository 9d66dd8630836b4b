"""What the hub makes of a template: `render_template` of Home Assistant's WebSocket API."""

import json
import re
from typing import Any

from app.errors import InputError
from app.hub.client import Hub
from app.hub.errors import CommandError

_LONGEST_TEMPLATE = 10_000
_LONGEST_RESULT = 10_000
_LONGEST_ERROR = 300
_RENDER_SECONDS = 3.0
"""The hub tries a template in a thread for so long first: one that never ends must not hold the hub up."""
_ANSWER_SECONDS = 15.0
_NOISE = (
    re.compile(r"^\w+(?:Error|Exception): (?:Template error: )?"),
    re.compile(r" when rendering template '.*'(?= but no default)"),
)
"""What the hub adds for programmers: the kind of error, and the whole template again."""


async def render(hub: Hub, template: str) -> str:
    """Return what the hub makes of a template, as text; a name that is not defined is an error.

    Raises InputError, one line, when the template is wrong, takes the hub longer than 3 s or gives more than
    10,000 characters; NeighbourError when the hub cannot be asked.
    """
    if len(template) > _LONGEST_TEMPLATE:
        raise InputError(f"template: longer than {_LONGEST_TEMPLATE:,} characters")
    try:
        event = await hub.first_event(
            "render_template",
            timeout_seconds=_ANSWER_SECONDS,
            wanted=_tells,
            template=template,
            timeout=_RENDER_SECONDS,
            strict=True,
            report_errors=True,
        )
    except CommandError as error:
        if error.code in {"template_error", "invalid_format"}:
            raise InputError(f"template: {_one_line(error.said)}") from error
        raise
    if "result" not in event:
        raise InputError(f"template: {_one_line(event.get('error'))}")
    text = _text(event["result"])
    if len(text) > _LONGEST_RESULT:
        raise InputError(f"template: it gives more than {_LONGEST_RESULT:,} characters")
    return text


def _tells(event: dict[str, Any]) -> bool:
    """Whether it is the end of it: beside results and errors the hub tells warnings."""
    return "result" in event or event.get("level") == "ERROR"


def _text(result: Any) -> str:
    """Return the result as the template wrote it: the hub sends what looks like a value as a value."""
    if isinstance(result, str):
        return result
    return str(result) if isinstance(result, bool | int | float) or result is None else json.dumps(result)


def _one_line(said: Any) -> str:
    text = said if isinstance(said, str) and said.strip() else "the hub cannot render it"
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    for noise in _NOISE:
        line = noise.sub("", line)
    return line if len(line) <= _LONGEST_ERROR else line[: _LONGEST_ERROR - 1] + "…"
