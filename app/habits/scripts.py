"""An automation that calls a script does what the script does. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.model import Automation, Home, Script

_MOST_CALLS: Final = 200
"""So many calls of scripts are followed in one automation: scripts that call one another are endless."""
_DEEPEST: Final = 40
_NO_ACTIONS: Final = frozenset({"data", "target", "variables", "metadata", "response_variable"})
_OWN: Final = frozenset({"reload", "turn_off", "toggle"})
"""What the script integration does itself and no script is called by."""


def with_scripts(home: Home) -> tuple[Automation, ...]:
    """Return the home's automations, each with what the scripts that it calls do in place of the calls.

    They are for reading only: whoever changes an automation starts from its own configuration.
    """
    if not home.scripts:
        return home.automations
    scripts = {script.entity_id: script for script in home.scripts}
    return tuple(_inlined(automation, scripts) for automation in home.automations)


def _inlined(automation: Automation, scripts: Mapping[str, Script]) -> Automation:
    key = "actions" if "actions" in automation.config else "action"
    actions = automation.config.get(key)
    if not actions:
        return automation
    inlined = _Inlining(scripts).within(actions, ())
    return automation.model_copy(update={"config": {**automation.config, key: inlined}})


@dataclass
class _Inlining:
    """Puts scripts' sequences in place of their calls, once for each call and never within themselves."""

    scripts: Mapping[str, Script]
    left: int = _MOST_CALLS

    def within(self, node: Any, inside: tuple[str, ...], depth: int = 0) -> Any:
        """Return actions with the scripts they call; `inside` are the scripts around them."""
        if depth > _DEEPEST:
            return node
        if isinstance(node, list):
            return [self.within(part, inside, depth + 1) for part in node]
        if not isinstance(node, dict):
            return node
        called = [
            name for name in dict.fromkeys(_called(node)) if name in self.scripts and name not in inside
        ]
        if called and self.left > 0:
            self.left -= len(called)
            return {
                "sequence": [
                    self.within(self.scripts[name].config.get("sequence", []), (*inside, name), depth + 1)
                    for name in called
                ]
            }
        return {
            key: part if key in _NO_ACTIONS else self.within(part, inside, depth + 1)
            for key, part in node.items()
        }


def _called(node: Mapping[str, Any]) -> Iterator[str]:
    """Yield the scripts that an action runs: `script.good_night`, or `script.turn_on` with its targets."""
    name = node.get("action", node.get("service"))
    if not isinstance(name, str):
        return
    domain, _, verb = name.partition(".")
    if name == "script.turn_on":
        for place in (node.get("target"), node.get("data"), node):
            said = place.get("entity_id") if isinstance(place, Mapping) else None
            ones = said.split(",") if isinstance(said, str) else said if isinstance(said, list) else []
            yield from (one.strip() for one in ones if isinstance(one, str))
    elif domain == "script" and verb not in _OWN:
        yield name
