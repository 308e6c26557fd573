"""What calls write down for good: messages to customers, one-time codes, cases, notes.

Knows their shapes, limits, and what keeps them. Must not know SQL, gateways or flows. What is personal in them is never
part of a `repr`, so that no log and no traceback shows it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from ivr_engine.banking.code_policy import CODE_HOLDS, CodeVerdict
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.medium import Medium
from ivr_engine.values.secret import SecretDigits

TEXT_BYTES_MAX: Final = MappingProxyType({Medium.SMS: 1200, Medium.PAGE: 480, Medium.FAX: 20_000, Medium.EMAIL: 20_000})
"""Bytes of UTF-8 in one message; an SMS is cut into up to six parts, in which a Chinese character takes two bytes."""
HEADING_CHARACTERS_MAX: Final = 400
MESSAGES_PER_CALL_MAX: Final = 10
MESSAGES_PER_CUSTOMER_MAX: Final = 20
"""In `MESSAGES_COUNTED_FOR`."""
MESSAGES_COUNTED_FOR: Final = timedelta(hours=24)
MESSAGE_HOLDS: Final = timedelta(hours=24)
"""A message that could not be sent until then is not sent any more, and its text is wiped."""
NOTE_CHARACTERS_MAX: Final = 1000
CASE_DATA_BYTES_MAX: Final = 4000
CASE_DIGITS: Final = 8
"""Digits of a case number, as it is read out."""
_CONTENT_CHARACTERS: Final = 16


class OfficeUnavailableError(Exception):
    """What is written down could not be kept, or nobody can say whether it was; sent again it is the same."""


class Posted(StrEnum):
    """What became of a message that was handed in."""

    ACCEPTED = "accepted"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A message to a customer; `heading` is the subject of an e-mail or the title of a fax, else empty."""

    id: str
    call: CallId
    customer: CustomerNumber
    medium: Medium
    message: str
    language: Language
    address: str = field(repr=False)
    heading: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ServiceCase:
    """Something that the bank's people are to do. `data` is JSON of values by name."""

    id: str
    call: CallId
    customer: CustomerNumber | None
    kind: str
    data: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class CallNote:
    """A remark that is kept with the call and the customer."""

    id: str
    call: CallId
    customer: CustomerNumber | None
    text: str = field(repr=False)
    at: datetime


class Office(Protocol):
    """Keeps what calls write down, durably. Every method raises `OfficeUnavailableError`."""

    async def post(self, message: OutboxMessage) -> Posted:
        """Keep a message until a gateway takes it; the same id is kept once, however often it is handed in.

        At most 10 in one call and 20 in 24 hours for one customer.
        """
        ...

    async def post_code(self, message: OutboxMessage, code: SecretDigits) -> Posted:
        """Keep a message that holds a one-time code, with a keyed value of it, in one go, within `code_policy`.

        The secret is not wiped here: whoever made it wipes it.
        """
        ...

    async def check_code(self, call: CallId, customer: CustomerNumber, code: SecretDigits) -> CodeVerdict:
        """Count an attempt durably at the newest code of this call and customer, then judge it.

        A code that was accepted is used up, and the text of its message wiped. The secret is not wiped here.
        """
        ...

    async def open_case(self, case: ServiceCase) -> str:
        """Keep a case and return its number, 8 digits; the same id has the same number, however often it is opened."""
        ...

    async def note(self, note: CallNote) -> None:
        """Keep a note; the same id is kept once."""
        ...


def id_of(call: CallId, number: int, *content: str) -> str:
    """Return the id of what a call writes down: its number among the changes of the call, and a digest of the content.

    The same content sent again under the same number is the same; other content is another.
    """
    digest = hashlib.sha256("\0".join(content).encode()).hexdigest()
    return f"{call}-{number}-{digest[:_CONTENT_CHARACTERS]}"


def expires_at(at: datetime, *, is_code: bool = False) -> datetime:
    """Return when a message is not to be sent any more."""
    return at + (CODE_HOLDS if is_code else MESSAGE_HOLDS)
