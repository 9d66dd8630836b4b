"""What adding a suggestion to people's own automation comes to, as that stands now."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from app.errors import InputError, NeighbourError
from app.habits import safety
from app.habits.offers.checking import refuse_unsafe
from app.habits.offers.decision import Body, Decision, Onto, Verdict, Who
from app.habits.offers.deploying import Deploying
from app.habits.offers.extending import Extension, extension
from app.habits.offers.troubles import (
    ChangedSinceError,
    DecidedAlreadyError,
    NeedsConfirmationError,
    NoHubError,
    NotEditableError,
)
from app.habits.offers.wiring import mark
from app.habits.suggestion import Suggestion
from app.hub.automations import plural
from app.hub.editor import can_be_edited
from app.model import Home

_NOTHING: Final = "This suggestion could be added to no automation that is there."


class Additions:
    """Looks at the automations that suggestions could be added to. `home` gives the home as last known."""

    def __init__(self, home: Callable[[], Home | None], deploying: Deploying) -> None:
        self._home = home
        self._deploying = deploying

    async def of(self, suggestion: Suggestion) -> Extension | None:
        """Return what adding it comes to; None when there is nothing to add it to any more.

        The hub is asked for the automation as it is now. While that cannot be asked, it is shown as the home
        was last described.
        """
        found = suggestion.extends
        home = self._home()
        if found is None or home is None:
            return None
        known = next((one for one in home.automations if one.entity_id == found.entity_id), None)
        config: Mapping[str, Any] = known.config if known else {}
        kept, enabled = True, known is None or known.enabled
        if found.unique_id and can_be_edited(found.unique_id):
            try:
                standing = await self._deploying.find(found.unique_id)
            except (NeighbourError, NoHubError):
                standing = None
            else:
                kept = standing is not None
            if standing is not None:
                config, enabled = standing.config, standing.enabled
        if not config:
            return None
        name = str(plural(config).get("alias") or found.name)
        return extension(
            found.entity_id,
            found.unique_id,
            name,
            config,
            found.automation,
            suggestion.automation,
            kept=kept,
            enabled=enabled,
        )

    async def wanted(self, suggestion: Suggestion, slim: Body, *, confirm: bool, seen: str) -> Body:
        """Return what is to become of that automation; `seen` is the mark of what was looked at.

        Without it, it has to be what the night found. Raises InputError (nothing to add it to, never
        automated), NotEditableError, ChangedSinceError, NeedsConfirmationError.
        """
        found = await self.of(suggestion)
        if found is None or suggestion.extends is None:
            raise InputError(_NOTHING)
        if not found.editable:
            raise NotEditableError(found.name)
        if seen != found.seen and (seen or mark(found.after) != mark(suggestion.extends.automation)):
            raise ChangedSinceError(found.name, found.seen)
        verdict = refuse_unsafe({"actions": list(found.steps)}, self._home())
        if verdict.risk == safety.CONFIRM and not confirm:
            raise NeedsConfirmationError(verdict.why)
        return slim.model_copy(
            update={
                "automation": found.after,
                "put": found.after,
                "unique_id": found.unique_id,
                "entity_id": found.entity_id,
                "hashes": (mark(found.after),),
                "onto": Onto(entity_id=found.entity_id, name=found.name, before=found.before),
            }
        )


def tapped_twice(known: Decision | None, who: Who) -> bool:
    """Return whether that person added it already.

    Raises DecidedAlreadyError when somebody else did. By now it may stand there, so the wishes may differ.
    """
    if known is None or known.body.onto is None or known.gone:
        return False
    if known.verdict not in {Verdict.ACCEPTING, Verdict.ACCEPTED}:
        return False
    if known.decided_by != who.user_id:
        raise DecidedAlreadyError(known)
    return True
