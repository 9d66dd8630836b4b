"""The variant that asks on the phone."""

import pytest

from app.habits.offers.notify_first import TIMEOUT, asks_first
from tests.habits.offers.conftest import found

ACT = found().automation["actions"][0]


def test_it_asks_every_phone_waits_and_acts_only_on_a_yes() -> None:
    made = asks_first(found().automation, "nightshift_x", ["notify.mobile_app_ana", "notify.mobile_app_ben"])
    variables, ana, ben, wait, clear_ana, clear_ben, condition, act = made["actions"]
    assert set(variables["variables"]) == {"nightshift_yes", "nightshift_no"}
    assert all("context.id" in value for value in variables["variables"].values())
    assert [ana["action"], ben["action"]] == ["notify.mobile_app_ana", "notify.mobile_app_ben"]
    assert [one["title"] for one in ana["data"]["data"]["actions"]] == ["Do it", "Leave it"]
    assert (wait["timeout"], len(wait["wait_for_trigger"])) == (TIMEOUT, 2)
    assert {one["data"]["data"]["tag"] for one in (ana, ben, clear_ana, clear_ben)} == {"nightshift_x"}
    assert "wait.trigger is not none" in condition["value_template"]
    assert act == ACT
    assert (made["mode"], made["triggers"]) == ("restart", found().automation["triggers"])


def test_a_wait_before_acting_comes_before_the_question() -> None:
    automation = {**found().automation, "actions": [{"delay": "00:05:00"}, ACT]}
    made = asks_first(automation, "x", ["notify.mobile_app_ana"])
    assert made["actions"][0] == {"delay": "00:05:00"}
    assert made["actions"][-1] == ACT


def test_a_name_is_no_template_on_the_phone() -> None:
    automation = {**found().automation, "alias": "{{ states('person.ana') }}"}
    title = asks_first(automation, "x", ["notify.mobile_app_ana"])["actions"][1]["data"]["title"]
    assert "{" not in title


def test_without_a_phone_there_is_nobody_to_ask() -> None:
    with pytest.raises(ValueError, match="no phone"):
        asks_first(found().automation, "x", [])
