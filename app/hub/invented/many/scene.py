"""What everything in an invented home acts through: who is there, which room, and how things are used."""

import random
from functools import partial

from app.hub.invented.many.house import BACK
from app.hub.invented.many.plans import ManyPlan
from app.hub.invented.plan import Resident
from app.hub.invented.world import MINUTE, World


class Scene:
    """A world with people in it. Times are ms."""

    def __init__(self, many: ManyPlan, world: World) -> None:
        self.many, self.world = many, world
        self.awake_until: dict[str, int] = {}
        self.awake_from: dict[str, int] = {}
        self.occupied: dict[str, int] = {}
        self.last_motion: dict[str, int] = {}
        self.glitching: set[str] = set()
        """Whose phone says wrongly that they are out."""
        self.keeps: set[str] = set()
        """Things whose going back to what they were is somebody's habit, or is arranged with it."""
        self.room = {thing.entity_id: thing.room for thing in many.house.things}
        self.sensors = {e for e in self.room if e.endswith("_motion")}
        self._turn: dict[str, int] = {}
        self._stay = random.Random(f"{many.plan.seed} stays")  # noqa: S311 - an invented home, no secret

    @property
    def dice(self) -> random.Random:
        return self.world.random

    def up(self) -> list[Resident]:
        """Return who is at home and awake."""
        now = self.world.now
        return [
            who for who in self.many.plan.residents
            if who.slug in self.world.home
            and self.awake_from.get(who.slug, 0) <= now < self.awake_until.get(who.slug, 0)
        ]  # fmt: skip

    def use(self, entity_id: str, state: str, *, walk: bool = True, who: Resident | None = None) -> None:
        """Let somebody do it, by hand or in the app.

        Who does it by hand has walked there. Nobody at home does nothing, but `who` may be out.
        """
        world = self.world
        if world.states.get(entity_id) in {None, state}:
            return
        present = [one for one in self.many.plan.residents if one.slug in world.home]
        if who is None and not present:
            return
        actor = who or self.dice.choice(self.up() or present)
        if (who is not None and who.slug not in world.home) or self.dice.random() < self.many.by_app:
            world.by_app(entity_id, state, actor)
            return
        room = self.room.get(entity_id)
        if walk and room is not None:
            if self.dice.random() < 0.85:  # the sensor doesn't see everybody
                self.move(room)
            world.after(self.dice.uniform(1, 60), partial(world.by_hand, entity_id, state))
        else:
            world.by_hand(entity_id, state)

    def move(self, room: str) -> None:
        """Somebody moves in that room; its sensor clears a minute or so later."""
        sensor = f"binary_sensor.{room}_motion"
        if sensor not in self.sensors:
            return
        self.last_motion[room] = self.world.now
        self.world.sense(sensor, "on")
        turn = self._turn[sensor] = self._turn.get(sensor, 0) + 1

        def clear() -> None:
            if self._turn[sensor] == turn:
                self.world.sense(sensor, "off")

        self.world.after(self.dice.uniform(30, 75), clear)

    def goes_back(self, entity_id: str, usual: str) -> None:
        """Let people bring a thing back some time after it came to its usual state, however that came."""
        middle = {"cover": 420.0, "climate": 160.0}.get(entity_id.partition(".")[0], 45.0)
        middle *= self._stay.uniform(0.8, 2.5)
        changes = [0]
        room = self.room.get(entity_id) or ""

        def changed(state: str) -> None:
            changes[0] += 1
            if state == usual and entity_id not in self.keeps:
                minutes = min(max(middle * self.dice.lognormvariate(0, 1.2), 3), 1200)
                self.world.after(minutes * 60, partial(back, changes[0]))

        def back(seen: int) -> None:
            if changes[0] != seen:
                return
            if not self.up():  # asleep or out: some time later
                self.world.after(self.dice.uniform(0.5, 8) * 3600, partial(back, seen))
            elif self.occupied.get(room, 0) > self.world.now or self.dice.random() < 0.6:
                # Who is in the room does it, or somebody in passing, with the remote or in the app: nobody
                # comes in just for that, or "motion, then off" would be a rule.
                self.use(entity_id, BACK[usual], walk=False)
            else:
                self.world.after(self.dice.uniform(0.1, 3) * 3600, partial(back, seen))

        self.world.when(entity_id, changed)

    def enter(self, room: str, until: int, away: list[tuple[int, int]], *, lights: float) -> None:
        """Somebody comes into a room, moves about and leaves it; some switch its light on, and off again."""
        world, dice = self.world, self.dice
        self.occupied[room] = max(self.occupied.get(room, 0), until)
        self.move(room)
        at = world.now + round(dice.uniform(2, 9) * MINUTE)
        while at < until and not any(start <= at < end for start, end in away):
            world.at(at, partial(self.move, room))
            at += round(dice.uniform(2, 10) * MINUTE)
        light = f"light.{room}_ceiling"
        dark = world.sky.is_dark(world.now)
        if dice.random() < lights * (1.0 if dark else 0.3):
            world.after(dice.uniform(3, 200), partial(self.use, light, "on", walk=False))
        world.at(until, partial(self._leave_room, room, light))

    def _leave_room(self, room: str, light: str) -> None:
        if self.occupied.get(room, 0) > self.world.now or light in self.keeps:
            return
        if self.dice.random() < 0.7 and self.world.somebody_home():
            self.use(light, "off")

    def report(self, who: Resident, state: str) -> None:
        """A phone, and then its person, comes or goes."""
        self.world.sense(f"device_tracker.{who.slug}_phone", state)
        self.world.after(0.3, partial(self.world.sense, f"person.{who.slug}", state))

    def door(self) -> None:
        """The front door opens and shuts."""
        self.world.sense("binary_sensor.front_door", "on")
        self.world.after(
            self.world.random.uniform(4, 20), partial(self.world.sense, "binary_sensor.front_door", "off")
        )
