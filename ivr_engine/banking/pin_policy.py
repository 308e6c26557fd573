"""How often a PIN may be tried: the one place that states the rule.

Knows counts and times. Must not know PINs, storage, or who asks.

- An attempt is counted as a failure before it is judged, so a caller who hangs up, an engine that dies and fifty
  parallel calls gain nothing.
- One call has 3 attempts, over all the customer numbers typed in it.
- One customer has 5 failures. A failure is forgotten only when 24 hours pass without another one, so no 24 hours
  ever hold more than 5 judged failures; five failures spread over days without one success in between lock as well.
- The fifth failure locks for 24 hours from that failure. Attempts while locked are not judged and do not prolong the
  lock; otherwise anybody could keep a customer out for ever.
- A success forgets the customer's failures, as a card's PIN try counter does: otherwise people who mistype now and
  then would be locked after signing in correctly. The price: a thief who knows nothing gets at most 4 guesses between
  two successes of the true customer, 4 in a million for a PIN of 6 digits.
- A success gives the call back only its own attempt: a caller with one true account must not be able to buy fresh
  guesses at other customers in the same call.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ivr_engine.banking.model import PinVerdict

ATTEMPTS_PER_CALL_MAX: Final = 3
FAILURES_MAX: Final = 5
FAILURES_FORGOTTEN_AFTER: Final = timedelta(hours=24)
"""Both the time without failure that clears the count and the length of the lock."""

PIN_DIGITS_MIN: Final = 6
PIN_DIGITS_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class PinFailures:
    """Failures of one customer number, known or not, and the time of the last (None when there is none)."""

    count: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PinAttempt:
    """What is to be stored before the PIN may be judged, and the verdict if it may not be."""

    verdict: PinVerdict | None
    failures: PinFailures
    attempts_in_call: int


def is_locked(failures: PinFailures, now: datetime) -> bool:
    """Say whether this customer's PIN is not judged at `now`."""
    return failures.count >= FAILURES_MAX and not _forgotten(failures, now)


def count_attempt(failures: PinFailures, attempts_in_call: int, now: datetime) -> PinAttempt:
    """Count one attempt; `verdict` is None when the PIN may be judged, else `locked` before `attempts_used`.

    An attempt while locked uses up one of the call's attempts but adds no failure.
    """
    call_may_try = attempts_in_call < ATTEMPTS_PER_CALL_MAX
    attempts_after = attempts_in_call + 1 if call_may_try else attempts_in_call
    if is_locked(failures, now):
        return PinAttempt(PinVerdict.LOCKED, failures, attempts_after)
    if not call_may_try:
        return PinAttempt(PinVerdict.ATTEMPTS_USED, failures, attempts_after)
    before = 0 if _forgotten(failures, now) else failures.count
    # A clock that went back must not shorten the lock.
    last_at = now if failures.last_at is None else max(failures.last_at, now)
    return PinAttempt(None, PinFailures(before + 1, last_at), attempts_after)


def verdict_on_wrong_pin(failures_after: int, attempts_in_call_after: int) -> PinVerdict:
    """Say what a judged, wrong PIN means, counted already: the caller hears at once that it was the last attempt.

    Known and unknown customers are counted alike, so this tells nothing about who exists.
    """
    if failures_after >= FAILURES_MAX:
        return PinVerdict.LOCKED
    return PinVerdict.ATTEMPTS_USED if attempts_in_call_after >= ATTEMPTS_PER_CALL_MAX else PinVerdict.REFUSED


def length_is_acceptable(digits: int) -> bool:
    """Say whether a new PIN has an allowed number of digits (NIST SP 800-63B 5.1.1.2: at least 6)."""
    return PIN_DIGITS_MIN <= digits <= PIN_DIGITS_MAX


def _forgotten(failures: PinFailures, now: datetime) -> bool:
    return failures.last_at is None or failures.last_at <= now - FAILURES_FORGOTTEN_AFTER
