"""The start: what was cut off, what came due meanwhile and what waits is taken up, then the clock ticks."""

import asyncio

from app.jobs.dispatch import Dispatch
from app.jobs.due import When
from app.jobs.places import Duty
from app.jobs.policies import CatchUp
from app.jobs.schedule import Stored


async def take_up(dispatch: Dispatch) -> None:
    """Open the clock, start what is owed and what came due, then let it tick."""
    stored = await dispatch.schedule.open()
    dispatch.ticking = True
    async with dispatch.deciding:
        in_force = await asyncio.to_thread(_in_force, dispatch, stored)
        await _take_up(dispatch, in_force)
        await dispatch.stamp(in_force)
        until_now = {duty.key: when for duty, when in in_force}
        dispatch.duties.begin_anew(
            duty for duty in dispatch.agenda if until_now.get(duty.key) != dispatch.agenda.when(duty)
        )
        await dispatch.reconcile()
    await dispatch.schedule.run()


def _in_force(dispatch: Dispatch, stored: Stored) -> list[tuple[Duty, When]]:
    """Return the duties that had a schedule until now, with that one: options may have changed it.

    What is switched off now is not started for what it was before. Files from before there were several
    homes know a job by its name alone.
    """
    now = dispatch.now_in_force()
    # A look was not in the file, and is not made up for.
    now = [(duty, when) for duty, when in now if not duty.spec.look]
    if stored.rebuilt:
        return now
    known = [(duty, stored.whens.get(duty.key) or stored.whens.get(duty.spec.name)) for duty, _when in now]
    return [(duty, when) for duty, when in known if when is not None]


async def _take_up(dispatch: Dispatch, in_force: list[tuple[Duty, When]]) -> None:
    """At the start: what was cut off, what came due meanwhile, what waits."""
    due, _ = await asyncio.to_thread(dispatch.undecided, in_force)
    asking = {duty.key for duty, _when in due}
    asked = await dispatch.ledger.interrupted()
    asked |= {(run.job, run.home) for run in await dispatch.ledger.waiting()}
    asked |= {(retry.job, retry.home) for retry in await dispatch.queue.all() if not retry.dead}
    asking |= {duty.key for duty in dispatch.agenda if (duty.spec.name, duty.home) in asked}
    whens = {duty.key: when for duty, when in in_force}
    for duty in dispatch.agenda:
        if duty.key in asking and dispatch.may_start(duty):
            await _take_up_one(dispatch, duty, whens.get(duty.key))


async def _take_up_one(dispatch: Dispatch, duty: Duty, when: When | None) -> None:
    # Where each is to be done, the one that was cut off comes first; else the newest takes its place.
    waiting = await dispatch.ledger.pending(duty.spec.name, duty.home)
    in_order = bool(waiting) or duty.spec.catch_up is CatchUp.ALL
    if not in_order:
        await dispatch.consider(duty, when)
    if dispatch.crew.running(duty) is None and (owed := await dispatch.duties.owed(duty, when)) is not None:
        await dispatch.crew.begin(duty, owed)
    if in_order:
        await dispatch.consider(duty, when)
    await dispatch.start_next(duty)
