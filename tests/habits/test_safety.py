"""The table of what may be automated, and the page of the documents that shows it."""

from pathlib import Path

import pytest

from app.habits.safety import CONFIRM, HINTS, LOW, NEVER, NEVER_OPEN, PLAIN, TABLE, judge, judge_acts
from app.habits.targets import STATES
from app.model import Entity, Home

DOCUMENT = Path(__file__).parents[2] / "docs" / "safety.md"


def rendered() -> str:
    """Return the tables of docs/safety.md as the code has them."""
    lines = ["| what | brought to | verdict | because it |", "|---|---|---|---|"]
    lines += [
        f"| {row.domain} | {', '.join(row.states) or 'anything'} | {row.verdict.risk} | {row.verdict.why} |"
        for row in TABLE
    ]
    lines += ["", "| a name with | turned | verdict | because it |", "|---|---|---|---|"]
    lines += [
        f"| {hint.words.pattern.replace('|', ', ').replace(chr(92) + 'b', '')} | {hint.state or 'on or off'}"
        f" | {hint.verdict.risk} | {hint.verdict.why} |"
        for hint in HINTS
    ]
    return "\n".join(lines)


def test_the_document_shows_the_table_as_the_code_has_it() -> None:
    text = DOCUMENT.read_text("utf-8")
    for table in rendered().split("\n\n"):
        assert table in text, f"docs/safety.md should show:\n{table}"
    assert all(f"`{name}`" in text for name in (*PLAIN, *NEVER_OPEN))


def test_all_that_the_miner_can_offer_is_in_the_table() -> None:
    for domain, states in STATES.items():
        for state in states:
            assert "not in the table" not in judge(Entity(entity_id=f"{domain}.x"), state).why, (
                domain,
                state,
            )


@pytest.mark.parametrize(
    "entity_id", ["script.leave", "button.press", "scene.night", "update.core", "group.all"]
)
def test_what_the_table_does_not_name_is_never_done(entity_id: str) -> None:
    assert judge(Entity(entity_id=entity_id), "on").risk == NEVER


def test_a_group_is_as_risky_as_its_worst_member_however_deep() -> None:
    home = Home(
        entities=(
            Entity(entity_id="cover.all", members=("cover.left", "cover.pair")),
            Entity(entity_id="cover.left"),
            Entity(entity_id="cover.pair", members=("cover.port", "cover.all")),
            Entity(entity_id="cover.port", device_class="garage"),
        )
    )
    assert judge_acts([("cover.left", "open")], home).risk == CONFIRM
    assert judge_acts([("cover.all", "open")], home).risk == NEVER
    assert judge_acts([("light.a", "on")], home).risk == LOW
    assert judge_acts([], None).risk == LOW
