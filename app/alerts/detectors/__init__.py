"""The detectors: each a pure function of what is seen, that says what is wrong now."""

from collections.abc import Callable, Iterable
from typing import Final

from app.alerts.alert import AlertKind
from app.alerts.detectors.batteries import low_batteries
from app.alerts.detectors.devices import gone_devices
from app.alerts.detectors.hazards import dangers
from app.alerts.detectors.keywords import found_words
from app.alerts.detectors.locks import open_locks
from app.alerts.detectors.openings import left_open
from app.alerts.detectors.temperatures import out_of_range
from app.alerts.detectors.use import unusual_use
from app.alerts.finding import Finding, Still
from app.alerts.sight import Sight

Detector = Callable[[Sight], Iterable[Finding | Still]]

HAZARDS: Final[Detector] = dangers
"""What is asked at once, whenever such a sensor changes."""
DETECTORS: Final[tuple[tuple[Detector, frozenset[AlertKind]], ...]] = (
    (
        dangers,
        frozenset({AlertKind.SMOKE, AlertKind.GAS, AlertKind.CARBON_MONOXIDE, AlertKind.WATER}),
    ),
    (out_of_range, frozenset({AlertKind.FROST, AlertKind.HEAT, AlertKind.FREEZER})),
    (
        left_open,
        frozenset({AlertKind.LEFT_OPEN, AlertKind.OPEN_AT_NIGHT, AlertKind.OPEN_NOBODY_HOME}),
    ),
    (
        open_locks,
        frozenset({AlertKind.UNLOCKED_AT_NIGHT, AlertKind.UNLOCKED_NOBODY_HOME, AlertKind.LOCK_JAMMED}),
    ),
    (low_batteries, frozenset({AlertKind.LOW_BATTERY})),
    (gone_devices, frozenset({AlertKind.UNAVAILABLE, AlertKind.SILENT})),
    (unusual_use, frozenset({AlertKind.UNUSUAL_USE})),
    (found_words, frozenset({AlertKind.KEYWORD})),
)
"""Each with the kinds it says: were it to fail, their alerts stay as they are."""
