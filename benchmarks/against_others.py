"""Nightshift's miner beside general ones on the same events: CPU, "patterns", and how many are true.

    pip install pandas mlxtend pyfim numpy pydantic astral tzdata     # in an environment of its own
    PYTHONPATH=. that/python -m benchmarks.against_others [--days 30] [--homes 3]

Homes are invented with habits that are known, and again with the same life but none. The others get what
their users give them: windows of time with what changed in them, the hour and the kind of day, support and
confidence as low as these habits need; of their rules only those count that end in one act of an actuator. A
rule hits a habit if it names the habit's act and its trigger, or for a time or the sun any hour it lies in:
no condition, delay or minute is asked of them. Of ours, the minute is asked (30 minutes' tolerance).
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import numpy as np

from app.events import NUMERIC
from app.habits.analysis import analyse_home
from app.habits.snapshot import Snapshot
from app.hub.invented import Invented, Plan, Planted, invent_as
from app.hub.invented.making import plan_of
from app.hub.invented.world import Sky
from benchmarks.homes_reading import read

_UNTIL = datetime(2026, 11, 8, tzinfo=UTC)
_WINDOW_MS = 300_000
_PAIR_MS = 60_000
_LEAST = 6
_CONFIDENCE = 0.5
_LIFT = 3.0
_TOLERANCE = 30
_HOUR_TOLERANCE = 15
_GIVE_UP_SECONDS = 120
_ACTUATORS = frozenset({"light", "switch", "fan", "cover", "climate", "media_player", "lock", "humidifier"})

Item = str
"""`entity=state`, `hour=7` or `day=workday`."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What makes it happen, and the act: `entity=state`."""

    causes: frozenset[Item]
    act: Item
    minutes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a general miner is given: all discrete changes, in order. `at` ms, `hour` and `weekday` local."""

    item: list[Item]
    at: list[int]
    hour: list[int]
    weekday: list[int]


def changes_of(made: Invented) -> Changes:
    events = made.events.take(made.events.state != NUMERIC)
    events = events.take(~np.isin(events.state, [_code(events.states, "unavailable", "unknown")]))
    items = [
        f"{events.entities[entity]}={events.states[state]}"
        for entity, state in zip(events.entity.tolist(), events.state.tolist(), strict=True)
    ]
    local = [datetime.fromtimestamp(at / 1000, made.home.zone) for at in events.at.tolist()]
    return Changes(items, events.at.tolist(), [one.hour for one in local], [one.weekday() for one in local])


def _code(words: tuple[str, ...], *sought: str) -> list[int]:
    return [place for place, word in enumerate(words) if word in sought]


def windows(changes: Changes) -> list[list[Item]]:
    """Return what changed in each five minutes, with the hour and the kind of day."""
    found: dict[int, set[Item]] = {}
    columns = zip(changes.item, changes.at, changes.hour, changes.weekday, strict=True)
    for item, at, hour, weekday in columns:
        day = "weekend" if weekday > 4 else "workday"
        found.setdefault(at // _WINDOW_MS, {f"hour={hour}", f"day={day}"}).add(item)
    return [sorted(items) for items in found.values()]


def ours(made: Invented, _: Changes) -> list[Pattern]:
    """Nightshift."""
    found = analyse_home(Snapshot(home=made.home, as_of=_UNTIL, events=made.events))
    patterns = []
    for suggestion in found.suggestions:
        said = read(suggestion.automation)
        causes = frozenset(f"{entity}={state}" for entity, state in said.changes)
        minutes = said.times + tuple(_sun(made, event, offset) for event, offset in said.suns)
        patterns += [Pattern(causes, f"{entity}={state}", minutes) for entity, state in said.steps[:1]]
    return patterns


def with_mlxtend(_: Invented, changes: Changes) -> list[Pattern]:
    """mlxtend: FP-growth over windows, association rules."""
    pandas: Any = import_module("pandas")
    patterns: Any = import_module("mlxtend.frequent_patterns")
    encoder = import_module("mlxtend.preprocessing").TransactionEncoder()
    rows = windows(changes)
    frame = pandas.DataFrame(encoder.fit_transform(rows), columns=encoder.columns_)
    often = patterns.fpgrowth(frame, min_support=(_LEAST - 0.5) / len(rows), use_colnames=True, max_len=3)
    rules = patterns.association_rules(often, metric="confidence", min_threshold=_CONFIDENCE)
    rules = rules[(rules.lift >= _LIFT) & (rules.consequents.map(len) == 1)]
    return _acts((one, next(iter(to))) for one, to in zip(rules.antecedents, rules.consequents, strict=True))


def with_pyfim(_: Invented, changes: Changes) -> list[Pattern]:
    """PyFIM: FP-growth over windows, rules."""
    fim: Any = import_module("fim")
    rows = windows(changes)
    count: dict[Item, int] = {}
    for row in rows:
        for item in row:
            count[item] = count.get(item, 0) + 1
    found = fim.fpgrowth(
        rows, target="r", supp=-_LEAST, conf=100 * _CONFIDENCE, zmin=2, zmax=3, report="c", mode="o"
    )
    return _acts(
        (causes, act) for act, causes, sure in found if sure * len(rows) >= _LIFT * count[act]
    )  # fmt: skip


def with_pandas(_: Invented, changes: Changes) -> list[Pattern]:
    """A DataFrame of pairs within a minute, and of acts by the hour, as many a script does it."""
    pandas: Any = import_module("pandas")
    frame = pandas.DataFrame({"item": changes.item, "at": changes.at, "hour": changes.hour})
    frame["day"] = frame["at"] // 86_400_000
    frame["bucket"] = frame["at"] // _PAIR_MS
    acts = frame[frame["item"].map(_is_act)]
    before = pandas.concat([frame, frame.assign(bucket=frame["bucket"] + 1)])
    pairs = acts.merge(before[["item", "at", "bucket"]], on="bucket", suffixes=("", "_before"))
    lag = pairs["at"] - pairs["at_before"]
    pairs = pairs[(lag > 0) & (lag <= _PAIR_MS)]
    times = pairs.drop_duplicates(["item", "at", "item_before"]).groupby(["item_before", "item"]).size()
    share = times / times.index.get_level_values("item").map(acts["item"].value_counts()).to_numpy()
    kept = times[(times >= _LEAST) & (share >= _CONFIDENCE)]
    found = [(frozenset({before_it}), act) for before_it, act in kept.index]
    by_hour = acts.groupby(["item", "hour"])["day"].nunique() / frame["day"].nunique()
    found += [(frozenset({f"hour={hour}"}), act) for act, hour in by_hour[by_hour >= _CONFIDENCE].index]
    return _acts(found)


_WAYS: dict[str, Callable[[Invented, Changes], list[Pattern]]] = {
    "Nightshift": ours,
    "mlxtend": with_mlxtend,
    "PyFIM": with_pyfim,
    "pandas": with_pandas,
}


def _acts(rules: Iterable[tuple[Iterable[Item], Item]]) -> list[Pattern]:
    """Keep what ends in an actuator's act and is not only about that actuator itself."""
    found = []
    for causes, act in rules:
        others = frozenset(cause for cause in causes if not cause.startswith(act.partition("=")[0] + "="))
        if _is_act(act) and others:
            found.append(Pattern(others, act))
    return found


def _is_act(item: Item) -> bool:
    return item.partition(".")[0] in _ACTUATORS


def hits(made: Invented, pattern: Pattern, habit: Planted) -> bool:
    """Return whether the pattern says what the habit does and on which occasion."""
    members = {entity.entity_id: entity.members for entity in made.home.entities}
    entity_id, _, state = pattern.act.partition("=")
    same = {habit.target, *members.get(habit.target, ())}
    if state != habit.to_state or not same & {entity_id, *members.get(entity_id, ())}:
        return False
    if habit.trigger is not None:
        return f"{habit.trigger[0]}={habit.trigger[1]}" in pattern.causes
    minute = _minute(made, habit)
    if any(_apart(minute, other) <= _TOLERANCE for other in pattern.minutes):
        return True
    hours = {f"hour={(minute + aside) // 60 % 24}" for aside in (-_HOUR_TOLERANCE, 0, _HOUR_TOLERANCE)}
    return bool(hours & pattern.causes)


def _minute(made: Invented, habit: Planted) -> int:
    if habit.at is not None:
        return int(habit.at[:2]) * 60 + int(habit.at[3:])
    return _sun(made, "sunset", habit.offset_minutes or 0)


def _sun(made: Invented, event: str, offset: int) -> int:
    """Return the local minute of the sun's event, plus the offset, in the middle of the history."""
    home = made.home
    plan = Plan(zone=home.time_zone, latitude=home.latitude or 0.0, longitude=home.longitude or 0.0)
    middle = datetime.fromtimestamp(float(made.events.at[len(made.events) // 2]) / 1000, home.zone).date()
    rise, down = Sky(plan).rise_and_set(middle)
    local = datetime.fromtimestamp((down if event == "sunset" else rise) / 1000, home.zone)
    return local.hour * 60 + local.minute + offset


def _apart(one: int, other: int) -> int:
    return min((one - other) % 1440, (other - one) % 1440)


def one(way: str, seed: int, days: int, *, null: bool) -> None:
    """Run one way on one home in this process and tell how it went, as JSON."""
    plan = plan_of(seed, days, _UNTIL)
    made = invent_as(replace(plan, habits=frozenset()) if null else plan)
    changes = changes_of(made)
    before, cpu = _peak(), time.process_time()
    patterns = _WAYS[way](made, changes)
    told = {
        "cpu": time.process_time() - cpu,
        "more_mib": _peak() - before,
        "events": len(made.events),
        "changes": len(changes.at),
        "patterns": len(patterns),
        "true": sum(any(hits(made, pattern, habit) for habit in made.truth) for pattern in patterns),
        "found": sum(any(hits(made, pattern, habit) for pattern in patterns) for habit in made.truth),
        "habits": len(made.truth),
    }
    print(json.dumps(told))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def run(days: int, count: int) -> None:
    print(f"{count} homes of {days} days; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors\n")
    print("| miner | CPU s | patterns a home | of them true | habits found | patterns, home without habits |")
    print("|---|---|---|---|---|---|")
    size = (0.0, 0.0)
    for way in _WAYS:
        told = [_in_a_process(way, seed, days, null=False) for seed in range(7, 7 + count)]
        null = [_in_a_process(way, seed, days, null=True) for seed in range(7, 7 + count)]
        done = [each for each in told if each]
        if not done or not all(null):
            print(f"| {way} | over {_GIVE_UP_SECONDS} | | | | |")
            continue
        cpu, patterns, true, found, habits, events, changes = (
            sum(each[key] for each in done) / len(done)
            for key in ("cpu", "patterns", "true", "found", "habits", "events", "changes")
        )
        size = (events, changes)
        print(
            f"| {way} | {cpu:.2f} | {patterns:.0f} | {true / patterns if patterns else 0:.0%} |"
            f" {found:.1f} of {habits:.0f} | {sum(each['patterns'] for each in null) / len(null):.1f} |"
        )
    print(f"\n{size[0]:,.0f} state changes a home, {size[1]:,.0f} of them no numbers.")


def _in_a_process(way: str, seed: int, days: int, *, null: bool) -> dict[str, float]:
    values = [way, str(seed), str(days), str(int(null))]
    command = [sys.executable, "-m", "benchmarks.against_others", "--one", *values]
    try:
        answer = subprocess.run(
            command, check=True, stdout=subprocess.PIPE, text=True, timeout=_GIVE_UP_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {}
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--homes", type=int, default=3)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        way, seed, days, null = given.one
        one(way, int(seed), int(days), null=bool(int(null)))
    else:
        run(given.days, given.homes)


if __name__ == "__main__":
    main()
