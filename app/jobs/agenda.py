"""Which job is on when, and where: the declarations, moved by the options, moved by the page."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from app.errors import InputError
from app.jobs.due import OFF, When, check_schedule
from app.jobs.places import Duty, Place, duties_of
from app.jobs.spec import JobSpec, registry

_log = logging.getLogger(__name__)
Source = Literal["declared", "options", "page"]


@dataclass(frozen=True, slots=True)
class ScheduleSetting:
    """The schedule of a job as text (`off`: it never starts by itself), and who says so."""

    text: str
    source: Source
    declared: str
    options: str | None


@dataclass(slots=True)
class _Following:
    """The first instant after `since`; the same one is the first after anything in between."""

    when: When
    since: datetime
    instant: datetime | None


@dataclass(frozen=True, slots=True)
class Agenda:
    """The jobs, the places and the schedules; changed as one, by a new one that takes its place."""

    specs: Mapping[str, JobSpec]
    places: tuple[Place, ...]
    options: Mapping[str, str]
    page: Mapping[str, str] = field(default_factory=dict)
    duties: Mapping[str, tuple[Duty, ...]] = field(init=False)
    """By job."""
    by_key: Mapping[str, Duty] = field(init=False)
    _whens: dict[str, When | None] = field(init=False, default_factory=dict)
    _following: dict[str, _Following] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        duties = {name: tuple(duties_of(spec, self.places)) for name, spec in self.specs.items()}
        object.__setattr__(self, "duties", duties)
        object.__setattr__(self, "by_key", {duty.key: duty for each in duties.values() for duty in each})

    @classmethod
    def of(cls, specs: Iterable[JobSpec], places: Sequence[Place], options: Mapping[str, str]) -> "Agenda":
        """Raises ValueError for a wrong declaration, InputError for a schedule of no job, or no schedule."""
        jobs = registry(specs)
        homes = [place.home_id for place in places]
        if not homes or len(set(homes)) != len(homes):
            raise ValueError(f"jobs need places, each once: {homes}")
        for job, text in options.items():
            if job not in jobs:
                raise InputError(f"schedules: there is no job {job!r}; there are: {', '.join(sorted(jobs))}")
            try:
                check_text(text)
            except InputError as error:
                raise InputError(f"schedules: {job}: {error}") from error
        return cls(jobs, tuple(places), dict(options))

    def with_page(self, page: Mapping[str, str]) -> "Agenda":
        """Return it with the schedules that were set on the page; one that is none any more is left out."""
        kept = {}
        for job, text in page.items():
            try:
                check_text(text)
            except InputError as error:
                _log.error("%s: its schedule from the page is left out: %s", job, error)
            else:
                kept[job] = text
        after = Agenda(self.specs, self.places, self.options, kept)
        same = [duty.key for duty in self if kept.get(duty.spec.name) == self.page.get(duty.spec.name)]
        # What is known of the others need not be worked out again: there can be a thousand.
        after._whens.update((key, self._whens[key]) for key in same if key in self._whens)
        after._following.update((key, self._following[key]) for key in same if key in self._following)
        return after

    def with_places(self, places: Sequence[Place]) -> "Agenda":
        return Agenda(self.specs, tuple(places), self.options, self.page)

    def __iter__(self) -> Iterator[Duty]:
        return iter(self.by_key.values())

    def setting(self, job: str) -> ScheduleSetting:
        declared, options = self.specs[job].schedule, self.options.get(job)
        if (page := self.page.get(job)) is not None:
            return ScheduleSetting(page, "page", declared, options)
        if options is not None:
            return ScheduleSetting(options, "options", declared, options)
        return ScheduleSetting(declared, "declared", declared, options)

    def when(self, duty: Duty) -> When | None:
        """Return when it comes round; None when it is off."""
        if duty.key not in self._whens:
            text = self.setting(duty.spec.name).text
            self._whens[duty.key] = None if text == OFF else duty.when(text)
        return self._whens[duty.key]

    def whens(self) -> dict[str, When]:
        """Return all schedules that come round, by the duty's key. With many jobs not for the loop."""
        found = {duty.key: self.when(duty) for duty in self}
        return {key: when for key, when in found.items() if when is not None}

    def following(self, duty: Duty, when: When | None, after: datetime) -> datetime | None:
        """Return the first instant after then; cheap when it is the same as the last time."""
        if when is None:
            return None
        known = self._following.get(duty.key)
        if known is not None and known.when == when and known.since <= after:
            if known.instant is None:
                return None
            if after < known.instant:
                return known.instant
        found = _Following(when, after, when.next(after))
        self._following[duty.key] = found
        return found.instant


def moved(before: Agenda, after: Agenda) -> list[Duty]:
    """Return the duties whose schedule is another one. With many jobs not for the loop."""
    return [
        duty
        for key, duty in before.by_key.items()
        if (same := after.by_key.get(key)) is not None and before.when(duty) != after.when(same)
    ]


def check_text(text: str) -> None:
    """Raise InputError unless `text` is a schedule that can be set: one that comes round, or `off`."""
    if text == OFF:
        return
    try:
        check_schedule(text)
    except ValueError as error:
        raise InputError(f"{error}, or 'off'") from error
