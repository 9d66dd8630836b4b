"""Notes: what is worth knowing and is no automation."""

from datetime import timedelta

from app.habits.suggestion import Analysis, Note
from tests.habits.stories import Story, null_home


def of_kind(analysis: Analysis, kind: str) -> list[Note]:
    return [note for note in analysis.notes if note.kind == kind]


def test_an_act_that_stopped_is_noted() -> None:
    story = null_home(41, days=50)
    story.habit("light.desk", 9 * 60, adherence=0.95)
    end = story.at(32, 0)
    story.events = [
        one
        for one in story.events
        if one.entity_id != "light.desk" or one.at < end.timestamp() * 1000
    ]  # fmt: skip
    analysis = story.mined()
    note = next(note for note in of_kind(analysis, "stopped") if note.state == "on")
    assert note.entities == ["light.desk"]
    assert note.facts["days_since"] >= 14
    assert "has stopped" in note.text
    assert not any("light.desk" in one.habit["entities"] for one in analysis.suggestions)


def test_a_thing_that_behaves_unlike_itself_is_noted() -> None:
    story = null_home(42, days=40)
    for day in story.every_day():
        for number in range(8 if day >= 33 else 1):
            on = story.at(day, 500 + 70 * number + float(story.random.uniform(0, 60)))
            story.set("switch.heater_fan", "on", on)
            story.set("switch.heater_fan", "off", on + timedelta(minutes=5))
    (on_note, _) = of_kind(story.mined(), "unlike itself")
    assert on_note.entities == ["switch.heater_fan"]
    assert on_note.facts["lately_a_day"] == 8.0
    assert 0.9 <= on_note.facts["usual_a_day"] <= 1.0


def test_what_belongs_to_the_weekend_is_noted() -> None:
    story = null_home(43, days=70)
    for day in story.every_day((5, 6)):
        on = story.at(day, float(story.random.uniform(500, 1300)))
        story.set("light.workshop", "on", on)
        story.set("light.workshop", "off", on + timedelta(minutes=float(story.random.uniform(20, 100))))
    notes = [note for note in of_kind(story.mined(), "week") if "light.workshop" in note.entities]
    assert [note.state for note in notes] == ["on", "off"]
    assert "on weekend days" in notes[0].text


def test_a_moment_that_moves_is_offered_as_it_is_of_late_and_noted() -> None:
    story = Story(60, seed=44)
    story.heartbeat()
    for day in story.every_day():
        on = story.at(day, 20 * 60 + day * 0.8 + story.random.normal(0, 4))
        story.set("light.moving", "on", on)
        story.set("light.moving", "off", on + timedelta(minutes=float(story.random.uniform(30, 90))))
    analysis = story.mined()
    (one,) = [one for one in analysis.suggestions if one.habit["state"] == "on"]
    assert one.habit["at"] in {"20:40:00", "20:45:00", "20:50:00"}
    assert "later meanwhile" in one.description
    (note,) = [note for note in of_kind(analysis, "shift") if note.state == "on"]
    assert 35 <= note.facts["minutes"] <= 60


def test_rooms_and_the_most_used_things_are_told_with_their_rates() -> None:
    story = null_home(45)
    story.entity("light.lamp_0", area_id="kitchen")
    analysis = story.mined()
    (room,) = of_kind(analysis, "room")
    assert room.text.startswith("In the Kitchen people switch something ")
    devices = of_kind(analysis, "device")
    assert 0 < len(devices) <= 5
    assert devices[0].facts["a_day"] >= devices[-1].facts["a_day"]


def test_two_weeks_are_too_few_for_notes_of_change() -> None:
    kinds = {note.kind for note in null_home(46, days=16).mined().notes}
    assert kinds <= {"room", "device"}
