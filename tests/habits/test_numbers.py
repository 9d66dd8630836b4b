"""Numbers that people act on: how dark it is in the room, and how warm."""

from datetime import timedelta

import numpy as np

from app.habits.numbers import Series
from app.habits.suggestion import Suggestion
from app.model import Cause
from tests.habits.stories import Story, null_home


def only(story: Story, entity_id: str) -> Suggestion:
    (one,) = [one for one in story.mined().suggestions if entity_id in one.habit["entities"]]
    return one


def test_what_a_meter_said_last_is_so_until_it_says_otherwise() -> None:
    hour = 3_600_000
    dusk = Series("illuminance", np.array([0], np.int64), np.array([0.0], np.float32))
    assert dusk.value_at(np.array([14 * hour], np.int64)).tolist() == [0.0]
    assert np.isnan(dusk.value_at(np.array([25 * hour], np.int64))).all()


def daylight(minute: float, cloudy: float) -> float:
    """Return lux: dark at night, as bright as the clouds let it be by day."""
    return round(cloudy * max(0.0, float(np.sin((minute - 480) / 540 * np.pi))) if 480 < minute < 1020 else 0)


def gloomy_room(seed: int = 72) -> Story:
    """The lamp comes on with motion when it is dim, by day as well; the meter tells nothing while it is 0."""
    story = null_home(seed, days=45)
    dice = story.random
    story.entity("sensor.den_light", name="den light", device_class="illuminance", unit="lx")
    story.entity("binary_sensor.den", name="den", device_class="motion")
    for day in story.every_day():
        cloudy = float(dice.choice([30.0, 60.0, 300.0, 500.0]))
        said = -1.0
        for minute in range(0, 1440, 5):
            if (lux := daylight(minute, cloudy)) != said:
                story.set("sensor.den_light", f"{lux:.0f}", story.at(day, minute), Cause.UNKNOWN)
                said = lux
        for minute in range(400, 1380, 65):
            came = minute + float(dice.uniform(0, 25))
            story.set("binary_sensor.den", "on", story.at(day, came), Cause.UNKNOWN)
            story.set("binary_sensor.den", "off", story.at(day, came + 2), Cause.UNKNOWN)
            if daylight(came, cloudy) < 50 and dice.random() < 0.85:
                on = story.at(day, came) + timedelta(seconds=float(dice.uniform(5, 20)))
                story.set("light.den", "on", on)
                story.set("light.den", "off", on + timedelta(minutes=float(dice.uniform(10, 30))))
    return story


def test_a_lamp_that_is_wanted_when_the_room_is_dim_asks_its_meter_and_not_the_sun() -> None:
    one = only(gloomy_room(), "light.den")
    (asked,) = [part for part in one.automation["conditions"] if part["condition"] == "numeric_state"]
    assert asked["entity_id"] == "sensor.den_light"
    assert 30 <= asked["below"] <= 70
    assert not any(part["condition"] == "sun" for part in one.automation["conditions"])


def warm_afternoons(seed: int = 73) -> Story:
    """A room that is above 22 degrees for nine hours a day, and a shutter that comes down when it gets so."""
    story = null_home(seed, days=45)
    dice = story.random
    story.entity("sensor.room_warmth", name="room warmth", device_class="temperature", unit="°C")
    for day in story.every_day():
        base, begin = float(dice.normal(21.3, 0.3)), float(dice.uniform(330, 630))
        passed = False
        for minute in range(0, 1440, 10):
            warmth = base + 2.5 * float(np.sin((minute - begin) / 1440 * 2 * np.pi))
            story.set("sensor.room_warmth", f"{warmth:.1f}", story.at(day, minute), Cause.UNKNOWN)
            if warmth > 22.05 and not passed and minute > begin and dice.random() < 0.95:
                down = story.at(day, minute) + timedelta(seconds=float(dice.uniform(60, 240)))
                story.set("cover.shutter", "closed", down)
                story.set("cover.shutter", "open", down + timedelta(hours=float(dice.uniform(5, 9))))
            passed = passed or (warmth > 22.05 and minute > begin)
    return story


def test_a_limit_that_is_passed_for_nine_hours_a_day_is_a_limit() -> None:
    (trigger,) = only(warm_afternoons(), "cover.shutter").automation["triggers"]
    assert trigger["entity_id"] == "sensor.room_warmth"
    assert trigger["above"] == 22


def test_a_limit_below_which_a_meter_mostly_lies_is_one_where_it_is_crossed_seldom() -> None:
    story = null_home(12, days=40)
    story.entity("sensor.washer_power", device_class="power", unit_of_measurement="W")
    dice = np.random.default_rng(4)
    for day in story.every_day():
        if day % 4 == 3:
            continue
        begin = float(dice.uniform(9, 17)) * 60
        for minute in range(0, 1440, 15):
            if not begin - 5 <= minute <= begin + 80:
                story.set(
                    "sensor.washer_power",
                    f"{dice.uniform(0.6, 1.9):.1f}",
                    story.at(day, minute),
                    Cause.UNKNOWN,
                )
        for minute in range(0, 75, 5):
            watts = f"{dice.uniform(120, 900):.0f}"
            story.set("sensor.washer_power", watts, story.at(day, begin + minute), Cause.UNKNOWN)
        story.set("sensor.washer_power", "1.2", story.at(day, begin + 75), Cause.UNKNOWN)
        if dice.random() < 0.9:
            on = story.at(day, begin + 75) + timedelta(seconds=float(dice.uniform(40, 150)))
            story.set("light.laundry", "on", on)
            story.set("light.laundry", "off", on + timedelta(minutes=float(dice.uniform(10, 30))))
    story.events.sort(key=lambda event: event.at)
    (trigger,) = only(story, "light.laundry").automation["triggers"]
    assert trigger["entity_id"] == "sensor.washer_power"
    assert 1.9 < trigger["below"] <= 120
