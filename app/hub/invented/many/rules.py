"""The automations that an invented home has already."""

import random
from dataclasses import dataclass

from app.hub.invented.many.house import Thing, automation
from app.hub.invented.many.truth import Step
from app.model import Automation


@dataclass(frozen=True, slots=True)
class Rule:
    """An automation that exists: at a time, at a sun event, or when an entity has been so for some minutes.

    `by_hand` is the share of days on which people do it themselves a few minutes before.
    """

    automation: Automation
    step: Step
    at: int | None = None
    sun: str | None = None
    watches: Step | None = None
    minutes: int = 0
    by_hand: float = 0.0


def draw_rules(dice: random.Random, things: list[Thing], taken: set[str]) -> list[Rule]:
    """Return the automations that the home has already; what they act on is `taken`."""
    have = {thing.entity_id for thing in things}
    rules: list[Rule] = []

    def clock(slug: str, step: Step, action: str, at: int, by_hand: float = 0.0) -> Rule:
        made = automation(
            slug, [{"trigger": "time", "at": f"{at // 60:02d}:{at % 60:02d}:00"}], action, step[0]
        )
        return Rule(made, step, at=at, by_hand=by_hand)

    def lasting(
        slug: str, watches: Step, minutes: int, step: Step, action: str, *, secret: bool = False
    ) -> Rule:
        trigger = {"trigger": "state", "entity_id": watches[0], "to": watches[1]}
        trigger |= {"for": f"00:{minutes:02d}:00"} if minutes else {}
        return Rule(automation(slug, [trigger], action, step[0], secret=secret), step, watches=watches,
                    minutes=minutes)  # fmt: skip

    if "light.garden" in have:
        taken.add("light.garden")
        at_sunset = automation(
            "garden_on", [{"trigger": "sun", "event": "sunset"}], "light.turn_on", "light.garden"
        )
        rules.append(Rule(at_sunset, ("light.garden", "on"), sun="sunset"))
        rules.append(
            clock("garden_off", ("light.garden", "off"), "light.turn_off", dice.randint(270, 284) * 5)
        )
    if "lock.front_door" in have:
        rules.append(lasting("lock_up", ("binary_sensor.front_door", "off"), 1, ("lock.front_door", "locked"),
                             "lock.lock"))  # fmt: skip
    spare = [t.entity_id for t in things if t.entity_id.startswith("light.") and t.room and not t.members
             and t.room not in {"garden", "living_room", "bathroom", "hall"}]  # fmt: skip
    dice.shuffle(spare)
    for entity_id in spare[: dice.randint(0, 2)]:
        sensor = f"binary_sensor.{entity_id.partition('.')[2].rpartition('_')[0]}_motion"
        if sensor in have:
            secret = dice.random() < 0.3
            taken.add(entity_id)
            room = sensor[14:]
            rules.append(
                lasting(f"{room}_on", (sensor, "on"), 0, (entity_id, "on"), "light.turn_on", secret=secret)
            )
            rules.append(lasting(f"{room}_off", (sensor, "off"), dice.choice((3, 5, 10)), (entity_id, "off"),
                                 "light.turn_off", secret=secret))  # fmt: skip
    if "climate.living_room" in have and dice.random() < 0.6:
        taken.add("climate.living_room")
        rules.append(
            clock("heating_on", ("climate.living_room", "heat"), "climate.turn_on", dice.randint(64, 80) * 5)
        )
        rules.append(
            clock(
                "heating_off", ("climate.living_room", "off"), "climate.turn_off", dice.randint(250, 276) * 5
            )
        )
    if "switch.window_star" in have:  # people do it themselves half the time, a little early
        taken.add("switch.window_star")
        rules.append(
            clock("star_on", ("switch.window_star", "on"), "switch.turn_on", dice.randint(200, 232) * 5, 0.5)
        )
        rules.append(
            clock("star_off", ("switch.window_star", "off"), "switch.turn_off", dice.randint(266, 282) * 5)
        )
    return rules
