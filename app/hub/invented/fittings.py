"""What the demo's house has beside the house that miners are measured on.

Meters, batteries, detectors, a door and windows. They stand apart so that a benchmark's home stays as it was.
"""

from app.hub.invented.house import Thing, devices_of, entities_of
from app.model import Home

GRID_ENERGY = "sensor.grid_energy"
FREEZER = "sensor.freezer_temperature"
SILENT = "sensor.garden_soil_moisture"
LEFT_OPEN = "binary_sensor.terrace_door"

BATTERIES = {
    "binary_sensor.front_door": ("sensor.front_door_battery", 91.0, 0.05),
    "lock.front_door": ("sensor.front_door_lock_battery", 58.0, 0.2),
    "binary_sensor.hall_motion": ("sensor.hall_motion_battery", 78.0, 0.12),
    "binary_sensor.kitchen_motion": ("sensor.kitchen_motion_battery", 64.0, 0.11),
    "binary_sensor.bedroom_motion": ("sensor.bedroom_motion_battery", 83.0, 0.1),
    "binary_sensor.bathroom_leak": ("sensor.bathroom_leak_battery", 19.0, 0.45),
}
"""Of what: its sensor, the per cent left when the past begins, and how much of it goes in a day."""
OPENINGS = {
    LEFT_OPEN: (9.0, 19.0, 5.0),
    "binary_sensor.bathroom_window": (7.0, 22.0, 25.0),
    "binary_sensor.bedroom_window": (7.0, 21.0, 40.0),
}
"""Door or window: between which hours it is opened, and for how many minutes on average."""
DETECTORS = (
    "binary_sensor.bathroom_leak", "binary_sensor.washing_machine_leak",
    "binary_sensor.hall_smoke", "binary_sensor.kitchen_smoke",
)  # fmt: skip

_THINGS = (
    Thing(GRID_ENERGY, "Energy from the grid", None, "0", "energy", "kWh"),
    Thing("sensor.living_room_co2", "Living room CO₂", "living_room", "420", "carbon_dioxide", "ppm"),
    Thing("sensor.bedroom_co2", "Bedroom CO₂", "bedroom", "420", "carbon_dioxide", "ppm"),
    Thing("sensor.child_room_co2", "Child's room CO₂", "child_room", "420", "carbon_dioxide", "ppm"),
    Thing(FREEZER, "Freezer temperature", "kitchen", "-18", "temperature", "°C"),
    Thing(SILENT, "Garden soil moisture", "garden", "31", "moisture", "%"),
    Thing(LEFT_OPEN, "Terrace door", "living_room", "off", "door"),
    Thing("binary_sensor.bathroom_window", "Bathroom window", "bathroom", "off", "window"),
    Thing("binary_sensor.bedroom_window", "Bedroom window", "bedroom", "off", "window"),
    Thing("binary_sensor.bathroom_leak", "Bathroom leak sensor", "bathroom", "off", "moisture"),
    Thing("binary_sensor.washing_machine_leak", "Washing machine leak sensor", "kitchen", "off", "moisture"),
    Thing("binary_sensor.hall_smoke", "Hall smoke detector", "hall", "off", "smoke"),
    Thing("binary_sensor.kitchen_smoke", "Kitchen smoke detector", "kitchen", "off", "smoke"),
)


def fitted(home: Home) -> Home:
    """Return the home with its fittings."""
    known = {entity.entity_id: (entity.name, entity.area_id) for entity in home.entities}
    known |= {thing.entity_id: (thing.name, thing.area) for thing in _THINGS}
    batteries = [
        Thing(
            sensor, f"{known[of][0]} battery", known[of][1], "100", "battery", "%",
            category="diagnostic", part_of=of,
        )
        for of, (sensor, _, _) in BATTERIES.items()
    ]  # fmt: skip
    things = [*_THINGS, *batteries]
    return home.model_copy(
        update={
            "devices": home.devices + devices_of(things),
            "entities": home.entities + entities_of(things),
        }
    )
