"""A neighbour as the board of neighbours knows it; nothing is asked of it for a look."""

from datetime import timedelta

from app.neighbours import NeighbourState
from app.upkeep.check import Finding
from app.upkeep.sight import Sight
from app.upkeep.wording import span

PATIENCE = timedelta(minutes=5)
"""A hub that restarts is back within it; before that, being tried is nothing to judge."""


def judged(sight: Sight, name: str, advice: str) -> Finding:
    """Judge one neighbour. Off is fine: it counts neither way."""
    neighbour = sight.parts.neighbours.get(name)
    since = max(sight.now - neighbour.since, timedelta())
    said = f" {neighbour.message}" if neighbour.message else ""
    if neighbour.state is NeighbourState.OFF:
        return Finding(None, f"Not set up, or not needed since the start.{said}")
    if neighbour.state is NeighbourState.OK:
        return Finding(True, f"It answers.{said}", value=1.0)
    age = span(since.total_seconds())
    if neighbour.state is NeighbourState.FAILED:
        return Finding(False, f"It failed {age} ago.{said}", advice, 0.0)
    if since <= PATIENCE:
        return Finding(None, f"It is being reached, for {age}.{said}")
    return Finding(False, f"It could not be reached for {age}.{said}", advice, 0.0)
