"""The five checks of a job, each a pure function of what the ledger tells."""

from datetime import timedelta

import pytest

from app.jobs.run import SkippedBecause, Trigger
from app.jobs.tally import Worked
from app.upkeep.checks import cache_hit_rate, error_rate, generation_time, last_run, success_rate
from app.upkeep.sight import HomeSight
from app.upkeep.usual import usual_range
from tests.upkeep.sights import DAY, DUE, HOUR, NOW, job, nights, skipped, spec, tried


def test_a_job_that_ran_when_it_was_due_is_well() -> None:
    found = last_run.look(job(tried()))
    assert found.healthy
    assert found.message == "It last ran 7 h ago: completed."
    assert found.value == 7


def test_a_run_that_failed_was_a_run_all_the_same() -> None:
    assert last_run.look(job(tried(status="failed"))).healthy


def test_a_run_that_still_goes_on_is_one() -> None:
    assert last_run.look(job(tried(DUE - HOUR, "running"))).healthy


def test_a_manual_run_after_it_was_due_counts() -> None:
    found = last_run.look(job(tried(DUE + HOUR, trigger=Trigger.MANUAL, scheduled_for=None)))
    assert found.healthy


def test_a_second_try_of_the_day_before_is_not_todays_run() -> None:
    late = tried(DUE + HOUR, trigger=Trigger.RETRY, scheduled_for=None, occasion=DUE - DAY)
    assert last_run.look(job(late, tried(DUE - DAY, "failed"))).healthy is False
    todays = tried(DUE + HOUR, trigger=Trigger.RETRY, scheduled_for=None, occasion=DUE)
    assert last_run.look(job(todays, tried(DUE, "failed"))).healthy


def test_a_weekly_job_is_sick_after_its_week_and_not_before() -> None:
    weekly = spec(schedule="0 2 * * MON")
    last_week = tried(DUE - 7 * DAY)
    assert last_run.look(job(last_week, spec=weekly, due=DUE - 7 * DAY)).healthy
    found = last_run.look(job(last_week, spec=weekly, due=DUE))
    assert found.healthy is False
    assert found.message == "It last ran 7 days ago, but was due 7 h ago and did not start."
    assert found.advice


def test_a_missed_run_says_why_it_was_skipped() -> None:
    missed = skipped(DUE, SkippedBecause.MISSED, "Missed: Nightshift was off or asleep.")
    found = last_run.look(job(missed, tried(DUE - DAY)))
    assert found.healthy is False
    assert "Missed: Nightshift was off or asleep." in found.message
    assert "31 h" in found.message


@pytest.mark.parametrize("because", ["nobody", "rate_limit", "paused", "cancelled"])
def test_what_was_skipped_on_purpose_is_not_missing(because: str) -> None:
    found = last_run.look(job(skipped(DUE, SkippedBecause(because), "Skipped."), tried(DUE - DAY)))
    assert found.healthy is None


def test_the_run_in_the_way_of_a_skipped_one_is_the_last_run() -> None:
    long_one = tried(DUE - DAY, seconds=25 * 3600)
    assert last_run.look(job(skipped(DUE, SkippedBecause.OVERLAP), long_one)).healthy


def test_a_new_job_is_not_sick_before_it_was_due() -> None:
    fresh = job(known_since=NOW)
    found = last_run.look(fresh)
    assert found.healthy is None
    assert found.message == "It never ran; its schedule is new, and was not due yet."
    assert last_run.look(job(due=None)).healthy is None


def test_a_due_instant_without_any_row_means_that_the_clock_stands() -> None:
    found = last_run.look(job(known_since=DUE - HOUR))
    assert found.healthy is False
    assert "clock" in found.advice


def test_one_home_that_did_not_run_makes_the_job_sick() -> None:
    well = HomeSight(home="home", tries=(tried(),), due=DUE)
    sick = HomeSight(home="cabin", tries=(skipped(DUE, SkippedBecause.MISSED),), due=DUE)
    assert last_run.look(job(duties=(well, sick))).healthy is False
    assert last_run.look(job(duties=())).healthy is None


def test_one_bad_night_in_thirty_is_borne_and_a_second_one_is_not() -> None:
    good = ["completed"] * 30
    found = success_rate.look(job(*nights("failed", *good)))
    assert found.healthy
    assert found.message == "97 % succeeded over the last 30 runs."
    found = success_rate.look(job(*nights("failed", "failed", *good, error_message="hub: no answer")))
    assert found.healthy is False
    assert found.value == pytest.approx(28 / 30, abs=1e-4)
    assert found.message.endswith("It should be more than 95 %. What went wrong last: hub: no answer")


def test_exactly_the_target_is_not_more_than_it() -> None:
    assert success_rate.look(job(*nights("failed", *["completed"] * 19))).healthy is False


def test_a_night_that_the_second_try_saved_succeeded() -> None:
    first = tried(DUE, "failed")
    second = tried(DUE + HOUR, trigger=Trigger.RETRY, scheduled_for=None, occasion=DUE)
    found = success_rate.look(job(second, first))
    assert found.healthy
    assert found.value == 1


def test_a_night_that_is_still_to_be_tried_again_is_not_judged_yet() -> None:
    assert success_rate.look(job(tried(status="retrying"))).healthy is None
    assert success_rate.look(job(tried(status="running"))).healthy is None
    assert success_rate.look(job(tried(status="interrupted", on_purpose=True))).healthy is None


def test_subjects_are_counted_where_there_are_any() -> None:
    tries = (tried(DUE, "partial"), tried(DUE - DAY))
    known = {DUE: Worked(40, 37), DUE - DAY: Worked(40, 40)}
    found = success_rate.look(job(*tries, subjects=known))
    assert found.healthy
    assert found.message == "96 % succeeded over the last 2 runs, in the newest 37 of 40."


def test_a_run_that_failed_before_its_first_subject_counts_as_much_as_any_other() -> None:
    tries = nights("failed", *["completed"] * 3)
    known = {DUE - DAY * age: Worked(40, 40) for age in range(1, 4)}
    found = success_rate.look(job(*tries, subjects=known))
    assert found.healthy is False
    assert found.value == 0.75


def test_what_is_older_than_a_month_is_forgotten() -> None:
    assert success_rate.look(job(tried(NOW - 31 * DAY, "failed"))).healthy is None
    assert error_rate.look(job(tried(NOW - 31 * DAY, "failed"))).healthy is None


def test_a_duration_is_judged_against_the_usual_one() -> None:
    usual = [tried(DUE - DAY * age, seconds=60 + age) for age in range(1, 15)]
    assert generation_time.look(job(tried(seconds=90), *usual)).healthy
    long = generation_time.look(job(tried(seconds=200), *usual))
    assert long.healthy is False
    assert long.message == "It took 3 min 20 s; usual is 1 min 2 s to 1 min 13 s."
    assert long.value == 200


def test_a_drop_in_duration_is_a_silent_failure() -> None:
    usual = [tried(DUE - DAY * age, seconds=60) for age in range(1, 15)]
    found = generation_time.look(job(tried(seconds=2), *usual))
    assert found.healthy is False
    assert found.message.endswith("it may have done nothing.")


def test_a_run_for_one_subject_says_nothing_of_a_run_for_forty() -> None:
    whole = [tried(DUE - DAY * age, "partial", seconds=60, subjects_processed=40) for age in range(14)]
    alone = tried(DUE + HOUR, seconds=1, trigger=Trigger.RETRY, occasion=DUE, subjects_processed=1)
    found = generation_time.look(job(alone, *whole))
    assert found.healthy
    assert found.value == 60


def test_tenths_of_a_second_are_never_a_drop_or_a_rise() -> None:
    usual = [tried(DUE - DAY * age, seconds=0.3) for age in range(1, 15)]
    assert generation_time.look(job(tried(seconds=0.01), *usual)).healthy
    assert generation_time.look(job(tried(seconds=4), *usual)).healthy


def test_a_run_close_to_its_limit_is_told_before_it_fails() -> None:
    limited = spec(time_limit=timedelta(minutes=10))
    assert generation_time.look(job(tried(seconds=470), spec=limited)).healthy
    found = generation_time.look(job(tried(seconds=490), spec=limited))
    assert found.healthy is False
    assert found.message == "It took 8 min 10 s of the 10 min it may take."


def test_a_job_that_never_completed_has_no_duration() -> None:
    assert generation_time.look(job(tried(status="failed"))).healthy is None


def test_there_is_no_usual_range_of_six_runs() -> None:
    assert usual_range([60.0] * 6) is None
    found = usual_range([float(second) for second in range(1, 12)])
    assert found is not None
    assert (found.low, found.high) == (2, 10)


def test_words_kept_from_earlier_nights_are_hits() -> None:
    first = tried(DUE - DAY, counts={"words_needed": 15, "words_kept": 0})
    found = cache_hit_rate.look(job(tried(counts={"words_needed": 15, "words_kept": 14}), first))
    assert found.healthy
    assert found.message == "14 of 15 had their words from before (93 %)."
    found = cache_hit_rate.look(job(tried(counts={"words_needed": 10, "words_kept": 8}), first))
    assert found.healthy is False  # 80 % is not more than 80 %


def test_the_first_night_with_a_model_has_nothing_to_keep() -> None:
    assert cache_hit_rate.look(job(tried(counts={"words_needed": 15, "words_kept": 0}))).healthy is None


def test_without_a_model_there_is_nothing_to_hit() -> None:
    found = cache_hit_rate.look(
        job(*nights("completed", "completed", counts={"words_needed": 0, "words_kept": 0}))
    )
    assert found.healthy is None
    assert found.message == "Nothing of it is worded by a model."


def test_a_change_of_the_model_is_borne_after_a_week() -> None:
    hit, miss = {"words_needed": 10, "words_kept": 10}, {"words_needed": 10, "words_kept": 0}
    week = [tried(DUE - DAY * age, counts=miss if age == 3 else hit) for age in range(20)]
    assert cache_hit_rate.look(job(*week)).healthy


def test_failed_tries_count_although_the_second_ones_helped() -> None:
    tries = []
    for age in range(10):
        at = DUE - DAY * age
        if age < 3:
            tries.append(tried(at + HOUR, trigger=Trigger.RETRY, occasion=at))
        tries.append(tried(at, "failed" if age < 3 else "completed", error_message="hub: no answer"))
    assert success_rate.look(job(*tries)).healthy
    found = error_rate.look(job(*tries))
    assert found.healthy is False
    assert found.message == (
        "3 of the last 13 tries failed (23 %). It should be less than 20 %. "
        "What went wrong last: hub: no answer"
    )


def test_failures_in_a_row_are_sick_whatever_the_rate() -> None:
    found = error_rate.look(job(*nights("failed", "failed", "failed", *["completed"] * 27), failures=3))
    assert found.healthy is False
    assert found.message.startswith("The last 3 runs failed.")
    assert error_rate.look(job(*nights("failed", *["completed"] * 9), failures=1)).healthy


def test_a_few_tries_tell_no_rate() -> None:
    assert error_rate.look(job(*nights("failed", "completed", "completed", "completed"))).healthy is None


def test_what_was_cut_off_on_purpose_is_no_error() -> None:
    ended = [tried(DUE - DAY * age, "interrupted", on_purpose=True) for age in range(5)]
    assert error_rate.look(job(*ended)).healthy is None
    cut = [tried(DUE - DAY * age, "interrupted") for age in range(5)]
    assert error_rate.look(job(*cut)).healthy is False
