"""What is drawn at random for a real hub's validator leaves nothing out, and is the same each time."""

import numpy as np

from tests.habits.generated import MADE, Lot, as_found, edited, every_way


def test_every_act_that_may_be_offered_and_every_condition_is_drawn() -> None:
    lot = Lot(np.random.default_rng(2026))
    made = [as_found(lot, kind) for kind in MADE for _ in range(200)]
    acts = {one["action"] for each in made for one in each["actions"] if "action" in one}
    assert {act.partition(".")[0] for act in acts} == {domain for domain, _ in lot.acts}
    conditions = {
        " ".join(sorted(one)) + ("" if one["condition"] != "template" else one["value_template"][:20])
        for each in made
        for one in each["conditions"]
    }
    assert len(conditions) >= 10
    triggers = {" ".join(sorted(each["triggers"][0])) for each in made}
    assert {
        "at trigger",
        "event offset trigger",
        "above entity_id trigger",
        "below entity_id trigger",
    } <= triggers
    assert {"entity_id to trigger", "entity_id for from to trigger"} <= triggers


def test_every_shape_differs_and_the_same_seed_draws_the_same() -> None:
    first, second = ([*every_way(Lot(np.random.default_rng(3)), kind)] for kind in ("by the sun",) * 2)
    assert first == second
    assert len({str(one) for one in first}) == len(first) == 9


def test_whatever_can_be_changed_is_changed() -> None:
    lot = Lot(np.random.default_rng(2026))
    for kind in MADE:
        found = [as_found(lot, kind) for _ in range(20)]
        changed = [edited(lot, one) for one in found]
        assert sum(a["triggers"] != b["triggers"] for a, b in zip(found, changed, strict=True)) >= (
            10 if kind in {"at a time", "by the sun", "when a number crosses a limit"} else 0
        )
        assert all(a["conditions"] != b["conditions"] for a, b in zip(found, changed, strict=True))
