"""The one door through which people decide on suggestions: page, API, phone and MQTT use it alike.

Whether somebody may decide at all (an administrator) is checked by whoever knows who is asking.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from app.clock import Clock
from app.errors import InputError, NeighbourError
from app.habits import safety
from app.habits.offers.additions import Additions, tapped_twice
from app.habits.offers.checking import checked, refuse_unsafe
from app.habits.offers.decision import IN_THE_HUB, Body, Decision, Mode, Verdict, Who, Wish, gives_way
from app.habits.offers.decisions import Decisions
from app.habits.offers.deploying import Deploying
from app.habits.offers.excluded import Exclusion, never_again
from app.habits.offers.exclusions import Exclusions, Kept
from app.habits.offers.extending import Extension
from app.habits.offers.troubles import (
    AddedError,
    DecidedAlreadyError,
    NeedsConfirmationError,
    NothingDecidedError,
    NotOnOfferError,
)
from app.habits.offers.watched import Watched
from app.habits.offers.watches import Watches
from app.habits.offers.wiring import area_of, described, unique_id_of
from app.habits.suggestion import Suggestion
from app.habits.suggestions import Offered, Suggestions
from app.model import Home

SNOOZES: Final = (7, 30)
"""For how many days a suggestion can be put off."""
LONGEST_REASON: Final = 500
_STILL_FRESH = timedelta(days=14)
"""What was found this lately comes back at once when its "never" is taken back; older waits for the night."""


@dataclass(frozen=True, slots=True)
class Known:
    """A suggestion with what stands decided on it, and what was decided before, the newest first."""

    offered: Offered
    on_offer: bool
    decision: Decision | None
    history: tuple[Decision, ...]


class Offers:
    """Deciding on one home's suggestions. `home` gives the home as last known."""

    def __init__(
        self,
        *,
        home_id: str,
        home: Callable[[], Home | None],
        suggestions: Suggestions,
        decisions: Decisions,
        exclusions: Exclusions,
        deploying: Deploying,
        clock: Clock,
        watches: Watches | None = None,
    ) -> None:
        self._home_id = home_id
        self._home = home
        self._suggestions = suggestions
        self._exclusions = exclusions
        self._clock = clock
        self._watches = watches
        self._additions = Additions(home, deploying)
        self.decisions = decisions
        self.deploying = deploying

    async def look(self, suggestion_id: str) -> Known:
        """Return all that is known of a suggestion, on offer or not.

        Raises NotOnOfferError when no night ever found it.
        """
        one = await self._suggestions.get(self._home_id, suggestion_id)
        if one is None:
            raise NotOnOfferError
        now = await self._on_offer(suggestion_id)
        history = await self.decisions.history(self._home_id, suggestion_id)
        return Known(now or one, now is not None, history[0] if history else None, tuple(history))

    async def accept(
        self,
        suggestion_id: str,
        who: Who,
        *,
        mode: Mode = Mode.ENABLED,
        confirm: bool = False,
        automation: Any = None,
        force: bool = False,
    ) -> Decision:
        """Accept a suggestion, as it is or as edited, and make its automation.

        Returns it `accepted`, or `accepting` with its `trouble` while Home Assistant cannot do it yet. One
        whose automation was removed in Home Assistant can be accepted again. Raises NotOnOfferError,
        DecidedAlreadyError, NeedsConfirmationError, EditedError (see `force`), NotWantedError, and InputError
        for what is never automated or makes no sense.
        """
        suggestion, known, over = await self._for_deciding(suggestion_id)
        body = self._body(suggestion, automation, confirm=confirm, force=force)
        if known is not None:
            body = body.model_copy(update={"hashes": known.body.hashes})
        wish = Wish(verdict=Verdict.ACCEPTING, who=who, mode=mode, body=body)
        if known is None or gives_way(known, wish, self._clock.now(), over):
            await self.deploying.foresee(wish, known)
        decision = await self.decisions.decide(self._home_id, wish, over=over)
        return await self._carried_out(decision)

    async def extension(self, known: Known) -> Extension | None:
        """Return what adding a suggestion on offer to an automation that is there comes to, if it can be."""
        return await self._additions.of(known.offered.suggestion) if known.on_offer else None

    async def extend(
        self, suggestion_id: str, who: Who, *, confirm: bool = False, seen: str = ""
    ) -> Decision:
        """Accept a suggestion by adding its steps to the automation that it `extends`.

        `seen` is the mark of that automation as it was looked at (`Extension.seen`). What stands there now is
        kept; taken back, it is put there again. Returns and raises as `accept`; ChangedSinceError when it is
        not what was looked at, NotEditableError when it cannot be changed from here.
        """
        suggestion, known, over = await self._for_deciding(suggestion_id)
        if known is not None and tapped_twice(known, who):
            return known
        body = await self._additions.wanted(suggestion, _slim(suggestion), confirm=confirm, seen=seen)
        wish = Wish(verdict=Verdict.ACCEPTING, who=who, mode=Mode.ENABLED, body=body)
        if known is None or gives_way(known, wish, self._clock.now(), over):
            await self.deploying.foresee(wish, known)
        return await self._carried_out(await self.decisions.decide(self._home_id, wish, over=over))

    async def change(
        self,
        suggestion_id: str,
        who: Who,
        *,
        mode: Mode | None = None,
        confirm: bool = False,
        automation: Any = None,
        force: bool = False,
    ) -> Decision:
        """Change an accepted automation: its wiring, its mode, or both; else as `accept`.

        Switched on or off by people, it stays so unless the mode changes. Raises NothingDecidedError.
        """
        known = await self.decisions.of(self._home_id, suggestion_id)
        if known is None or known.verdict not in {Verdict.ACCEPTING, Verdict.ACCEPTED} or known.gone:
            raise NothingDecidedError
        if known.body.onto:
            raise AddedError(known.body.onto.name)
        given = automation if automation is not None else known.body.automation
        # What is only switched off does nothing that would have to be confirmed.
        confirm = confirm or (automation is None and mode is Mode.DISABLED)
        body = self._body(known.body.suggestion, given, confirm=confirm, force=force)
        # A switch that is still to be turned for the decision before is turned for this one.
        settled = known.verdict is Verdict.ACCEPTED or known.body.keep_switch
        kept = {
            "changes": known.decision_id,
            "hashes": known.body.hashes,
            "entity_id": known.body.entity_id,
            "keep_switch": settled and (mode is None or mode is known.mode),
        }
        body = body.model_copy(update=kept)
        wish = Wish(verdict=Verdict.ACCEPTING, who=who, mode=mode or known.mode, body=body)
        await self.deploying.foresee(wish, known)
        return await self._carried_out(
            await self.decisions.decide(self._home_id, wish, over=known.decision_id)
        )

    async def decline(self, suggestion_id: str, who: Who, reason: str = "") -> Decision:
        """Decline a suggestion, for good unless its evidence changes (`returning` has the rule)."""
        if len(reason) > LONGEST_REASON:
            raise InputError(f"reason: at most {LONGEST_REASON} characters")
        suggestion, _, over = await self._for_deciding(suggestion_id)
        wish = Wish(
            verdict=Verdict.DECLINED, who=who, reason=" ".join(reason.split()), body=_slim(suggestion)
        )
        return await self.decisions.decide(self._home_id, wish, over=over)

    async def snooze(self, suggestion_id: str, who: Who, days: int) -> Decision:
        """Put a suggestion off."""
        if days not in SNOOZES:
            raise InputError(f"days: give {' or '.join(map(str, SNOOZES))}")
        suggestion, _, over = await self._for_deciding(suggestion_id)
        until = self._clock.now() + timedelta(days=days)
        wish = Wish(verdict=Verdict.SNOOZED, who=who, until=until, body=_slim(suggestion))
        return await self.decisions.decide(self._home_id, wish, over=over)

    async def never(self, suggestion_id: str, who: Who, what: str, entity_id: str | None = None) -> Decision:
        """Decline it and offer no such thing again: for its entities (or one of them), or for its kind."""
        suggestion, _, over = await self._for_deciding(suggestion_id)
        exclusions = never_again(suggestion, what, entity_id)
        pairs = tuple((one.kind.value, one.value) for one in exclusions)
        body = _slim(suggestion).model_copy(update={"never": pairs})
        wish = Wish(verdict=Verdict.DECLINED, who=who, body=body)
        new = [one for one in exclusions if await self._exclusions.add(self._home_id, one, who.user_id)]
        try:
            return await self.decisions.decide(self._home_id, wish, over=over)
        except DecidedAlreadyError:
            for one in new:
                await self._exclusions.remove(self._home_id, one)
            raise

    async def undo(self, suggestion_id: str, who: Who, *, force: bool = False) -> Decision:
        """Take back what stands decided; an acceptance's automation is removed.

        Returns it `undone`, or `undoing` while Home Assistant cannot be reached. Raises NothingDecidedError,
        and EditedError when a person changed the automation since (see `force`).
        """
        known = await self.decisions.of(self._home_id, suggestion_id)
        if known is None:
            raise NothingDecidedError
        if known.verdict is Verdict.UNDONE:
            return known
        if known.verdict in IN_THE_HUB:
            return await self._remove(known, who, force=force)
        for kind, value in known.body.never:
            await self._exclusions.remove(self._home_id, Exclusion.of(kind, value))
        return await self._undone(known, who)

    async def kept_exclusions(self) -> list[Kept]:
        """Return what is never to be offered."""
        return await self._exclusions.kept(self._home_id)

    async def exclude(self, kind: object, value: object, who: Who) -> Exclusion:
        """Never offer that again. Raises InputError."""
        exclusion = Exclusion.of(kind, value)
        await self._exclusions.add(self._home_id, exclusion, who.user_id)
        return exclusion

    async def allow(self, kind: object, value: object) -> bool:
        """Let it be offered again; False when it was not excluded. Raises InputError."""
        return await self._exclusions.remove(self._home_id, Exclusion.of(kind, value))

    async def verdict(self, suggestion_id: str) -> Watched | None:
        """Return what a suggestion's automation did since, with its proposal; None before the first night.

        A proposal's `automation` is what `change` takes; to retire is `undo`.
        """
        return await self._watches.of(self._home_id, suggestion_id) if self._watches else None

    async def watched(self) -> list[Watched]:
        """Return all automations that are watched, those that people made too."""
        return await self._watches.listed(self._home_id) if self._watches else []

    async def _remove(self, known: Decision, who: Who, *, force: bool) -> Decision:
        if not known.body.hashes:
            return await self._undone(known, who)  # nothing was ever put
        body = known.body.model_copy(update={"force": force, "trouble": ""})
        wish = Wish(verdict=Verdict.UNDOING, who=who, mode=known.mode, body=body)
        await self.deploying.foresee(wish, known)
        decision = await self.decisions.decide(self._home_id, wish, over=known.decision_id)
        decision = await self._carried_out(decision)
        await self._bring_back(known.suggestion_id)
        return decision

    async def _undone(self, known: Decision, who: Who) -> Decision:
        wish = Wish(verdict=Verdict.UNDONE, who=who, body=known.body)
        decision = await self.decisions.decide(self._home_id, wish, over=known.decision_id)
        await self._bring_back(known.suggestion_id)
        return decision

    async def _bring_back(self, suggestion_id: str) -> None:
        await self._suggestions.bring_back(self._home_id, suggestion_id, self._clock.now() - _STILL_FRESH)

    async def _carried_out(self, decision: Decision) -> Decision:
        if decision.verdict not in {Verdict.ACCEPTING, Verdict.UNDOING}:
            return decision
        return await self.deploying.carry_out(decision)

    async def _for_deciding(self, suggestion_id: str) -> tuple[Suggestion, Decision | None, str | None]:
        """Return a suggestion that can be decided on, what stands decided, and its id if it may be replaced.

        What is on offer again although it was decided (a decline that came back), and what is gone from Home
        Assistant, is decided anew. All else that is decided goes through: whether it is the same wish again,
        its storing tells.
        """
        one = await self._on_offer(suggestion_id)
        # In this order: what is decided in between is then seen, and not taken for what came back.
        known = await self.decisions.of(self._home_id, suggestion_id)
        if one is not None:
            back = known is not None and await self._came_back(one, known)
            return one.suggestion, known, known.decision_id if known and back else None
        if known is not None and known.holds(self._clock.now()):
            return known.body.suggestion, known, known.decision_id if known.gone else None
        raise NotOnOfferError

    async def _came_back(self, one: Offered, known: Decision) -> bool:
        """Return whether what is on offer was declined, and is offered again for a reason."""
        if known.body.never:
            kept = {(each.kind.value, each.value) for each in await self._exclusions.listed(self._home_id)}
            return kept.isdisjoint(known.body.never)
        return one.returned is not None and one.returned.declined_at == known.decided_at

    async def _on_offer(self, suggestion_id: str) -> Offered | None:
        offered = await self._suggestions.offered(self._home_id)
        return next((one for one in offered if one.suggestion.id == suggestion_id), None)

    def _body(self, suggestion: Suggestion, automation: Any, *, confirm: bool, force: bool) -> Body:
        """Return what is to be made. Raises InputError for what is not."""
        home = self._home()
        if home is None:
            # Without their names nobody can tell a lamp's switch from an oven's.
            raise NeighbourError(
                "Home Assistant has not told yet what is in this home; try again in a minute"
            )
        given = automation if automation is not None else suggestion.automation
        whole = checked(given)
        verdict = refuse_unsafe(whole, home)
        if verdict.risk == safety.CONFIRM and not confirm:
            raise NeedsConfirmationError(verdict.why)
        whole["description"] = described(whole, suggestion, home, self._clock.now())
        return _slim(suggestion).model_copy(
            update={
                "automation": whole,
                "unique_id": unique_id_of(suggestion.id),
                "area_id": area_of(whole, home),
                "force": force,
            }
        )


def _slim(suggestion: Suggestion) -> Body:
    """Return a decision's body with the suggestion as it is now, without its hundreds of dates."""
    evidence = suggestion.evidence
    replay = evidence.replay.model_copy(update={"wanted_at": [], "unwanted_at": [], "missed_at": []})
    slim = evidence.model_copy(update={"replay": replay, "examples": [], "misses": []})
    return Body(suggestion=suggestion.model_copy(update={"evidence": slim}))
