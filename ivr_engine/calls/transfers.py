"""Moving money for a caller: sent once, and what became of it found out before anything is said.

Knows postings and what the bank's silence after one means. Must not know flows, nor whose the accounts are.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final

from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.core import CoreBank, CoreOutcomeUnknownError, CoreUnavailableError
from ivr_engine.banking.model import Posting
from ivr_engine.flow.operations import UNAVAILABLE, UNKNOWN
from ivr_engine.values.ids import AccountNumber, CallId
from ivr_engine.values.money import Money

TRANSFER_TEXT: Final = "transfer by telephone"
"""What stands beside it in a statement."""
PART_FOR_ASKING: Final = 0.25
"""The part of the time that is kept for asking what became of a posting that was not answered."""
_CONTENT_CHARACTERS: Final = 16


def transfer_posting(call: CallId, number: int, debit: AccountNumber, credit: AccountNumber, amount: Money) -> Posting:
    """Return the posting of the transfer with this number in the call.

    The same transfer sent again is the same posting, which the bank books once. Another amount or account under the
    same number (the outcome of the one before is not known) is another posting.
    """
    content = hashlib.sha256(f"{debit}\0{credit}\0{amount.minor}\0{amount.currency.value}".encode()).hexdigest()
    return Posting(f"{call}-{number}-{content[:_CONTENT_CHARACTERS]}", debit, credit, amount, TRANSFER_TEXT)


async def send_posting(bank: CoreBank, posting: Posting, *, within_s: float, log: FilteringBoundLogger) -> str:
    """Send a posting and return the bank's outcome; `unknown` when nobody can say it, after asking once."""
    for_asking_s = within_s * PART_FOR_ASKING
    try:
        async with asyncio.timeout(within_s - for_asking_s):
            return (await bank.post(posting)).value
    except CoreUnavailableError as error:
        log.warning("bank_unavailable", operation="post", cause=str(error))
        return UNAVAILABLE
    except (CoreOutcomeUnknownError, TimeoutError) as error:
        log.warning("posting_not_answered", posting=posting.id, cause=str(error))
    try:
        async with asyncio.timeout(for_asking_s):
            kept = await bank.posting_outcome(posting.id)
    except (CoreUnavailableError, CoreOutcomeUnknownError, TimeoutError):
        kept = None
    if kept is None:
        log.error("posting_outcome_unknown", posting=posting.id, alarm=True)
        return UNKNOWN
    return kept.value
