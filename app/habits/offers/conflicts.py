"""What stands beside a suggestion: automations that work against it, and those it could be added to. Pure.

Both are told by when: the moments of an automation, read from its configuration, against those at which the
suggestion would have fired in the last weeks. Scripts, and automations whose moments cannot be told, are
judged by what they were seen to do.
"""

from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from app.events import Int64
from app.habits.facts import name_of
from app.habits.habit import TRIGGER, Habit
from app.habits.known import members_of
from app.habits.localtime import DAY_MS, MINUTE_MS
from app.habits.offers.extending import extended
from app.habits.offers.occasions import occasions
from app.habits.offers.record import nearest_to, times
from app.habits.offers.watched import WINDOW_DAYS, Conflict, Extends
from app.habits.offers.watching import Scene, acts_of, rows_in, triggers_of
from app.habits.scripts import with_scripts
from app.hub.automations import plural
from app.hub.names import plain_name
from app.model import Automation

_NEAR_MS = 30 * MINUTE_MS
_SAME_MS = 5 * MINUTE_MS
_CLASH_SHARE = 0.5
_SAME_SHARE = 0.8
_LEAST = 4
_MOST_SAID = 3
_MOST_AUTOMATIONS = 300
_VERBS = {
    "on": "turns on", "off": "turns off", "open": "opens", "closed": "closes", "locked": "locks",
    "unlocked": "unlocks", "playing": "starts",
}  # fmt: skip
_OPPOSITES = ({"open", "closed"}, {"locked", "unlocked"})


class Beside:
    """The home's enabled automations, held against each suggestion."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._since = scene.until - WINDOW_DAYS * DAY_MS
        self._members = members_of(scene.home)
        self._entities = {entity.entity_id: entity for entity in scene.home.entities}

    def conflicts(self, habit: Habit) -> list[Conflict]:
        """Return what does the opposite at about the time that the habit's automation would act."""
        fires = self._fires(habit)
        if len(fires) < _LEAST:
            return []
        acts = {(name, target.state) for target in habit.targets for name in self._whole(target.entities)}
        found: list[Conflict] = []
        for automation, does, due in self._known:
            against = _against(acts, does)
            if not against or triggers_of(automation) & {name for name, _ in acts}:
                continue  # what is triggered by the act itself is meant to follow it
            if habit.kind == TRIGGER and not _by_the_clock(automation) and not _same(habit, automation):
                continue  # motion turns on, no motion turns off: they belong together
            moments = self._seen(automation.entity_id, against) if due is None else due
            found += self._clash(automation.entity_id, automation.alias, against, fires, moments)
        for script in self._scripts:
            against = {(name, state) for name, state in self._done[script] if _against(acts, {(name, state)})}
            if against:
                found += self._clash(script, "", against, fires, self._seen(script, against))
        return sorted(found, key=lambda one: (-one.met, one.entity_id))[:_MOST_SAID]

    def extends(self, habit: Habit, made: dict[str, Any]) -> Extends | None:
        """Return the automation that acts at the same moments and on none of the same things, if there is."""
        fires = self._fires(habit)
        if len(fires) < _LEAST:
            return None
        entities = set(self._whole([name for target in habit.targets for name in target.entities]))
        for automation, does, due in self._known:
            if due is None or not does or entities & {name for name, _ in does}:
                continue
            if len(due) < _LEAST or _by_the_clock(automation) == (habit.kind == TRIGGER):
                continue
            there = int((np.abs(nearest_to(due, fires) - fires) <= _SAME_MS).sum())
            back = int((np.abs(nearest_to(fires, due) - due) <= _SAME_MS).sum())
            if there < _SAME_SHARE * len(fires) or back < _SAME_SHARE * len(due):
                continue
            name = automation.alias or automation.entity_id
            return Extends(
                entity_id=automation.entity_id,
                unique_id=automation.unique_id,
                name=name,
                says=f"“{name}” acts at the same moment ({there} of the last {times(len(fires))}): "
                "this could be added to it as one more step.",
                automation=extended(automation.config, made),
            )
        return None

    def _fires(self, habit: Habit) -> Int64:
        return habit.fires[habit.fires >= self._since]

    def _whole(self, names: Any) -> list[str]:
        """Return entities with the groups' members in their place, too."""
        return [one for name in names for one in {name, *self._members.get(name, ())}]

    @cached_property
    def _known(self) -> list[tuple[Automation, set[tuple[str, str]], Int64 | None]]:
        """Each enabled automation, what it does, and its moments (None: they cannot be told)."""
        scene = self._scene
        both = zip(scene.home.automations, with_scripts(scene.home), strict=True)
        return [
            (
                one,
                {(e, state) for name, state in acts_of(whole, self._members) for e in self._whole([name])},
                occasions(one.config, scene.around, self._since, scene.until),
            )
            for one, whole in islice(both, _MOST_AUTOMATIONS)
            if one.enabled and one.config
        ]

    @cached_property
    def _rows(self) -> Int64:
        runs = self._scene.runs
        return rows_in(runs, np.arange(len(runs.at)), self._scene.around.timeline)

    @cached_property
    def _scripts(self) -> list[str]:
        return [one for one in self._scene.runs.actors if one.startswith("script.")]

    @cached_property
    def _done(self) -> dict[str, set[tuple[str, str]]]:
        """What each script was seen to do."""
        return {one: set(self._seen_by(one)) for one in self._scripts}

    def _seen_by(self, actor: str) -> dict[tuple[str, str], list[int]]:
        """Return when an automation or script brought something to a state."""
        runs, table = self._scene.runs, self._scene.around.timeline
        seen: dict[tuple[str, str], list[int]] = {}
        if actor not in runs.actors:
            return seen
        rows = self._rows[(runs.actor == runs.actors.index(actor)) & (self._rows >= 0)]
        for row in rows.tolist():
            key = table.entities[int(table.entity[row])], table.states[int(table.state[row])]
            seen.setdefault(key, []).append(int(table.at[row]))
        return seen

    def _seen(self, actor: str, against: set[tuple[str, str]]) -> Int64:
        seen = self._seen_by(actor)
        return np.array(sorted({at for key in against for at in seen.get(key, [])}), np.int64)

    def _clash(
        self, entity_id: str, alias: str, against: set[tuple[str, str]], fires: Int64, due: Int64
    ) -> list[Conflict]:
        met = int((np.abs(nearest_to(due, fires) - fires) <= _NEAR_MS).sum())
        if met < max(_LEAST, _CLASH_SHARE * len(fires)):
            return []
        target, state = min(against)
        name = alias or plain_name(name_of(entity_id, self._entities))
        thing = name_of(target, self._entities)
        does = f"{_VERBS[state]} {thing}" if state in _VERBS else f"sets {thing} to {state}"
        says = f"“{name}” {does} within half an hour of it: {met} of the last {times(len(fires))}."
        return [
            Conflict(
                entity_id=entity_id, name=name, target=target, state=state, met=met, fires=len(fires),
                says=says,
            )
        ]  # fmt: skip


def _against(acts: set[tuple[str, str]], does: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return what of `does` is the opposite of one of the acts."""
    return {
        (name, state)
        for name, state in does
        for other, wanted in acts
        if other == name and _opposite(wanted, state)
    }


def _opposite(first: str, second: str) -> bool:
    return first != second and ("off" in {first, second} or {first, second} in _OPPOSITES)


def _by_the_clock(automation: Automation) -> bool:
    triggers = plural(automation.config)["triggers"]
    return all(isinstance(one, dict) and one.get("trigger") in ("time", "sun") for one in triggers)


def _same(habit: Habit, automation: Automation) -> bool:
    """Return whether a reaction's trigger is the automation's: the same entity coming to the same state."""
    if habit.trigger is None:
        return False
    for trigger in plural(automation.config)["triggers"]:
        if not isinstance(trigger, dict):
            continue
        given, to = trigger.get("entity_id"), trigger.get("to")
        names = given if isinstance(given, list) else [given]
        states = to if isinstance(to, list) else [to]
        if habit.trigger.entity_id in names and habit.trigger.to_state in states:
            return True
    return False
