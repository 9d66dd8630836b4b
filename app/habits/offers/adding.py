"""Putting steps into an automation that people made, and taking them out again.

Nothing of theirs is ever overwritten: it is changed only while it stands as it was when that was decided, or
as this put it. What stood there before is kept with the decision, so that it can be put back; the mark of
what will stand there is too, so that it is known again after a crash in the middle.
"""

from typing import Any

from app.habits.offers.decision import Body, Onto, Verdict
from app.habits.offers.troubles import EditedError, NotEditableError
from app.habits.offers.wiring import mark
from app.hub.editor import AutomationEditor, Standing


async def foresee(editor: AutomationEditor, wanted: Body, verdict: Verdict) -> None:
    """Say beforehand what would stand in the way.

    Raises NotWantedError, EditedError, NotEditableError, NeighbourError.
    """
    if verdict is Verdict.ACCEPTING:
        await editor.check(wanted.automation or {})
        await _as_known(editor, wanted)
    elif verdict is Verdict.UNDOING:
        await _to_be_put_back(editor, wanted)


async def put_in(editor: AutomationEditor, body: Body) -> dict[str, Any]:
    """Put the steps in, once however often this is done; return what is then known. Raises as `foresee`."""
    standing = await _as_known(editor, body)
    wanted = body.automation or {}
    if mark(standing.config) != mark(wanted):
        standing = await editor.change(body.unique_id, wanted)
    return {
        "entity_id": standing.entity_id,
        "enabled": standing.enabled,
        "hashes": tuple({mark(wanted), mark(standing.config)}),
        "edited": False,
        "gone_since": None,
        "trouble": "",
    }


async def take_out(editor: AutomationEditor, body: Body) -> None:
    """Put back what stood there before; nothing where it is gone. Raises as `foresee`."""
    before = await _to_be_put_back(editor, body)
    if before is not None:
        await editor.change(body.unique_id, before)


async def _as_known(editor: AutomationEditor, body: Body) -> Standing:
    onto = _onto(body)
    standing = await editor.find(body.unique_id)
    if standing is None:
        raise NotEditableError(onto.name)
    if mark(standing.config) not in {mark(onto.before), *body.hashes}:
        raise EditedError
    return standing


async def _to_be_put_back(editor: AutomationEditor, body: Body) -> dict[str, Any] | None:
    """Return what is to be put there; None when there is nothing to do."""
    onto = _onto(body)
    standing = await editor.find(body.unique_id)
    if standing is None or mark(standing.config) == mark(onto.before):
        return None
    if mark(standing.config) not in body.hashes and not body.force:
        raise EditedError
    return dict(onto.before)


def _onto(body: Body) -> Onto:
    if body.onto is None:
        raise ValueError("that decision adds to no automation")
    return body.onto
