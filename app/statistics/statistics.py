"""The room of the statistics, put together."""

from collections.abc import Awaitable, Callable

from app.archive.archive import Archive
from app.bus import Bus
from app.hub.now import HomeNow
from app.hub.source import HomeSource
from app.jobs.spec import JobSpec
from app.model import Home
from app.statistics.aggregator import StatsAggregator, stats_job
from app.statistics.book import Book
from app.statistics.counting import Counting
from app.statistics.ear import Ear
from app.statistics.figures import StatsFigures
from app.statistics.long_term import LongTerm
from app.statistics.queries import StatsQueries
from app.store.database import Store


class Statistics:
    """Counts and measures the home; `job` declares what does, `queries` and `figures` tell what came of it.

    Made once: `Statistics(home=lambda: self.home, now=now, source=source, archive=self.archive,
    store=self.store, bus=self.bus, pending=…)`, where `pending(home_id)` gives how many suggestions are on
    offer. `start` it after the store is open and before the jobs; `stop` it after them.
    """

    def __init__(
        self,
        *,
        home: Callable[[], Home | None],
        now: HomeNow,
        source: HomeSource,
        archive: Archive,
        store: Store,
        bus: Bus,
        pending: Callable[[str], Awaitable[int | None]],
    ) -> None:
        clock, book = store.clock, Book(store)
        self._ear = Ear(now, clock)
        self._aggregator = StatsAggregator(
            home=home,
            now=now,
            source=source,
            counting=Counting(source=source, ear=self._ear, archive=archive, book=book, clock=clock),
            long_term=LongTerm(now, book, clock),
            book=book,
            bus=bus,
            clock=clock,
            pending=pending,
        )
        self.queries = StatsQueries(book, clock, home, lambda: self._aggregator.looked_at)
        self.figures = StatsFigures(self.queries, clock, home)

    @property
    def job(self) -> JobSpec:
        return stats_job(self._aggregator.run)

    def start(self) -> None:
        """Begin to hear what happens."""
        self._ear.start()

    def stop(self) -> None:
        """Hear nothing more. Safe to call twice."""
        self._ear.stop()
