from typing import Any

from app.hub.attribution import Link, context_number
from app.hub.logbook import Logbook

ANA = "3fec5b61f1e2479ab9409264e9602d4a"
RUN = "01M81F17J92KSBYP4RH8TJNRAC"
CALL = "01M81F1M8SCYX4QN378QKZND5R"


def entry(when: float, entity_id: str, state: str, **more: Any) -> dict[str, Any]:
    return {"when": when, "entity_id": entity_id, "state": state, **more}


def call(when: float, service: str, **more: Any) -> dict[str, Any]:
    domain, _, name = service.partition(".")
    return {"when": when, "domain": domain, "service": name, "context_id": CALL, **more}


def test_a_change_is_found_by_entity_state_and_instant() -> None:
    logbook = Logbook([entry(100.0004, "light.a", "on", context_user_id=ANA)])

    assert logbook.link("light.a", "on", 100_000) == Link(user_id=ANA)
    assert logbook.link("light.a", "on", 100_002) == Link(user_id=ANA)
    assert logbook.link("light.a", "off", 100_000) is None
    assert logbook.link("light.b", "on", 100_000) is None
    assert logbook.link("light.a", "on", 101_000) is None


def test_what_an_automation_did_has_the_number_of_its_latest_run() -> None:
    run = {
        "entity_id": "automation.evening",
        "name": "Evening",
        "message": "triggered",
        "domain": "automation",
    }
    linked = {"context_event_type": "automation_triggered", "context_entity_id": "automation.evening"}
    logbook = Logbook(
        [
            run | {"when": 100.0, "context_id": "01M81F17J92KSBYP4RH8TJNRAA"},
            entry(200.01, "light.a", "on", **linked),
            run | {"when": 200.0, "context_id": RUN},
            run | {"when": 300.0, "context_id": "01M81F17J92KSBYP4RH8TJNRAB"},
        ]
    )

    link = logbook.link("light.a", "on", 200_010)
    assert link is not None
    assert (link.source, link.context) == ("automation.evening", context_number(RUN))


def test_a_script_called_by_its_own_name_is_the_source() -> None:
    called = {
        "context_event_type": "call_service",
        "context_domain": "script",
        "context_service": "good_night",
    }
    logbook = Logbook(
        [
            {"when": 10.0, "entity_id": "script.good_night", "name": "Good night", "context_id": RUN},
            entry(10.1, "light.a", "off", context_user_id=ANA, **called),
        ]
    )

    link = logbook.link("light.a", "off", 10_100)
    assert link is not None
    assert (link.source, link.context) == ("script.good_night", context_number(RUN))


def test_action_calls_give_the_number_of_a_persons_call() -> None:
    linked = {
        "context_event_type": "call_service",
        "context_domain": "light",
        "context_service": "turn_on",
        "context_user_id": ANA,
    }
    logbook = Logbook(
        [entry(100.2, "light.a", "on", **linked), entry(100.3, "light.b", "on", **linked)],
        [
            call(99.0, "light.turn_on", context_user_id="another", context_id="x"),
            call(100.0, "light.turn_on", context_user_id=ANA, service_data={"entity_id": ["light.a"]}),
            call(200.0, "light.turn_on", context_user_id=ANA, context_id="later"),
        ],
    )

    first, second = logbook.link("light.a", "on", 100_200), logbook.link("light.b", "on", 100_300)
    assert first is not None
    assert second is not None
    assert (first.context, second.context) == (context_number(CALL), 0)


def test_a_slow_device_that_lost_its_link_is_matched_to_the_call_that_named_it() -> None:
    calls = [
        call(100.0, "switch.turn_on", context_user_id=ANA, service_data={"entity_id": "switch.pump"}),
        call(101.0, "switch.turn_on", context_user_id=ANA, service_data={"entity_id": "switch.other"}),
    ]
    logbook = Logbook(
        [
            entry(112.0, "switch.pump", "on"),
            entry(113.0, "switch.pump", "off"),
            entry(140.0, "switch.pump", "on"),
        ],
        calls,
    )

    assert logbook.link("switch.pump", "on", 112_000) == Link(
        ANA, "call_service", "switch", "turn_on", context=context_number(CALL)
    )
    assert logbook.link("switch.pump", "off", 113_000) == Link()
    assert logbook.link("switch.pump", "on", 140_000) == Link()


def test_a_call_in_an_automations_run_is_the_automations() -> None:
    called = call(
        100.0,
        "switch.turn_on",
        service_data={"entity_id": "switch.pump"},
        context_event_type="automation_triggered",
        context_domain="automation",
        context_entity_id="automation.water",
    )
    logbook = Logbook([entry(112.0, "switch.pump", "on")], [called])

    link = logbook.link("switch.pump", "on", 112_000)
    assert link is not None
    assert (link.event_type, link.source) == ("automation_triggered", "automation.water")


def test_entries_that_make_no_sense_are_counted_and_left_out() -> None:
    garbage = [None, 7, {}, {"when": "yesterday", "entity_id": "light.a"}, {"when": 1.0, "entity_id": ["x"]}]
    logbook = Logbook([*garbage, {"when": 5.0, "name": "A note"}, entry(1.0, "light.a", "on")], garbage)

    assert logbook.left_out == 10
    assert len(logbook) == 1
