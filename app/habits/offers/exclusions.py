"""The exclusions of homes, kept in the store."""

from dataclasses import dataclass
from datetime import datetime

from app.clock import Clock, from_ms, to_ms
from app.errors import InputError
from app.habits.offers.excluded import Excluded, Exclusion, ExclusionKind
from app.model import Home
from app.store.database import Store

_MOST = 1000


@dataclass(frozen=True, slots=True)
class Kept:
    """An exclusion as it is kept: since when (UTC), and whose it is (the hub's user id, or empty)."""

    exclusion: Exclusion
    created_at: datetime
    created_by: str


class Exclusions:
    """What is never to be offered in a home."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def kept(self, home_id: str) -> list[Kept]:
        """Return all, by kind and value."""
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM exclusion WHERE home_id = ? ORDER BY kind, value", (home_id,)
            )
        return [
            Kept(
                Exclusion(ExclusionKind(row["kind"]), row["value"]),
                from_ms(row["created_at"]),
                row["created_by"],
            )
            for row in rows
        ]

    async def listed(self, home_id: str) -> list[Exclusion]:
        return [one.exclusion for one in await self.kept(home_id)]

    async def excluded(self, home_id: str, home: Home | None) -> Excluded:
        """Return them ready to be asked, over the home as it is known."""
        return Excluded(home, await self.listed(home_id))

    async def add(self, home_id: str, exclusion: Exclusion, by: str) -> bool:
        """Keep one; False when it is kept already.

        Raises InputError when there are too many.
        """
        async with self._store.writing() as db:
            cursor = await db.execute("SELECT count(*) FROM exclusion WHERE home_id = ?", (home_id,))
            row = await cursor.fetchone()
            if row is not None and row[0] >= _MOST:
                raise InputError(f"there are {_MOST} exclusions already; remove some first")
            cursor = await db.execute(
                "INSERT INTO exclusion (home_id, kind, value, created_at, created_by) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT DO NOTHING",
                (home_id, exclusion.kind, exclusion.value, to_ms(self._clock.now()), by),
            )
            return cursor.rowcount == 1

    async def remove(self, home_id: str, exclusion: Exclusion) -> bool:
        """Drop one; False when there was none."""
        async with self._store.writing() as db:
            cursor = await db.execute(
                "DELETE FROM exclusion WHERE home_id = ? AND kind = ? AND value = ?",
                (home_id, exclusion.kind, exclusion.value),
            )
            return cursor.rowcount == 1
