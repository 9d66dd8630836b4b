"""The last known description of each home: a page can be shown while its hub is away."""

import asyncio
import logging

from pydantic import ValidationError

from app.clock import Clock, to_ms
from app.model import Home
from app.store.database import Store

_log = logging.getLogger(__name__)


class Homes:
    """Keeps homes in table `home`. Nothing is written when nothing changed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def load(self, home_id: str) -> Home | None:
        """Return the home as last saved, or None when there is nothing readable."""
        async with self._store.reading() as db:
            cursor = await db.execute("SELECT facts FROM home WHERE home_id = ?", (home_id,))
            row = await cursor.fetchone()
        if row is None:
            return None
        try:
            return await asyncio.to_thread(Home.model_validate_json, row["facts"])
        except ValidationError:
            _log.warning("What was kept of home %s cannot be read; it is asked for again", home_id)
            return None

    async def save(self, home: Home) -> None:
        """Keep this as what is known of the home."""
        facts = await asyncio.to_thread(home.model_dump_json)
        async with self._store.reading() as db:
            cursor = await db.execute("SELECT facts FROM home WHERE home_id = ?", (home.home_id,))
            row = await cursor.fetchone()
        if row is not None and row["facts"] == facts:
            return
        async with self._store.writing() as db:
            await db.execute(
                "INSERT INTO home (home_id, facts, updated_at) VALUES (?, ?, ?)"
                " ON CONFLICT (home_id) DO UPDATE"
                " SET facts = excluded.facts, updated_at = excluded.updated_at",
                (home.home_id, facts, to_ms(self._clock.now())),
            )
