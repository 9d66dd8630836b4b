"""A suggestion as a step of an automation that is there, as its page shows it."""

import json
from dataclasses import dataclass
from typing import Any, Final

from app.habits.offers.decision import IN_THE_HUB, Decision
from app.habits.offers.extending import Extension
from app.habits.offers.troubles import NotEditableError
from app.habits.suggestion import Suggestion
from app.model import Home
from app.web.automation import as_yaml, read_automation
from app.web.difference import Line, difference

_CHANGED: Final = (
    "What starts it was changed since the night that found this. Look whether the two still go together."
)
_OFF: Final = "It is switched off in Home Assistant just now."


@dataclass(frozen=True, slots=True)
class Step:
    """What is added, or was, to an automation called `name`: in words (`steps`) and line by line.

    `body` is what the API is told to add it, "" when there is nothing to press; `why_not` says why. Texts may
    be empty, and hostile.
    """

    title: str
    name: str
    says: str
    warning: str
    steps: tuple[str, ...]
    lines: tuple[Line, ...]
    yaml: str
    body: str
    why_not: str


def step_of(
    suggestion: Suggestion, found: Extension | None, decision: Decision | None, home: Home | None
) -> Step | None:
    """Return what a suggestion adds to an automation, or added; None where it does not."""
    onto = decision.body.onto if decision and decision.verdict in IN_THE_HUB else None
    if decision is not None and onto is not None:
        after = decision.body.automation or {}
        steps = [one for one in after.get("actions", []) if one not in onto.before.get("actions", [])]
        return _step("What it added", onto.name, onto.before, after, steps, home)
    if found is None or suggestion.extends is None:
        return None
    return _step(
        "Or add it to one you have",
        found.name,
        found.before,
        found.after,
        list(found.steps),
        home,
        says=suggestion.extends.says,
        warning=" ".join([*([_CHANGED] if found.changed else []), *([] if found.enabled else [_OFF])]),
        body=json.dumps({"seen": found.seen}) if found.editable else "",
        why_not="" if found.editable else str(NotEditableError(found.name)),
    )


def added_stands(decision: Decision) -> tuple[str, str, str] | None:
    """Return how an accepted step stands (a shape's name, a title, a sentence), None for what is no step."""
    body = decision.body
    if body.onto is None or decision.gone:
        return None
    name = body.onto.name
    if body.edited:
        return (
            "edited",
            "Changed in Home Assistant",
            f"“{name}” was changed there since. It is left so, and you are asked before it is put back.",
        )
    if body.enabled is False:
        return "off", "Switched off", f"“{name}”, which it is a step of, is switched off in Home Assistant."
    return "on", "Part of your automation", f"It is a step of “{name}” now."


def _step(
    title: str,
    name: str,
    before: dict[str, Any],
    after: dict[str, Any],
    steps: list[Any],
    home: Home | None,
    *,
    says: str = "",
    warning: str = "",
    body: str = "",
    why_not: str = "",
) -> Step:
    whole = as_yaml(after)
    return Step(
        title=title,
        name=name,
        says=says,
        warning=warning,
        steps=read_automation({"actions": steps}, home).actions,
        lines=difference(as_yaml(before), whole),
        yaml=whole,
        body=body,
        why_not=why_not,
    )
