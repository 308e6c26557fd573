"""The operations that flows may use, bound to the bank for one call.

Knows which question each operation asks, who must be signed in, and which accounts are the caller's. Must not know SQL,
HTTP or Asterisk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.core import CoreBank, CoreUnavailableError
from ivr_engine.banking.model import Account, AccountKind, PinVerdict, PostingOutcome
from ivr_engine.calls.queue_questions import (
    PLACE_IN_QUEUE,
    QUEUE_SIGNATURES,
    QUEUE_STATE,
    QueueQuestions,
    SeesQueues,
)
from ivr_engine.calls.transfers import send_posting, transfer_posting
from ivr_engine.flow.operations import DEADLINE_MS, UNAVAILABLE, UNKNOWN, Level, Performed, Signature
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, SECRET, DataClass, Type, Value, Variable, one_of
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
from ivr_engine.values.secret import SecretDigits

SIGN_IN_HOLDS_S: Final = 15 * 60.0
TRANSACTIONS_MAX: Final = 20

SIGN_IN: Final = "sign_in"
ACCOUNT: Final = "account"
BALANCE: Final = "balance"
TRANSACTION: Final = "transaction"
PROFILE: Final = "profile"
SIGN_OUT: Final = "sign_out"
TRANSFER: Final = "transfer"
NOT_YOURS: Final = "not_yours"


class Direction(StrEnum):
    """Which way money moved."""

    IN = "in"
    OUT = "out"


def _personal(kind: Type) -> Variable:
    return Variable(kind, DataClass.PERSONAL)


def _public(kind: Type) -> Variable:
    return Variable(kind, DataClass.PUBLIC)


_TRANSFER_OUTCOMES: Final = (
    PostingOutcome.POSTED.value,
    PostingOutcome.ALREADY_POSTED.value,
    NOT_YOURS,
    *(outcome.value for outcome in tuple(PostingOutcome)[2:]),
)


def _of_the_caller() -> tuple[Signature, ...]:
    return (
        Signature(
            SIGN_IN,
            {"customer": DIGITS, "pin": SECRET},
            {"signed_in": {}, "refused": {}, "attempts_used": {}, "locked": {}},
            "Sign the caller in. Three attempts in a call, five in a day; the bank counts them.",
            grants=MappingProxyType({"signed_in": Level.SIGNED_IN}),
            repeatable=False,
        ),
        Signature(
            PROFILE,
            {},
            {"found": {"language": _public(one_of(Language))}, "none": {}},
            "What the bank knows of the caller: the language they like to be spoken to in.",
            needs=Level.SIGNED_IN,
        ),
        Signature(
            SIGN_OUT,
            {},
            {"signed_out": {}},
            "Let the caller be nobody again; what follows needs a new sign-in.",
            grants=MappingProxyType({"signed_out": Level.NOBODY}),
            at_once=True,
        ),
    )


def _of_accounts() -> tuple[Signature, ...]:
    return (
        Signature(
            ACCOUNT,
            {"position": NUMBER},
            {
                "found": {
                    "number": _personal(DIGITS),
                    "kind": _public(one_of(AccountKind)),
                    "count": _public(NUMBER),
                },
                "none": {},
            },
            "One of the caller's accounts, by its place in the list, the first being 1.",
            needs=Level.SIGNED_IN,
        ),
        Signature(
            BALANCE,
            {"account": DIGITS},
            {"found": {"booked": _personal(MONEY), "available": _personal(MONEY)}, "not_yours": {}},
            "The balance of one of the caller's accounts: what is booked, and what may be drawn.",
            needs=Level.SIGNED_IN,
        ),
        Signature(
            TRANSACTION,
            {"account": DIGITS, "position": NUMBER},
            {
                "found": {
                    "on": _personal(DATE),
                    "direction": _public(one_of(Direction)),
                    "amount": _personal(MONEY),
                },
                "none": {},
                "not_yours": {},
            },
            "One movement of one of the caller's accounts, the newest being 1.",
            needs=Level.SIGNED_IN,
        ),
        Signature(
            TRANSFER,
            {"from": DIGITS, "to": DIGITS, "amount": MONEY},
            {outcome: {} for outcome in _TRANSFER_OUTCOMES},
            "Move money between two of the caller's accounts.",
            needs=Level.SIGNED_IN,
            changes=True,
            moves_money=True,
            repeatable=False,
        ),
    )


SIGNATURES: Final[Mapping[str, Signature]] = MappingProxyType(
    {signature.name: signature for signature in (*_of_the_caller(), *_of_accounts(), *QUEUE_SIGNATURES)}
)


@dataclass(frozen=True, slots=True)
class _Order:
    """One operation as it was asked for: its arguments, how long it may take, its number as a change."""

    arguments: Mapping[str, Value]
    within_s: float
    change: int


@dataclass(frozen=True, slots=True)
class LateChange:
    """A change that was finished after the caller had hung up."""

    operation: str
    outcome: str


class BankOperations:
    """The operations for one call, and who the caller has proved to be (the `Identity` of the flow)."""

    def __init__(
        self,
        bank: CoreBank,
        call: CallId,
        clock: Clock,
        log: FilteringBoundLogger | None = None,
        *,
        queues: SeesQueues | None = None,
    ) -> None:
        self._bank = bank
        self._call = call
        self._clock = clock
        self._log = log if log is not None else structlog.get_logger()
        self._customer: CustomerNumber | None = None
        self._signed_in_until = 0.0
        self._accounts: tuple[Account, ...] | None = None
        self._questions = QueueQuestions(queues, call) if queues is not None else None
        self._unfinished: tuple[str, asyncio.Task[Performed]] | None = None
        self._perform: Mapping[str, Callable[[_Order], Awaitable[Performed]]] = {
            SIGN_IN: self._sign_in,
            ACCOUNT: self._account,
            BALANCE: self._balance,
            TRANSACTION: self._transaction,
            PROFILE: self._profile,
            SIGN_OUT: self._sign_out,
            TRANSFER: self._transfer,
            QUEUE_STATE: self._queue_state,
            PLACE_IN_QUEUE: self._place_in_queue,
        }

    @property
    def signed_in(self) -> bool:
        """Whether the caller has signed in, not too long ago."""
        return self._customer is not None and self._clock.monotonic() < self._signed_in_until

    @property
    def customer(self) -> CustomerNumber | None:
        """The customer who signed in, for the record of the call."""
        return self._customer

    async def perform(
        self, name: str, arguments: Mapping[str, Value], *, within_ms: int = DEADLINE_MS, change: int = 0
    ) -> Performed:
        """Carry an operation out; the bank's silence is the outcome `unavailable`.

        What changes something goes on when this is cancelled; `finish()` waits for it.
        """
        if SIGNATURES[name].needs > Level.NOBODY and not self.signed_in:
            # The checker lets no flow get here; a sign-in that has run out may. Nothing personal is given away.
            return Performed(UNAVAILABLE)
        order = _Order(arguments, within_ms / 1000, change)
        if not SIGNATURES[name].changes:
            return await self._ask(name, order)
        task = asyncio.create_task(self._ask(name, order))
        self._unfinished = (name, task)
        performed = await asyncio.shield(task)
        self._unfinished = None
        return performed

    async def finish(self) -> LateChange | None:
        """Wait for a change that a hang-up left behind, and return what became of it; None when there was none."""
        if self._unfinished is None:
            return None
        (name, task), self._unfinished = self._unfinished, None
        await asyncio.wait({task})
        failure = task.exception()
        if failure is not None:
            self._log.error("change_failed", operation=name, exc_info=failure)
            return LateChange(name, UNKNOWN)
        return LateChange(name, task.result().outcome)

    async def _ask(self, name: str, order: _Order) -> Performed:
        """Ask the bank; what changes something watches the time itself, since a time-out after sending says little."""
        try:
            async with asyncio.timeout(None if SIGNATURES[name].changes else order.within_s):
                return await self._perform[name](order)
        except CoreUnavailableError as error:
            self._log.warning("bank_unavailable", operation=name, cause=str(error))
        except TimeoutError:
            self._log.warning("bank_too_slow", operation=name, deadline_s=order.within_s)
        return Performed(UNAVAILABLE)

    async def _sign_in(self, order: _Order) -> Performed:
        customer, pin = CustomerNumber(str(order.arguments["customer"])), order.arguments["pin"]
        if not isinstance(pin, SecretDigits):
            raise TypeError("a PIN is secret")
        verdict = await self._bank.verify_pin(customer, pin, call=self._call)
        if verdict is not PinVerdict.VERIFIED:
            return Performed(verdict.value)
        self._customer = customer
        self._accounts = None
        self._signed_in_until = self._clock.monotonic() + SIGN_IN_HOLDS_S
        return Performed("signed_in")

    async def _account(self, order: _Order) -> Performed:
        accounts = await self._own_accounts()
        position = order.arguments["position"]
        if not isinstance(position, int) or not 1 <= position <= len(accounts):
            return Performed("none")
        account = accounts[position - 1]
        results: dict[str, Value] = {"number": account.number, "kind": account.kind.value, "count": len(accounts)}
        return Performed("found", results)

    async def _balance(self, order: _Order) -> Performed:
        account = await self._own_account(order.arguments["account"])
        balance = await self._bank.balance(account.number) if account is not None else None
        if balance is None:
            return Performed(NOT_YOURS)
        return Performed("found", {"booked": balance.booked, "available": balance.available})

    async def _transaction(self, order: _Order) -> Performed:
        account, position = await self._own_account(order.arguments["account"]), order.arguments["position"]
        if account is None:
            return Performed(NOT_YOURS)
        if not isinstance(position, int) or not 1 <= position <= TRANSACTIONS_MAX:
            return Performed("none")
        lines = await self._bank.statement(account.number, limit=TRANSACTIONS_MAX)
        if position > len(lines):
            return Performed("none")
        line = lines[position - 1]
        out = line.amount.minor < 0
        return Performed(
            "found",
            {
                "on": line.at.date(),
                "direction": (Direction.OUT if out else Direction.IN).value,
                "amount": -line.amount if out else line.amount,
            },
        )

    async def _profile(self, order: _Order) -> Performed:
        del order
        customer = await self._bank.customer(self._known_customer())
        return Performed("none") if customer is None else Performed("found", {"language": customer.language.value})

    async def _sign_out(self, order: _Order) -> Performed:
        del order
        self._signed_in_until = 0.0  # the record of the call keeps who had signed in
        self._accounts = None
        return Performed("signed_out")

    async def _queue_state(self, order: _Order) -> Performed:
        return self._queues().queue_state(str(order.arguments["queue"]))

    async def _place_in_queue(self, order: _Order) -> Performed:
        del order
        return self._queues().place_in_queue()

    def _queues(self) -> QueueQuestions:
        if self._questions is None:
            raise AssertionError("a call whose flow asks about queues is shown them")
        return self._questions

    async def _transfer(self, order: _Order) -> Performed:
        amount = order.arguments["amount"]
        if not isinstance(amount, Money):
            raise TypeError("what is moved is money")
        due = self._clock.monotonic() + order.within_s
        async with asyncio.timeout(order.within_s):  # nothing is sent yet
            debit = await self._own_account(order.arguments["from"])
            credit = await self._own_account(order.arguments["to"])
        if debit is None or credit is None:
            return Performed(NOT_YOURS)
        posting = transfer_posting(self._call, order.change, debit.number, credit.number, amount)
        left_s = due - self._clock.monotonic()
        return Performed(await send_posting(self._bank, posting, within_s=left_s, log=self._log))

    def _known_customer(self) -> CustomerNumber:
        if self._customer is None:
            raise AssertionError("perform() lets nobody through who has not signed in")
        return self._customer

    async def _own_accounts(self) -> tuple[Account, ...]:
        if self._accounts is None:
            self._accounts = await self._bank.accounts(self._known_customer())
        return self._accounts

    async def _own_account(self, number: Value) -> Account | None:
        return next((account for account in await self._own_accounts() if account.number == number), None)
