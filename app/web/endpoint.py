"""One address of the API; each part of the API lists its own, `endpoints` has them all."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of the API; `answers` says what each status code means."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    answers: dict[int, str] = field(default_factory=lambda: {200: "As described."})
    query: tuple[str, ...] = ()
    body: Mapping[str, object] = field(default_factory=dict)
    """The types of what the JSON body may have, none of it required."""
    streams: bool = False
    """Whether its answer has no end, so that nobody can ask for its headers alone."""

    @property
    def changes(self) -> bool:
        """Whether it changes something, so that it takes an administrator and the proof header."""
        return self.method == "POST"
