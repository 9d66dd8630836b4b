"""What a night's analysis says: the shapes that go over the wire, into the store and onto the page."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from app.habits.offers.watched import Conflict, Extends, Watched


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Replay(_Said):
    """The suggestion run over the held-out days. `precision` is wanted of fires, `coverage` the share of
    people's own acts that it would have spared them.
    """

    days: int
    fires: int
    wanted: int
    unwanted: int
    missed: int
    precision: float
    coverage: float
    wanted_at: list[str] = []
    unwanted_at: list[str] = []
    missed_at: list[str] = []


class Evidence(_Said):
    """`confidence` is a lower bound (one-sided, 90 %) of how often it would be right, from the held-out days
    with the earlier ones at half weight. Instants are local ISO times.
    """

    days_observed: int
    days_kept: int
    confidence: float
    replay: Replay
    examples: list[str]
    misses: list[str]


class Suggestion(_Said):
    """A habit offered as an automation. `habit` holds its facts, `automation` what Home Assistant takes.

    `conflicts` are what works against it, `extends` what it could be added to.
    """

    id: str
    title: str
    description: str
    kind: str
    habit: dict[str, Any]
    automation: dict[str, Any]
    evidence: Evidence
    risk: Literal["low", "confirm"]
    conflicts: list[Conflict] = []
    extends: Extends | None = None


class SetAside(_Said):
    """A regularity that is not offered, and why."""

    habit: str
    why: str


class Note(_Said):
    """Something worth knowing that is no automation. `kind`: stopped, unlike itself, week, season, shift,
    room, device. `facts` are its figures.
    """

    kind: str
    text: str
    entities: list[str] = []
    state: str = ""
    facts: dict[str, float] = {}


class Analysed(_Said):
    """What was looked at. `seconds` and `peak_mib` are the caller's to measure."""

    events: int
    entities: int
    days: int
    first: str | None = None
    last: str | None = None
    seconds: float = 0.0
    peak_mib: float = 0.0
    notes: list[str] = []


class Analysis(_Said):
    """The result of one analysis of one home."""

    analysed: Analysed
    patterns_detected: int
    suggestions: list[Suggestion]
    set_aside: list[SetAside] = []
    notes: list[Note] = []
    watched: list[Watched] = []
