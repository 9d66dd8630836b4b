"""The invented house: its rooms, devices, entities, people, accounts and the automations it already has."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from app.hub.invented.plan import Plan
from app.model import Area, Automation, Device, Entity, Home, Person, User

BRIDGE_USER = "d00000000000000000000000000000ff"
"""The account of another app, which feeds the fish: a machine."""

_AREAS = {
    "hall": "Hall", "living_room": "Living room", "kitchen": "Kitchen", "bedroom": "Bedroom",
    "child_room": "Child's room", "bathroom": "Bathroom", "study": "Study", "garden": "Garden",
}  # fmt: skip
MOTION_ROOMS = ("hall", "living_room", "kitchen", "bedroom", "child_room", "study")


class Thing(NamedTuple):
    """An entity of the house; `start` is its state when the invented past begins, `part_of` the entity whose
    device it shares.
    """

    entity_id: str
    name: str
    area: str | None
    start: str
    device_class: str | None = None
    unit: str | None = None
    members: tuple[str, ...] = ()
    category: str | None = None
    part_of: str = ""


_SOFA, _SHELF, _WINDOW = "light.living_room_sofa", "light.living_room_shelf", "light.living_room_window"
_THINGS = (
    Thing("light.hall_ceiling", "Hall ceiling", "hall", "off"),
    Thing("light.hall_lamp", "Hall lamp", "hall", "off"),
    Thing("binary_sensor.hall_motion", "Hall motion", "hall", "off", "motion"),
    Thing("binary_sensor.front_door", "Front door", "hall", "off", "door"),
    Thing("lock.front_door", "Front door lock", "hall", "locked"),
    Thing("light.living_room", "Living room lights", "living_room", "off", members=(_SOFA, _SHELF, _WINDOW)),
    Thing(_SOFA, "Sofa light", "living_room", "off"),
    Thing(_SHELF, "Shelf light", "living_room", "off"),
    Thing(_WINDOW, "Window light", "living_room", "off"),
    Thing("light.dim_lamp", "Dim lamp", "living_room", "off"),
    Thing("media_player.tv", "TV", "living_room", "off", "tv"),
    Thing("cover.living_room_blinds", "Living room blinds", "living_room", "open", "blind"),
    Thing("climate.living_room", "Living room heating", "living_room", "off"),
    Thing("binary_sensor.living_room_motion", "Living room motion", "living_room", "off", "motion"),
    Thing("sensor.living_room_temperature", "Living room temperature", "living_room", "20.4",
          "temperature", "°C"),
    Thing("sensor.living_room_humidity", "Living room humidity", "living_room", "48", "humidity", "%"),
    Thing("sensor.living_room_illuminance", "Living room brightness", "living_room", "0",
          "illuminance", "lx"),
    Thing("light.kitchen", "Kitchen light", "kitchen", "off"),
    Thing("switch.coffee_machine", "Coffee machine", "kitchen", "off", "outlet"),
    Thing("switch.kettle", "Kettle", "kitchen", "off", "outlet"),
    Thing("media_player.kitchen_radio", "Kitchen radio", "kitchen", "off", "speaker"),
    Thing("binary_sensor.kitchen_motion", "Kitchen motion", "kitchen", "off", "motion"),
    Thing("binary_sensor.fridge_door", "Fridge door", "kitchen", "off", "door"),
    Thing("sensor.kitchen_temperature", "Kitchen temperature", "kitchen", "20.9", "temperature", "°C"),
    Thing("sensor.fridge_power", "Fridge power", "kitchen", "1.2", "power", "W"),
    Thing("light.bedroom", "Bedroom light", "bedroom", "off"),
    Thing("light.bedside", "Bedside lamp", "bedroom", "off"),
    Thing("binary_sensor.bedroom_motion", "Bedroom motion", "bedroom", "off", "motion"),
    Thing("sensor.bedroom_temperature", "Bedroom temperature", "bedroom", "18.2", "temperature", "°C"),
    Thing("light.child_room", "Child's room light", "child_room", "off"),
    Thing("light.night_light", "Night light", "child_room", "off"),
    Thing("binary_sensor.child_room_motion", "Child's room motion", "child_room", "off", "motion"),
    Thing("sensor.child_room_temperature", "Child's room temperature", "child_room", "19.5",
          "temperature", "°C"),
    Thing("light.bathroom", "Bathroom light", "bathroom", "off"),
    Thing("fan.bathroom", "Bathroom fan", "bathroom", "off"),
    Thing("sensor.bathroom_humidity", "Bathroom humidity", "bathroom", "52", "humidity", "%"),
    Thing("sensor.bathroom_temperature", "Bathroom temperature", "bathroom", "21.3", "temperature", "°C"),
    Thing("light.study", "Study light", "study", "off"),
    Thing("binary_sensor.study_motion", "Study motion", "study", "off", "motion"),
    Thing("sensor.study_temperature", "Study temperature", "study", "20.1", "temperature", "°C"),
    Thing("switch.fish_tank", "Fish tank feeder", "study", "off", "outlet"),
    Thing("light.garden", "Garden lights", "garden", "off"),
    Thing("binary_sensor.garden_motion", "Garden motion", "garden", "off", "motion"),
    Thing("sensor.outdoor_temperature", "Outdoor temperature", "garden", "11.0", "temperature", "°C"),
    Thing("sensor.garden_illuminance", "Garden brightness", "garden", "0", "illuminance", "lx"),
    Thing("sensor.house_power", "House power", None, "210", "power", "W"),
    Thing("sensor.solar_power", "Solar power", None, "0", "power", "W"),
    Thing("input_boolean.guests", "Guests", None, "off"),
    Thing("weather.demo", "Weather", None, "cloudy"),
    Thing("sensor.washing_machine", "Washing machine", None, "idle", "enum"),
    Thing("update.demo_firmware", "Firmware", None, "off", category="config"),
)  # fmt: skip

_STREAMS = frozenset(thing.entity_id for thing in _THINGS if thing.unit)


def groups() -> dict[str, tuple[str, ...]]:
    """Return the groups and their members."""
    return {thing.entity_id: thing.members for thing in _THINGS if thing.members}


def first_states(plan: Plan) -> dict[str, str]:
    """Return the states of everything that is no stream of numbers, when the past begins."""
    states = {thing.entity_id: thing.start for thing in _THINGS if thing.entity_id not in _STREAMS}
    states["sun.sun"] = "below_horizon"
    for resident in plan.residents:
        states[f"person.{resident.slug}"] = "home"
        states[f"device_tracker.{resident.slug}_phone"] = "home"
    for automation in AUTOMATIONS:
        states[automation.entity_id] = "on"
    return states


def _automation(
    slug: str, alias: str, triggers: list[dict[str, Any]], action: str, target: str,
    conditions: list[dict[str, Any]] | None = None,
) -> Automation:  # fmt: skip
    config = {
        "id": f"demo_{slug}",
        "alias": alias,
        "triggers": triggers,
        "conditions": conditions or [],
        "actions": [{"action": action, "target": {"entity_id": target}}],
        "mode": "single",
    }
    return Automation(entity_id=f"automation.{slug}", unique_id=f"demo_{slug}", alias=alias, config=config)


def _clock(at: str) -> list[dict[str, Any]]:
    return [{"trigger": "time", "at": at}]


def _has_been(entity_id: str, state: str, minutes: int = 0) -> list[dict[str, Any]]:
    trigger: dict[str, Any] = {"trigger": "state", "entity_id": entity_id, "to": state}
    return [trigger | ({"for": {"minutes": minutes}} if minutes else {})]


AUTOMATIONS = (
    _automation("garden_on", "Garden lights on at sunset", [{"trigger": "sun", "event": "sunset"}],
                "light.turn_on", "light.garden"),
    _automation("garden_off", "Garden lights off at 23:30", _clock("23:30:00"),
                "light.turn_off", "light.garden"),
    _automation("study_on", "Study light on motion", _has_been("binary_sensor.study_motion", "on"),
                "light.turn_on", "light.study"),
    _automation("study_off", "Study light off", _has_been("binary_sensor.study_motion", "off", 10),
                "light.turn_off", "light.study"),
    _automation("hall_off", "Hall ceiling off", _has_been("binary_sensor.hall_motion", "off", 5),
                "light.turn_off", "light.hall_ceiling"),
    _automation("fan_off", "Bathroom fan off", _has_been("fan.bathroom", "on", 15),
                "fan.turn_off", "fan.bathroom"),
    _automation("coffee_off", "Coffee machine off", _has_been("switch.coffee_machine", "on", 40),
                "switch.turn_off", "switch.coffee_machine"),
    _automation("blinds_open", "Blinds open at 08:00", _clock("08:00:00"),
                "cover.open_cover", "cover.living_room_blinds"),
    _automation("night_light_on", "Night light on", _clock("19:30:00"), "light.turn_on", "light.night_light"),
    _automation("night_light_off", "Night light off", _clock("21:00:00"),
                "light.turn_off", "light.night_light"),
    _automation("heating_on", "Heating on", _clock("05:45:00"), "climate.turn_on", "climate.living_room"),
    _automation("heating_off", "Heating off", _clock("22:30:00"), "climate.turn_off", "climate.living_room"),
    _automation("lock_door", "Lock the front door", _has_been("binary_sensor.front_door", "off", 1),
                "lock.lock", "lock.front_door"),
)  # fmt: skip


def home_of(plan: Plan) -> Home:
    """Return the invented home's facts."""
    things = [
        *_THINGS,
        Thing("sun.sun", "Sun", None, "below_horizon"),
        *(Thing(f"person.{resident.slug}", resident.name, None, "home") for resident in plan.residents),
        *(
            Thing(f"device_tracker.{resident.slug}_phone", f"{resident.name}: phone", None, "home")
            for resident in plan.residents
        ),
        *(Thing(automation.entity_id, automation.alias, None, "on") for automation in AUTOMATIONS),
    ]
    return Home(
        home_id="home",
        name="Demo home",
        time_zone=plan.zone,
        latitude=plan.latitude,
        longitude=plan.longitude,
        demo=True,
        areas=tuple(Area(area_id=area_id, name=name) for area_id, name in _AREAS.items()),
        devices=devices_of(things),
        entities=entities_of(things),
        persons=tuple(
            Person(entity_id=f"person.{who.slug}", name=who.name, user_id=who.user_id or None)
            for who in plan.residents
        ),
        users=(
            *(
                User(id=who.user_id, name=who.name, is_owner=place == 0, is_admin=place == 0)
                for place, who in enumerate(plan.residents)
                if who.user_id
            ),
            User(id=BRIDGE_USER, name="Fish feeder (demo)", system_generated=True),
        ),
        automations=AUTOMATIONS,
    )


def devices_of(things: Iterable[Thing]) -> tuple[Device, ...]:
    """Return the devices that come with those things."""
    return tuple(
        Device(device_id=device_of(thing.entity_id), name=thing.name, area_id=thing.area)
        for thing in things
        if thing.area and not thing.members and not thing.part_of
    )


def entities_of(things: Iterable[Thing]) -> tuple[Entity, ...]:
    return tuple(
        Entity(
            entity_id=thing.entity_id,
            name=thing.name,
            area_id=thing.area,
            device_id=(
                device_of(thing.part_of or thing.entity_id) if thing.area and not thing.members else None
            ),
            platform="group" if thing.members else "demo",
            device_class=thing.device_class,
            unit=thing.unit,
            entity_category=thing.category,
            members=thing.members,
        )
        for thing in things
    )


def device_of(entity_id: str) -> str:
    return "demo_" + entity_id.replace(".", "_")
