"""The hub's logbook, made askable: what is this state change linked to?

The logbook tells a change's link but, for most, not its context's id. That comes from the run entries of
automations and scripts, and on hubs that have them (2026.11) from the action calls.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError

from app.hub.attribution import Link, context_number, leads_to, script_called
from app.model import Frozen

_E = TypeVar("_E", bound=Frozen)
_SAME_MS = (0, -1, 1, -2, 2)
"""The logbook and the history give the same recorded instant; this is for rounding."""
_CALL_MS = 30_000
"""How long after a call a slow device may still report what it was told."""
_LEAD_MS = 50


class Entry(Frozen):
    """A logbook entry of `logbook/get_events`; `when` in seconds since 1970 UTC."""

    when: float
    entity_id: str | None = None
    state: str | None = None
    context_id: str | None = None
    context_user_id: str | None = None
    context_event_type: str | None = None
    context_domain: str | None = None
    context_service: str | None = None
    context_entity_id: str | None = None

    @property
    def at(self) -> int:
        return round(self.when * 1000)

    @property
    def link(self) -> Link:
        domain, service = self.context_domain or "", self.context_service or ""
        return Link(
            user_id=self.context_user_id or "",
            event_type=self.context_event_type or "",
            domain=domain,
            service=service,
            source=self.context_entity_id or script_called(domain, service),
        )


class Call(Frozen):
    """A service call of `logbook/get_action_calls`."""

    when: float
    domain: str
    service: str
    service_data: Any = None
    context_id: str | None = None
    context_user_id: str | None = None
    context_event_type: str | None = None
    context_domain: str | None = None
    context_entity_id: str | None = None

    @property
    def at(self) -> int:
        return round(self.when * 1000)

    @property
    def link(self) -> Link:
        return Link(
            user_id=self.context_user_id or "",
            event_type=self.context_event_type or "call_service",
            domain=self.context_domain or self.domain,
            service=self.service,
            source=self.context_entity_id or "",
            context=context_number(self.context_id or ""),
        )

    @property
    def targets(self) -> frozenset[str]:
        """The entities it named; empty when it named areas, devices or nothing."""
        data = self.service_data if isinstance(self.service_data, Mapping) else {}
        named = data.get("entity_id")
        named = [named] if isinstance(named, str) else named
        return frozenset(n for n in named if isinstance(n, str)) if isinstance(named, list) else frozenset()


class Logbook:
    """A stretch of logbook, with calls where the hub tells them. Entries without sense are left out."""

    def __init__(self, entries: Iterable[Any], calls: Iterable[Any] = ()) -> None:
        self.left_out = 0
        self._links: dict[tuple[str, int, str], Link] = {}
        self._runs: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for entry in filter(None, (self._read(Entry, said) for said in entries)):
            if not entry.entity_id:
                continue
            if entry.state is not None:
                self._links[entry.entity_id, entry.at, entry.state] = entry.link
            elif entry.context_id:
                self._runs[entry.entity_id].append((entry.at, context_number(entry.context_id)))
        for runs in self._runs.values():
            runs.sort()
        self._calls = sorted(
            filter(None, (self._read(Call, said) for said in calls)), key=lambda call: call.when
        )
        self._call_times = [call.at for call in self._calls]

    def __len__(self) -> int:
        return len(self._links)

    def link(self, entity_id: str, state: str, at: int) -> Link | None:
        """Return what the change at that instant (ms) is linked to; None: the logbook does not have it."""
        for off in _SAME_MS:
            if (link := self._links.get((entity_id, at + off, state))) is not None:
                return self._numbered(link, entity_id, state, at)
        return None

    def _numbered(self, link: Link, entity_id: str, state: str, at: int) -> Link:
        """Add the context's number where it can be known, and the call that a slow device answers."""
        if link.source in self._runs:
            runs = self._runs[link.source]
            latest = bisect_right(runs, at + _LEAD_MS, key=lambda run: run[0])
            if latest:
                return replace(link, context=runs[latest - 1][1])
        call = self._call(link, entity_id, state, at)
        if call is None:
            return link
        if link == Link():
            return call.link
        return replace(link, context=context_number(call.context_id or ""))

    def _call(self, link: Link, entity_id: str, state: str, at: int) -> Call | None:
        """Return the latest call before `at` that explains the change."""
        low = bisect_right(self._call_times, at - _CALL_MS - 1)
        high = bisect_right(self._call_times, at + _LEAD_MS)
        for call in reversed(self._calls[low:high]):
            targets = call.targets
            if link == Link():
                # Linked to nothing: only a call that named this very entity and means this very state.
                if entity_id in targets and leads_to(call.service, state):
                    return call
            elif (
                call.service == link.service
                and call.domain == link.domain
                and (call.context_user_id or "") == link.user_id
                and (not targets or entity_id in targets)
            ):
                return call
        return None

    def _read(self, kind: type[_E], said: Any) -> _E | None:
        try:
            return kind.model_validate(said)
        except ValidationError:
            self.left_out += 1
            return None
