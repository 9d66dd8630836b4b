"""An invented past for the alerts' tests: days of events in the archive, learned."""

from datetime import date, datetime, time, timedelta

from app.clock import to_ms
from app.events import Event, Events
from tests.alerts.house import AlertHouse


class Diary:
    """Writes what happened on local days before the house's today, then has it learned."""

    def __init__(self, house: AlertHouse) -> None:
        self._house = house
        self.rows: list[Event] = []

    @property
    def today(self) -> date:
        return self._house.clock.now().astimezone(self._house.home.zone).date()

    def days(self, count: int) -> list[date]:
        """Return the last local days before today, the oldest first."""
        return [self.today - timedelta(days=back) for back in range(count, 0, -1)]

    def at(self, day: date, hour: float) -> int:
        """Return a local time of a day, in hours from its midnight, as ms."""
        there = datetime.combine(day, time.min, self._house.home.zone)
        return to_ms(there) + round(hour * 3_600_000)

    def write(self, entity_id: str, state: str, day: date, hour: float) -> None:
        self.rows.append(Event(entity_id, state, self.at(day, hour)))

    def spell(
        self, entity_id: str, day: date, hour: float, length: timedelta, on: str = "on", off: str = "off"
    ) -> None:
        """Write that something was on or open from that hour, for so long."""
        start = self.at(day, hour)
        self.rows.append(Event(entity_id, on, start))
        self.rows.append(Event(entity_id, off, start + round(length.total_seconds() * 1000)))

    async def learned(self, passes: int = 100) -> int:
        """Put all into the archive, up to now, and let passes learn it; return how many days they learned."""
        now = self._house.clock.now()
        await self._house.archive.append("home", Events.of(self.rows))
        await self._house.archive.seal("home", self._house.home.zone, self.today)
        await self._house.archive.mark("home", now)
        learned = 0
        for _ in range(passes):
            learned += (done := (await self._house.watch.look()).days_learned)
            if not done:
                break
        return learned
