"""Deciding over the API: who may, what is answered, and that every answer is one clear line."""

from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from app.model import Entity, Home, User
from app.neighbours import NeighbourState
from tests.habits.offers.hub import Editor
from tests.web.house import HOME, House, ingress_house, local_house, offer, suggestion

ONE = "/api/suggestions/clock-kitchen"
HABIT = {"entities": ["light.kitchen"], "state": "on", "day_type": "workdays", "at": "07:00:00"}
TWO_ADMINS = HOME.model_copy(
    update={
        "users": (
            User(id="admin", name="Ana", is_admin=True), User(id="ben", name="Ben", is_admin=True),
            User(id="guest", name="Gus"),
        )
    }
)  # fmt: skip
POSTS = ("accept", "change", "decline", "snooze", "never", "undo")


def kitchen(**changes: Any) -> Any:
    return suggestion(**{"habit": HABIT, **changes})


async def post(http: ClientSession, path: str, given: Any = None, **headers: str) -> tuple[int, Any]:
    async with http.post(path, json=given, headers=headers) as answer:
        said = await answer.json()
        assert "\n" not in said.get("error", "")
        return answer.status, said


async def get(http: ClientSession, path: str) -> Any:
    async with http.get(path) as answer:
        return await answer.json()


def connected(opened: House) -> None:
    opened.parts.neighbours.set("hub", NeighbourState.OK)


async def test_accepted_it_is_made_and_says_who_and_where(tmp_path: Path) -> None:
    editor = Editor()
    async with ingress_house(tmp_path, editor=editor, home=TWO_ADMINS) as (opened, http):
        connected(opened)
        await offer(opened, kitchen())
        status, said = await post(http, f"{ONE}/accept", {"mode": "enabled"})
        assert (status, said["verdict"], said["via"]) == (200, "accepted", "page")
        assert said["decided_by"] == {"id": "admin", "name": "Ana"}
        assert said["automation"]["editor"] == "/config/automation/edit/nightshift_clock_kitchen"
        assert said["automation"]["enabled"]
        assert await get(http, "/api/suggestions") == []
        known = await get(http, ONE)
        assert (known["on_offer"], known["decision"], len(known["history"])) == (False, said, 1)
        assert (await post(http, f"{ONE}/undo"))[1]["verdict"] == "undone"
    assert editor.configs == {}


async def test_the_second_of_two_people_is_told_who_and_what(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=TWO_ADMINS) as (opened, http):
        connected(opened)
        await offer(opened, kitchen())
        ben = {"X-Remote-User-Id": "ben"}
        assert (await post(http, f"{ONE}/decline", {"reason": "No"}, **ben))[0] == 200
        status, said = await post(http, f"{ONE}/accept")
        assert status == 409
        assert said["error"] == "Ben declined this already. Undo that first to decide otherwise."
        assert said["decision"]["reason"] == "No"
        assert (await post(http, f"{ONE}/never", {"what": "entity"}, **ben))[0] == 200
        _, said = await post(http, f"{ONE}/snooze", {"days": 7}, **ben)
        assert said["error"].startswith("You declined this already")


async def test_only_administrators_decide_and_only_from_our_own_page(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=TWO_ADMINS) as (opened, http):
        await offer(opened, kitchen())
        paths = [f"{ONE}/{what}" for what in POSTS] + ["/api/exclusions", "/api/exclusions/remove"]
        for path in paths:
            assert (await post(http, path, {}, **{"X-Remote-User-Id": "guest"}))[0] == 403
            assert (await post(http, path, {}, **{"X-Nightshift": "0"}))[0] == 403
            assert (await post(http, path, {}, Origin="http://elsewhere"))[0] == 403
        assert len(await get(http, "/api/suggestions")) == 1


async def test_a_program_with_the_key_is_nobody_by_name(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await offer(opened, kitchen())
        _, said = await post(http, f"{ONE}/snooze", {"days": 7})
        assert (said["verdict"], said["decided_by"]) == ("snoozed", None)
        assert said["until"] == "2026-03-17T11:00:00+00:00"
        _, said = await post(http, f"{ONE}/decline")
        assert said["error"] == "This was put off already. Undo that first to decide otherwise."


async def test_the_demo_says_what_to_do_instead(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await offer(opened, kitchen())
        status, said = await post(http, f"{ONE}/accept")
        assert (status, "Copy the YAML" in said["error"]) == (422, True)
        assert len(await get(http, "/api/suggestions")) == 1


async def test_with_the_hub_away_it_is_kept(tmp_path: Path) -> None:
    async with local_house(tmp_path, editor=Editor()) as (opened, http):
        await offer(opened, kitchen())
        status, said = await post(http, f"{ONE}/accept")
        assert (status, said["verdict"]) == (202, "accepting")
        assert "as soon as it is back" in said["trouble"]


async def test_what_a_person_edited_is_asked_about(tmp_path: Path) -> None:
    editor = Editor()
    async with local_house(tmp_path, editor=editor) as (opened, http):
        connected(opened)
        await offer(opened, kitchen())
        await post(http, f"{ONE}/accept")
        editor.configs["nightshift_clock_kitchen"]["alias"] = "Mine"
        status, said = await post(http, f"{ONE}/undo")
        assert (status, said["edited"]) == (409, True)
        assert (await post(http, f"{ONE}/change", {"mode": "disabled", "force": True}))[0] == 200
        assert (await post(http, f"{ONE}/undo"))[0] == 200


async def test_a_risky_one_asks_for_confirmation_and_a_forbidden_one_is_refused(tmp_path: Path) -> None:
    home = HOME.model_copy(update={"entities": (Entity(entity_id="cover.blind", name="Blind"),)})
    async with local_house(tmp_path, editor=Editor(), home=home) as (opened, http):
        connected(opened)
        blind = {"action": "cover.open_cover", "target": {"entity_id": ["cover.blind"]}}
        await offer(opened, kitchen(automation={**suggestion().automation, "actions": [blind]}))
        status, said = await post(http, f"{ONE}/accept")
        assert (status, said["confirm"]) == (422, True)
        valve = {"action": "valve.open_valve", "target": {"entity_id": ["valve.water"]}}
        wrong = {"automation": {**suggestion().automation, "actions": [valve]}, "confirm": True}
        status, said = await post(http, f"{ONE}/accept", wrong)
        assert (status, said["error"]) == (422, "Nightshift never makes this: valves let water or gas flow.")
        assert (await post(http, f"{ONE}/accept", {"confirm": True}))[0] == 200


@pytest.mark.parametrize(
    ("what", "given"),
    [
        ("accept", {"mode": "loud"}),
        ("accept", {"mode": ["enabled"]}),
        ("accept", {"confirm": "yes"}),
        ("accept", {"automation": "light.turn_on"}),
        ("accept", {"automaton": {}}),
        ("accept", [1]),
        ("decline", {"reason": 3}),
        ("decline", {"reason": "x" * 501}),
        ("snooze", {"days": 8}),
        ("snooze", {"days": True}),
        ("snooze", None),
        ("never", {"what": "house"}),
        ("never", {"what": "entity", "entity_id": 3}),
        ("undo", {"force": 1}),
    ],
)
async def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path, what: str, given: Any) -> None:
    async with local_house(tmp_path, editor=Editor()) as (opened, http):
        await offer(opened, kitchen())
        status, said = await post(http, f"{ONE}/{what}", given)
        assert (status, bool(said["error"])) == (422, True)
        assert len(await get(http, "/api/suggestions")) == 1


async def test_what_is_no_json_is_refused_too(tmp_path: Path) -> None:
    async with local_house(tmp_path) as (opened, http):
        await offer(opened, kitchen())
        for text in ("{", "[" * 30_000):
            async with http.post(f"{ONE}/decline", data=text) as answer:
                assert answer.status == 422


async def test_what_is_not_there_is_not_there(tmp_path: Path) -> None:
    async with local_house(tmp_path, editor=Editor()) as (_, http):
        for what, given in (
            ("accept", {}),
            ("decline", {}),
            ("snooze", {"days": 7}),
            ("never", {"what": "kind"}),
        ):
            assert (await post(http, f"{ONE}/{what}", given))[0] == 404
        assert (await post(http, f"{ONE}/undo"))[0] == 409
        assert (await post(http, f"{ONE}/change"))[0] == 409
        async with http.get(ONE) as answer:
            assert answer.status == 404


async def test_exclusions_are_listed_made_and_removed(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=TWO_ADMINS) as (opened, http):
        await offer(opened, kitchen())
        given = {"kind": "domain", "value": "light"}
        assert await post(http, "/api/exclusions", given) == (200, given)
        assert await get(http, "/api/suggestions") == []
        (one,) = await get(http, "/api/exclusions")
        assert one == {
            **given,
            "created_at": "2026-03-10T11:00:00+00:00",
            "created_by": {"id": "admin", "name": "Ana"},
        }
        assert await post(http, "/api/exclusions/remove", given) == (200, given)
        assert (await post(http, "/api/exclusions/remove", given))[0] == 404
        assert (await post(http, "/api/exclusions", {"kind": "room", "value": "x"}))[0] == 422
        assert (await post(http, "/api/exclusions", {"kind": "entity"}))[0] == 422
        assert len(await get(http, "/api/suggestions")) == 1


async def test_before_the_home_is_known_accepting_waits(tmp_path: Path) -> None:
    async with local_house(tmp_path, editor=Editor(), home=None) as (opened, http):
        await offer(opened, kitchen())
        status, said = await post(http, f"{ONE}/accept")
        assert (status, "try again" in said["error"]) == (503, True)


async def test_somebody_who_is_no_user_any_more_is_someone(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, home=TWO_ADMINS) as (opened, http):
        await offer(opened, kitchen())
        await post(http, f"{ONE}/decline", {}, **{"X-Remote-User-Id": "ben"})
        opened.known["home"] = Home(users=(User(id="admin", is_admin=True),), time_zone="UTC")
        _, said = await post(http, f"{ONE}/accept")
        assert said["error"].startswith("Someone declined this already")
