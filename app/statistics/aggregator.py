"""The job that keeps the statistics: every five minutes, at the cost of what is new."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from app.bus import Bus
from app.clock import Clock
from app.hub.now import HomeNow
from app.hub.source import HomeSource
from app.jobs.context import RunContext
from app.jobs.spec import CatchUp, JobSpec, Outcome, Overlap
from app.model import Home
from app.statistics.announcements import StatsChanged
from app.statistics.assembling import assemble, firsts, read_rooms
from app.statistics.book import Book
from app.statistics.counting import KEPT_DAYS, Counting
from app.statistics.long_term import LongTerm
from app.statistics.measures import RoomSensor, room_sensors
from app.statistics.stats import PlaceStats
from app.statistics.tally import Places

STATS_AGGREGATOR: Final = "stats_aggregator"
"""The job's name: the ledger's and the API's."""
_HOURS_KEPT: Final = timedelta(days=KEPT_DAYS + 2)


class StatsAggregator:
    """Counts, fetches what was measured, and keeps the figures of the home and its areas.

    `home` gives the home as last known, None before the hub was ever reached. `pending` gives how many
    suggestions wait for an answer, None where nobody knows.
    """

    def __init__(
        self,
        *,
        home: Callable[[], Home | None],
        now: HomeNow,
        source: HomeSource,
        counting: Counting,
        long_term: LongTerm,
        book: Book,
        bus: Bus,
        clock: Clock,
        pending: Callable[[str], Awaitable[int | None]],
    ) -> None:
        self._home = home
        self._now = now
        self._source = source
        self._counting = counting
        self._long_term = long_term
        self._book = book
        self._bus = bus
        self._clock = clock
        self._pending = pending
        self._last: dict[str, tuple[PlaceStats, ...]] = {}
        self._known: tuple[Home, Places, tuple[RoomSensor, ...]] | None = None
        self._told: tuple[tuple[str, ...], bool] | None = None
        self._tidied = ""

    @property
    def looked_at(self) -> datetime | None:
        """When the last pass was (UTC): figures that did not change since are not written again."""
        return next((places[0].computed_at for places in self._last.values() if places), None)

    async def run(self, context: RunContext) -> Outcome:
        """Make one pass. Quiet when it went as the one before: neither behind nor troubled for the first
        time.

        Raises NeighbourError when the home was never met and cannot be now. A hub that is away later is none:
        what it cannot tell is counted when it is back, and the figures stay as they were.
        """
        home = self._home() or await self._source.describe()
        places, sensors = self._knows(home)
        context.progress("Counting what happened", 0, 1)
        counted = await self._counting.advance(home, places)
        context.progress("Reading what was measured", 0, 1)
        fetched = await self._long_term.fetch(home, counted.mark)
        now = self._clock.now()
        today = now.astimezone(home.zone).date()
        stats = assemble(
            home,
            now,
            sums=await self._book.sums(home.home_id, firsts(today), today),
            heard=counted.heard,
            energy=fetched.energy,
            readings=read_rooms(home, sensors, self._now.states()) if self._now.since else {},
            pending=await self._pending(home.home_id),
        )
        changed = await self._keep(home.home_id, stats)
        await self._tidy(home, now)
        notes = [note for note in (counted.note, fetched.note) if note]
        return Outcome(
            counts={"events_new": counted.new, "hours_measured": fetched.new, "places_changed": changed},
            details={"notes": notes, "behind": counted.behind},
            quiet=self._is_as_before(notes, behind=counted.behind),
        )

    def _is_as_before(self, notes: list[str], *, behind: bool) -> bool:
        """Whether this pass went as the one before: what it counted is in the figures, not in the ledger."""
        before, self._told = self._told, (tuple(notes), behind)
        return before == self._told

    def _knows(self, home: Home) -> tuple[Places, tuple[RoomSensor, ...]]:
        """Return which entities count and measure: worked out when the home changes, not at every pass."""
        if self._known is None or self._known[0] is not home:
            self._known = (home, Places.of(home), room_sensors(home))
        return self._known[1:]

    async def _keep(self, home_id: str, stats: tuple[PlaceStats, ...]) -> int:
        """Write down what is otherwise than before, and announce it; return of how many places."""
        before = {
            place.area_id: place for place in self._last.get(home_id) or await self._book.latest(home_id)
        }
        changed = [
            place
            for place in stats
            if (known := before.get(place.area_id)) is None
            or known.stats != place.stats
            or known.name != place.name
        ]
        gone = before.keys() - {place.area_id for place in stats}
        if changed or gone:
            await self._book.keep_latest(home_id, changed, gone)
        self._last[home_id] = stats
        if changed or gone:
            self._bus.announce(StatsChanged(home_id, stats))
        return len(changed) + len(gone)

    async def _tidy(self, home: Home, now: datetime) -> None:
        """Once a day, drop the hours that have become days long ago."""
        today = now.astimezone(home.zone).date().isoformat()
        if self._tidied != today:
            await self._book.forget_hours(home.home_id, now - _HOURS_KEPT)
            self._tidied = today


def stats_job(run: Callable[[RunContext], Awaitable[Outcome]]) -> JobSpec:
    """Declare the job: what one pass did not see the next one does."""
    return JobSpec(
        name=STATS_AGGREGATOR,
        title="Statistics",
        description="Counts what happens at home and keeps the figures of every area.",
        schedule="every 5 minutes",
        run=run,
        look=True,
        catch_up=CatchUp.SKIP,
        overlap=Overlap.SKIP,
        attempts=1,
        restarts=0,
        time_limit=timedelta(minutes=4),
        # Twelve an hour, each much like the one before: what was counted is in the figures.
        keep=timedelta(days=7),
    )
