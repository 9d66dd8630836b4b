"""The job `morning_digest`: phones are told of new suggestions, and of automations of which something is
proposed, once a day at most.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from app.announce import notification
from app.announce.digest_book import DigestBook
from app.announce.notification import mark_of
from app.announce.phones import Phones
from app.clock import to_ms
from app.errors import NeighbourError
from app.habits.offers.decision import Decision, Verdict
from app.habits.offers.decisions import Decisions
from app.habits.offers.watched import Watched
from app.habits.offers.watches import Watches
from app.habits.suggestions import Offered, Suggestions
from app.hub.errors import NoReplyError
from app.jobs.context import RunContext
from app.jobs.policies import Backoff, CatchUp, Scope
from app.jobs.spec import JobSpec, Outcome
from app.model import Home
from app.options import Options

MORNING_DIGEST: Final = "morning_digest"
"""The job's name: the ledger's and the API's."""
_ASKS: Final = frozenset({"shift", "condition", "retire"})
"""Proposals that somebody has to answer: that all is well is not worth a buzz."""


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
        description="Tells phones of what is new: suggestions, and automations that could be better.",
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
        watches: Watches,
    ) -> None:
        self._home_id = home_id
        self._home = home
        self._suggestions = suggestions
        self._decisions = decisions
        self._phones = phones
        self._book = book
        self._page = page
        self._watches = watches

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
        watched = [
            one
            for one in await self._watches.listed(self._home_id)
            if one.suggestion_id and one.proposal and one.proposal.proposal in _ASKS
        ]
        if self._phones is None or not (offered or watched):
            return Outcome(counts={"told": 0, "new": 0})
        chosen = await self._phones.chosen(self._home())
        told, new, failures = 0, 0, list[NeighbourError]()
        for phone in chosen:
            try:
                news = _News(today, offered, watched, again=context.force)
                count = await self._tell(self._phones, phone, news)
            except NeighbourError as error:
                context.fail(phone, error)
                failures.append(error)
            else:
                told, new = told + bool(count), max(new, count)
        if failures and not told:
            raise failures[0]
        return Outcome(counts={"phones": len(chosen), "told": told, "new": new})

    async def _tell(self, phones: Phones, phone: str, news: "_News") -> int:
        """Tell one phone; return of how many things, 0 when there is nothing to be told."""
        standing = await self._decisions.standing(self._home_id)
        told = {} if news.again else await self._book.told(phone)
        new = []
        for one in news.offered:
            identity = one.suggestion.id
            if identity not in told or _came_back(standing.get(identity), told[identity]):
                new.append(one.suggestion)
        verdicts = [one for one in news.watched if _key(one) not in told]
        keys = [*(one.id for one in new), *(_key(one) for one in verdicts)]
        if not keys or not await self._book.claim(phone, news.today, keys, again=news.again):
            return 0
        mark = mark_of(standing.get(new[0].id)) if new else ""
        shown = notification.digest(new, mark, self._page(), verdicts)
        try:
            await phones.send(phone, shown)
        except NoReplyError:
            raise  # it may have arrived: the claim stays, and what is new is told tomorrow
        except NeighbourError:
            await self._book.release(phone, news.today)
            raise
        await self._book.sent(phone, news.today)
        return len(keys)


@dataclass(frozen=True, slots=True)
class _News:
    """What there is to be told. `again`: whatever was told before."""

    today: date
    offered: list[Offered]
    watched: list[Watched]
    again: bool


def _key(one: Watched) -> str:
    """Return what a proposal is remembered by; another proposal, or another decision, is told anew."""
    since = to_ms(one.since) if one.since else 0
    return f"{one.suggestion_id} {one.proposal.proposal if one.proposal else ''} {since}"


def _came_back(decision: Decision | None, told_at: datetime) -> bool:
    """Return whether it was put off or declined since it was told, and is on offer again."""
    if decision is None or decision.verdict not in {Verdict.SNOOZED, Verdict.DECLINED}:
        return False
    return decision.decided_at >= told_at
