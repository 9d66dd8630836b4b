"""Small invented homes to mine in tests: a diary of what happened, planted with numbers from one seed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from zoneinfo import ZoneInfo

import numpy as np
from astral import LocationInfo
from astral.sun import sun

from app.clock import to_ms
from app.events import Event, Events
from app.habits.analysis import analyse_home
from app.habits.snapshot import Snapshot
from app.habits.suggestion import Analysis
from app.model import Area, Automation, Cause, Device, Entity, Home, Person, Script

PLACE = (52.37, 4.9)


class Story:
    """A home's diary. Times are local; `day` counts from `start`."""

    def __init__(
        self, days: int = 30, seed: int = 1, start: date = date(2026, 1, 5), zone: str = "Europe/Amsterdam"
    ) -> None:
        self.days = days
        self.start = start
        self.zone = ZoneInfo(zone)
        self.random = np.random.default_rng(seed)
        self.events: list[Event] = []
        self.entities: dict[str, Entity] = {}
        self.automations: list[Automation] = []
        self.scripts: list[Script] = []
        self.persons: list[Person] = []
        self._contexts = count(1)

    def every_day(self, weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)) -> Iterator[int]:
        """Yield the days of the diary that are such weekdays (0 is Monday)."""
        yield from (day for day in range(self.days) if self.date(day).weekday() in weekdays)

    def date(self, day: int) -> date:
        return self.start + timedelta(days=day)

    def at(self, day: int, minutes: float) -> datetime:
        """Return local minutes of a day as an instant."""
        base = datetime.combine(self.date(day), datetime.min.time())
        return (base + timedelta(minutes=minutes)).replace(tzinfo=self.zone).astimezone(UTC)

    def sunset(self, day: int) -> float:
        """Return the local minutes of sunset."""
        where = LocationInfo(latitude=PLACE[0], longitude=PLACE[1])
        fall = sun(where.observer, date=self.date(day), tzinfo=self.zone)["sunset"]
        return float(fall.hour * 60 + fall.minute)

    def entity(self, entity_id: str, **facts: object) -> str:
        known = {"name": entity_id.partition(".")[2].replace("_", " "), **facts}
        self.entities[entity_id] = Entity.model_validate({"entity_id": entity_id, **known})
        return entity_id

    def set(
        self, entity_id: str, state: str, when: datetime, cause: Cause = Cause.HAND, context: int = 0
    ) -> None:
        if entity_id not in self.entities:
            self.entity(entity_id)
        number = context or next(self._contexts)
        self.events.append(Event(entity_id, state, to_ms(when), cause, number))

    def habit(
        self,
        entity_id: str,
        minutes: float,
        *,
        spread: float = 6,
        adherence: float = 0.95,
        weekdays: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6),
        lasts: float = 40,
        cause: Cause = Cause.HAND,
    ) -> None:
        """Turn something on at about that time on such days, and off again after a while."""
        for day in self.every_day(weekdays):
            if self.random.random() < adherence:
                when = self.at(day, minutes + self.random.normal(0, spread))
                self.set(entity_id, "on", when, cause)
                off = when + timedelta(minutes=float(self.random.uniform(0.5, 1.5)) * lasts)
                self.set(entity_id, "off", off, cause)

    def at_random(
        self,
        entity_id: str,
        a_day: float,
        *,
        lasts: float = 10,
        awake: bool = True,
        cause: Cause = Cause.HAND,
    ) -> None:
        """Turn something on and off with no habit in it."""
        for day in range(self.days):
            busy = -1.0
            times = self.random.uniform(7 * 60 if awake else 0, 23 * 60 if awake else 1440, 200)
            for minutes in np.sort(times[: self.random.poisson(a_day)]).tolist():
                if minutes <= busy:
                    continue
                busy = minutes + float(self.random.exponential(lasts)) + 0.1
                self.set(entity_id, "on", self.at(day, minutes), cause)
                self.set(entity_id, "off", self.at(day, min(busy, 1439.9)), cause)

    def motion(self, entity_id: str, a_day: float = 40) -> None:
        self.entity(entity_id, device_class="motion")
        self.at_random(entity_id, a_day, lasts=2, cause=Cause.UNKNOWN)

    def heartbeat(self, entity_id: str = "sensor.outdoor_temperature", every: int = 30) -> None:
        """Let a sensor report, so that downtime can be told from a quiet home."""
        for day in range(self.days):
            for minutes in range(0, 1440, every):
                value = 5 + 3 * np.sin(minutes / 230) + self.random.normal(0, 0.3)
                self.set(entity_id, f"{value:.2f}", self.at(day, minutes), Cause.UNKNOWN)

    def home(self) -> Home:
        devices = {e.device_id for e in self.entities.values() if e.device_id}
        areas = {e.area_id for e in self.entities.values() if e.area_id}
        return Home(
            time_zone=self.zone.key,
            latitude=PLACE[0],
            longitude=PLACE[1],
            entities=tuple(self.entities.values()),
            devices=tuple(Device(device_id=device) for device in sorted(devices)),
            areas=tuple(Area(area_id=area, name=area.title()) for area in sorted(areas)),
            automations=tuple(self.automations),
            scripts=tuple(self.scripts),
            persons=tuple(self.persons),
        )

    def snapshot(self, *, causes_known: bool = True) -> Snapshot:
        end = self.at(self.days, 0)
        return Snapshot(self.home(), end, Events.of(self.events), causes_known=causes_known, explain=True)

    def mined(self, *, causes_known: bool = True) -> Analysis:
        return analyse_home(self.snapshot(causes_known=causes_known))


def null_home(seed: int, days: int = 30) -> Story:
    """Return a lived-in home in which nothing is a habit: everything at random, within waking hours."""
    story = Story(days, seed)
    story.heartbeat(every=60)
    for i in range(6):
        story.at_random(f"light.lamp_{i}", float(story.random.uniform(0.5, 8)), lasts=60)
    for i in range(3):
        story.at_random(f"switch.plug_{i}", float(story.random.uniform(0.3, 3)), lasts=45)
        story.motion(f"binary_sensor.motion_{i}", float(story.random.uniform(10, 80)))
    story.at_random("binary_sensor.front_door", 6, lasts=1, cause=Cause.UNKNOWN)
    story.at_random("media_player.tv", 1.5, lasts=90)
    return story
