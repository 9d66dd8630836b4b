"""What a phone shows: the digest, the question and the answer, as Home Assistant's app takes them. Pure.

Source: companion documentation, "Actionable notifications" and "Basic notifications": `url` is where a tap
leads on iOS, `clickAction` on Android; Android shows three buttons; `authenticationRequired` is iOS's.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote

from app.habits.offers.decision import Decision
from app.habits.offers.watched import Watched
from app.habits.suggestion import Suggestion

TAG: Final = "nightshift_suggestions"
"""All that a phone is told of suggestions has it, so that the newest takes the place of what was there."""
_PREFIX: Final = "NIGHTSHIFT_"
_ANSWER: Final = re.compile(
    r"NIGHTSHIFT_(CREATE|LATER|CONFIRM|CANCEL)_([A-Za-z0-9_-]{1,64})(?:\.([0-9a-f]{1,8}))?"
)
_NOT_HERE: Final = ("NIGHTSHIFT_DO_", "NIGHTSHIFT_LEAVE_", "NIGHTSHIFT_ALERT_")
"""Buttons of automations that ask first, which answer to them themselves; and those of alerts."""
_LONGEST: Final = 240
_NOTHING_YET: Final = "0"


class Button(StrEnum):
    """What a person can tap."""

    CREATE = "CREATE"
    LATER = "LATER"
    CONFIRM = "CONFIRM"
    CANCEL = "CANCEL"


_TITLES: Final = {
    Button.CREATE: "Create",
    Button.LATER: "Not now",
    Button.CONFIRM: "Confirm",
    Button.CANCEL: "Cancel",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A tapped button. `mark` tells which decision stood when the button was made; None: it does not say."""

    button: Button
    suggestion_id: str
    mark: str | None


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification. `page` is a path in Home Assistant that a tap leads to, or empty.

    One of the same `tag` takes its place. `more` is what the app takes besides, such as its sound.
    """

    title: str
    message: str
    page: str = ""
    buttons: tuple[dict[str, Any], ...] = ()
    tag: str = TAG
    more: Mapping[str, Any] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Return the data of the notify action."""
        more: dict[str, Any] = {"tag": self.tag, "group": "nightshift", **self.more}
        if self.page:
            more |= {"url": self.page, "clickAction": self.page}
        if self.buttons:
            more["actions"] = list(self.buttons)
        return {"title": _line(self.title), "message": _line(self.message), "data": more}


def mark_of(standing: Decision | None) -> str:
    """Return what a button remembers of the decision that stands when it is made."""
    return standing.decision_id[-8:] if standing else _NOTHING_YET


def answer_of(action: object) -> Answer | None:
    """Return what was tapped. None: not a button of ours; ValueError: it looks like one and is none."""
    if not isinstance(action, str) or not action.startswith(_PREFIX) or action.startswith(_NOT_HERE):
        return None
    found = _ANSWER.fullmatch(action)
    if found is None:
        raise ValueError("it is no button of ours")
    return Answer(Button(found[1]), found[2], found[3])


def page_of(page: str, suggestion_id: str) -> str:
    """Return the path of a suggestion's own page, given that of Nightshift's; empty while that is not known.

    Home Assistant opens Nightshift and tells it the rest of the path (`nightshift.js`, the frame we are in).
    """
    return f"{page}/suggestions/{quote(suggestion_id, safe='')}" if page else ""


def digest(new: Sequence[Suggestion], mark: str, page: str, verdicts: Sequence[Watched] = ()) -> Notification:
    """Return the morning digest: new suggestions, the surest first, and automations of which something is
    proposed; at least one of either.
    """
    if not new:
        return _verdicts_only(verdicts, page)
    first, others = new[0], len(new) - 1
    kept = f"Kept on {first.evidence.days_kept} of {first.evidence.days_observed} days."
    more = f" And {others} more on Nightshift's page." if others else ""
    also = f" Also {_to_look_at(len(verdicts))}." if verdicts else ""
    own = page_of(page, first.id)
    return Notification(
        "A new suggestion" if not others else f"{len(new)} new suggestions",
        f"{_cut(first.title, 120)}. {kept}{more}{also}",
        page if others or verdicts else own,
        (_button(Button.CREATE, first.id, mark), _button(Button.LATER, first.id, mark), *_details(own)),
    )


def _verdicts_only(verdicts: Sequence[Watched], page: str) -> Notification:
    first, others = verdicts[0], len(verdicts) - 1
    why = first.proposal.why if first.proposal else ""
    more = f" And {others} more on Nightshift's page." if others else ""
    own = page_of(page, first.suggestion_id)
    title = _to_look_at(len(verdicts))
    said = f"{_cut(first.alias, 60)}. {_cut(why, 140)}{more}"
    return Notification(title[0].upper() + title[1:], said, page if others else own, _details(own))


def _to_look_at(count: int) -> str:
    return "an automation to look at" if count == 1 else f"{count} automations to look at"


def _details(page: str) -> tuple[dict[str, Any], ...]:
    return ({"action": "URI", "title": "Details", "uri": page},) if page else ()


def question(answer: Answer, title: str, why: str, page: str) -> Notification:
    """Return what is asked before something risky is made; `why` goes on from "This"."""
    buttons = (Button.CONFIRM, Button.CANCEL)
    return Notification(
        "Really?",
        f"{_cut(title, 120)}. This {why}, with nobody looking.",
        page,
        tuple(_button(one, answer.suggestion_id, answer.mark) for one in buttons),
    )


def _button(button: Button, suggestion_id: str, mark: str | None) -> dict[str, Any]:
    name = f"{_PREFIX}{button}_{suggestion_id}"
    made: dict[str, Any] = {"action": f"{name}.{mark}" if mark else name, "title": _TITLES[button]}
    if button in {Button.CREATE, Button.CONFIRM}:
        # Nobody makes an automation on a phone that lies there locked.
        made["authenticationRequired"] = True
    return made


def _line(text: str) -> str:
    return _cut(" ".join(text.split()), _LONGEST)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
