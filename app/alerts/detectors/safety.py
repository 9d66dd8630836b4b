"""Which devices guard the home: what is wrong with them matters more."""

from typing import Final

from app.alerts.detectors.hazards import hazard_of
from app.alerts.sight import Sight, Thing

_DOMAINS: Final = frozenset({"lock", "alarm_control_panel", "siren"})


def guards(sight: Sight, thing: Thing) -> bool:
    """Whether it, or what belongs to the same device, is a lock, an alarm or a sensor of a danger."""
    return any(one.domain in _DOMAINS or hazard_of(one) for one in (thing, *sight.beside(thing)))
