"""Where the jobs run for: the homes, each with its zone and the people in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.jobs.due import When, comes_round, schedule_of, several
from app.jobs.policies import Scope
from app.jobs.spec import JobSpec
from app.jobs.subject import Subject

EVERYWHERE = ""
"""The home of a job that runs once for all of them."""


@dataclass(frozen=True, slots=True)
class Place:
    """One home, as the schedules see it. A person without a zone of their own is in the home's."""

    home_id: str
    zone: ZoneInfo
    people: tuple[Subject, ...] = ()

    def zone_of(self, person: Subject) -> str:
        return person.zone or self.zone.key


@dataclass(frozen=True, slots=True)
class Duty:
    """One job for one home: what is scheduled, claimed, paused over and retried on its own."""

    spec: JobSpec
    place: Place

    @property
    def home(self) -> str:
        return EVERYWHERE if self.spec.scope is Scope.ONCE else self.place.home_id

    @property
    def key(self) -> str:
        """Its name in the clock's file."""
        return f"{self.spec.name} {self.home}".rstrip()

    def when(self, text: str) -> When:
        """Return when it comes round by the schedule `text`: for people, whenever one of their zones does."""
        if self.spec.scope is not Scope.PERSON or not self.place.people:
            return schedule_of(text, self.place.zone.key)
        zones = {self.place.zone_of(person) for person in self.place.people}
        return several(schedule_of(text, zone) for zone in sorted(zones))

    def people_at(self, text: str, instant: datetime) -> tuple[Subject, ...]:
        """Return the people in whose own zone the schedule `text` comes round at that instant."""
        return tuple(
            person
            for person in self.place.people
            if comes_round(schedule_of(text, self.place.zone_of(person)), instant)
        )


def duties_of(spec: JobSpec, places: Sequence[Place]) -> list[Duty]:
    """Return one duty for each home, or one in all; there is at least one place."""
    return [Duty(spec, place) for place in (places[:1] if spec.scope is Scope.ONCE else places)]
