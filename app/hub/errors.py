"""How asking the hub can fail, by what the asker can do about it."""

from typing import Any

from app.errors import NeighbourError


class NoReplyError(NeighbourError):
    """No answer came: too slow, or the connection was lost. The same may work later, or in smaller pieces."""


class LostError(NoReplyError):
    """The connection was lost before the answer came; another is being made."""


class ReplyError(NeighbourError):
    """The hub answered with an HTTP error; `status` is its number."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class CommandError(NeighbourError):
    """The hub answered a command with an error; `code` is Home Assistant's, such as `not_found`, `said` its
    words.
    """

    def __init__(self, kind: str, code: str, message: str) -> None:
        super().__init__(f"hub: {kind}: {message} ({code})")
        self.code = code
        self.said = message


class UnknownCommandError(CommandError):
    """This hub's version does not have that command."""


def command_error(kind: str, said: Any) -> CommandError:
    """Return what the `error` of a result message means."""
    said = said if isinstance(said, dict) else {}
    code = str(said.get("code", "unknown_error"))[:100]
    message = str(said.get("message", "no reason given"))[:300]
    return (UnknownCommandError if code == "unknown_command" else CommandError)(kind, code, message)
