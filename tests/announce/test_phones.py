"""Whose phone is whose, and what a phone is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.announce.notification import Answer, Button, Notification, answer_of, digest, question
from app.announce.phones import Phones
from app.errors import NeighbourError
from app.model import Home, Person, User
from tests.announce.phones import Hub
from tests.web.house import suggestion

HOME = Home(
    users=(
        User(id="ana", is_admin=True),
        User(id="ben"),
        User(id="old", is_owner=True, is_active=False),
    ),
    persons=(
        Person(entity_id="person.ana", user_id="ana"),
        Person(entity_id="person.ben", user_id="ben"),
        Person(entity_id="person.child"),
    ),
)
OWNERS = {
    "person.ana": ["device_tracker.pixel", "device_tracker.router_pixel"],
    "person.ben": ["device_tracker.iphone"],
}
PIXEL, IPHONE = "notify.mobile_app_pixel", "notify.mobile_app_iphone"


def _hub(owners: dict[str, list[str]] | None = None) -> Hub:
    return Hub("mobile_app_pixel", "mobile_app_iphone", owners=owners)


async def test_the_phones_of_administrators_are_told() -> None:
    assert await Phones(_hub(OWNERS)).chosen(HOME) == (PIXEL,)


async def test_all_are_told_where_nobody_knows_whose_they_are() -> None:
    assert await Phones(_hub()).chosen(HOME) == (IPHONE, PIXEL)
    assert await Phones(_hub(OWNERS)).chosen(None) == (IPHONE, PIXEL)


async def test_those_of_the_options_win_and_the_hub_is_asked_all_the_same() -> None:
    hub = _hub(OWNERS)
    assert await Phones(hub, [IPHONE]).chosen(HOME) == (IPHONE,)
    hub.fails = NeighbourError("hub: starting")
    with pytest.raises(NeighbourError):
        await Phones(hub, [IPHONE]).chosen(HOME)


async def test_a_persons_own_phones_are_found_and_nobodys_are_none() -> None:
    phones = Phones(_hub(OWNERS))
    assert await phones.of_user(HOME, "ben") == (IPHONE,)
    assert await phones.of_user(HOME, "") == ()
    assert await phones.of_user(HOME, "stranger") == ()


async def test_what_is_sent_leads_to_the_page_on_both_kinds_of_phone() -> None:
    hub = _hub()
    shown = digest([suggestion("a"), suggestion("b")], "0", "/app/x_nightshift")
    await Phones(hub).send(PIXEL, shown)
    ((service, data),) = hub.sent
    more = data["data"]
    assert (service, data["title"], more["tag"]) == (
        "mobile_app_pixel",
        "2 new suggestions",
        "nightshift_suggestions",
    )
    assert more["url"] == more["clickAction"] == "/app/x_nightshift"
    assert more["actions"][2]["uri"] == "/app/x_nightshift/suggestions/a"
    assert [one["action"] for one in more["actions"]] == [
        "NIGHTSHIFT_CREATE_a.0",
        "NIGHTSHIFT_LATER_a.0",
        "URI",
    ]
    assert data["message"].endswith("And 1 more on Nightshift's page.")


def test_one_suggestion_leads_to_its_own_page() -> None:
    data = digest([suggestion("a b/c")], "0", "/app/x_nightshift").data()["data"]
    assert data["url"] == data["actions"][2]["uri"] == "/app/x_nightshift/suggestions/a%20b%2Fc"


def test_without_a_known_page_there_is_no_button_to_it() -> None:
    data = digest([suggestion("a")], "0", "").data()["data"]
    assert len(data["actions"]) == 2
    assert "url" not in data


def test_long_texts_are_cut_and_lines_joined() -> None:
    data = Notification("a\nb", "x" * 1000).data()
    assert (data["title"], len(data["message"])) == ("a b", 240)


def test_a_question_carries_the_mark_of_the_button_that_led_to_it() -> None:
    asked = question(Answer(Button.CREATE, "a", "12ab"), "Blind at 7:00", "moves a cover", "")
    assert [one["action"] for one in asked.buttons] == [
        "NIGHTSHIFT_CONFIRM_a.12ab",
        "NIGHTSHIFT_CANCEL_a.12ab",
    ]


@given(
    st.sampled_from(Button), st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.none() | st.just("0")
)
def test_a_button_is_read_as_it_was_made(button: Button, identity: str, mark: str | None) -> None:
    name = f"NIGHTSHIFT_{button}_{identity}" + (f".{mark}" if mark else "")
    assert answer_of(name) == Answer(button, identity, mark)


@pytest.mark.parametrize(
    "action",
    [
        None,
        7,
        {},
        "URI",
        "OPEN_DOOR",
        "NIGHTSHIFT_DO_01K0",
        "NIGHTSHIFT_LEAVE_01K0",
        "NIGHTSHIFT_ALERT_ACK_1",
        "",
    ],
)
def test_what_is_not_ours_is_left_alone(action: object) -> None:
    assert answer_of(action) is None


@pytest.mark.parametrize(
    "action",
    ["NIGHTSHIFT_", "NIGHTSHIFT_CREATE_", "NIGHTSHIFT_CREATE_a b", "NIGHTSHIFT_DROP_a",
     "NIGHTSHIFT_CREATE_" + "a" * 65, "NIGHTSHIFT_CREATE_a.zz", "NIGHTSHIFT_CREATE_a\n"],
)  # fmt: skip
def test_what_only_looks_like_ours_is_refused(action: str) -> None:
    with pytest.raises(ValueError, match="no button"):
        answer_of(action)
