"""Plans of many homes: people, place, span, faults and habits drawn by lot from one seed."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from app.hub.invented.many.house import House, furnish
from app.hub.invented.many.planting import Planting
from app.hub.invented.many.priors import weighted
from app.hub.invented.many.rules import Rule, draw_rules
from app.hub.invented.many.truth import Planted
from app.hub.invented.plan import Faults, Plan, Resident, Work
from app.model import zone_of

PLACES: tuple[tuple[str, float, float], ...] = (
    ("Europe/Amsterdam", 52.37, 4.89), ("Europe/London", 51.5, -0.12), ("Europe/Helsinki", 60.17, 24.94),
    ("Europe/Lisbon", 38.72, -9.14), ("Europe/Athens", 37.98, 23.73), ("America/New_York", 40.71, -74.0),
    ("America/Chicago", 41.88, -87.63), ("America/Los_Angeles", 34.05, -118.24),
    ("America/St_Johns", 47.56, -52.71), ("America/Sao_Paulo", -23.55, -46.63),
    ("America/Santiago", -33.45, -70.67), ("Australia/Sydney", -33.87, 151.21),
    ("Australia/Adelaide", -34.93, 138.6), ("Pacific/Auckland", -36.85, 174.76),
    ("Asia/Kolkata", 19.08, 72.88),
    ("Asia/Kathmandu", 27.72, 85.32), ("Asia/Tokyo", 35.68, 139.69), ("Asia/Singapore", 1.35, 103.82),
    ("Africa/Johannesburg", -26.2, 28.05), ("America/Anchorage", 61.22, -149.9), ("Asia/Dubai", 25.2, 55.27),
)  # fmt: skip
SPANS = (14, 15, 21, 24, 30, 35, 45, 60, 75, 90, 120)
_NAMES = ("Alex", "Bo", "Charlie", "Dana")
_WORKS: dict[Work, float] = {"office": 5, "shifts": 2, "retired": 2, "home": 2, "school": 3}


@dataclass(frozen=True, slots=True)
class ManyPlan:
    """All that makes one of many homes. Faults are days since the first (with hour and length in hours)."""

    plan: Plan
    house: House
    null: bool
    causes_known: bool
    habits: tuple[Planted, ...]
    rules: tuple[Rule, ...]
    vacation: tuple[date, date] | None
    guests: frozenset[date]
    downtimes: tuple[tuple[int, float, float], ...]
    by_app: float
    """The share of acts that people do in the app rather than by hand."""

    @property
    def days(self) -> list[date]:
        return self.plan.days()


def plan_of_many(seed: int, *, null: bool = False) -> ManyPlan:
    """Return the plan of the home of that seed; `null` plans the same life without any habit."""
    dice = random.Random(f"home {seed}")  # noqa: S311 - an invented home, no secret
    zone, latitude, longitude = dice.choice(PLACES)
    span = dice.choice(SPANS)
    first = _first_day(dice, zone, span)
    residents = _residents(dice)
    until = datetime.combine(first + timedelta(days=span), time(0), zone_of(zone))
    plan = Plan(
        seed=seed, first_day=first, until=until.astimezone(UTC) - timedelta(milliseconds=1), zone=zone,
        latitude=latitude, longitude=longitude, residents=residents, vacation_days=0,
        faults=Faults(restarts=span // 10, outage_hours=0.0),
    )  # fmt: skip
    rooms, things = furnish(dice)
    taken: set[str] = set()
    rules = draw_rules(dice, things, taken)
    house = House(rooms, tuple(things), tuple(rule.automation for rule in rules))
    vacation = None
    if span >= 24 and dice.random() < 0.4:
        away = first + timedelta(dice.randint(4, span - 12))
        vacation = (away, away + timedelta(dice.randint(3, 10)))
    downtimes = [
        (dice.randrange(span), dice.uniform(8, 23), dice.uniform(0.01, 0.05)) for _ in range(span // 10)
    ]
    if dice.random() < 0.4:
        downtimes.append((dice.randrange(1, span - 2), dice.uniform(0, 23), dice.uniform(3, 30)))
    causes_known, by_app = dice.random() >= 0.12, dice.uniform(0.1, 0.6)
    guests = frozenset(first + timedelta(dice.randrange(span)) for _ in range(dice.randint(0, span // 12)))
    # Last of all, so that a null home has all the rest of the home of its seed.
    habits: tuple[Planted, ...] = ()
    if not null:
        habits = Planting(dice, plan, house, taken).plant(dice.randint(4, 9))
    return ManyPlan(
        plan,
        house,
        null,
        causes_known,
        habits,
        tuple(rules),
        vacation,
        guests,
        tuple(sorted(downtimes)),
        by_app,
    )


def _first_day(dice: random.Random, zone: str, span: int) -> date:
    """Return a day of any season; in four of ten homes so that the clocks change within the span."""
    day = date(2024, 1, 1) + timedelta(dice.randrange(730))
    if dice.random() < 0.4:
        for later in range(1, 366):
            change = day + timedelta(later)
            if _offset(zone, change) != _offset(zone, change + timedelta(1)):
                return change - timedelta(dice.randrange(3, span - 3))
    return day


def _offset(zone: str, day: date) -> timedelta | None:
    return datetime.combine(day, time(0), zone_of(zone)).utcoffset()


def _residents(dice: random.Random) -> tuple[Resident, ...]:
    count = weighted(dice, {1: 3, 2: 4, 3: 2, 4: 2})
    grown: dict[Work, float] = {work: weight for work, weight in _WORKS.items() if work != "school"}
    works: list[Work] = [weighted(dice, grown)]
    works += [weighted(dice, _WORKS) for _ in range(count - 1)]
    return tuple(
        Resident(
            f"{_NAMES[n]} (invented)",
            work,
            # Half the children have no account: the app is not theirs.
            "" if work == "school" and dice.random() < 0.5 else f"f{n + 1:031d}",
        )
        for n, work in enumerate(works)
    )
