"""One small invented home for each kind of habit, for the tests here and for a real hub to validate."""

from collections.abc import Callable
from datetime import date, timedelta

import numpy as np

from app.clock import from_ms, to_ms
from app.model import Cause, Person
from tests.habits.stories import Story, null_home

ROUTINE = ("light.r_hall", "light.r_kitchen", "fan.r_office", "media_player.r_radio")


def clock() -> Story:
    story = null_home(3)
    story.habit("switch.desk_fan", 6 * 60 + 45, spread=6, adherence=0.9, weekdays=(0, 1, 2, 3, 4))
    return story


def sun() -> Story:
    story = Story(60, seed=2, start=date(2026, 2, 2))
    story.heartbeat()
    for day in story.every_day():
        story.set("light.porch", "on", story.at(day, story.sunset(day) - 20 + story.random.normal(0, 5)))
        story.set("light.porch", "off", story.at(day, 23 * 60 + story.random.normal(0, 15)))
    return story


def comings_and_goings(story: Story) -> list[tuple[int, int]]:
    """Let two people leave and come back; return for each day when (ms) the last left and the first came."""
    seen: list[tuple[int, int]] = []
    for name in ("ana", "ben"):
        story.persons.append(Person(entity_id=f"person.{name}", name=name.title()))
    for day in story.every_day():
        gone = [story.at(day, 8 * 60 + story.random.normal(0, 45)) for _ in range(2)]
        back = [story.at(day, 17 * 60 + 30 + story.random.normal(0, 80)) for _ in range(2)]
        for name, left, came in zip(("ana", "ben"), gone, back, strict=True):
            story.set(f"person.{name}", "not_home", left, Cause.UNKNOWN)
            story.set(f"person.{name}", "home", came, Cause.UNKNOWN)
        seen.append((to_ms(max(gone)), to_ms(min(back))))
    return seen


def last_leaves() -> Story:
    story = null_home(31, days=40)
    for gone, _ in comings_and_goings(story):
        on = from_ms(gone) - timedelta(minutes=float(story.random.uniform(5, 60)))
        wait = float(story.random.uniform(5, 60)) if story.random.random() < 0.9 else 5000.0
        story.set("media_player.radio", "playing", on)
        story.set("media_player.radio", "off", from_ms(gone) + timedelta(seconds=wait), Cause.PERSON)
    return story


def first_arrives() -> Story:
    story = null_home(36, days=40)
    for _, back in comings_and_goings(story):
        if story.random.random() < 0.95:
            on = from_ms(back) + timedelta(seconds=float(story.random.uniform(10, 60)))
            story.set("light.entry", "on", on, Cause.PERSON)
            story.set("light.entry", "off", on + timedelta(minutes=float(story.random.uniform(20, 100))))
    return story


def after_being_on() -> Story:
    story = null_home(32)
    for day in story.every_day():
        for minute in np.sort(story.random.uniform(420, 1300, 2)).tolist():
            on = story.at(day, minute)
            stay = story.random.normal(20, 1.5) if story.random.random() < 0.9 else 50.0
            story.set("fan.toilet", "on", on)
            story.set("fan.toilet", "off", on + timedelta(minutes=float(stay)))
    return story


def humidity() -> Story:
    story = null_home(33, days=40)
    story.entity("sensor.bath_humidity", name="bath humidity", device_class="humidity", unit="%")
    for day in story.every_day():
        first, second = np.sort(story.random.uniform(400, 1250, 2)).tolist()
        showers = [first, second] if second - first > 150 else [first]
        value, on = 50.0, None
        for minute in range(0, 1440, 2):
            wet = any(start <= minute < start + 12 for start in showers)
            value = min(92.0, value + 5) if wet else value + (50 - value) * 0.06
            seen = value + float(story.random.normal(0, 0.4))
            at = story.at(day, minute)
            story.set("sensor.bath_humidity", f"{seen:.1f}", at, Cause.UNKNOWN)
            soon = at + timedelta(seconds=float(story.random.uniform(20, 110)))
            if on is None and wet and seen > 68 and story.random.random() < 0.9:
                on = minute
                story.set("fan.bath", "on", soon)
            elif on is not None and minute > on + 16 and seen < 60:
                on = None
                story.set("fan.bath", "off", soon)
        if on is not None:
            story.set("fan.bath", "off", story.at(day, 1439))
    return story


def another_entitys_state() -> Story:
    story = null_home(34, days=40)
    story.motion("binary_sensor.sofa", 12)
    films: list[tuple[int, int]] = []
    for day in story.every_day():
        for hour in (9, 13, 17, 21):
            if story.random.random() < 0.6:
                start = story.at(day, hour * 60 + float(story.random.uniform(0, 60)))
                end = start + timedelta(minutes=float(story.random.uniform(60, 115)))
                story.set("media_player.film", "playing", start)
                story.set("media_player.film", "off", end)
                films.append((to_ms(start), to_ms(end)))
    busy = 0
    seen = [one for one in story.events if one.entity_id == "binary_sensor.sofa" and one.state == "on"]
    for event in sorted(seen, key=lambda one: one.at):
        playing = any(start < event.at < end for start, end in films)
        if event.at > busy and playing and story.random.random() < 0.9:
            on = from_ms(event.at) + timedelta(seconds=float(story.random.uniform(3, 20)))
            off = on + timedelta(minutes=float(story.random.uniform(3, 30)))
            story.set("light.glow", "on", on)
            story.set("light.glow", "off", off)
            busy = to_ms(off)
    return story


def arrival_and_bedtime() -> Story:
    """Four things are turned on in a minute on coming home, and off again in two at bedtime."""
    story = null_home(35, days=40)
    story.persons.append(Person(entity_id="person.ana", name="Ana"))
    for day in story.every_day():
        story.set("person.ana", "not_home", story.at(day, 480 + story.random.normal(0, 50)), Cause.UNKNOWN)
        back = story.at(day, 17 * 60 + story.random.normal(0, 80))
        story.set("person.ana", "home", back, Cause.UNKNOWN)
        if story.random.random() < 0.92:
            for place, thing in enumerate(ROUTINE):
                on = back + timedelta(seconds=20 + 12 * place + float(story.random.uniform(0, 8)))
                story.set(thing, "playing" if "radio" in thing else "on", on, Cause.PERSON)
        bed = story.at(day, 23 * 60 + story.random.normal(0, 6))
        for place, thing in enumerate(ROUTINE):
            late = 0.0 if story.random.random() < 0.95 else 3000.0
            seconds = 25 * place + float(story.random.uniform(0, 15)) + late
            story.set(thing, "off", bed + timedelta(seconds=seconds))
    return story


KINDS: dict[str, Callable[[], Story]] = {
    "clock": clock,
    "sun": sun,
    "the last leaves": last_leaves,
    "the first arrives": first_arrives,
    "off after being on": after_being_on,
    "humidity rises": humidity,
    "while something else is on": another_entitys_state,
    "routines": arrival_and_bedtime,
}
