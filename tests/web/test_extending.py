"""A suggestion as a step of people's own automation, on its page and over the API."""

from pathlib import Path
from typing import Any

from app.habits.offers.extending import extended
from app.habits.offers.watched import Conflict, Extends
from app.habits.suggestion import Suggestion
from app.model import Automation
from app.web.difference import difference
from tests.habits.offers.hub import Editor
from tests.web.house import House, ingress_house, offer
from tests.web.test_suggestion_page import API, HOME, blind, connected, kitchen, page, post

UID = "1699000000000"
OWN: dict[str, Any] = {
    "alias": "Good <b>morning</b>",
    "triggers": [{"trigger": "time", "at": "07:00:00"}],
    "conditions": [],
    "actions": [{"action": "media_player.media_play", "target": {"entity_id": "media_player.radio"}}],
    "mode": "single",
}
SAYS = "“Good morning” acts at the same moment (19 of the last 21 times)."


def step(one: Suggestion, unique_id: str | None = UID, own: dict[str, Any] = OWN) -> Suggestion:
    """Return the suggestion as one that could be added to people's own automation."""
    extends = Extends(
        entity_id="automation.morning",
        unique_id=unique_id,
        name="Good <b>morning</b>",
        says=SAYS,
        automation=extended(own, one.automation),
    )
    return one.model_copy(update={"extends": extends})


def home_with(own: dict[str, Any] = OWN) -> Any:
    known = Automation(entity_id="automation.morning", unique_id=UID, alias="Good morning", config=own)
    return HOME.model_copy(update={"automations": (known,)})


def editor_with(own: dict[str, Any] = OWN) -> Editor:
    editor = Editor()
    editor.configs[UID], editor.on[UID] = dict(own), True
    return editor


def test_a_difference_is_told_line_by_line_and_far_lines_are_left_out() -> None:
    before = "\n".join(f"line {i}" for i in range(60))
    lines = difference(before, before.replace("line 30", "line thirty\nmore"))
    assert [(one.sign, one.text) for one in lines if one.kind in {"added", "removed"}] == [
        ("-", "line 30"),
        ("+", "line thirty"),
        ("+", "more"),
    ]
    assert [one.text for one in lines if one.kind == "gap"] == ["…", "…"]
    assert len(lines) < 20
    for old, new, kinds in (
        ("a\nb", "a\nb\nc", ["same", "same", "added"]),
        ("a\na", "a\na\na", ["same", "same", "added"]),
        ("", "a", ["added"]),
        ("a", "", ["removed"]),
        ("a\nb", "a\nb", ["same", "same"]),
    ):
        assert [one.kind for one in difference(old, new)] == kinds


async def test_what_is_added_is_shown_line_by_line_in_words_and_as_a_whole(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=editor_with(), home=home_with()) as (opened, http):
        connected(opened)
        await offer(opened, step(kitchen()))
        text = await page(http)
        assert SAYS in text
        assert "One more step: <bdi>turn on Kitchen lamp</bdi>" in text
        assert '<span class="added"><b>+</b> - action: light.turn_on</span>' in text
        assert '<span class="removed">' not in text
        assert "Good &lt;b&gt;morning&lt;/b&gt;" in text
        assert "<b>morning" not in text
        assert 'id="extend"' in text
        assert 'id="extended-code"' in text


async def test_added_it_says_so_and_is_taken_out_again(tmp_path: Path) -> None:
    editor = editor_with()
    async with ingress_house(tmp_path, editor=editor, home=home_with()) as (opened, http):
        connected(opened)
        await offer(opened, step(kitchen()))
        status, decision = await post(http, f"{API}/extend")
        assert (status, decision["verdict"]) == (200, "accepted")
        assert decision["added_to"] == {"entity_id": "automation.morning", "name": "Good <b>morning</b>"}
        assert decision["automation"]["editor"] == f"/config/automation/edit/{UID}"
        text = await page(http)
        assert "Part of your automation" in text
        assert f'href="/config/automation/edit/{UID}"' in text
        assert "What it added" in text
        assert '<span class="added"><b>+</b> - action: light.turn_on</span>' in text
        assert 'id="modes"' not in text
        assert 'id="extend"' not in text
        assert "it was added to “Good &lt;b&gt;morning&lt;/b&gt;”" in text
        assert (await post(http, f"{API}/change", {"mode": "notify"}))[0] == 422
        status, decision = await post(http, f"{API}/undo")
        assert (status, decision["verdict"]) == (200, "undone")
        assert editor.configs == {UID: OWN}
        assert 'id="extend"' in await page(http)


async def test_what_cannot_be_changed_from_here_is_given_to_copy(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=home_with()) as (opened, http):
        connected(opened)
        for unique_id in (UID, None):
            await offer(opened, step(kitchen(), unique_id))
            text = await page(http)
            assert "cannot be changed from here" in text
            assert "- action: light.turn_on" in text
            assert 'id="extend"' not in text
            assert (await post(http, f"{API}/extend"))[0] == 422


async def test_changed_meanwhile_it_is_refused_with_what_it_is_now(tmp_path: Path) -> None:
    editor = editor_with()
    async with ingress_house(tmp_path, editor=editor, home=home_with()) as (opened, http):
        connected(opened)
        await offer(opened, step(kitchen()))
        editor.configs[UID] = {**OWN, "triggers": [{"trigger": "sun", "event": "sunset"}]}
        status, said = await post(http, f"{API}/extend", {"seen": "what it was"})
        assert (status, "changed in Home Assistant meanwhile" in said["error"]) == (409, True)
        assert "What starts it was changed since the night" in await page(http)
        assert (await post(http, f"{API}/extend", {"seen": said["seen"]}))[0] == 200
        editor.configs[UID] = {**editor.configs[UID], "alias": "Mine"}
        status, said = await post(http, f"{API}/undo")
        assert (status, said["edited"]) == (409, True)
        assert (await post(http, f"{API}/undo", {"force": True}))[0] == 200


async def test_one_that_is_switched_off_says_so_before_and_after(tmp_path: Path) -> None:
    editor = editor_with()
    editor.on[UID] = False
    async with ingress_house(tmp_path, editor=editor, home=home_with()) as (opened, http):
        connected(opened)
        await offer(opened, step(kitchen()))
        assert "It is switched off in Home Assistant just now." in await page(http)
        assert (await post(http, f"{API}/extend"))[0] == 200
        assert "is switched off in Home Assistant" in await page(http)
        assert editor.on == {UID: False}


async def test_only_administrators_add_and_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=editor_with(), home=home_with()) as (opened, http):
        connected(opened)
        await offer(opened, step(kitchen()), blind())
        async with http.post(f"{API}/extend", headers={"X-Remote-User-Id": "guest"}) as answer:
            assert answer.status == 403
        for given in ({"seen": 7}, {"confirm": "yes"}, {"other": 1}, [1]):
            assert (await post(http, f"{API}/extend", given))[0] == 422
        assert (await post(http, "/api/suggestions/sun-blind/extend"))[0] == 422
        assert (await post(http, "/api/suggestions/nothing/extend"))[0] == 404
        assert await opened.parts.offers.decisions.standing("home") == {}


async def test_a_step_that_can_do_harm_takes_a_tick(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=editor_with(), home=home_with()) as (opened, http):
        connected(opened)
        await offer(opened, step(blind()))
        assert 'id="confirm-extend" name="confirm" required' in await page(http, "/suggestions/sun-blind")
        path = "/api/suggestions/sun-blind/extend"
        status, said = await post(http, path)
        assert (status, said["confirm"]) == (422, True)
        assert (await post(http, path, {"confirm": True}))[0] == 200


async def test_while_the_hub_is_away_it_is_shown_as_it_was_last_described(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=editor_with(), home=home_with()) as (opened, http):
        await offer(opened, step(kitchen()))
        text = await page(http)
        assert 'id="extend"' in text
        assert '<span class="added"><b>+</b> - action: light.turn_on</span>' in text


async def against(opened: House) -> None:
    conflict = Conflict(
        entity_id="automation.off", name="All <i>off</i>", target="light.kitchen", state="off", met=18,
        fires=21, says="“All <i>off</i>” turns off Kitchen lamp within half an hour of it: 18 of 21.",
    )  # fmt: skip
    await offer(opened, kitchen().model_copy(update={"conflicts": [conflict]}))


async def test_what_works_against_it_is_said_in_full(tmp_path: Path) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=HOME) as (opened, http):
        await against(opened)
        text = await page(http)
        assert "“All &lt;i&gt;off&lt;/i&gt;” turns off Kitchen lamp within half an hour of it" in text
