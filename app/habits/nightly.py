"""The main job: read what is new, keep it, mine it in a worker process, put what stands up on offer."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError

from app.archive.archive import Archive
from app.errors import NightshiftError
from app.habits.offers.watches import Watches
from app.habits.snapshot import encode_snapshot, frame
from app.habits.suggestion import Analysis, Suggestion
from app.habits.suggestions import Suggestions
from app.hub.source import HomeSource
from app.jobs.context import RunContext
from app.jobs.spec import Backoff, CatchUp, JobSpec, Outcome
from app.model import Home
from app.words.wording import Words
from app.words.writer import Writer

_log = logging.getLogger(__name__)

ANALYSIS: Final = "analysis"
"""The job's name: the ledger's, the API's and MQTT's."""

# What a hub writes can come to light late (its recorder commits every few seconds, a clock is set right, a
# device reports after a reconnect): each pull reads this much again. Rows are keyed, so it is harmless.
_OVERLAP = timedelta(hours=2)
_SET_ASIDE_KEPT = 40
_NOTES_KEPT = 30
_WORKER = "app.habits.worker:analyse"


class NightlyAnalysis:
    """One home's night. Progress and counts go to the run; what was found to the suggestions.

    `meet` is told of the home as it is now (its zone may have changed, an administrator may be new).
    `watches` keeps what the home's automations did (None: they are not looked after).
    """

    def __init__(
        self,
        *,
        source: HomeSource,
        meet: Callable[[Home], Awaitable[None]],
        archive: Archive,
        suggestions: Suggestions,
        writer: Writer,
        history_days: int,
        keep_days: int,
        watches: Watches | None = None,
    ) -> None:
        self._source = source
        self._meet = meet
        self._archive = archive
        self._suggestions = suggestions
        self._writer = writer
        self._history_days = history_days
        self._keep_days = keep_days
        self._watches = watches

    async def run(self, context: RunContext) -> Outcome:
        """Do the night's work once.

        Raises NeighbourError when the hub cannot be read: what was read until then is kept, and the next try
        goes on from there.
        """
        context.progress("Reading the home", 0, 1)
        home = await self._source.describe()
        await self._meet(home)
        until = context.clock.now()
        new = await self._pull(home, until, context)
        today = until.astimezone(home.zone).date()
        context.progress("Filing finished days", 0, 1)
        await self._archive.seal(home.home_id, home.zone, today)
        await self._archive.forget(home.home_id, today - timedelta(days=self._keep_days))
        analysis, peak_mib = await self._mine(home, until, context)
        found, words = await self._word(home, analysis.suggestions, context)
        changed = await self._suggestions.replace(home.home_id, context.run_id, found)
        if self._watches is not None:
            await self._watches.keep(home.home_id, analysis.watched)
        return Outcome(
            counts={
                "events_new": new,
                "events": analysis.analysed.events,
                "days": analysis.analysed.days,
                "patterns_detected": analysis.patterns_detected,
                "suggestions_generated": changed.offered,
                "suggestions_new": len(changed.created),
                "set_aside": len(analysis.set_aside),
                **words,
            },
            details={
                "notes": list(analysis.analysed.notes),
                "created": list(changed.created),
                "faded": list(changed.faded),
                "noticed": [note.text for note in analysis.notes[:_NOTES_KEPT]],
                "set_aside": [one.model_dump() for one in analysis.set_aside[:_SET_ASIDE_KEPT]],
                "worker_peak_mib": peak_mib,
            },
        )

    async def _pull(self, home: Home, until: datetime, context: RunContext) -> int:
        """Bring the archive up to date; return the number of rows it did not know."""
        mark = await self._archive.watermark(home.home_id)
        # A mark from the future is that of a clock which was wrong then: what lies before it is not known.
        if mark is None or mark > until:
            since = until - timedelta(days=self._history_days)
        else:
            since = max(mark - _OVERLAP, until - timedelta(days=self._keep_days))
        hours = max(1, round((until - since) / timedelta(hours=1)))
        step = "Reading what happened"
        context.progress(step, 0, hours)
        new = 0
        async for piece in self._source.history(home, since, until):
            new += await self._archive.append(home.home_id, piece.events)
            await self._archive.mark(home.home_id, piece.until)
            context.progress(step, min(hours, round((piece.until - since) / timedelta(hours=1))), hours)
        return new

    async def _mine(self, home: Home, until: datetime, context: RunContext) -> tuple[Analysis, float]:
        since = until - timedelta(days=self._keep_days)
        accepted = await self._watches.accepted(home.home_id) if self._watches else []
        excluded = await self._suggestions.exclusions(home.home_id)

        async def payload() -> AsyncIterator[bytes]:
            yield encode_snapshot(home, until, explain=True, excluded=excluded, accepted=accepted)
            async for block in self._archive.blocks(home.home_id, since):
                yield frame(block)

        result = await context.engine.call(_WORKER, payload(), context.progress)
        try:
            return Analysis.model_validate_json(result.output), result.peak_mib
        except ValidationError as error:
            raise NightshiftError(
                f"the worker's answer was not understood: {error.error_count()} faults"
            ) from error

    async def _word(
        self, home: Home, found: list[Suggestion], context: RunContext
    ) -> tuple[list[tuple[Suggestion, str]], dict[str, int]]:
        """Give each suggestion its words; those whose facts did not change keep the ones they had.

        The counts say how many words a model was wanted for, and how many of those were there from before.
        """
        known = {one.suggestion.id: one for one in await self._suggestions.known(home.home_id)}
        worded: list[tuple[Suggestion, str]] = []
        kept = 0
        for number, suggestion in enumerate(found):
            context.progress("Finding the words", number, len(found))
            plain = Words(suggestion.title, suggestion.description)
            key = self._writer.facts_key(plain, suggestion.habit, home.language)
            before = known.get(suggestion.id)
            if before and before.words_key == key:
                kept += 1
                words = Words(before.suggestion.title, before.suggestion.description, by_model=True)
            else:
                words = await self._writer.word(plain, suggestion.habit, home.language)
            said = suggestion.model_copy(update={"title": words.title, "description": words.description})
            worded.append((said, key if words.by_model else ""))
        needed = len(found) if self._writer.asks else kept
        return worded, {"words_needed": needed, "words_kept": kept} if needed else {}


def analysis_job(run: Callable[[RunContext], Awaitable[Outcome]], schedule: str = "0 3 * * *") -> JobSpec:
    """Declare the job: a failed night is tried once more after half an hour, then the next night."""
    return JobSpec(
        name=ANALYSIS,
        title="Nightly analysis",
        description="Reads what happened at home, finds habits, and offers automations for them.",
        schedule=schedule,
        run=run,
        grace=timedelta(hours=1),
        catch_up=CatchUp.ONCE,
        attempts=2,
        backoff=Backoff(base=timedelta(minutes=30), cap=timedelta(minutes=30), jitter=False),
        time_limit=timedelta(minutes=15),
    )
