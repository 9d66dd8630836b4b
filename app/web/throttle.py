"""Slows down whoever tries wrong keys, address by address."""

import ipaddress
from collections import OrderedDict
from typing import Final

from app.clock import Clock
from app.errors import NightshiftError

_FREE_TRIES: Final = 5
_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 900.0
_REMEMBERED: Final = 1024


class TooManyTriesError(NightshiftError):
    """Too many wrong keys from one address; `wait` is in whole seconds."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"Too many wrong keys from this address: try again in {wait} s.")
        self.wait = wait


class Throttle:
    """After five wrong keys an address waits, twice as long after each further one, up to 15 minutes.

    It remembers a bounded number of addresses and forgets the oldest; an IPv6 neighbourhood (/64) is one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def check(self, peer: str) -> None:
        """Raise TooManyTriesError while that address has to wait."""
        _, until = self._wrong.get(_place(peer), (0, 0.0))
        if (left := until - self._clock.monotonic()) > 0:
            raise TooManyTriesError(int(left) + 1)

    def failed(self, peer: str) -> None:
        place = _place(peer)
        tries = self._wrong.get(place, (0, 0.0))[0] + 1
        over = min(tries - _FREE_TRIES, 20)
        pause = 0.0 if over < 0 else min(_FIRST_PAUSE * 2**over, _LONGEST_PAUSE)
        self._wrong[place] = (tries, self._clock.monotonic() + pause)
        self._wrong.move_to_end(place)
        while len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)

    def succeeded(self, peer: str) -> None:
        self._wrong.pop(_place(peer), None)


def _place(peer: str) -> str:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return peer
    if address.version == 6:
        return str(ipaddress.ip_network(f"{peer}/64", strict=False))
    return peer
