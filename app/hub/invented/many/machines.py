"""The existing automations of an invented home at work."""

from datetime import date
from functools import partial

from app.hub.invented.many.rules import Rule
from app.hub.invented.many.scene import Scene
from app.hub.invented.world import MINUTE


def run_rule(scene: Scene, rule: Rule, day: date | None) -> None:
    """Let an automation run: by the clock or the sun on that day, or (once, with no day) as a listener."""
    world, (entity_id, state) = scene.world, rule.step
    actor = rule.automation.entity_id

    def act() -> None:
        world.after(0.2, partial(world.by_machine, entity_id, state, actor))

    if day is not None:
        if rule.at is not None:
            at = world.sky.hour(day, rule.at / 60)
            if world.random.random() < rule.by_hand:
                early = at - round(world.random.uniform(1, 15) * MINUTE)
                world.at(early, lambda: scene.use(entity_id, state) if scene.up() else None)
            world.at(at, act)
        if rule.sun is not None:
            world.at(world.sky.rise_and_set(day)[rule.sun == "sunset"], act)
        return
    if rule.watches is None:
        return
    watched, wanted = rule.watches
    changes = [0]

    def changed(new: str) -> None:
        changes[0] += 1
        if new == wanted:
            seen = changes[0]
            world.after(rule.minutes * 60, lambda: act() if changes[0] == seen else None)

    world.when(watched, changed)
