"""A small crew in a process of its own, to be killed: `python -m tests.jobs.killed FOLDER hang|fail|busy`."""

import asyncio
import sys
from pathlib import Path

from app.clock import SystemClock
from app.errors import InputError
from app.jobs.context import RunContext
from app.jobs.ledger import Trigger
from app.jobs.spec import Outcome
from tests.jobs.crew import SOON, crew, job


async def main(folder: Path, how: str) -> None:
    async def work(context: RunContext) -> Outcome:
        if how == "hang":
            await context.engine.call(
                "tests.jobs.crew:hang", b"", lambda step, _done, _total: say(f"{context.run_id} {step}")
            )
        elif how == "fail":
            raise InputError("the hub said no")
        return Outcome()

    async with crew(folder, SystemClock(), job(work, backoff=SOON)) as made:
        say("started")
        while True:
            run = made.jobs.running("analysis") or await made.jobs.trigger("analysis", Trigger.SCHEDULE)
            await made.jobs.wait(run.run_id)
            if how == "fail":
                say("failed")
                await asyncio.Event().wait()


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the test listens


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
