"""Errors as one short line that may be shown: bounded, and without what looks like a secret."""

import re

from app.errors import NightshiftError

MESSAGE_LIMIT = 2_000
_SECRETS = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 ***"),
    (re.compile(r"\beyJ[\w-]{8,}(\.[\w-]+){0,2}"), "***"),
    (re.compile(r"\bsk-[\w-]{8,}"), "***"),
    (re.compile(r"://[^\s/@:]*:[^\s/@]+@"), "://***@"),
    (
        re.compile(
            r"(?i)\b((?:access_|auth_|api_?)?(?:token|key|password|passwd|secret))(['\"]?\s*[=:]\s*)[^\s&,;]+"
        ),
        r"\1\2***",
    ),
)


def one_line(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return `text` on one line of at most `limit` characters, secrets starred."""
    # A lone surrogate (half a character, of a file's name, say) can be neither stored nor sent.
    line = " ".join(text[: limit * 4].encode("utf-8", "replace").decode("utf-8").split())
    for pattern, replacement in _SECRETS:
        line = pattern.sub(replacement, line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def describe(error: BaseException) -> str:
    """Return what to record of an error: ours as it says itself, any other as `unexpected: Type: message`."""
    if isinstance(error, NightshiftError):
        return one_line(str(error))
    said = one_line(str(error))
    kind = type(error).__name__
    return f"unexpected: {kind}: {said}" if said else f"unexpected: {kind}"
