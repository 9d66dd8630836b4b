"""An invented home: for the demo, and for measuring a miner against habits that are known.

It is made without regard to any miner: people with hours and rooms, things that follow one another, and a hub
that records it all with who did it.
"""

from app.hub.invented.making import invent, invent_as
from app.hub.invented.now import InventedNow
from app.hub.invented.plan import Faults, Invented, Plan, Planted, Resident
from app.hub.invented.source import InventedSource

__all__ = [
    "Faults",
    "Invented",
    "InventedNow",
    "InventedSource",
    "Plan",
    "Planted",
    "Resident",
    "invent",
    "invent_as",
]
