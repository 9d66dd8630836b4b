from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.hub.attribution import (
    ACTUATORS,
    UNTOLD,
    Attribution,
    Attributor,
    Link,
    attribute,
    context_number,
    contradicts,
    is_ours,
    machine_users,
)
from app.model import Automation, Cause, Home, User

ANA = "3fec5b61f1e2479ab9409264e9602d4a"
SUPERVISOR = "a90b8ce899c748218efb239e577ff5e2"
MACHINES = frozenset({SUPERVISOR})

actuators = st.sampled_from(sorted(ACTUATORS)).map(lambda domain: f"{domain}.x")
sensors = st.sampled_from(["sensor.x", "binary_sensor.x", "device_tracker.x", "person.x"])
states = st.sampled_from(["on", "off", "open", "closed", "heat", "playing", "21.5"])
people = st.sampled_from(["", ANA, "a user nobody knows"])
users = st.sampled_from(["", ANA, SUPERVISOR])
contexts = st.integers(0, 2**63 - 1)
generic = st.sampled_from(["toggle", "set_temperature", "select_option", "media_play"])


@given(actuators, states, users, contexts, st.sampled_from(["automation_triggered", "script_started"]))
def test_what_a_run_does_is_the_machines_whatever_user_it_carries(
    entity_id: str, state: str, user: str, context: int, kind: str
) -> None:
    link = Link(user, kind, "automation", "", "automation.evening", context)

    assert attribute(entity_id, state, link, MACHINES) == Attribution(
        Cause.MACHINE, "automation.evening", context
    )


@given(actuators, states, users, st.sampled_from(["script", "scene", "automation"]))
def test_what_a_script_or_scene_does_is_the_machines_though_a_person_started_it(
    entity_id: str, state: str, user: str, domain: str
) -> None:
    link = Link(user, "call_service", domain, "turn_on", f"{domain}.good_night")

    assert attribute(entity_id, state, link, MACHINES).cause is Cause.MACHINE


@given(people.filter(bool), st.sampled_from(["script", "scene", "automation"]))
def test_starting_a_script_or_scene_is_the_persons_own_act(user: str, domain: str) -> None:
    link = Link(user, "call_service", domain, "turn_on")

    assert attribute(f"{domain}.good_night", "on", link, MACHINES) == Attribution(Cause.PERSON, user)


@given(actuators, states, people.filter(bool), generic, contexts)
def test_a_call_by_a_person_is_theirs(
    entity_id: str, state: str, user: str, service: str, context: int
) -> None:
    link = Link(user, "call_service", entity_id.partition(".")[0], service, context=context)

    assert attribute(entity_id, state, link, MACHINES) == Attribution(Cause.PERSON, user, context)


@given(actuators, states, generic, contexts)
def test_a_call_by_an_app_is_the_machines(entity_id: str, state: str, service: str, context: int) -> None:
    link = Link(SUPERVISOR, "call_service", entity_id.partition(".")[0], service, context=context)

    assert attribute(entity_id, state, link, MACHINES) == Attribution(Cause.MACHINE, SUPERVISOR, context)


@given(actuators, states, generic, st.sampled_from(["call_service", "homekit_state_change"]))
def test_a_call_by_nobody_is_an_integrations(entity_id: str, state: str, service: str, kind: str) -> None:
    link = Link("", kind, entity_id.partition(".")[0], service)

    assert attribute(entity_id, state, link, MACHINES).cause is Cause.MACHINE


@given(actuators, states)
def test_what_is_linked_to_nothing_was_done_by_hand(entity_id: str, state: str) -> None:
    assert attribute(entity_id, state, Link(), MACHINES) == Attribution(Cause.HAND)


@given(sensors, states)
def test_what_a_sensor_says_is_nobodys_act(entity_id: str, state: str) -> None:
    assert attribute(entity_id, state, Link(), MACHINES) == UNTOLD


@given(actuators, states, sensors)
def test_what_follows_a_sensor_is_the_machines(entity_id: str, state: str, source: str) -> None:
    assert attribute(entity_id, state, Link(source=source), MACHINES) == Attribution(Cause.MACHINE, source)


@given(actuators, states, actuators)
def test_what_follows_a_thing_switched_by_hand_was_done_by_hand(
    entity_id: str, state: str, source: str
) -> None:
    assert attribute(entity_id, state, Link(source=source), MACHINES).cause is Cause.HAND


@pytest.mark.parametrize(
    ("service", "fits", "does_not"),
    [
        ("turn_on", "on", "off"),
        ("turn_off", "off", "on"),
        ("open_cover", "opening", "closing"),
        ("close_cover", "closed", "open"),
        ("lock", "locked", "unlocked"),
        ("unlock", "unlocking", "locking"),
    ],
)
@pytest.mark.parametrize("user", ["", ANA, SUPERVISOR])
def test_a_press_just_after_a_call_is_not_the_callers(
    service: str, fits: str, does_not: str, user: str
) -> None:
    domain = {"open_cover": "cover", "close_cover": "cover"}.get(service, "light")
    link = Link(user, "call_service", domain, service, context=7)

    assert attribute(f"{domain}.x", does_not, link, MACHINES) == Attribution(Cause.HAND)
    assert attribute(f"{domain}.x", fits, link, MACHINES).cause is not Cause.HAND


def test_a_thing_that_moves_against_another_still_belongs_to_that_ones_call() -> None:
    link = Link(ANA, "call_service", "input_boolean", "turn_on")

    assert attribute("switch.away_mode", "off", link, MACHINES).cause is Cause.PERSON


@given(st.sampled_from(["heat", "playing", "idle", "21.5", "docked", "armed_home"]))
def test_a_state_that_is_neither_of_two_contradicts_nothing(state: str) -> None:
    assert not contradicts("turn_on", state)


def history(*changes: tuple[str, int, Mapping[str, Any] | None]) -> list[Cause]:
    attributor = Attributor(MACHINES)
    return [
        attributor.note("cover.blind", state, at * 1000, None if link is None else Link(**link)).cause
        for state, at, link in changes
    ]


BY_ANA: Mapping[str, Any] = {
    "user_id": ANA,
    "event_type": "call_service",
    "domain": "cover",
    "service": "toggle",
}


def test_what_a_moving_thing_comes_to_rest_in_belongs_to_whoever_moved_it() -> None:
    assert history(("open", 0, {}), ("closing", 10, BY_ANA), ("closed", 40, {})) == [
        Cause.HAND,
        Cause.PERSON,
        Cause.PERSON,
    ]


def test_coming_to_rest_long_after_is_an_act_of_its_own() -> None:
    assert history(("closing", 10, BY_ANA), ("closed", 400, {})) == [Cause.PERSON, Cause.HAND]


def test_what_comes_back_from_being_away_is_nobodys_act() -> None:
    assert history(("open", 0, {}), ("unavailable", 10, {}), ("open", 99, {}), ("closed", 200, {})) == [
        Cause.HAND,
        Cause.UNKNOWN,
        Cause.UNKNOWN,
        Cause.HAND,
    ]


def test_a_person_who_sets_what_was_unknown_still_did_it() -> None:
    assert history(("unknown", 0, {}), ("open", 10, BY_ANA)) == [Cause.UNKNOWN, Cause.PERSON]


def test_what_is_not_told_is_not_guessed() -> None:
    assert history(("open", 0, None), ("closed", 9, None)) == [Cause.UNKNOWN, Cause.UNKNOWN]


def test_a_seeded_state_is_where_the_first_change_starts_from() -> None:
    attributor = Attributor(MACHINES)
    attributor.seed("light.x", "unavailable", 0)

    assert attributor.state_of("light.x") == "unavailable"
    assert attributor.note("light.x", "on", 1000, Link()) == UNTOLD
    assert attributor.note("light.x", "off", 2000, Link()).cause is Cause.HAND


@given(st.text(max_size=60))
def test_a_contexts_number_fits_63_bits_and_is_always_the_same(context_id: str) -> None:
    number = context_number(context_id)

    assert 0 <= number < 2**63
    assert number == context_number(context_id)
    assert (number == 0) == (context_id == "")


def test_a_contexts_number_is_the_end_of_its_ulid() -> None:
    ulid, raw = "01M81F17J92KSBYP4RH8TJNRAC", 0x01A202F09E4914F2BF58988A352AE14C

    assert context_number(ulid) == context_number(ulid.lower()) == raw & (2**63 - 1)
    assert context_number(f"{raw:032x}") == raw & (2**63 - 1)


def test_users_that_the_system_made_are_machines() -> None:
    home = Home(users=(User(id=ANA), User(id=SUPERVISOR, system_generated=True)))

    assert machine_users(home) == {SUPERVISOR}


@pytest.mark.parametrize(
    ("automation", "ours"),
    [
        (Automation(entity_id="automation.a", unique_id="nightshift_0a1b"), True),
        (Automation(entity_id="automation.a", config={"id": "nightshift_0a1b"}), True),
        (Automation(entity_id="automation.nightshift_a", unique_id="1700000000000"), False),
        (Automation(entity_id="automation.a"), False),
    ],
)
def test_automations_that_nightshift_made_are_recognised(automation: Automation, *, ours: bool) -> None:
    assert is_ours(automation) is ours
