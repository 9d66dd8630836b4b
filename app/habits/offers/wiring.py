"""From a suggestion to what is put into Home Assistant for it, and how that is known again. Pure."""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from app.habits.offers.checking import acts_in
from app.habits.suggestion import Suggestion
from app.hub.automations import plural
from app.model import Home

_NOT_IN_AN_ID = re.compile(r"[^a-z0-9_]+")
_SOURCE = "Made by Nightshift on"
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def unique_id_of(suggestion_id: str) -> str:
    """Return the id that a suggestion's automation has in Home Assistant."""
    return "nightshift_" + _NOT_IN_AN_ID.sub("_", suggestion_id.lower())[:60]


def described(automation: dict[str, Any], suggestion: Suggestion, home: Home | None, now: datetime) -> str:
    """Return the automation's description: what it is for, and where it comes from."""
    own = automation["description"].partition(_SOURCE)[0].strip() or suggestion.description.strip()
    day = now.astimezone(home.zone) if home else now
    evidence = suggestion.evidence
    source = (
        f"{_SOURCE} {day.day} {_MONTHS[day.month - 1]} {day.year} from a habit of this home, "
        f"kept on {evidence.days_kept} of {evidence.days_observed} days."
    )
    return f"{own}\n\n{source}" if own else source


def area_of(automation: Mapping[str, Any], home: Home | None) -> str | None:
    """Return the area of all that the automation acts on; None when they are not in one and the same."""
    areas = {entity.entity_id: entity.area_id for entity in home.entities} if home else {}
    found = {areas.get(entity_id) for entity_id, _ in acts_in(automation.get("actions", []))}
    return found.pop() if len(found) == 1 else None


def mark(config: Mapping[str, Any]) -> str:
    """Return what tells one configuration from another, however it is written.

    `initial_state` is no part of it: it only says how the automation starts.
    """
    whole = {key: value for key, value in plural(config).items() if key not in {"id", "initial_state"}}
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
