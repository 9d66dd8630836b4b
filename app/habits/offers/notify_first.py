"""An automation that asks on the phone instead of acting. Pure.

It follows Home Assistant's companion documentation ("Actionable notifications"): the buttons carry the run's
own context, so that a notification left over from yesterday answers nothing today; no answer means no.
"""

from collections.abc import Sequence
from typing import Any, Final

TIMEOUT: Final = "00:30:00"
_MOST_PHONES: Final = 10


def asks_first(automation: dict[str, Any], unique_id: str, phones: Sequence[str]) -> dict[str, Any]:
    """Return the automation as one that asks all `phones` (`notify.mobile_app_…`) and acts on the first yes.

    Whoever answers first decides; after half an hour it lets the matter rest. Triggered anew meanwhile, it
    asks anew. Raises ValueError without a phone.
    """
    if not phones:
        raise ValueError("there is no phone to ask")
    chosen = list(phones)[:_MOST_PHONES]
    actions = list(automation["actions"])
    # A wait before acting is part of the habit's moment: people are asked when it would act.
    first = next((i for i, one in enumerate(actions) if "delay" not in one), len(actions))
    return {
        **automation,
        "actions": [
            *actions[:first],
            {
                "variables": {
                    "nightshift_yes": "{{ 'NIGHTSHIFT_DO_' ~ context.id }}",
                    "nightshift_no": "{{ 'NIGHTSHIFT_LEAVE_' ~ context.id }}",
                }
            },
            *(_ask(phone, automation["alias"], unique_id) for phone in chosen),
            {
                "wait_for_trigger": [_tapped("nightshift_yes"), _tapped("nightshift_no")],
                "timeout": TIMEOUT,
                "continue_on_timeout": True,
            },
            *(_clear(phone, unique_id) for phone in chosen),
            {
                "condition": "template",
                "value_template": "{{ wait.trigger is not none"
                " and wait.trigger.event.data.action == nightshift_yes }}",
            },
            *actions[first:],
        ],
        "mode": "restart",
    }


def _ask(phone: str, title: str, tag: str) -> dict[str, Any]:
    return {
        "action": phone,
        "data": {
            # What a notification says is rendered as a template: a name must not be one.
            "title": title.replace("{", "(").replace("}", ")"),
            "message": "Do it now?",
            "data": {
                "tag": tag,
                "group": "nightshift",
                "actions": [
                    {"action": "{{ nightshift_yes }}", "title": "Do it"},
                    {"action": "{{ nightshift_no }}", "title": "Leave it"},
                ],
            },
        },
        # One phone that is gone must not keep the others from being asked.
        "continue_on_error": True,
    }


def _clear(phone: str, tag: str) -> dict[str, Any]:
    return {
        "action": phone,
        "data": {"message": "clear_notification", "data": {"tag": tag}},
        "continue_on_error": True,
    }


def _tapped(button: str) -> dict[str, Any]:
    return {
        "trigger": "event",
        "event_type": "mobile_app_notification_action",
        "event_data": {"action": f"{{{{ {button} }}}}"},
    }
