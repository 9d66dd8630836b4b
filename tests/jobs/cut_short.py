"""A process to be killed over its subjects: `python -m tests.jobs.cut_short FOLDER hang|busy`."""

import asyncio
import secrets
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path

from app.clock import SystemClock
from app.errors import InputError
from app.jobs.context import RunContext
from app.jobs.policies import Backoff
from app.jobs.run import Trigger
from app.jobs.spec import Subjects
from app.jobs.subject import Subject
from tests.jobs.parts import HOME, JOB, NIGHT, House, house, many, spec

SUBJECTS = 23


async def main(folder: Path, how: str) -> None:
    async with house(folder, SystemClock(), secrets.token_hex(4)) as here:
        if how == "hang":
            await hang(here)
        else:
            await here.queue.free_others()
            async with here.store.writing() as db:
                await db.execute("UPDATE job_run SET status = 'interrupted' WHERE status = 'running'")
            for night in count():
                await work_all_night(here, night)


async def hang(here: House) -> None:
    """Try again what is due, one after another, and come to no end with it."""

    async def work(_context: RunContext, subject: Subject) -> None:
        say(f"trying {subject.subject_id}")
        await asyncio.Event().wait()

    due = await here.queue.due(JOB, HOME, here.clock.now())
    only = sorted((Subject(retry.subject_id) for retry in due), key=lambda subject: subject.subject_id)
    context = here.context(secrets.token_hex(4), trigger=Trigger.RETRY, occasion=due[0].occasion)
    await here.begin(context.run_id)
    await here.work(spec(Subjects(nobody, work), batch_size=1), context, only=only)


async def work_all_night(here: House, night: int) -> None:
    """Bring one night's run to its end, taking up what was cut off, and then all that it owes."""

    async def work(context: RunContext, subject: Subject) -> None:
        await asyncio.sleep(0.001)
        if context.trigger is not Trigger.RETRY and int(subject.subject_id[1:]) % 3 == night % 3:
            raise InputError("not at the first try")

    job = spec(
        Subjects(nobody, work),
        batch_size=4,
        subject_attempts=1000,
        backoff=Backoff(timedelta(milliseconds=1), timedelta(milliseconds=1)),
    )
    occasion = NIGHT + timedelta(days=night)
    async with here.store.reading() as db:
        whole = await db.execute_fetchall(
            "SELECT 1 FROM job_run WHERE run_id LIKE ? AND status = 'completed'", (f"{night:03} run %",)
        )
    if not list(whole):
        done = frozenset(await here.results.completed_for(JOB, HOME, occasion))
        context = here.context(f"{night:03} run {secrets.token_hex(4)}", occasion=occasion)
        await here.whole(job, context, only=many(SUBJECTS), done_before=done)
    while await here.queue.next_at(JOB, HOME) is not None:
        await here.try_again(job, f"try {secrets.token_hex(4)}")
        await asyncio.sleep(0.001)
    say(f"night {night}")


async def nobody(_context: RunContext) -> list[Subject]:
    return []


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the test listens


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
