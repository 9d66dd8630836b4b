"""Holds what was suggested for an invented home against what was put into it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from app.hub.invented.many import Kept, ManyHome, Planted
from app.hub.invented.many.truth import DAY_TYPES
from app.hub.invented.world import Sky
from benchmarks.homes_reading import Read, read

Verdict = Literal[
    "right", "stand-in", "dead", "existing", "machine", "never", "opposite", "duplicate", "false"
]
NEVER = frozenset({"unlocked", "disarmed", "armed_away", "armed_home", "armed_night"})
_TIME_TOLERANCE = 30
_PRESENCE = ("person.", "device_tracker.", "zone.home", "group.", "presence")


@dataclass(frozen=True, slots=True)
class Judged:
    """One suggestion: the habit that it is about (None: none), and how it stands to it. Errors: minutes for
    a time or an offset, a factor (at least 1) for a delay. `also` are other habits of the same occasion that
    it does too: when the last one leaves, what was planted as two goes off as one.
    """

    suggestion: Any
    read: Read
    verdict: Verdict
    habit: int | None = None
    why: str = ""
    time_error: float | None = None
    delay_factor: float | None = None
    days_right: bool | None = None
    conditions_right: bool | None = None
    also: tuple[int, ...] = ()


@dataclass(slots=True)
class HomeJudged:
    home: ManyHome
    judged: list[Judged] = field(default_factory=list)

    def found(self, habit: int) -> bool:
        """Return whether it is suggested: of several steps, two thirds."""
        hits = [
            one for one in self.judged if one.verdict == "right" and (one.habit == habit or habit in one.also)
        ]
        planted = self.home.truth[habit]
        if len(planted.steps) == 1:
            return bool(hits)
        steps = {step for one in hits for step in one.read.steps}
        return len(steps & set(planted.steps)) >= 2 / 3 * len(planted.steps)

    def stood_in(self, habit: int) -> bool:
        return any(one.habit == habit and one.verdict == "stand-in" for one in self.judged)


def counts(home: ManyHome, place: int) -> bool:
    """Return whether a habit has to be found: alive, and come up often enough to be seen.

    At least 8 chances (4 of a single weekday) and 5 (3) times done; what the clock or the sun makes due also
    on three of five such days of the span, or its people were out when it came.
    """
    habit, kept = home.truth[place], home.kept[place]
    single = len(DAY_TYPES[habit.day_type]) == 1
    if (
        habit.fate == "dead"
        or len(kept.chances) < (4 if single else 8)
        or len(kept.done) < (3 if single else 5)
    ):
        return False
    if habit.kind in {"clock", "sun", "routine"}:
        due = home.days * len(DAY_TYPES[habit.day_type]) / 7
        return len(kept.chances) >= 0.6 * due
    return True


def judge(home: ManyHome, suggestions: Sequence[Any]) -> HomeJudged:
    """Judge every suggestion on its automation, as Home Assistant would run it."""
    made = HomeJudged(home)
    groups = {entity.entity_id: entity.members for entity in home.home.entities if entity.members}
    moving = _sunset_moves(home)
    for suggestion in suggestions:
        one = _judged(home, suggestion, read(suggestion.automation), groups, moving)
        made.judged.append(_once(one, made.judged))
    return made


def _once(one: Judged, before: list[Judged]) -> Judged:
    """Return it as a duplicate if a right one for the same act on the same days came before it."""
    for other in before:
        if (
            one.verdict == other.verdict == "right"
            and one.habit == other.habit
            and set(one.read.steps) & set(other.read.steps)
            and set(one.read.weekdays) & set(other.read.weekdays)
        ):
            return replace(one, verdict="duplicate", why="the same habit offered twice")
    return one


def _judged(
    home: ManyHome, suggestion: Any, said: Read, groups: dict[str, tuple[str, ...]], moving: float
) -> Judged:
    steps = _expanded(said.steps, groups)
    if any(
        state in NEVER or (entity_id == "cover.garage_door" and state == "open") for entity_id, state in steps
    ):
        return Judged(suggestion, said, "never", why="unlocks, disarms, arms or opens the garage")
    about = [place for place, habit in enumerate(home.truth) if _same_act(habit, steps, groups)]
    verdicts = [_against(home, place, suggestion, said, moving) for place in about]
    order = ("right", "dead", "stand-in")
    if verdicts:
        best = min(verdicts, key=lambda one: (order.index(one.verdict), one.time_error or 0))
        others = [place for place, habit in enumerate(home.truth) if steps & _expanded(habit.steps, groups)]
        return _with_others(home, best, [_against(home, place, suggestion, said, moving) for place in others])
    if steps & home.existing:
        return Judged(suggestion, said, "existing", why="an automation does it already")
    if steps & home.machine_made:
        return Judged(suggestion, said, "machine", why="an automation with a secret configuration, or an app")
    touched = {entity_id for entity_id, _ in steps}
    for place, habit in enumerate(home.truth):
        if touched & {entity_id for entity_id, _ in _expanded(habit.steps, groups)}:
            return Judged(
                suggestion, said, "opposite", place, "the other way round of a planted habit's thing"
            )
    return Judged(suggestion, said, "false", why=_came_from(home, said))


def _with_others(home: ManyHome, best: Judged, others: Sequence[Judged]) -> Judged:
    """Add the other habits that it does on their occasion: those of other things than its own habit's."""
    if best.verdict != "right" or best.habit is None:
        return best
    own = set(home.truth[best.habit].steps)
    also = tuple(
        one.habit
        for one in others
        if one.habit is not None and one.verdict == "right" and not own & set(home.truth[one.habit].steps)
    )
    return replace(best, also=also)


def _expanded(
    steps: Sequence[tuple[str, str]], groups: dict[str, tuple[str, ...]]
) -> frozenset[tuple[str, str]]:
    return frozenset(
        (member, state) for entity_id, state in steps for member in groups.get(entity_id, (entity_id,))
    )


def _same_act(habit: Planted, steps: frozenset[tuple[str, str]], groups: dict[str, tuple[str, ...]]) -> bool:
    """Of a routine or of things that go off together, any of the steps; else at least half of both."""
    own = _expanded(habit.steps, groups)
    shared = len(own & steps)
    if len(habit.steps) > 1:
        return shared * 2 >= len(steps) and shared > 0
    return shared * 2 >= len(own | steps)


def _against(home: ManyHome, place: int, suggestion: Any, said: Read, moving: float) -> Judged:
    habit = home.truth[place]
    matched, error, factor = _occasion(home, habit, said, moving)
    if habit.fate == "dead":
        return Judged(suggestion, said, "dead", place, "the habit had stopped")
    if not matched:
        return Judged(
            suggestion, said, "stand-in", place, f"true act, other occasion than {habit.label}", error
        )
    days = said.weekdays == DAY_TYPES[habit.day_type]
    return Judged(
        suggestion, said, "right", place, time_error=error, delay_factor=factor, days_right=days,
        conditions_right=_conditions(habit, said),
    )  # fmt: skip


def _occasion(
    home: ManyHome, habit: Planted, said: Read, moving: float
) -> tuple[bool, float | None, float | None]:
    """Return whether it fires on the habit's occasion, with the error of the time or of the delay."""
    if habit.at is not None or habit.sun is not None:
        return _moment(home, habit, said, moving)
    factor = _delay_factor(habit.delay, said.delay)
    if habit.threshold is not None and habit.kind == "numeric":
        entity_id, side, figure = habit.threshold
        near = any(e == entity_id and s == side and abs(n - figure) <= max(2.0, 0.05 * figure)
                   for e, s, n in said.numbers)  # fmt: skip
        return near, None, factor
    if habit.trigger is not None and habit.trigger[0] == "presence":
        going = habit.trigger[1] == "last leaves"
        named = [e for e, _ in said.changes] + [e for e, _, _ in said.numbers]
        if not named or not all(any(word in e for word in _PRESENCE) for e in named):
            return False, None, factor
        zone = any("zone.home" in e for e in named)
        direction = any(state in ({"not_home", "0"} if going else {"home"}) for _, state in said.changes)
        direction |= any(side == ("below" if going else "above") for _, side, _ in said.numbers)
        alone = len(home.home.persons) == 1
        nobody = zone or "zone.home" in said.conditions or "not_home" in said.conditions
        return direction and (zone or alone or (nobody if going else True)), None, factor
    wanted = {habit.trigger, *habit.equal}
    steps = set(habit.steps[:-1])
    return any(change in wanted or change in steps for change in said.changes), None, factor


def _delay_factor(planted: float, said: float) -> float:
    """Return how many times too long or short it is; at once is fine where people need under 2 minutes."""
    if said > planted:
        return said / planted
    return planted / max(said, 1.0) if planted >= 120 else 1.0


def _moment(
    home: ManyHome, habit: Planted, said: Read, moving: float
) -> tuple[bool, float | None, float | None]:
    errors: list[float] = []
    if habit.at is not None:
        errors += [abs((at - habit.at + 720) % 1440 - 720) for at in said.times]
        if moving < 20 and said.suns:
            errors += [abs((_usual(home, event) + offset - habit.at + 720) % 1440 - 720)
                       for event, offset in said.suns]  # fmt: skip
    if habit.sun is not None:
        errors += [abs(offset - habit.sun[1]) for event, offset in said.suns if event == habit.sun[0]]
        if moving < 20:  # then the clock says the same
            due = _usual(home, habit.sun[0]) + habit.sun[1]
            errors += [abs((at - due + 720) % 1440 - 720) for at in said.times]
    if habit.kind == "routine" and not errors and set(said.changes) & set(habit.steps):
        return True, None, None  # one step of it starts the others
    best = min(errors, default=None)
    return best is not None and best <= _TIME_TOLERANCE, best, None


def _conditions(habit: Planted, said: Read) -> bool | None:
    """Return whether what it needs is named, in any way that comes to the same; None if it needs nothing."""
    text = said.conditions
    wanted: list[bool] = []
    if "dark" in habit.conditions:
        wanted.append("sun" in text or "after" in text or "illuminance" in text)
    if "hours" in habit.conditions:
        wanted.append("after" in text or "sun" in text)
    if "first today" in habit.conditions:
        wanted.append(any(e in text for e, _ in habit.steps) or "after" in text)
    if "number" in habit.conditions and habit.threshold is not None:
        wanted.append(habit.threshold[0] in text or "sun" in text)
    if "state" in habit.conditions and habit.other is not None:
        wanted.append(habit.other[0] in text)
    return all(wanted) if wanted else None


def _sun_minutes(home: ManyHome, event: str) -> list[float]:
    from app.hub.invented.many import plan_of_many  # noqa: PLC0415 - the plan is drawn anew from the seed

    plan = plan_of_many(home.seed).plan
    sky = Sky(plan)
    return [(sky.rise_and_set(day)[event == "sunset"] - sky.hour(day, 0)) / 60_000 for day in plan.days()]


def _sunset_moves(home: ManyHome) -> float:
    minutes = sorted(_sun_minutes(home, "sunset"))
    return minutes[-1] - minutes[0]


def _usual(home: ManyHome, event: str) -> float:
    minutes = sorted(_sun_minutes(home, event))
    return minutes[len(minutes) // 2]


def _came_from(home: ManyHome, said: Read) -> str:
    if not home.causes_known:
        return "no cause is known in this home; the act may be any"
    if said.times or said.suns:
        return "nobody had such an hour"
    if any(e.startswith(("person.", "device_tracker.", "lock.", "alarm_")) or "front_door" in e
           for e, _ in said.changes):  # fmt: skip
        return "a shared cause: coming home or going"
    if any("motion" in e for e, _ in said.changes):
        return "people move where they act"
    return "acts that happened to follow"


def summary(kept: Kept) -> str:
    return f"{len(kept.done)} of {len(kept.chances)} chances"
