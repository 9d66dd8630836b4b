"""A suggestion as one more step of an automation that people have already. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.habits.offers.wiring import mark
from app.hub.automations import plural
from app.hub.editor import can_be_edited

_WAITS: Final = "script."
"""A call of a script comes back when the script is over."""


@dataclass(frozen=True, slots=True)
class Extension:
    """An automation as it is (`before`) and as it would be (`after`), with what is added (`steps`).

    `seen` is the mark of `before`: who adds the steps says by it what they looked at. `changed` says that it
    is triggered otherwise than in the night that found this. `editable` is False for one that Home Assistant
    does not keep where it can be changed from outside: then people copy `after`.
    """

    entity_id: str
    unique_id: str
    name: str
    before: dict[str, Any]
    after: dict[str, Any]
    steps: tuple[dict[str, Any], ...]
    seen: str
    editable: bool
    changed: bool
    enabled: bool


def steps_of(made: Mapping[str, Any]) -> list[Any]:
    """Return what a suggestion's own automation does, without its wait: the moment is the other one's."""
    return [one for number, one in enumerate(made["actions"]) if number or not _is_delay(one)]


def extended(config: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    """Return an automation with the steps of a suggestion's own (`made`), in today's form, without an id.

    They come last, so that nothing happens otherwise than before; but before whatever may wait or end the
    run, so that they come at the moment that was found: that of its first act.
    """
    whole = {key: value for key, value in plural(config).items() if key != "id"}
    actions, steps = whole["actions"], steps_of(made)
    first = 1 if actions and _is_delay(actions[0]) else 0
    place = len(actions) if all(_is_over_at_once(one) for one in actions[first:]) else first
    return {**whole, "actions": [*actions[:place], *steps, *actions[place:]]}


def extension(
    entity_id: str,
    unique_id: str | None,
    name: str,
    config: Mapping[str, Any],
    found: Mapping[str, Any],
    made: Mapping[str, Any],
    *,
    kept: bool,
    enabled: bool,
) -> Extension | None:
    """Return what adding a suggestion (`made`) to an automation comes to; None when there is nothing to add.

    `config` is the automation's now, `found` what the night made of it; `kept` whether Home Assistant has it
    where it could be changed, `enabled` whether it is switched on.
    """
    before = {key: value for key, value in plural(config).items() if key != "id"}
    steps = steps_of(made)
    if "use_blueprint" in before or not steps or all(step in before["actions"] for step in steps):
        return None
    then = plural(found)
    return Extension(
        entity_id=entity_id,
        unique_id=unique_id or "",
        name=name,
        before=before,
        after=extended(before, made),
        steps=tuple(steps),
        seen=mark(before),
        editable=kept and can_be_edited(unique_id or ""),
        enabled=enabled,
        changed=any(before[part] != then[part] for part in ("triggers", "conditions")),
    )


def _is_delay(action: Any) -> bool:
    return isinstance(action, Mapping) and "delay" in action


def _is_over_at_once(action: Any) -> bool:
    """Return whether it calls something and the next follows at once: no wait, no choice, no end."""
    name = action.get("action") if isinstance(action, Mapping) else None
    return isinstance(name, str) and not name.startswith(_WAITS)
