"""What the alerts announce on the bus."""

from dataclasses import dataclass
from enum import StrEnum

from app.alerts.alert import Alert


class AlertChange(StrEnum):
    """What happened to an alert."""

    RAISED = "raised"
    UPDATED = "updated"
    """Its level or its words changed while it lasts."""
    REOPENED = "reopened"
    CLOSED = "closed"
    READ = "read"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"
    """Quiet hours or the rate limit held it back; now people may be told."""


@dataclass(frozen=True, slots=True)
class AlertChanged:
    """The store has it already. `tell` is whether people are to be notified now (phone, the hub's side bar):
    quiet hours, the rate limit and what is worth a notification are decided before.
    """

    alert: Alert
    change: AlertChange
    tell: bool = False
