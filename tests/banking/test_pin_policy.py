from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.banking.model import PinVerdict
from ivr_engine.banking.pin_policy import (
    ATTEMPTS_PER_CALL_MAX,
    FAILURES_MAX,
    PinFailures,
    count_attempt,
    is_locked,
    length_is_acceptable,
    verdict_on_wrong_pin,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR


def after_failures(times: list[datetime]) -> PinFailures:
    failures = PinFailures()
    for time in times:
        failures = count_attempt(failures, 0, time).failures
    return failures


def test_first_attempt_is_counted_before_it_is_judged() -> None:
    attempt = count_attempt(PinFailures(), 0, NOON)
    assert attempt.verdict is None
    assert attempt.failures == PinFailures(1, NOON)
    assert attempt.attempts_in_call == 1


def test_fourth_attempt_in_a_call_is_not_judged_and_adds_no_failure() -> None:
    before = PinFailures(1, NOON)
    attempt = count_attempt(before, ATTEMPTS_PER_CALL_MAX, NOON)
    assert attempt.verdict is PinVerdict.ATTEMPTS_USED
    assert attempt.failures == before
    assert attempt.attempts_in_call == ATTEMPTS_PER_CALL_MAX


def test_fifth_failure_locks_and_the_sixth_attempt_is_not_judged() -> None:
    failures = after_failures([NOON] * FAILURES_MAX)
    assert is_locked(failures, NOON)
    assert count_attempt(failures, 0, NOON).verdict is PinVerdict.LOCKED


def test_wrong_pin_tells_at_once_that_it_was_the_last_of_the_call_or_locks() -> None:
    verdicts = [verdict_on_wrong_pin(failures, attempts) for failures, attempts in ((1, 1), (2, 2), (3, 3), (5, 2))]
    assert verdicts == [
        PinVerdict.REFUSED,
        PinVerdict.REFUSED,
        PinVerdict.ATTEMPTS_USED,
        PinVerdict.LOCKED,
    ]


def test_locked_comes_before_attempts_used() -> None:
    locked = after_failures([NOON] * FAILURES_MAX)
    assert count_attempt(locked, ATTEMPTS_PER_CALL_MAX, NOON).verdict is PinVerdict.LOCKED


def test_attempt_while_locked_uses_up_an_attempt_of_the_call_but_does_not_prolong_the_lock() -> None:
    locked = after_failures([NOON] * FAILURES_MAX)
    attempt = count_attempt(locked, 1, NOON + HOUR)
    assert attempt.attempts_in_call == 2
    assert attempt.failures == locked


def test_lock_ends_24_hours_after_the_last_failure_not_a_moment_sooner() -> None:
    locked = after_failures([NOON] * FAILURES_MAX)
    assert is_locked(locked, NOON + DAY - timedelta(milliseconds=1))
    assert not is_locked(locked, NOON + DAY)
    assert count_attempt(locked, 0, NOON + DAY).failures == PinFailures(1, NOON + DAY)


def test_four_failures_are_forgotten_after_24_hours_without_another() -> None:
    four = after_failures([NOON] * 4)
    assert count_attempt(four, 0, NOON + DAY).failures.count == 1


def test_failures_spread_over_days_lock_when_no_day_was_free_of_them() -> None:
    assert is_locked(after_failures([NOON + n * 23 * HOUR for n in range(5)]), NOON + 4 * 23 * HOUR)


def test_clock_that_goes_back_does_not_shorten_the_lock() -> None:
    failures = after_failures([NOON] * 4 + [NOON - HOUR])
    assert failures.last_at == NOON
    assert is_locked(failures, NOON + DAY - timedelta(seconds=1))


def test_pin_has_6_to_12_digits() -> None:
    assert [length for length in range(20) if length_is_acceptable(length)] == list(range(6, 13))


@given(st.lists(st.integers(0, 3 * 24 * 60), max_size=60))
def test_no_24_hours_hold_more_than_5_judged_failures(minutes: list[int]) -> None:
    failures, judged = PinFailures(), []
    for minute in sorted(minutes):
        now = NOON + timedelta(minutes=minute)
        attempt = count_attempt(failures, 0, now)
        failures = attempt.failures
        if attempt.verdict is None:
            judged.append(now)
    for start in judged:
        assert sum(start <= time < start + DAY for time in judged) <= FAILURES_MAX
