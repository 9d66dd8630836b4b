"""What is heard of a home since its counts were last written down."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from app.clock import Clock, to_ms
from app.events import number_of
from app.hub.now import Change, HomeNow, LiveState
from app.statistics.localdays import MINUTE_MS, minute_of
from app.statistics.tally import AWAY

_log = logging.getLogger(__name__)
_MOST: Final = 50_000
"""So many changes are kept in memory; beyond, they are read back from the hub's history instead."""
_SETTLED: Final = timedelta(seconds=10)
"""By then what happened before has been heard, whatever order the hub sends it in."""


class Heard(NamedTuple):
    """One change, when the hub says it was (ms); `run` when it is an automation that ran."""

    at: int
    entity_id: str
    run: bool
    heard_at: int


class Ear:
    """Hears a home's changes and keeps those that are not written down yet. It does not block and never
    waits.
    """

    def __init__(self, now: HomeNow, clock: Clock) -> None:
        self._now = now
        self._clock = clock
        self._pending: list[Heard] = []
        self._last: dict[str, tuple[int, str]] = {}
        self._from = clock.now()
        self._stop: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to hear; what was before is not known, even if the home was there already."""
        if self._stop is None:
            self._stop = self._now.listen(self._hear)
            self._from = self._clock.now()

    def stop(self) -> None:
        """Hear nothing more. Safe to call twice."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    @property
    def since(self) -> datetime | None:
        """Since when nothing was missed (UTC); None while the hub is away, or nobody listens."""
        since = self._now.since
        if since is None or self._stop is None:
            return None
        return max(since, self._from)

    @property
    def pending(self) -> Sequence[Heard]:
        """What was heard and not forgotten, in no order."""
        return self._pending

    def last_runs(self) -> dict[str, datetime]:
        """Return when each automation last ran, as far as the hub tells it now."""
        runs: dict[str, datetime] = {}
        for entity_id, state in self._now.states().items():
            if entity_id.startswith("automation.") and (
                at := triggered_at(state.attributes.get("last_triggered"))
            ):
                runs[entity_id] = at
        return runs

    def settled_until(self) -> int | None:
        """Return the minute (ms) before which all was heard; None when nothing was heard for long enough.

        It goes by the times that the hub gives: its clock may be another machine's.
        """
        now = to_ms(self._clock.now())
        old = now - round(_SETTLED.total_seconds() * 1000)
        settled = [heard.at for heard in self._pending if heard.heard_at <= old]
        return min(minute_of(max(settled)), minute_of(now)) if settled else None

    def forget(self, before: int) -> None:
        """Let go of what was before that instant (ms)."""
        self._pending = [heard for heard in self._pending if heard.at >= before]

    def _hear(self, changes: Sequence[Change]) -> None:
        heard_at = to_ms(self._clock.now())
        for change in changes:
            if change.after is None:
                continue
            if (ran := _ran(change)) is not None:
                self._pending.append(Heard(ran, change.entity_id, run=True, heard_at=heard_at))
            at = to_ms(change.after.last_changed)
            if self._counts(change.before, change.after, at):
                self._pending.append(Heard(at, change.entity_id, run=False, heard_at=heard_at))
        if len(self._pending) > _MOST:
            _log.warning("Too much happens at once to keep it in memory: it is read from the history instead")
            self._pending.clear()
            self._from = self._clock.now()

    def _counts(self, before: LiveState | None, after: LiveState, at: int) -> bool:
        """Whether the archive would keep it (another state; of a sensor one number a minute), and
        it is real.
        """
        if before is None or before.state == after.state:
            return False
        minute, state = self._last.get(after.entity_id, (-1, before.state))
        if state == after.state:
            return False
        if after.entity_id.startswith("sensor.") and number_of(after.state) is not None:
            if minute == at // MINUTE_MS:
                return False
            minute = at // MINUTE_MS
        self._last[after.entity_id] = (minute, after.state)
        return state not in AWAY and after.state not in AWAY


def _ran(change: Change) -> int | None:
    """Return when the automation ran (ms) that this change tells of, None when it tells of none."""
    before, after = change.before, change.after
    if not change.entity_id.startswith("automation.") or before is None or after is None:
        return None
    ran = after.attributes.get("last_triggered")
    if ran is None or ran == before.attributes.get("last_triggered"):
        return None
    at = triggered_at(ran)
    return None if at is None else to_ms(at)


def triggered_at(said: Any) -> datetime | None:
    """Return an automation's `last_triggered` attribute as an instant (UTC), None when it is none."""
    if isinstance(said, str):
        try:
            said = datetime.fromisoformat(said)
        except ValueError:
            return None
    if not isinstance(said, datetime):
        return None
    return (said if said.tzinfo else said.replace(tzinfo=UTC)).astimezone(UTC)
