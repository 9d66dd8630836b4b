"""Log lines: to standard error, one a line, in the level of the options."""

import logging
import sys

_CHATTY = (
    "aiohttp.access",
    "aiosqlite",
    "amqtt",
    "apscheduler",
    "httpx",
    "mqtt",
    "openai",
    "passlib",
    "transitions",
)


def begin_logging(level: str) -> None:
    """Log from here on. Libraries that tell of their every step speak up only when something is wrong."""
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        force=True,
    )
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
