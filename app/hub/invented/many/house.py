"""The houses that invented people live in: rooms and things drawn by lot."""

import random
from dataclasses import dataclass, replace
from typing import Any

from app.hub.invented.many.truth import Step
from app.hub.invented.plan import Plan
from app.model import Area, Automation, Device, Entity, Home, Person, User

FEEDER = "f00000000000000000000000000000ff"
"""The account of another app: a machine."""
_OPTIONAL_ROOMS = ("study", "child_room", "dining_room", "laundry", "guest_room", "attic", "workshop")


@dataclass(frozen=True, slots=True)
class Thing:
    """An entity and the state in which the past begins; `numeric` for a stream of numbers."""

    entity_id: str
    room: str | None
    start: str = "off"
    device_class: str | None = None
    unit: str | None = None
    members: tuple[str, ...] = ()
    category: str | None = None

    @property
    def numeric(self) -> bool:
        return self.unit is not None


@dataclass(frozen=True, slots=True)
class House:
    """Rooms and things, and the automations that exist already."""

    rooms: tuple[str, ...]
    things: tuple[Thing, ...]
    automations: tuple[Automation, ...]

    def has(self, entity_id: str) -> bool:
        return any(thing.entity_id == entity_id for thing in self.things)

    def groups(self) -> dict[str, tuple[str, ...]]:
        return {thing.entity_id: thing.members for thing in self.things if thing.members}


_EACH_ROOM: tuple[tuple[float, Thing], ...] = (
    (1, Thing("light.{}_ceiling", "{}")),
    (0.65, Thing("light.{}_lamp", "{}")),
    (0.85, Thing("binary_sensor.{}_motion", "{}", "off", "motion")),
    (0.5, Thing("sensor.{}_temperature", "{}", "20.4", "temperature", "°C")),
    (0.15, Thing("sensor.{}_battery", "{}", "81", "battery", "%", category="diagnostic")),
)
_HOUSE: tuple[tuple[float, Thing], ...] = (
    (1, Thing("binary_sensor.front_door", "hall", "off", "door")),
    (0.7, Thing("lock.front_door", "hall", "locked")),
    (0.3, Thing("alarm_control_panel.home", "hall", "disarmed")),
    (1, Thing("media_player.tv", "living_room", "off", "tv")),
    (0.7, Thing("cover.living_room_blinds", "living_room", "open", "blind")),
    (0.7, Thing("climate.living_room", "living_room")),
    (0.8, Thing("sensor.living_room_illuminance", "living_room", "0", "illuminance", "lx")),
    (0.5, Thing("binary_sensor.living_room_window", "living_room", "off", "window")),
    (0.75, Thing("switch.coffee_machine", "kitchen", "off", "outlet")),
    (0.7, Thing("switch.kettle", "kitchen", "off", "outlet")),
    (0.7, Thing("media_player.kitchen_radio", "kitchen", "off", "speaker")),
    (0.4, Thing("fan.kitchen_hood", "kitchen")),
    (0.6, Thing("binary_sensor.fridge_door", "kitchen", "off", "door")),
    (0.85, Thing("fan.bathroom", "bathroom")),
    (0.85, Thing("sensor.bathroom_humidity", "bathroom", "52", "humidity", "%")),
    (0.5, Thing("switch.bathroom_mirror", "bathroom", "off", "outlet")),
    (0.8, Thing("light.bedside", "bedroom")),
    (0.6, Thing("cover.bedroom_shutter", "bedroom", "open", "shutter")),
    (0.6, Thing("fan.bedroom", "bedroom")),
    (0.6, Thing("binary_sensor.bedroom_window", "bedroom", "off", "window")),
    (0.5, Thing("climate.bedroom", "bedroom")),
    (0.4, Thing("switch.desk", "bedroom", "off", "outlet")),
    (0.4, Thing("switch.window_star", "living_room", "off", "outlet")),
    (0.5, Thing("switch.speaker_plug", "living_room", "off", "outlet")),
    (0.3, Thing("media_player.bedroom_speaker", "bedroom", "off", "speaker")),
    (0.7, Thing("sensor.outdoor_temperature", None, "11", "temperature", "°C")),
    (0.7, Thing("sensor.house_power", None, "210", "power", "W")),
    (0.5, Thing("switch.fish_feeder", None, "off", "outlet")),
    (0.7, Thing("weather.home", None, "cloudy")),
    (0.5, Thing("input_boolean.guests", None)),
    (0.5, Thing("sensor.washing_machine", None, "idle", "enum")),
    (0.4, Thing("sensor.heat_pump", None, "idle", "enum")),
)
_GARDEN: tuple[tuple[float, Thing], ...] = (
    (1, Thing("light.garden", "garden")),
    (0.8, Thing("binary_sensor.garden_motion", "garden", "off", "motion")),
    (0.4, Thing("switch.fountain", "garden", "off", "outlet")),
)
_GARAGE: tuple[tuple[float, Thing], ...] = (
    (1, Thing("cover.garage_door", "garage", "closed", "garage")),
    (1, Thing("light.garage", "garage")),
)


def furnish(dice: random.Random) -> tuple[tuple[str, ...], list[Thing]]:
    """Return rooms and things of a house of any size."""
    rooms = ["hall", "living_room", "kitchen", "bedroom", "bathroom"]
    rooms += dice.sample(_OPTIONAL_ROOMS, dice.randint(0, 5))
    garden, garage = dice.random() < 0.5, dice.random() < 0.3
    offered = [
        (chance, replace(thing, entity_id=thing.entity_id.format(room), room=room))
        for room in rooms
        for chance, thing in _EACH_ROOM
    ]
    offered += [*_HOUSE, *(_GARDEN if garden else ()), *(_GARAGE if garage else ())]
    things = [thing for chance, thing in offered if dice.random() < chance]
    if dice.random() < 0.6:
        names = tuple(f"light.living_room_spot_{n + 1}" for n in range(dice.randint(2, 4)))
        things.extend(Thing(name, "living_room") for name in names)
        things.append(Thing("light.living_room_spots", "living_room", members=names))
    return (*rooms, *["garden"] * garden, *["garage"] * garage), things


def automation(
    slug: str, triggers: list[dict[str, Any]], action: str, entity_id: str, *, secret: bool = False
) -> Automation:
    """Return an automation as the hub tells it; of a `secret` one the configuration stays unknown."""
    config: dict[str, Any] = {
        "id": slug,
        "alias": slug.replace("_", " "),
        "triggers": triggers,
        "conditions": [],
        "actions": [{"action": action, "target": {"entity_id": entity_id}}],
        "mode": "single",
    }
    return Automation(
        entity_id=f"automation.{slug}",
        unique_id=slug,
        alias=slug.replace("_", " "),
        config={} if secret else config,
    )


def home_of(plan: Plan, house: House) -> Home:
    """Return the facts of an invented home."""
    people = [(f"person.{who.slug}", who.name) for who in plan.residents]
    phones = [(f"device_tracker.{who.slug}_phone", f"{who.name}: phone") for who in plan.residents]
    entities = [
        Entity(
            entity_id=thing.entity_id,
            name=thing.entity_id.partition(".")[2].replace("_", " ").capitalize(),
            area_id=thing.room,
            device_id=None if thing.members or thing.room is None else "d_" + thing.entity_id,
            platform="group" if thing.members else "invented",
            device_class=thing.device_class,
            unit=thing.unit,
            entity_category=thing.category,
            members=thing.members,
        )
        for thing in house.things
    ]
    entities += [Entity(entity_id=entity_id, name=name) for entity_id, name in (*people, *phones)]
    entities += [Entity(entity_id="sun.sun", name="Sun")]
    entities += [Entity(entity_id=one.entity_id, name=one.alias) for one in house.automations]
    return Home(
        home_id=f"invented_{plan.seed}",
        name=f"Invented home {plan.seed}",
        time_zone=plan.zone,
        latitude=plan.latitude,
        longitude=plan.longitude,
        demo=True,
        areas=tuple(Area(area_id=room, name=room.replace("_", " ").capitalize()) for room in house.rooms),
        devices=tuple(
            Device(device_id=entity.device_id, name=entity.name, area_id=entity.area_id)
            for entity in entities
            if entity.device_id
        ),
        entities=tuple(entities),
        persons=tuple(
            Person(entity_id=f"person.{who.slug}", name=who.name, user_id=who.user_id or None)
            for who in plan.residents
        ),
        users=(
            *(User(id=who.user_id, name=who.name) for who in plan.residents if who.user_id),
            User(id=FEEDER, name="Feeder", system_generated=True),
        ),
        automations=house.automations,
    )


def first_states(plan: Plan, house: House) -> dict[str, str]:
    """Return the states of everything that is no stream of numbers, when the past begins."""
    states = {thing.entity_id: thing.start for thing in house.things if not thing.numeric}
    states["sun.sun"] = "below_horizon"
    for who in plan.residents:
        states[f"person.{who.slug}"] = states[f"device_tracker.{who.slug}_phone"] = "home"
    return states | {one.entity_id: "on" for one in house.automations}


BACK: dict[str, str] = {
    "on": "off", "playing": "off", "closed": "open", "open": "closed", "heat": "off", "cool": "off",
    "off": "on",
}  # fmt: skip
"""What a state goes back to."""


def usual(entity_id: str) -> Step:
    """Return the state to which people bring such a thing when they use it."""
    if entity_id == "media_player.tv":
        return entity_id, "on"
    domain = entity_id.partition(".")[0]
    state = {"media_player": "playing", "cover": "closed", "climate": "heat"}
    return entity_id, state.get(domain, "on")
