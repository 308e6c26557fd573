"""What calls write down, in memory: the `Office` port for flows in virtual time and for `ivr play`.

Knows the limits and the policy of codes. Must not know SQL or flows. It obeys the contract suite of the real one, and
forgets everything at the end of the process; a code stands in its message, as it would on the customer's telephone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.code_policy import (
    CODES_COUNTED_FOR,
    CodeVerdict,
    may_judge,
    may_send,
    verdict_on_wrong_code,
)
from ivr_engine.banking.core import CoreBank
from ivr_engine.calls.back_office import CallBackOffice
from ivr_engine.calls.desk import Desk
from ivr_engine.calls.office import (
    CASE_DIGITS,
    MESSAGES_COUNTED_FOR,
    MESSAGES_PER_CALL_MAX,
    MESSAGES_PER_CUSTOMER_MAX,
    CallNote,
    OfficeUnavailableError,
    OutboxMessage,
    Posted,
    ServiceCase,
)
from ivr_engine.calls.operations import BankOperations
from ivr_engine.calls.queue_questions import SeesQueues
from ivr_engine.flow.messages import Messages
from ivr_engine.flow.scope import ZONE
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber, RandomIds
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits

NOTHING: Final = ""


@dataclass(slots=True)
class _Sent:
    """One code: for whom, when, and how often it was tried."""

    call: CallId
    customer: CustomerNumber
    value: str
    at: datetime
    attempts: int = 0
    used: bool = False


@dataclass(slots=True)
class MemoryOffice:
    """An `Office` in memory; `away` makes every method raise `OfficeUnavailableError`."""

    clock: Clock
    away: bool = False
    messages: dict[str, OutboxMessage] = field(default_factory=dict)
    cases: dict[str, ServiceCase] = field(default_factory=dict)
    notes: dict[str, CallNote] = field(default_factory=dict)
    read: list[OutboxMessage] = field(default_factory=list)
    """Every message as the customer reads it, also when the office has wiped its text since."""
    last_code: str = NOTHING
    """The code that was sent last, as the customer reads it."""
    _codes: dict[str, _Sent] = field(default_factory=dict)

    async def post(self, message: OutboxMessage) -> Posted:
        """Keep a message."""
        self._answer()
        if message.id in self.messages:
            return Posted.ACCEPTED
        since = message.at - MESSAGES_COUNTED_FOR
        in_call = sum(one.call == message.call for one in self.messages.values())
        of_customer = sum(one.customer == message.customer and one.at > since for one in self.messages.values())
        if in_call >= MESSAGES_PER_CALL_MAX or of_customer >= MESSAGES_PER_CUSTOMER_MAX:
            return Posted.TOO_MANY
        self.messages[message.id] = message
        self.read.append(message)
        return Posted.ACCEPTED

    async def post_code(self, message: OutboxMessage, code: SecretDigits) -> Posted:
        """Keep a message with a code."""
        self._answer()
        since = message.at - CODES_COUNTED_FOR
        in_call = sum(one.call == message.call for one in self._codes.values())
        of_customer = sum(one.customer == message.customer and one.at > since for one in self._codes.values())
        if not may_send(in_call, of_customer):
            return Posted.TOO_MANY
        posted = await self.post(message)
        if posted is Posted.ACCEPTED:
            self._codes[message.id] = _Sent(message.call, message.customer, _value(message.id, code), message.at)
            self.last_code = code.reveal().decode("ascii")
        return posted

    async def check_code(self, call: CallId, customer: CustomerNumber, code: SecretDigits) -> CodeVerdict:
        """Count an attempt, then judge it."""
        self._answer()
        mine = [(name, one) for name, one in self._codes.items() if (one.call, one.customer) == (call, customer)]
        if not mine or mine[-1][1].used:
            return CodeVerdict.EXPIRED
        name, sent = mine[-1]
        refusal = may_judge(sent.at, sent.attempts, self.clock.now())
        sent.attempts += 1
        if refusal is not None:
            return refusal
        if sent.value != _value(name, code):
            return verdict_on_wrong_code(sent.attempts)
        sent.used = True
        self.messages[name] = replace(self.messages[name], text=NOTHING)
        return CodeVerdict.ACCEPTED

    async def open_case(self, case: ServiceCase) -> str:
        """Keep a case; its number follows from how many there are."""
        self._answer()
        self.cases.setdefault(case.id, case)
        return str(list(self.cases).index(case.id) + 1).zfill(CASE_DIGITS)

    async def note(self, note: CallNote) -> None:
        """Keep a note."""
        self._answer()
        self.notes.setdefault(note.id, note)

    def _answer(self) -> None:
        if self.away:
            raise OfficeUnavailableError("the office is away")


@dataclass(frozen=True, slots=True)
class Ports:
    """What a played call asks and writes to; `office` is what it has written."""

    operations: BankOperations
    back_office: CallBackOffice
    office: MemoryOffice


def ports_of(
    bank: CoreBank,
    call: CallId,
    clock: Clock,
    messages: Messages,
    *,
    speaks: Callable[[], Language] = lambda: Language.ENGLISH,
    office: MemoryOffice | None = None,
    log: FilteringBoundLogger | None = None,
    caller: str = "",
    zone: str = ZONE,
    queues: SeesQueues | None = None,
) -> Ports:
    """Return the ports of one call, as a live call has them, but for an office in memory."""
    kept = office if office is not None else MemoryOffice(clock)
    desk = Desk(kept, messages, RandomIds(clock))
    operations = BankOperations(
        bank, call, clock, desk, speaks=speaks, log=log, caller=caller, zone=zone, queues=queues
    )
    return Ports(operations, CallBackOffice(bank, call, clock, desk, operations, log=log), kept)


def _value(name: str, code: SecretDigits) -> str:
    return hashlib.sha256(name.encode() + code.reveal()).hexdigest()
