"""Which phone was told of what, and when: so that nobody is told twice."""

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from app.clock import Clock, from_ms, to_ms
from app.store.database import Store

_KEPT: Final = timedelta(days=400)


class DigestBook:
    """The digests of one home, keyed on phone and local day.

    A digest is claimed before it is sent, so that it is sent at most once a day, also when the process dies
    between the two: buzzing twice is worse than not at all, for what such a digest told does not count as
    told and comes with the next morning's. What certainly was not sent is released, and may be sent the same
    morning.
    """

    def __init__(self, store: Store, clock: Clock, home_id: str) -> None:
        self._store = store
        self._clock = clock
        self._home_id = home_id

    async def told(self, phone: str) -> dict[str, datetime]:
        """Return the suggestions that a phone was told of, each with the last time (UTC)."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT told, sent_at FROM digest WHERE home_id = ? AND phone = ? AND sent_at IS NOT NULL"
                " ORDER BY sent_at",
                (self._home_id, phone),
            )
        return {identity: from_ms(row["sent_at"]) for row in rows for identity in json.loads(row["told"])}

    async def claim(self, phone: str, day: date, told: Sequence[str], *, again: bool = False) -> bool:
        """Return whether this phone may be told today. `again`: whatever was before."""
        now = self._clock.now()
        async with self._store.writing() as db:
            await db.execute(
                "DELETE FROM digest WHERE home_id = ? AND day < ?",
                (self._home_id, (day - _KEPT).isoformat()),
            )
            if again:
                await db.execute(
                    "DELETE FROM digest WHERE home_id = ? AND day = ? AND phone = ?",
                    (self._home_id, day.isoformat(), phone),
                )
            claimed = await db.execute(
                "INSERT INTO digest (home_id, day, phone, told, claimed_at) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (self._home_id, day.isoformat(), phone, json.dumps(list(told)), to_ms(now)),
            )
            return claimed.rowcount == 1

    async def sent(self, phone: str, day: date) -> None:
        """Note that the claimed digest was sent."""
        async with self._store.writing() as db:
            await db.execute(
                "UPDATE digest SET sent_at = ? WHERE home_id = ? AND day = ? AND phone = ?",
                (to_ms(self._clock.now()), self._home_id, day.isoformat(), phone),
            )

    async def release(self, phone: str, day: date) -> None:
        """Note that the claimed digest was not sent."""
        async with self._store.writing() as db:
            await db.execute(
                "DELETE FROM digest WHERE home_id = ? AND day = ? AND phone = ? AND sent_at IS NULL",
                (self._home_id, day.isoformat(), phone),
            )
