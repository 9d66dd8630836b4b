"""What a house still has for a habit, and how habits are drawn from it."""

import random

from app.hub.invented.many.house import House
from app.hub.invented.many.priors import DEVICES, PARTS, weighted
from app.hub.invented.many.truth import Step
from app.hub.invented.plan import Plan

_NOBODYS = frozenset({"cover.garage_door", "switch.fish_feeder", "media_player.tv"})


class Lot:
    """A house, its people, and which of its things are `taken` already."""

    def __init__(self, dice: random.Random, plan: Plan, house: House, taken: set[str]) -> None:
        self.members = {member for thing in house.things for member in thing.members}
        self.dice, self.plan, self.house, self.taken = dice, plan, house, set(taken)

    def adherence(self) -> float:
        return (
            round(self.dice.uniform(0.5, 0.97), 2)
            if self.dice.random() < 0.35
            else round(self.dice.uniform(0.7, 0.97), 2)
        )

    def free(self, *domains: str) -> str | None:
        """Return a thing of such a domain that nothing acts on yet; a domain as often as people name it."""
        found: dict[str, list[str]] = {}
        for thing in self.house.things:
            entity_id, domain = thing.entity_id, thing.entity_id.partition(".")[0]
            if (
                domain in domains
                and entity_id not in self.taken | self.members | _NOBODYS
                and thing.room not in {"garage", "garden"}
            ):
                found.setdefault(domain, []).append(entity_id)
        if not found:
            return None
        return self.dice.choice(found[weighted(self.dice, {domain: DEVICES[domain] for domain in found})])

    def own(self, entity_id: str) -> bool:
        return self.house.has(entity_id) and entity_id not in self.taken

    def motions(self) -> list[str]:
        return [room for room in self.house.rooms if self.house.has(f"binary_sensor.{room}_motion")
                and room not in {"garden", "garage", "hall"}]  # fmt: skip

    def time(self, day_type: str) -> int:
        """Return a moment at which somebody usually is at home on such days."""
        parts = dict(PARTS)
        if day_type not in {"weekends", "saturdays", "sundays"} and all(
            who.work in {"office", "shifts", "school"} for who in self.plan.residents
        ):
            parts = {(6.0, 7.2): PARTS[6, 11], (18.7, 20): PARTS[17, 20], (20, 23.2): PARTS[20, 23.4]}
        low, high = weighted(self.dice, parts)
        return round(self.dice.uniform(low, high) * 12) * 5

    def only_one(self, state: str) -> tuple[Step, ...]:
        """Return what is the same as the home's becoming empty or not, where one person lives alone."""
        if len(self.plan.residents) > 1:
            return ()
        return tuple(
            step for who in self.plan.residents
            for step in ((f"person.{who.slug}", state), (f"device_tracker.{who.slug}_phone", state))
        )  # fmt: skip
