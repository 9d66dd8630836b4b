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


def begin_logging(level: str, kept: str | None = None) -> None:
    """Log from here on. Libraries that tell of their every step speak up only when something is wrong.

    `kept` is the level of what is kept with a run where that is to be more than what is shown.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
        force=True,
    )
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if kept is not None:
        for handler in logging.getLogger().handlers:
            handler.setLevel(level.upper())
        logging.getLogger("app").setLevel(kept.upper())
