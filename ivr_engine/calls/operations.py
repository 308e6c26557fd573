"""The operations that flows may use, bound to the bank for one call.

Knows which question each operation asks, who must be signed in, and which accounts are the caller's. Must not know SQL,
HTTP or Asterisk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeVar

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.core import CoreBank, CoreUnavailableError
from ivr_engine.banking.model import Account, AccountKind, PinVerdict
from ivr_engine.flow.operations import DEADLINE_MS, UNAVAILABLE, Level, Performed, Signature
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, SECRET, DataClass, Type, Value, Variable, one_of
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import AccountNumber, CallId, CustomerNumber
from ivr_engine.values.secret import SecretDigits

T = TypeVar("T")

BANK_DEADLINE_S: Final = DEADLINE_MS / 1000
SIGN_IN_HOLDS_S: Final = 15 * 60.0
TRANSACTIONS_MAX: Final = 20

SIGN_IN: Final = "sign_in"
ACCOUNT: Final = "account"
BALANCE: Final = "balance"
TRANSACTION: Final = "transaction"


class Direction(StrEnum):
    """Which way money moved."""

    IN = "in"
    OUT = "out"


def _personal(kind: Type) -> Variable:
    return Variable(kind, DataClass.PERSONAL)


def _public(kind: Type) -> Variable:
    return Variable(kind, DataClass.PUBLIC)


def _signatures() -> Mapping[str, Signature]:
    signatures = (
        Signature(
            SIGN_IN,
            {"customer": DIGITS, "pin": SECRET},
            {"signed_in": {}, "refused": {}, "attempts_used": {}, "locked": {}},
            "Sign the caller in. Three attempts in a call, five in a day; the bank counts them.",
            grants=MappingProxyType({"signed_in": Level.SIGNED_IN}),
            repeatable=False,
        ),
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
    )
    return MappingProxyType({signature.name: signature for signature in signatures})


SIGNATURES: Final = _signatures()


class BankOperations:
    """The operations for one call, and who the caller has proved to be (the `Identity` of the flow)."""

    def __init__(self, bank: CoreBank, call: CallId, clock: Clock, log: FilteringBoundLogger | None = None) -> None:
        self._bank = bank
        self._call = call
        self._clock = clock
        self._log = log if log is not None else structlog.get_logger()
        self._customer: CustomerNumber | None = None
        self._signed_in_until = 0.0
        self._accounts: tuple[Account, ...] | None = None
        self._perform: Mapping[str, Callable[[Mapping[str, Value]], Awaitable[Performed]]] = {
            SIGN_IN: self._sign_in,
            ACCOUNT: self._account,
            BALANCE: self._balance,
            TRANSACTION: self._transaction,
        }

    @property
    def signed_in(self) -> bool:
        """Whether the caller has signed in, not too long ago."""
        return self._customer is not None and self._clock.monotonic() < self._signed_in_until

    @property
    def customer(self) -> CustomerNumber | None:
        """The customer who signed in, for the record of the call."""
        return self._customer

    async def perform(self, name: str, arguments: Mapping[str, Value]) -> Performed:
        """Carry an operation out; the bank's silence is the outcome `unavailable`."""
        if SIGNATURES[name].needs > Level.NOBODY and not self.signed_in:
            # The checker lets no flow get here; a sign-in that has run out may. Nothing personal is given away.
            return Performed(UNAVAILABLE)
        try:
            return await self._perform[name](arguments)
        except CoreUnavailableError as error:
            self._log.warning("bank_unavailable", operation=name, cause=str(error))
            return Performed(UNAVAILABLE)
        except TimeoutError:
            self._log.warning("bank_too_slow", operation=name, deadline_s=BANK_DEADLINE_S)
            return Performed(UNAVAILABLE)

    async def _sign_in(self, arguments: Mapping[str, Value]) -> Performed:
        customer, pin = CustomerNumber(str(arguments["customer"])), arguments["pin"]
        if not isinstance(pin, SecretDigits):
            raise TypeError("a PIN is secret")
        verdict = await _in_time(self._bank.verify_pin(customer, pin, call=self._call))
        if verdict is not PinVerdict.VERIFIED:
            return Performed(verdict.value)
        self._customer = customer
        self._accounts = None
        self._signed_in_until = self._clock.monotonic() + SIGN_IN_HOLDS_S
        return Performed("signed_in")

    async def _account(self, arguments: Mapping[str, Value]) -> Performed:
        accounts = await self._own_accounts()
        position = arguments["position"]
        if not isinstance(position, int) or not 1 <= position <= len(accounts):
            return Performed("none")
        account = accounts[position - 1]
        results: dict[str, Value] = {"number": account.number, "kind": account.kind.value, "count": len(accounts)}
        return Performed("found", results)

    async def _balance(self, arguments: Mapping[str, Value]) -> Performed:
        account = await self._own_account(arguments)
        if account is None:
            return Performed("not_yours")
        balance = await _in_time(self._bank.balance(account.number))
        if balance is None:
            return Performed("not_yours")
        return Performed("found", {"booked": balance.booked, "available": balance.available})

    async def _transaction(self, arguments: Mapping[str, Value]) -> Performed:
        account, position = await self._own_account(arguments), arguments["position"]
        if account is None:
            return Performed("not_yours")
        if not isinstance(position, int) or not 1 <= position <= TRANSACTIONS_MAX:
            return Performed("none")
        lines = await _in_time(self._bank.statement(account.number, limit=TRANSACTIONS_MAX))
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

    async def _own_accounts(self) -> tuple[Account, ...]:
        if self._customer is None:
            raise AssertionError("perform() lets nobody through who has not signed in")
        if self._accounts is None:
            self._accounts = await _in_time(self._bank.accounts(self._customer))
        return self._accounts

    async def _own_account(self, arguments: Mapping[str, Value]) -> Account | None:
        number = AccountNumber(str(arguments["account"]))
        return next((account for account in await self._own_accounts() if account.number == number), None)


async def _in_time(question: Awaitable[T]) -> T:
    async with asyncio.timeout(BANK_DEADLINE_S):
        return await question
