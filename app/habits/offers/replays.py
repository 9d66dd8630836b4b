"""Trying a changed automation on the past while somebody waits: in a worker of its own, bounded in time."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, Final

from app.archive.archive import Archive
from app.errors import InputError, NeighbourError
from app.habits.offers.adjusting import Adjusted, Adjustments, adjust
from app.habits.offers.checking import checked, refuse_unsafe
from app.habits.offers.decisions import Decisions
from app.habits.offers.troubles import NotOnOfferError
from app.habits.snapshot import encode_snapshot, frame
from app.habits.suggestions import Suggestions
from app.jobs.engine import Engine
from app.model import Home

_WORKER: Final = "app.habits.worker:replay_adjusted"
_PATIENCE_SECONDS: Final = 90.0
_MOST_WAITING: Final = 4
_NO_HOME: Final = "Home Assistant has not told yet what is in this home; try again in a minute."


class Replays:
    """Tries automations of suggestions, one at a time."""

    def __init__(
        self,
        *,
        home: Callable[[], Home | None],
        suggestions: Suggestions,
        decisions: Decisions,
        archive: Archive,
        engine: Engine,
        keep_days: int,
    ) -> None:
        self._home = home
        self._suggestions = suggestions
        self._decisions = decisions
        self._archive = archive
        self._engine = engine
        self._keep_days = keep_days
        self._waiting = 0

    async def replay(self, suggestion_id: str, given: Any) -> Adjusted:
        """Return a suggestion's automation as adjusted, with how both would have done in the same trial.

        Once accepted it is that automation as it stands. It can be changed even if the past cannot tell what
        of: it is then returned untried. Raises NotOnOfferError, InputError for what does not fit, and before
        it is accepted InputError for what cannot be tried, NeighbourError when too much is asked at once or
        it takes too long.
        """
        home = self._home()
        if home is None:
            raise NeighbourError(_NO_HOME)
        one = await self._suggestions.get(home.home_id, suggestion_id)
        if one is None:
            raise NotOnOfferError
        decision = await self._decisions.of(home.home_id, suggestion_id)
        own = decision.own if decision else None
        before = own or one.suggestion.automation
        after = checked(adjust(before, Adjustments.of(given)))
        refuse_unsafe(after, home)
        asked = json.dumps({"habit": one.suggestion.habit, "before": before, "after": after}).encode()
        since = one.last_seen - timedelta(days=self._keep_days)

        async def payload() -> AsyncIterator[bytes]:
            yield frame(asked)
            # The past as it was known that night: then the trial is the same one.
            yield encode_snapshot(home, one.last_seen)
            async for block in self._archive.blocks(home.home_id, since):
                yield frame(block)

        try:
            told = json.loads(await self._called(payload()))
        except (InputError, NeighbourError) as error:
            if own is None:
                raise
            return Adjusted(automation=after, untried=str(error))
        return Adjusted.model_validate({"automation": after, **told})

    async def _called(self, payload: AsyncIterator[bytes]) -> bytes:
        if self._waiting >= _MOST_WAITING:
            raise NeighbourError("Others are trying changes just now; try again in a minute.")
        self._waiting += 1
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return (await self._engine.call(_WORKER, payload, _silent)).output
        except TimeoutError:
            raise NeighbourError("Trying this on the past takes too long here.") from None
        finally:
            self._waiting -= 1


def _silent(_step: str, _done: int, _of: int) -> None:
    """Take no note of how far it is: it is over in seconds."""
