"""How one-time codes prove a caller a second time: the one place that states the rule.

Knows counts and times. Must not know codes, storage, or how a code is sent.

- A code has 6 random digits and is good for 5 minutes, for one customer in one call. A new one ends the one before.
- An attempt is counted before it is judged, as with PINs; one code has 3 attempts. Used once, it is used up.
- A call is sent 3 codes at most, and a customer 6 in 24 hours: who knows a PIN has 18 guesses a day at a million codes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CODE_DIGITS: Final = 6
CODE_HOLDS: Final = timedelta(minutes=5)
ATTEMPTS_PER_CODE_MAX: Final = 3
CODES_PER_CALL_MAX: Final = 3
CODES_PER_CUSTOMER_MAX: Final = 6
"""In `CODES_COUNTED_FOR`."""
CODES_COUNTED_FOR: Final = timedelta(hours=24)


class CodeVerdict(StrEnum):
    """What a typed code is, in order of precedence; the wrong one that was the last attempt is `attempts_used`."""

    EXPIRED = "expired"
    ATTEMPTS_USED = "attempts_used"
    ACCEPTED = "accepted"
    WRONG = "wrong"


def may_send(codes_in_call: int, codes_of_customer: int) -> bool:
    """Say whether another code may be sent, after so many in the call and so many to the customer in 24 hours."""
    return codes_in_call < CODES_PER_CALL_MAX and codes_of_customer < CODES_PER_CUSTOMER_MAX


def may_judge(sent_at: datetime, attempts_before: int, now: datetime) -> CodeVerdict | None:
    """Return None when a code may be judged, else why not; the attempt is to be counted first."""
    if now - sent_at > CODE_HOLDS:
        return CodeVerdict.EXPIRED
    return CodeVerdict.ATTEMPTS_USED if attempts_before >= ATTEMPTS_PER_CODE_MAX else None


def verdict_on_wrong_code(attempts_after: int) -> CodeVerdict:
    """Say what a judged, wrong code means, counted already: the caller hears at once that it was the last attempt."""
    return CodeVerdict.ATTEMPTS_USED if attempts_after >= ATTEMPTS_PER_CODE_MAX else CodeVerdict.WRONG
