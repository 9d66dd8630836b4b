"""A hub's recorder as its history and logbook commands show it, for a peer to answer with.

As on a real 2026.2.3: both ends of a stretch are left out, `minimal_response` leaves out repeats, the first
row of an entity is whole, the logbook leaves out what did not change and what was not there before.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

Reply = dict[str, list[dict[str, Any]]]


@dataclass
class Recorded:
    """Rows of (entity id, seconds after `start`, state, how it is linked); a state of None is a removal."""

    start: datetime
    rows: list[tuple[str, float, str | None, dict[str, Any]]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    """Further logbook entries, their `when` in seconds after `start`."""

    def set(self, entity_id: str, after: float | timedelta, state: str | None, **linked: Any) -> None:
        seconds = after.total_seconds() if isinstance(after, timedelta) else after
        self.rows.append((entity_id, seconds, state, linked))

    def history(self, message: dict[str, Any]) -> Reply:
        begin, end = self._bounds(message)
        reply: Reply = {}
        for entity_id in message["entity_ids"]:
            found: list[dict[str, Any]] = []
            mine = sorted(row for row in self.rows if row[0] == entity_id)
            before = [row for row in mine if row[1] <= begin]
            if message["include_start_time_state"] and before:
                found.append({"s": before[-1][2], "lu": self._at(begin), "lc": self._at(before[-1][1])})
            for _, seconds, state, _ in mine:
                if begin < seconds < end and not (found and found[-1]["s"] == state):
                    found.append({"s": state, "lu": self._at(seconds)} | ({} if found else {"a": {}}))
            if found:
                reply[entity_id] = found
        return reply

    def logbook(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        begin, end = self._bounds(message)
        entries = []
        known: dict[str, str | None] = {}
        for entity_id, seconds, state, linked in sorted(self.rows, key=lambda row: row[1]):
            changed = entity_id in known and known[entity_id] != state
            known[entity_id] = state
            if changed and state and begin < seconds < end and entity_id in message["entity_ids"]:
                entries.append({"entity_id": entity_id, "state": state, "when": self._at(seconds)} | linked)
        entries += [
            entry | {"when": self._at(entry["when"])}
            for entry in self.others
            if begin < entry["when"] < end and entry["entity_id"] in message["entity_ids"]
        ]
        return sorted(entries, key=lambda entry: float(entry["when"]))

    def _at(self, seconds: float) -> float:
        return self.start.timestamp() + seconds

    def _bounds(self, message: dict[str, Any]) -> tuple[float, float]:
        begin, end = (
            (datetime.fromisoformat(message[key]) - self.start).total_seconds()
            for key in ("start_time", "end_time")
        )
        return begin, end
