"""How right the miner is on invented homes that nobody tuned on. Prints tables in Markdown.

Run: python -m benchmarks.accuracy [--homes 50] [--nulls 50] [--seed-from 0] [--jobs 1] [--errors 40]

Seeds 0 to 999 are for building; the published figures are made with `--seed-from 100000`.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from app.clock import from_ms
from app.habits.analysis import analyse_home
from app.habits.snapshot import Snapshot
from app.habits.suggestion import Suggestion
from app.hub.invented.many import Planted, homes
from benchmarks.homes_judging import HomeJudged, Judged, counts, judge

NULL_SEEDS = 500_000
"""Null homes have seeds of their own: the same life as no habit home."""
DAY_BANDS = ((14, 20), (21, 29), (30, 59), (60, 120))
ADHERENCE_BANDS = ((0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 1.0))


@dataclass(frozen=True, slots=True)
class Mined:
    judged: HomeJudged
    seconds: float
    made_seconds: float
    events: int
    set_aside: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """A planted habit and what became of it."""

    seed: int
    days: int
    habit: Planted
    found: bool
    stood_in: bool
    counts: bool
    kept: str


def mine(seed: int, *, null: bool) -> Mined:
    """Invent the home of that seed, mine it, and judge what is suggested."""
    before = time.perf_counter()
    home = next(homes([seed], null=null))
    made = time.perf_counter()
    snapshot = Snapshot(
        home.home, from_ms(home.until), home.events, causes_known=home.causes_known, explain=True
    )
    analysis = analyse_home(snapshot)
    after = time.perf_counter()
    aside = tuple((one.habit, one.why) for one in analysis.set_aside)
    return Mined(judge(home, analysis.suggestions), after - made, made - before, len(home.events), aside)


def _habits(seed: int) -> Mined:
    return mine(seed, null=False)


def _null(seed: int) -> Mined:
    return mine(seed, null=True)


def run(work: Callable[[int], Mined], seeds: Iterable[int], jobs: int) -> list[Mined]:
    if jobs <= 1:
        return [work(seed) for seed in seeds]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(work, seeds))


def table(head: str, rows: Iterable[Iterable[object]]) -> None:
    columns = head.split("|")
    print("| " + " | ".join(columns) + " |")
    print("|" + "---|" * len(columns))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def share(part: int, whole: int) -> str:
    return f"{part / whole:.2f} ({part} of {whole})" if whole else "none"


def seen_in(mined: list[Mined]) -> list[Seen]:
    return [
        Seen(
            one.judged.home.seed, one.judged.home.days, habit, one.judged.found(place),
            one.judged.stood_in(place), counts(one.judged.home, place),
            f"{len(one.judged.home.kept[place].done)} of {len(one.judged.home.kept[place].chances)}",
        )
        for one in mined
        for place, habit in enumerate(one.judged.home.truth)
    ]  # fmt: skip


def headline(mined: list[Mined], nulls: list[Mined], seen: list[Seen]) -> None:
    judged = [one for home in mined for one in home.judged.judged]
    right = [one for one in judged if one.verdict == "right"]
    stand_in = sum(one.verdict == "stand-in" for one in judged)
    long = [one for home in mined if home.judged.home.days >= 30 for one in home.judged.judged]
    precise = sum(one.verdict == "right" for one in long)
    aim = [one for one in seen if one.counts and one.days >= 30 and one.habit.adherence >= 0.7]
    loosely = sum(one.found or one.stood_in for one in aim)
    every = [one for one in seen if one.counts]
    offered = sum(len(home.judged.judged) for home in nulls)
    a_home = offered / max(len(nulls), 1)
    timed = [one.time_error for one in right if one.time_error is not None and not one.read.suns]
    sunny = [one.time_error for one in right if one.time_error is not None and one.read.suns]
    delays = [one.delay_factor for one in right if one.delay_factor is not None]
    dayed = [one.days_right for one in right if one.days_right is not None]
    needed = [one.conditions_right for one in right if one.conditions_right is not None]
    table("measure|result|aim", [
        ("precision, homes of 30 days and more", share(precise, len(long)), "≥ .95"),
        ("precision, all homes", share(len(right), len(judged)), ""),
        ("the same, stand-ins counted as right", share(len(right) + stand_in, len(judged)), ""),
        ("recall, adherence ≥ .7, ≥ 30 days", share(sum(o.found for o in aim), len(aim)), "≥ .90"),
        ("the same, stand-ins counted as found", share(loosely, len(aim)), ""),
        ("recall, all that count", share(sum(o.found for o in every), len(every)), ""),
        ("suggestions a null home", f"{a_home:.2f} ({offered} in {len(nulls)})", "≤ .05"),
        ("existing automations suggested again", _number(judged, nulls, "existing"), "0"),
        ("machine-made echoes", _number(judged, nulls, "machine"), "0"),
        ("unlock, open, disarm", _number(judged, nulls, "never"), "0"),
        ("dead habits suggested", _number(judged, [], "dead"), ""),
        ("clock within 10 min", share(sum(e <= 10 for e in timed), len(timed)), "≥ .95"),
        ("sun offset within 10 min", share(sum(e <= 10 for e in sunny), len(sunny)), "≥ .95"),
        ("delay within a factor of 2", share(sum(f <= 2 for f in delays), len(delays)), "≥ .95"),
        ("routines and groups offered whole, of the steps found", _whole(mined), ""),
        ("right day type", share(sum(dayed), len(dayed)), "≥ .95"),
        ("conditions that are needed are named", share(sum(needed), len(needed)), ""),
    ])  # fmt: skip
    spent = sum(one.seconds for one in [*mined, *nulls])
    made = sum(one.made_seconds for one in [*mined, *nulls])
    events = sum(one.events for one in [*mined, *nulls])
    print(f"{events:,} events; inventing took {made:.0f} s, mining {spent:.0f} s;"
          f" slowest home {max(one.seconds for one in [*mined, *nulls]):.1f} s\n")  # fmt: skip


def _whole(mined: list[Mined]) -> str:
    """Return the share of habits of three steps and more that one automation does at least two thirds of."""
    found = whole = 0
    for home in mined:
        truth = home.judged.home.truth
        for place, habit in enumerate(truth):
            if len(habit.steps) >= 3 and home.judged.found(place):
                found += 1
                own = set(habit.steps)
                whole += any(
                    one.habit == place and one.verdict == "right"
                    and len(own & set(one.read.steps)) >= 2 / 3 * len(own)
                    for one in home.judged.judged
                )  # fmt: skip
    return share(whole, found)


def _number(judged: list[Judged], nulls: list[Mined], verdict: str) -> int:
    return sum(one.verdict == verdict for one in judged) + sum(
        one.verdict == verdict for home in nulls for one in home.judged.judged
    )


def by_kind(seen: list[Seen]) -> None:
    print("Recall by kind (adherence ≥ .7, ≥ 30 days; stand-ins: the act is offered on another occasion)\n")
    groups: defaultdict[str, list[Seen]] = defaultdict(list)
    for one in seen:
        if one.counts and one.days >= 30 and one.habit.adherence >= 0.7:
            groups[one.habit.label + (", drifting" if one.habit.fate == "drifting" else "")].append(one)
    table("kind|found|stand-in only", [
        (label, share(sum(one.found for one in group), len(group)),
         sum(one.stood_in and not one.found for one in group))
        for label, group in sorted(groups.items())
    ])  # fmt: skip


def by_band(seen: list[Seen]) -> None:
    print("Recall by adherence and days of history\n")
    rows = []
    for low, high in ADHERENCE_BANDS:
        row: list[object] = [f"{low:.1f} to {high:.1f}"]
        for first, last in DAY_BANDS:
            group = [
                o for o in seen if o.counts and low <= o.habit.adherence < high and first <= o.days <= last
            ]
            row.append(share(sum(o.found for o in group), len(group)))
        rows.append(row)
    table("adherence|" + "|".join(f"{first} to {last} days" for first, last in DAY_BANDS), rows)


def wrong(mined: list[Mined], nulls: list[Mined], most: int) -> None:
    print("What was suggested and isn't so, by why\n")
    reasons: defaultdict[tuple[str, str], int] = defaultdict(int)
    listed = []
    for kind, group in (("", mined), ("null ", nulls)):
        for home in group:
            for one in home.judged.judged:
                if one.verdict != "right":
                    reasons[one.verdict, one.why] += 1
                    listed.append((kind, home, one))
    table("verdict|why|times", [(*key, n) for key, n in sorted(reasons.items(), key=lambda item: -item[1])])
    for kind, home, one in listed[:most]:
        s: Suggestion = one.suggestion
        e = s.evidence
        print(
            f"- {kind}home {home.judged.home.seed} ({home.judged.home.days} d) **{one.verdict}** `{s.id}`"
            f" {s.title} — {one.why}; kept {e.days_kept}/{e.days_observed} days, confidence {e.confidence},"
            f" replay {e.replay.wanted} wanted {e.replay.unwanted} unwanted {e.replay.missed} missed"
        )
    print()


def _described(habit: Planted) -> str:
    when = f" at {habit.at // 60:02d}:{habit.at % 60:02d}" if habit.at is not None else ""
    if habit.at is not None and habit.was_at is not None and habit.at != habit.was_at:
        when += f" (drifting, at first {habit.was_at // 60:02d}:{habit.was_at % 60:02d})"
    if habit.sun is not None:
        when = f" {habit.sun[1]} min after {habit.sun[0]}"
    if habit.trigger is not None:
        when = f" after {habit.trigger[0]} {habit.trigger[1]} (+{habit.delay:.0f} s)"
    if habit.threshold is not None:
        when = (
            f" when {habit.threshold[0]} {habit.threshold[1]} {habit.threshold[2]:g} (+{habit.delay:.0f} s)"
        )
    return f"{habit.name}, {habit.day_type}{when}"


def missed(mined: list[Mined], seen: list[Seen], most: int) -> None:
    print("What was missed (adherence ≥ .7, ≥ 30 days), and what was set aside about it\n")
    aside = {one.judged.home.seed: one.set_aside for one in mined}
    names = {
        one.judged.home.seed: {entity.entity_id: entity.name for entity in one.judged.home.home.entities}
        for one in mined
    }
    listed = [o for o in seen if o.counts and not o.found and o.days >= 30 and o.habit.adherence >= 0.7]
    for one in listed[:most]:
        name = names[one.seed].get(one.habit.steps[0][0], "?")
        said = [f"{habit} ({why})" for habit, why in aside[one.seed] if name in habit][:2]
        print(
            f"- home {one.seed} ({one.days} d) {_described(one.habit)}, adherence"
            f" {one.habit.adherence}, done {one.kept}{', stand-in offered' if one.stood_in else ''}"
            f"{'; set aside: ' + '; '.join(said) if said else ''}"
        )
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--homes", type=int, default=50)
    parser.add_argument("--nulls", type=int, default=50)
    parser.add_argument("--seed-from", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--errors", type=int, default=40, help="how many wrong and missed ones to list")
    said = parser.parse_args()
    first = said.seed_from
    mined = run(_habits, range(first, first + said.homes), said.jobs)
    nulls = run(_null, range(first + NULL_SEEDS, first + NULL_SEEDS + said.nulls), said.jobs)
    seen = seen_in(mined)
    print(f"{said.homes} homes and {said.nulls} null homes, seeds from {first}\n")
    headline(mined, nulls, seen)
    by_kind(seen)
    by_band(seen)
    if said.errors:
        wrong(mined, nulls, said.errors)
        missed(mined, seen, said.errors)


if __name__ == "__main__":
    main()
