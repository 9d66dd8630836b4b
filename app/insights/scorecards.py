"""The scorecards of a home: those that come with Nightshift and people's own, on or off."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.clock import Clock, from_ms, to_ms
from app.errors import InputError
from app.insights.checking import read_scorecard
from app.insights.scorecard import Scorecard
from app.insights.shipped import NAMES, shipped_texts
from app.store.database import Store

MOST: Final = 20
_ON_FROM_THE_START: Final = frozenset({"home"})


@dataclass(frozen=True, slots=True)
class KeptScorecard:
    """A scorecard by its name. `shipped`: one of that name came with Nightshift; `own`: its text is theirs.

    `updated_by` is the user id of who last wrote or switched it, empty with the API key or where untouched.
    """

    name: str
    text: str
    shipped: bool
    own: bool
    active: bool
    updated_at: datetime | None = None
    updated_by: str = ""


class NoScorecardError(InputError):
    """There is no scorecard of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is no scorecard {name[:40]!r}")


class Scorecards:
    """The table `scorecard` over the shipped ones: a row is people's own text, or a shipped one's switch."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def all(self, home_id: str) -> list[KeptScorecard]:
        """Return every scorecard, the shipped ones first, then by name."""
        texts = await asyncio.to_thread(shipped_texts)
        async with self._store.reading() as db:
            rows = await db.execute_fetchall(
                "SELECT * FROM scorecard WHERE home_id = ? ORDER BY name", (home_id,)
            )
        found = {row["name"]: _kept(row, texts) for row in rows}
        names = [*NAMES, *(name for name in found if name not in NAMES)]
        return [found.get(name) or _untouched(name, texts[name]) for name in names]

    async def active(self, home_id: str) -> list[KeptScorecard]:
        """Return those that are on, in the order of `all`: the first is the home's main score."""
        return [one for one in await self.all(home_id) if one.active]

    async def get(self, home_id: str, name: str) -> KeptScorecard:
        """Return one. Raises NoScorecardError."""
        for one in await self.all(home_id):
            if one.name == name:
                return one
        raise NoScorecardError(name)

    async def put(
        self, home_id: str, text: str, by: str, figures: Collection[str] | None = None
    ) -> KeptScorecard:
        """Keep a scorecard under the name in its text, in place of the one of that name; it is then on.

        Raises FaultsError with every wrong line (`figures` are the names that may be asked for), InputError
        when there are too many.
        """
        card = await asyncio.to_thread(read_scorecard, text, figures)
        now = to_ms(self._clock.now())
        async with self._store.writing() as db:
            rows = await db.execute_fetchall(
                "SELECT name FROM scorecard WHERE home_id = ? AND name <> ?", (home_id, card.name)
            )
            if len(list(rows)) >= MOST:
                raise InputError(f"there are {MOST} scorecards already: remove one first")
            await db.execute(
                "INSERT INTO scorecard (home_id, name, text, active, updated_at, updated_by)"
                " VALUES (?, ?, ?, 1, ?, ?) ON CONFLICT (home_id, name) DO UPDATE SET"
                " text = excluded.text, active = 1, updated_at = excluded.updated_at,"
                " updated_by = excluded.updated_by",
                (home_id, card.name, text, now, by),
            )
        return await self.get(home_id, card.name)

    async def switch(self, home_id: str, name: str, by: str, *, active: bool) -> KeptScorecard:
        """Switch one on or off. Raises NoScorecardError."""
        await self.get(home_id, name)
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO scorecard (home_id, name, text, active, updated_at, updated_by)"
                " VALUES (?, ?, NULL, ?, ?, ?) ON CONFLICT (home_id, name) DO UPDATE SET"
                " active = excluded.active, updated_at = excluded.updated_at,"
                " updated_by = excluded.updated_by",
                (home_id, name, int(active), to_ms(self._clock.now()), by),
            )
        return await self.get(home_id, name)

    async def remove(self, home_id: str, name: str) -> KeptScorecard | None:
        """Remove people's own; where one of that name comes with Nightshift, that one is back.

        What it scored is kept. Return the one that is back, else None. Raises NoScorecardError, and
        InputError for a shipped one as it came: that can only be switched off.
        """
        if not (await self.get(home_id, name)).own:
            raise InputError(f"{name} came with Nightshift: it can be switched off, not removed")
        async with self._store.writing() as db:
            await db.execute("DELETE FROM scorecard WHERE home_id = ? AND name = ?", (home_id, name))
        return await self.get(home_id, name) if name in NAMES else None


async def parsed(kept: KeptScorecard) -> Scorecard:
    """Return a kept scorecard, read.

    Raises FaultsError where an earlier version took what this one does not.
    """
    return await asyncio.to_thread(read_scorecard, kept.text)


def _kept(row: Any, texts: dict[str, str]) -> KeptScorecard:
    name, own = row["name"], row["text"] is not None
    return KeptScorecard(
        name=name,
        text=row["text"] if own else texts[name],
        shipped=name in texts,
        own=own,
        active=bool(row["active"]),
        updated_at=from_ms(row["updated_at"]),
        updated_by=row["updated_by"],
    )


def _untouched(name: str, text: str) -> KeptScorecard:
    return KeptScorecard(name, text, shipped=True, own=False, active=name in _ON_FROM_THE_START)
