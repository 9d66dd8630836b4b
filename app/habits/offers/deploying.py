"""Carrying decisions out in Home Assistant: made, changed, removed, and looked after.

Safe to be cut off anywhere: what is wanted is written down first (`accepting`, `undoing`), with the mark of
what will be put; making is by id, so that doing it again changes nothing; what is still wanted is taken up at
the start and whenever the hub is back. What a person changed in Home Assistant since is not overwritten.
"""

import asyncio
import contextlib
import logging
from collections import defaultdict
from typing import Any, Final

from app.bus import Bus
from app.clock import Clock
from app.errors import NeighbourError, NightshiftError
from app.habits.announcements import KeptDecisionEnded
from app.habits.offers import adding
from app.habits.offers.decision import PENDING, Body, Decision, Mode, Verdict, Who, Wish
from app.habits.offers.decisions import Decisions
from app.habits.offers.keeping import Keeper
from app.habits.offers.notify_first import asks_first
from app.habits.offers.troubles import (
    DecidedAlreadyError,
    EditedError,
    NoHubError,
    NoPhoneError,
    NotEditableError,
)
from app.habits.offers.wiring import mark
from app.hub.editor import AutomationEditor, NotWantedError, Standing
from app.model import Home
from app.neighbours import Neighbours, NeighbourState

_log = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 25.0
"""So long a person waits for the hub; after that it goes on by itself and the page says so."""
_LOOK_SECONDS: Final = 5.0
"""So long a page that shows an automation waits for it."""
_AWAY: Final = "Home Assistant cannot be reached just now; this is done as soon as it is back."


class Deploying:
    """The hand that carries decisions out. `editor` is None where there is no hub."""

    def __init__(
        self,
        *,
        home_id: str,
        editor: AutomationEditor | None,
        decisions: Decisions,
        neighbours: Neighbours,
        bus: Bus,
        clock: Clock,
    ) -> None:
        self._home_id = home_id
        self._editor = editor
        self._decisions = decisions
        self._neighbours = neighbours
        self._clock = clock
        self._bus = bus
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._working: set[asyncio.Task[Decision]] = set()
        self._keeper = Keeper(self.take_up, lambda: self.reachable, bus, clock)

    def start(self) -> None:
        """Take up what is still wanted, now and whenever the hub is back."""
        if self._editor is not None:
            self._keeper.start()

    async def stop(self) -> None:
        """End; what was cut off is taken up at the next start."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(self._keeper.stop(), *self._working, return_exceptions=True)

    @property
    def reachable(self) -> bool:
        """Whether the hub can be asked just now."""
        return self._editor is not None and self._neighbours.get("hub").state is NeighbourState.OK

    async def find(self, unique_id: str) -> Standing | None:
        """Return how an automation stands in the hub, None when its editor has none of that id.

        Raises NoHubError, and NeighbourError when the hub cannot be asked within a few seconds.
        """
        editor = self._there()
        if not self.reachable:
            raise NeighbourError(_AWAY)
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                return await editor.find(unique_id)
        except TimeoutError:
            raise NeighbourError(_AWAY) from None

    async def foresee(self, wish: Wish, known: Decision | None) -> None:
        """Say beforehand what would stand in the way, as far as the hub can be asked.

        Raises NoHubError, NotWantedError, EditedError, NoPhoneError.
        """
        editor = self._there()
        if not self.reachable:
            return
        try:
            if wish.body.onto:
                await adding.foresee(editor, wish.body, wish.verdict)
                return
            if wish.verdict is Verdict.ACCEPTING:
                await editor.check(await self._config(wish.mode, wish.body, editor))
            await self._left_alone(editor, wish.body, known)
        except NotWantedError:
            raise
        except EditedError:
            # Known before the home is described anew: the page says so at once.
            if known is not None and known.verdict is Verdict.ACCEPTED:
                await self._decisions.settle(known, edited=True)
            raise
        except NeighbourError as error:
            # It shows again when it is carried out, and the decision is kept until then.
            _log.info("Home Assistant could not be asked beforehand: %s", error)

    async def carry_out(self, decision: Decision) -> Decision:
        """Do what a pending decision wants; return it as it then stands.

        It stays pending, with its `trouble`, while the hub cannot do it, and goes on behind the scenes when
        the hub takes its time. Raises NotWantedError and EditedError: it then stands as before.
        """
        self._there()
        if not self.reachable:
            return await self._decisions.settle(decision, trouble=_AWAY) or decision
        task = asyncio.create_task(self._carry_out(decision), name=f"carrying out {decision.decision_id}")
        self._working.add(task)
        task.add_done_callback(self._worked)
        done, _ = await asyncio.wait({task}, timeout=_PATIENCE_SECONDS)
        return task.result() if done else decision

    async def take_up(self) -> int:
        """Carry out all that is pending; return how much still is."""
        for decision in await self._decisions.pending(self._home_id):
            try:
                await self._carry_out(decision)
            except NightshiftError as error:
                _log.warning("%s: %s", decision.body.suggestion.title, error)
            except Exception:  # noqa: BLE001 - one that fails must not keep the others from being carried out
                _log.exception("%s could not be carried out", decision.body.unique_id)
        return len(await self._decisions.pending(self._home_id))

    async def look(self, home: Home) -> None:
        """Note what became of the automations made, as the home is described: gone, edited, on or off."""
        if self._editor is None:
            return
        told = {one.unique_id: one for one in home.automations if one.unique_id}
        for decision in (await self._decisions.standing(home.home_id)).values():
            if decision.verdict is not Verdict.ACCEPTED:
                continue
            one = told.get(decision.body.unique_id)
            try:
                if one is None or not one.config or _edited(decision, one.config):
                    await self._look_closer(decision, self._editor)
                    continue
                await self._decisions.settle(decision, gone_since=None, edited=False, enabled=one.enabled)
                if decision.mode is Mode.NOTIFY:
                    await self._ask_who_is_there(decision, self._editor)
            except (NeighbourError, NoPhoneError) as error:
                _log.info("%s could not be looked after: %s", decision.body.unique_id, error)

    async def _ask_who_is_there(self, decision: Decision, editor: AutomationEditor) -> None:
        """Ask the phones there are now: one that is gone would end the automation with an error."""
        config = await self._config(Mode.NOTIFY, decision.body, editor)
        if decision.body.put is None or mark(config) == mark(decision.body.put):
            return
        both = (*decision.body.hashes, mark(config))
        if await self._decisions.settle(decision, put=config, hashes=both):
            await editor.put(decision.body.unique_id, config, area_id=decision.body.area_id)

    async def _look_closer(self, decision: Decision, editor: AutomationEditor) -> None:
        """Ask the hub itself: its description may be older than the decision."""
        standing = await editor.find(decision.body.unique_id)
        if standing is None:
            since = decision.body.gone_since or self._clock.now().isoformat()
            await self._decisions.settle(decision, gone_since=since, enabled=False)
        else:
            await self._decisions.settle(
                decision,
                gone_since=None,
                edited=_edited(decision, standing.config),
                enabled=standing.enabled,
                entity_id=standing.entity_id,
            )

    def _there(self) -> AutomationEditor:
        if self._editor is None:
            raise NoHubError
        return self._editor

    async def _carry_out(self, decision: Decision) -> Decision:
        editor = self._there()
        # Two suggestions may be added to one automation.
        async with self._locks[decision.body.unique_id or decision.suggestion_id]:
            current = await self._decisions.of(decision.home_id, decision.suggestion_id)
            if current is None or current.verdict not in PENDING:
                return current or decision
            carry = self._make if current.verdict is Verdict.ACCEPTING else self._unmake
            try:
                carried = await carry(current, editor)
            except (NotWantedError, EditedError, NotEditableError) as error:
                await self._step_back(current, error)
                self._tell_of_kept(current, str(error))
                raise
            except (NeighbourError, NoPhoneError) as error:
                return await self._decisions.settle(current, trouble=str(error)) or current
            if carried.decision_id == current.decision_id:
                self._tell_of_kept(current)
            return carried

    def _tell_of_kept(self, decision: Decision, trouble: str = "") -> None:
        """Announce the end of what its decider was told would be done later."""
        waited = (self._clock.now() - decision.decided_at).total_seconds()
        if decision.body.trouble or waited >= _PATIENCE_SECONDS:
            self._bus.announce(KeptDecisionEnded(decision.home_id, decision.suggestion_id, trouble))

    async def _make(self, decision: Decision, editor: AutomationEditor) -> Decision:
        body = decision.body
        if body.onto:
            known = await adding.put_in(editor, body)
            return await self._decisions.settle(decision, Verdict.ACCEPTED, **known) or await self._now(
                decision
            )
        await self._left_alone(editor, body)
        config = await self._config(decision.mode, body, editor)
        # The mark is written down before anything is put: cut off in between, it is still known as ours.
        marks = tuple({*body.hashes, mark(config)})
        intent = await self._decisions.settle(decision, put=config, hashes=marks, trouble="")
        if intent is None:
            return await self._now(decision)
        off = decision.mode is Mode.DISABLED
        if off and not body.keep_switch:
            # Made switched off, so that it cannot fire in between; then without that word, which would switch
            # it off again at each start of the hub, whatever people chose meanwhile.
            first = {**config, "initial_state": False}
            await editor.put(body.unique_id, first, area_id=body.area_id)
        standing = await editor.put(body.unique_id, config, area_id=body.area_id)
        if standing.enabled is off and not body.keep_switch:
            standing = await editor.turn(body.unique_id, on=not off) or standing
        settled = await self._decisions.settle(
            intent, Verdict.ACCEPTED, entity_id=standing.entity_id, enabled=standing.enabled,
            hashes=tuple({mark(config), mark(standing.config)}), edited=False, gone_since=None, force=False,
        )  # fmt: skip
        return settled or await self._now(decision)

    async def _unmake(self, decision: Decision, editor: AutomationEditor) -> Decision:
        if decision.body.onto:
            await adding.take_out(editor, decision.body)
        else:
            await self._left_alone(editor, decision.body)
            await editor.remove(decision.body.unique_id)
        settled = await self._decisions.settle(decision, Verdict.UNDONE, trouble="", enabled=False)
        return settled or await self._now(decision)

    async def _left_alone(
        self, editor: AutomationEditor, wanted: Body, known: Decision | None = None
    ) -> None:
        """Raise EditedError when what stands there is not what we put, unless it may be lost."""
        if wanted.force:
            return
        standing = await editor.find(wanted.unique_id)
        if standing is None:
            return
        if mark(standing.config) not in {*wanted.hashes, *(known.body.hashes if known else ())}:
            raise EditedError

    async def _config(self, mode: Mode | None, body: Body, editor: AutomationEditor) -> dict[str, Any]:
        automation = dict(body.automation or {})
        if mode is not Mode.NOTIFY:
            return automation
        phones = await editor.phones()
        if not phones:
            raise NoPhoneError
        return asks_first(automation, body.unique_id, phones)

    async def _step_back(self, decision: Decision, error: NightshiftError) -> None:
        """Let a decision that cannot be carried out give way to the one it took the place of."""
        why = str(error)
        who = Who(decision.decided_by, decision.via)
        past = await self._decisions.history(decision.home_id, decision.suggestion_id)
        # What was never carried out is nothing to go back to.
        before = next((one for one in past[1:] if one.verdict is not Verdict.ACCEPTING), None)
        if before is not None and before.verdict is Verdict.ACCEPTED:
            known = {"trouble": why, "edited": isinstance(error, EditedError)}
            body = before.body.model_copy(update=known)
            wish = Wish(verdict=Verdict.ACCEPTED, who=who, mode=before.mode, reason=why, body=body)
        else:
            body = decision.body.model_copy(update={"trouble": why})
            wish = Wish(verdict=Verdict.UNDONE, who=who, reason=why, body=body)
        # Whoever decided otherwise meanwhile has the last word.
        with contextlib.suppress(DecidedAlreadyError):
            await self._decisions.decide(decision.home_id, wish, over=decision.decision_id)

    async def _now(self, decision: Decision) -> Decision:
        return await self._decisions.of(decision.home_id, decision.suggestion_id) or decision

    def _worked(self, task: asyncio.Task[Decision]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.info("%s: %s", task.get_name(), error)
        self._keeper.wake()


def _edited(decision: Decision, config: Any) -> bool:
    return mark(config) not in decision.body.hashes
