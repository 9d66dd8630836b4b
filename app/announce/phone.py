"""Answers from the phone: a tapped button comes back as an event, is checked, acted on, and confirmed.

Nothing is remembered between the notification and its answer but what the button itself carries, so a restart
in between changes nothing. A tap while Nightshift or its connection to the hub is down is not heard: the
suggestion then stays on offer. What could not be done at once is told when it is done, or cannot be.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.announce.notification import Answer, Button, Notification, answer_of, mark_of, page_of, question
from app.announce.phones import Line, Phones, is_admin, tell
from app.announce.taps import Taps
from app.bus import Bus
from app.errors import NeighbourError, NightshiftError
from app.habits.announcements import KeptDecisionEnded
from app.habits.offers.decision import Decision, Verdict, Via, Who
from app.habits.offers.offers import Offers
from app.habits.offers.troubles import DecidedAlreadyError, NeedsConfirmationError
from app.hub.editor import editor_path
from app.model import Home

_log = logging.getLogger(__name__)
_WEEK: Final = 7
_STANDS: Final = {
    Verdict.ACCEPTING: "accepted",
    Verdict.ACCEPTED: "accepted",
    Verdict.DECLINED: "declined",
    Verdict.SNOOZED: "put off",
    Verdict.UNDOING: "taken back",
    Verdict.UNDONE: "taken back",
}


@dataclass(frozen=True, slots=True)
class _Said:
    """What is said in answer. `to_all`: also to those who did not tap: their buttons are of no use now."""

    notification: Notification
    to_all: bool = True


class PhoneAnswers:
    """Hears the buttons of Nightshift's notifications and decides for those who may.

    Taps are dealt with one after another, so that a double one meets what the first did.
    """

    def __init__(
        self,
        line: Line,
        phones: Phones,
        offers: Offers,
        *,
        bus: Bus,
        home: Callable[[], Home | None],
        page: Callable[[], str],
    ) -> None:
        self._phones = phones
        self._offers = offers
        self._bus = bus
        self._home = home
        self._page = page
        self.taps: Taps[tuple[Answer, str] | KeptDecisionEnded] = Taps(line, _read, self._deal)
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to listen; returns at once, whether there is a connection or not."""
        self._unsubscribe = self._bus.subscribe(KeptDecisionEnded, self.taps.put)
        self.taps.start()

    async def stop(self) -> None:
        if self._unsubscribe:
            self._unsubscribe()
        await self.taps.stop()

    async def _deal(self, item: tuple[Answer, str] | KeptDecisionEnded) -> None:
        if isinstance(item, KeptDecisionEnded):
            await self._tell_of_kept(item)
        else:
            await self._answer(*item)

    async def _tell_of_kept(self, ended: KeptDecisionEnded) -> None:
        """Tell whoever decided what became of it; those who were told on the phone that it is kept, there."""
        home = self._home()
        decision = await self._offers.decisions.of(ended.home_id, ended.suggestion_id)
        if home is None or decision is None:
            return
        by_phone = decision.via is Via.PHONE
        if not by_phone and not decision.decided_by:
            return
        title = decision.body.suggestion.title
        page = page_of(self._page(), ended.suggestion_id)
        if ended.trouble:
            shown = Notification("Not done", f"{title}. {ended.trouble}", page)
        elif decision.verdict is Verdict.UNDONE:
            shown = Notification("Removed", f"{title}.", page)
        else:
            shown = self._stands(decision, home).notification
        await self._say(_Said(shown, to_all=by_phone), home, decision.decided_by)

    async def _answer(self, answer: Answer, user_id: str) -> None:
        home = self._home()
        if home is None:
            _log.warning("Ignored a tap: Home Assistant has not told yet who is an administrator")
            return
        if not is_admin(home, user_id):
            _log.warning("Ignored a tap by somebody who is no administrator")
            refused = Notification(
                "Not done", "Only an administrator of Home Assistant can do this.", self._page()
            )
            await self._say(_Said(refused, to_all=False), home, user_id)
            return
        await self._say(await self._decided(answer, Who(user_id, Via.PHONE), home), home, user_id)

    async def _decided(self, answer: Answer, who: Who, home: Home) -> _Said:
        """Do what was tapped and return what is said to it."""
        title = ""
        try:
            known = await self._offers.look(answer.suggestion_id)
            title = known.offered.suggestion.title
            if answer.mark is not None and answer.mark != mark_of(known.decision) and known.decision:
                return self._stands(known.decision, home)
            return await self._acted(answer, who, home, title)
        except NeedsConfirmationError as error:
            page = page_of(self._page(), answer.suggestion_id)
            return _Said(question(answer, title, error.why, page), to_all=False)
        except DecidedAlreadyError as error:
            return self._stands(error.decision, home)
        except NightshiftError as error:
            said = f"{title}. {error}" if title else str(error)
            # A suggestion that is not known has no page.
            page = page_of(self._page(), answer.suggestion_id) if title else self._page()
            return _Said(Notification("Not done", said, page), to_all=False)

    async def _acted(self, answer: Answer, who: Who, home: Home, title: str) -> _Said:
        if answer.button is Button.CANCEL:
            page = page_of(self._page(), answer.suggestion_id)
            return _Said(Notification("Nothing was created", f"{title}. It stays on offer.", page))
        if answer.button is Button.LATER:
            return self._stands(await self._offers.snooze(answer.suggestion_id, who, _WEEK), home)
        confirm = answer.button is Button.CONFIRM
        return self._stands(await self._offers.accept(answer.suggestion_id, who, confirm=confirm), home)

    def _stands(self, decision: Decision, home: Home) -> _Said:
        """Return what says how things stand now."""
        title, verdict = decision.body.suggestion.title, decision.verdict
        page = page_of(self._page(), decision.suggestion_id)
        if verdict is Verdict.ACCEPTED and not decision.gone:
            done = "Added" if decision.body.onto else "Created"
            return _Said(Notification(done, f"{title}.", editor_path(decision.body.unique_id)))
        if verdict is Verdict.ACCEPTING:
            why = decision.body.trouble or "Home Assistant has not answered"
            text = f"{title}. It is made as soon as Home Assistant can do it. Now: {why}"
            return _Said(Notification("Accepted, not made yet", text, page))
        if verdict is Verdict.SNOOZED and decision.until:
            day = decision.until.astimezone(home.zone)
            until = f"until {day.day} {day.strftime('%B')}"
            return _Said(Notification("Not now", f"{title}. It is put off {until}.", page))
        names = {user.id: user.name for user in home.users}
        by = names.get(decision.decided_by, "")
        what = "removed in Home Assistant" if decision.gone else _STANDS[verdict]
        said = f"{title}. It was {what} meanwhile{f' by {by}' if by and not decision.gone else ''}."
        return _Said(Notification("Nothing was done", said, page))

    async def _say(self, said: _Said, home: Home, user_id: str) -> None:
        """Say it to whoever tapped; where that is not known, or it concerns all, to all."""
        try:
            own = await self._phones.of_user(home, user_id)
            others = await self._phones.chosen(home) if said.to_all or not own else ()
        except NeighbourError as error:
            _log.warning("The answer %r reached no phone: %s", said.notification.title, error)
            return
        await tell(self._phones, (*own, *others), said.notification)


def _read(action: object, user_id: str) -> tuple[Answer, str] | None:
    """Return the answer and who gave it; None for what is none to us."""
    try:
        answer = answer_of(action)
    except ValueError as error:
        _log.info("Ignored a tap on %.100r: %s", action, error)
        return None
    return None if answer is None else (answer, user_id)
