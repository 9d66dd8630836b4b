"""The job `morning_digest`: phones are told of new suggestions, once a day at most."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from typing import Final

from app.announce import notification
from app.announce.digest_book import DigestBook
from app.announce.notification import mark_of
from app.announce.phones import Phones
from app.errors import NeighbourError
from app.habits.offers.decision import Decision, Verdict
from app.habits.offers.decisions import Decisions
from app.habits.suggestions import Offered, Suggestions
from app.hub.errors import NoReplyError
from app.jobs.context import RunContext
from app.jobs.policies import Backoff, CatchUp, Scope
from app.jobs.spec import JobSpec, Outcome
from app.model import Home
from app.options import Options

MORNING_DIGEST: Final = "morning_digest"
"""The job's name: the ledger's and the API's."""


def schedule_of(digest_at: str) -> str:
    """Return the schedule that the option `digest_at` asks for."""
    if digest_at == "off":
        return digest_at
    hour, _, minute = digest_at.partition(":")
    return f"{int(minute)} {int(hour)} * * *"


def morning_digest_job(run: Callable[[RunContext], Awaitable[Outcome]]) -> JobSpec:
    """Declare the job."""
    return JobSpec(
        name=MORNING_DIGEST,
        title="Morning digest",
        description="Tells phones of suggestions that are new since they were last told.",
        schedule=schedule_of(Options.model_fields["digest_at"].default),
        run=run,
        scope=Scope.HOME,
        # A late one is still the morning's; after that it waits for the next, with what is new by then.
        grace=timedelta(hours=4),
        catch_up=CatchUp.SKIP,
        attempts=4,
        backoff=Backoff(base=timedelta(minutes=2), cap=timedelta(minutes=30)),
        time_limit=timedelta(minutes=5),
        keep=timedelta(days=180),
    )


class MorningDigest:
    """The work of the job. `phones` None: there is no Home Assistant (the demo).

    `page` gives the path of Nightshift's page in Home Assistant, empty while it is not known.
    """

    def __init__(
        self,
        *,
        home_id: str,
        home: Callable[[], Home | None],
        suggestions: Suggestions,
        decisions: Decisions,
        phones: Phones | None,
        book: DigestBook,
        page: Callable[[], str],
    ) -> None:
        self._home_id = home_id
        self._home = home
        self._suggestions = suggestions
        self._decisions = decisions
        self._phones = phones
        self._book = book
        self._page = page

    async def run(self, context: RunContext) -> Outcome:
        """Tell each phone what is new to it, unless its day has had its digest.

        Raises NeighbourError when none could be told: it is tried again.
        """
        today = context.clock.now().astimezone(context.zone).date()
        about = context.occasion.astimezone(context.zone).date()
        if about != today:
            context.log.info("The digest of %s is too late: nothing is told", about)
            return Outcome(details={"too_late": about.isoformat()})
        offered = await self._suggestions.offered(self._home_id)
        if self._phones is None or not offered:
            return Outcome(counts={"told": 0, "new": 0})
        chosen = await self._phones.chosen(self._home())
        told, new, failures = 0, 0, list[NeighbourError]()
        for phone in chosen:
            try:
                count = await self._tell(self._phones, phone, today, offered, again=context.force)
            except NeighbourError as error:
                context.fail(phone, error)
                failures.append(error)
            else:
                told, new = told + bool(count), max(new, count)
        if failures and not told:
            raise failures[0]
        return Outcome(counts={"phones": len(chosen), "told": told, "new": new})

    async def _tell(
        self, phones: Phones, phone: str, today: date, offered: list[Offered], *, again: bool
    ) -> int:
        """Tell one phone; return of how many suggestions, 0 when there is nothing to be told."""
        standing = await self._decisions.standing(self._home_id)
        told = {} if again else await self._book.told(phone)
        new = []
        for one in offered:
            identity = one.suggestion.id
            if identity not in told or _came_back(standing.get(identity), told[identity]):
                new.append(one.suggestion)
        if not new or not await self._book.claim(phone, today, [one.id for one in new], again=again):
            return 0
        shown = notification.digest(new, mark_of(standing.get(new[0].id)), self._page())
        try:
            await phones.send(phone, shown)
        except NoReplyError:
            raise  # it may have arrived: the claim stays, and what is new is told tomorrow
        except NeighbourError:
            await self._book.release(phone, today)
            raise
        await self._book.sent(phone, today)
        return len(new)


def _came_back(decision: Decision | None, told_at: datetime) -> bool:
    """Return whether it was put off or declined since it was told, and is on offer again."""
    if decision is None or decision.verdict not in {Verdict.SNOOZED, Verdict.DECLINED}:
        return False
    return decision.decided_at >= told_at
