"""What a card says of its evidence: which dates, from when on the strip is whole, what days it counts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.habits.suggestion import Evidence, Replay, Suggestion
from app.habits.suggestions import Offered, SuggestionStatus
from app.jobs.run import Run, RunStatus, Trigger
from app.web.cards import Card, make_cards
from app.web.findings import read_findings, tell_empty
from tests.web.house import suggestion

PARIS = ZoneInfo("Europe/Paris")
START = datetime(2026, 3, 1, 18, tzinfo=UTC)
SEEN = datetime(2026, 4, 10, 2, tzinfo=UTC)
REPLAY = Replay(days=9, fires=24, wanted=22, unwanted=1, missed=1, precision=0.91, coverage=0.88)


def card_of(one: Suggestion) -> Card:
    offered = Offered(one, SuggestionStatus.OFFERED, SEEN, SEEN, words_key="")
    (card,) = make_cards([offered], None, PARIS)
    return card


def daily(count: int, *, hour: int = 0) -> list[str]:
    return [(START + timedelta(days=number, hours=hour)).isoformat() for number in range(count)]


def with_evidence(
    *, kept: list[str], missed: list[str], days_kept: int, replay: Replay = REPLAY
) -> Suggestion:
    evidence = Evidence(
        days_observed=40, days_kept=days_kept, confidence=0.8, replay=replay, examples=kept, misses=missed
    )
    return suggestion(evidence=evidence)


def test_evidence_with_a_date_for_each_day_is_drawn_whole() -> None:
    strip = card_of(with_evidence(kept=daily(30), missed=daily(34)[30:], days_kept=30)).strip
    assert strip
    assert (strip.days_kept, strip.days_missed) == (30, 4)


def test_evidence_that_lost_its_older_dates_is_drawn_from_where_it_is_whole() -> None:
    kept = daily(40)[-10:]
    card = card_of(with_evidence(kept=kept, missed=daily(2), days_kept=38))
    assert card.strip
    assert (card.strip.days_kept, card.strip.days_missed) == (10, 0)
    assert card.strip_span == "The newest: Tue 31 Mar to Thu 9 Apr"
    both = card_of(with_evidence(kept=kept, missed=daily(38, hour=1)[-4:] * 3, days_kept=38)).strip
    assert both
    assert both.first == datetime(2026, 4, 4, tzinfo=UTC).date()


def test_dates_are_grouped_by_day_the_newest_first_and_the_oldest_left_out() -> None:
    twice = sorted([*daily(20), *daily(20, hour=2)])
    (done,) = card_of(with_evidence(kept=twice, missed=[], days_kept=20)).dates
    assert done.label == "You did it"
    assert done.days[0] == "Fri 20 Mar 19:00, 21:00"
    assert len(done.days) == 12
    assert done.has_older


def test_the_trials_dates_are_told_apart_where_they_are_known() -> None:
    missed = daily(3)
    replay = REPLAY.model_copy(update={"unwanted_at": [missed[1]], "missed_at": [missed[2]]})
    dates = card_of(with_evidence(kept=[], missed=missed, days_kept=0, replay=replay)).dates
    assert [(one.label, one.days) for one in dates] == [
        ("In the trial it would have run, and you did not want it", ("Mon 2 Mar 19:00",)),
        ("In the trial you did it, and it would have missed that", ("Tue 3 Mar 19:00",)),
        ("Not kept before the trial", ("Sun 1 Mar 19:00",)),
    ]


@pytest.mark.parametrize(
    ("habit", "said"),
    [
        ({}, "You did this on 19 of 21 days"),
        ({"day_type": "weekends"}, "You did this on 19 of 21 weekend days"),
        ({"day_type": "mondays"}, "You did this on 19 of 21 Mondays"),
        ({"trigger": {"entity_id": "light.a"}}, "It came up on 21 days, and you did this on 19"),
    ],
)
def test_the_days_are_called_what_they_are(habit: dict[str, object], said: str) -> None:
    assert card_of(suggestion(habit=habit)).kept == said


def run_with(counts: dict[str, int], details: dict[str, object]) -> Run:
    return Run(
        run_id="r", job="analysis", home="home", trigger=Trigger.MANUAL, status=RunStatus.COMPLETED,
        scheduled_for=None, started_at=SEEN, completed_at=SEEN, duration_seconds=1.0, counts=counts,
        details=details,
    )  # fmt: skip


def test_details_of_another_version_do_no_harm() -> None:
    assert read_findings(None).count == 0
    assert read_findings(run_with({}, {})).reasons == ()
    odd = read_findings(run_with({}, {"notes": 3, "set_aside": [None, "x", {"habit": 5}]}))
    assert (odd.notes, odd.count) == ((), 1)
    assert (odd.reasons[0].why, odd.reasons[0].habits) == ("No reason was kept.", ("5",))


def test_reasons_are_put_plainly() -> None:
    said = {
        "beaten by chance": "No more often than chance would have it.",
        "a proxy of: Turn on the lamp": "Another habit says it better: Turn on the lamp.",
        "only 175 of 307 times": "Right only 175 of 307 times.",
        "once on the held-out days": "Once on the later days it was tried on.",
    }
    found = read_findings(run_with({}, {"set_aside": [{"habit": "h", "why": why} for why in said]}))
    assert [reason.why for reason in found.reasons] == list(said.values())


def test_an_empty_page_says_what_comes_next() -> None:
    tomorrow = SEEN + timedelta(days=1)
    assert tell_empty(None, tomorrow, SEEN, PARIS).next == "Nightshift looks tomorrow at 04:00."
    early = tell_empty(run_with({"patterns_detected": 0}, {}), tomorrow, SEEN, PARIS)
    assert early.title == "No habits seen yet, and that is normal."
    assert early.next == "Nightshift looks again tomorrow at 04:00."
    assert "Resume the nights" in tell_empty(run_with({"patterns_detected": 4}, {}), None, SEEN, PARIS).next
