"""What automations did since, over the API: with a suggestion, and as a list of all of them."""

from pathlib import Path

from app.habits.offers.watched import Conflict, Extends, Proposal, Watched, WatchedDay
from app.habits.offers.watches import Watches
from tests.habits.offers.hub import Editor
from tests.web.house import ingress_house, offer, suggestion
from tests.web.test_offers_api import HABIT, ONE, TWO_ADMINS, connected, get, post

DAYS = [
    WatchedDay(day="2026-03-08", fired=1, undone=1, by_hand=0, missed=0),
    WatchedDay(day="2026-03-09", fired=2, undone=0, by_hand=1, missed=1),
]


async def test_a_suggestion_tells_what_became_of_it_and_people_s_own_are_listed_beside(
    tmp_path: Path,
) -> None:
    async with ingress_house(tmp_path, editor=Editor(), home=TWO_ADMINS) as (opened, http):
        connected(opened)
        await offer(opened, suggestion(habit=HABIT))
        assert (await get(http, ONE))["watched"] is None
        assert await get(http, "/api/automations") == []
        await post(http, f"{ONE}/accept")
        watches = Watches(opened.store, opened.parts.bus, opened.parts.clock)
        (own,) = await watches.accepted("home")
        verdict = Proposal(proposal="keep", why="Keep it: …", figures={"fired": 3})
        await watches.keep(
            "home",
            [
                Watched(
                    unique_id=own.unique_id, entity_id="automation.kitchen", alias="Kitchen",
                    suggestion_id=own.suggestion_id, since=own.since, days=DAYS, proposal=verdict,
                    undone_at=["2026-03-08T07:03:00+01:00"],
                ),
                Watched(
                    unique_id="automation.old", entity_id="automation.old", alias="Old",
                    days=[DAYS[0].model_copy(update={"missed": None})],
                ),
            ],
        )  # fmt: skip
        known = await get(http, ONE)
        assert known["verdict"] == {
            "proposal": "keep", "why": "Keep it: …", "figures": {"fired": 3}, "automation": None,
        }  # fmt: skip
        watched = known["watched"]
        assert [watched[key] for key in ("fired", "undone", "by_hand", "missed")] == [3, 1, 1, 1]
        assert watched["days"] == [one.model_dump() for one in DAYS]
        assert watched["undone_at"] == ["2026-03-08T07:03:00+01:00"]
        both = await get(http, "/api/automations")
        assert both[0] == watched
        assert (both[1]["suggestion_id"], both[1]["missed"], both[1]["verdict"]) == (None, None, None)


async def test_what_stands_beside_a_suggestion_is_told_with_it(tmp_path: Path) -> None:
    conflict = Conflict(
        entity_id="automation.off", name="Off", target="light.kitchen", state="off", met=4, fires=5, says="…"
    )
    extends = Extends(
        entity_id="automation.on", unique_id="1", name="On", says="…", automation={"alias": "On"}
    )
    async with ingress_house(tmp_path, editor=Editor(), home=TWO_ADMINS) as (opened, http):
        one = suggestion(habit=HABIT)
        await offer(opened, one.model_copy(update={"conflicts": [conflict], "extends": extends}))
        known = await get(http, ONE)
        assert known["conflicts"] == [conflict.model_dump()]
        assert known["extends"] == extends.model_dump()
