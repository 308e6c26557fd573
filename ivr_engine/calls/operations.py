"""The operations that flows may use, bound to the bank for one call.

Knows which question each operation asks, who must be signed in, and which accounts are the caller's. Must not know SQL,
HTTP or Asterisk.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.code_policy import CodeVerdict
from ivr_engine.banking.core import CoreBank, CoreOutcomeUnknownError, CoreUnavailableError
from ivr_engine.banking.model import (
    Account,
    ForeignCurrency,
    PinVerdict,
    Product,
    Term,
)
from ivr_engine.calls.changes import Changes, LateChange
from ivr_engine.calls.desk import Desk
from ivr_engine.calls.office import OfficeUnavailableError
from ivr_engine.calls.queue_questions import PLACE_IN_QUEUE, QUEUE_STATE, QueueQuestions, SeesQueues
from ivr_engine.calls.signatures import (
    ACCOUNT,
    AGE_UNKNOWN,
    BALANCE,
    CALLER_NUMBER,
    CHANGE_PIN,
    CHECK_CODE,
    EXCHANGE_RATE,
    INTEREST_RATE,
    KEEP_ANSWER,
    LISTED,
    NOT_THE_SAME,
    NOT_YOURS,
    PROFILE,
    SEND_CODE,
    SIGN_IN,
    SIGN_OUT,
    SIGNATURES,
    STATEMENT,
    TRANSACTION,
    TRANSFER,
    Direction,
)
from ivr_engine.calls.step_up import CODE_MESSAGE, StepUp
from ivr_engine.calls.transfers import send_posting, transfer_posting
from ivr_engine.flow.operations import DEADLINE_MS, UNAVAILABLE, UNKNOWN, Level, Performed
from ivr_engine.flow.scope import ZONE
from ivr_engine.flow.values import Value
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money
from ivr_engine.values.secret import SecretDigits

SIGN_IN_HOLDS_S: Final = 15 * 60.0
_DIGITS: Final = "0123456789"
TRANSACTIONS_MAX: Final = 20
STATEMENT_LINES: Final = 5
"""Movements that are written in a message; as many as are read out."""


KeepAnswer = Callable[[str, int], None]
"""Takes the name of a question and the answer."""
_NUMBER: Final = re.compile(r"\d{3,15}", re.ASCII)


def nobody_asks(question: str, answer: int) -> None:
    """Keep nothing: for calls that leave no record."""
    del question, answer


def national_number(shown: str) -> str | None:
    """Return what the network shows as digits that can be dialled; None where nothing of the kind is shown.

    `+` is dialled `00`, by which a rule of numbers knows that it is abroad.
    """
    digits = f"00{shown[1:]}" if shown.startswith("+") else shown
    return digits if _NUMBER.fullmatch(digits) else None


@dataclass(frozen=True, slots=True)
class _Order:
    """One operation as it was asked for: its arguments, how long it may take, its number as a change."""

    arguments: Mapping[str, Value]
    within_s: float
    change: int


class BankOperations:
    """The operations for one call, and who the caller has proved to be (the `Identity` of the flow)."""

    def __init__(
        self,
        bank: CoreBank,
        call: CallId,
        clock: Clock,
        desk: Desk,
        *,
        speaks: Callable[[], Language],
        log: FilteringBoundLogger | None = None,
        caller: str = "",
        zone: str = ZONE,
        keep_answer: KeepAnswer = nobody_asks,
        queues: SeesQueues | None = None,
    ) -> None:
        """`caller` is the number that is calling, or empty where it is withheld; `zone` says which day it is."""
        self._bank = bank
        self._caller = caller
        self._keep_answer = keep_answer
        self._zone = ZoneInfo(zone)
        self._call = call
        self._clock = clock
        self._log = log if log is not None else structlog.get_logger()
        self._customer: CustomerNumber | None = None
        self._signed_in_until = 0.0
        self._accounts: tuple[Account, ...] | None = None
        self._stepped_up = False
        self.changes: Final = Changes(self._log)
        """What the caller ordered, and a hang-up does not stop."""

        def text(code: str) -> tuple[Language, str]:
            language = speaks()
            return language, desk.messages.message(language, CODE_MESSAGE).text.filled(language, {"code": code})

        self._step_up = StepUp(bank, desk.office, desk.ids, clock, call, text)
        self._questions = QueueQuestions(queues, call) if queues is not None else None

    @property
    def signed_in(self) -> bool:
        """Whether the caller has signed in, not too long ago."""
        return self._customer is not None and self._clock.monotonic() < self._signed_in_until

    @property
    def stepped_up(self) -> bool:
        """Whether the caller who has signed in has proved it a second time."""
        return self.signed_in and self._stepped_up

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
        if SIGNATURES[name].needs > self._level():
            # The checker lets no flow get here; a sign-in that has run out may. Nothing personal is given away.
            return Performed(UNAVAILABLE)
        order = _Order(arguments, within_ms / 1000, change)
        if not SIGNATURES[name].changes:
            return await self._ask(name, order)
        # The step wipes its secrets when a hang-up ends it, and the change goes on with its own.
        own = {name: value.only(_DIGITS) for name, value in arguments.items() if isinstance(value, SecretDigits)}
        order = _Order({**arguments, **own}, order.within_s, change)
        return await self.changes.carry_out(name, self._with_own_secrets(name, order, own.values()))

    async def finish(self) -> LateChange | None:
        """Wait for a change that a hang-up left behind, and return what became of it; None when there was none."""
        return await self.changes.finish()

    def _level(self) -> Level:
        if self.stepped_up:
            return Level.STEPPED_UP
        return Level.SIGNED_IN if self.signed_in else Level.NOBODY

    async def _with_own_secrets(self, name: str, order: _Order, secrets: Iterable[SecretDigits]) -> Performed:
        try:
            return await self._ask(name, order)
        finally:
            for secret in secrets:
                secret.wipe()

    async def _ask(self, name: str, order: _Order) -> Performed:
        """Ask the bank; what changes something watches the time itself, since a time-out after sending says little."""
        try:
            async with asyncio.timeout(None if SIGNATURES[name].changes else order.within_s):
                return await self._PERFORM[name](self, order)
        except (CoreUnavailableError, OfficeUnavailableError) as error:
            self._log.warning("bank_unavailable", operation=name, cause=str(error))
        except TimeoutError:
            self._log.warning("bank_too_slow", operation=name, deadline_s=order.within_s)
        return Performed(UNAVAILABLE)

    async def _sign_in(self, order: _Order) -> Performed:
        customer, pin = CustomerNumber(str(order.arguments["customer"])), _secret(order.arguments["pin"])
        verdict = await self._bank.verify_pin(customer, pin, call=self._call)
        if verdict is not PinVerdict.VERIFIED:
            return Performed(verdict.value)
        self._customer = customer
        self._accounts = None
        self._stepped_up = False
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
                "on": line.at.astimezone(self._zone).date(),
                "direction": (Direction.OUT if out else Direction.IN).value,
                "amount": -line.amount if out else line.amount,
            },
        )

    async def _profile(self, order: _Order) -> Performed:
        del order
        customer = await self._bank.customer(self._known_customer())
        if customer is None:
            return Performed("none")
        known: dict[str, Value] = {"language": customer.language.value, "segment": customer.segment.value}
        age = customer.age(self._clock.now().astimezone(self._zone).date())
        return Performed(AGE_UNKNOWN, known) if age is None else Performed("found", {**known, "age": age})

    async def _sign_out(self, order: _Order) -> Performed:
        del order
        self._stepped_up = False
        self._signed_in_until = 0.0  # the record of the call keeps who had signed in
        self._accounts = None
        return Performed("signed_out")

    async def _statement(self, order: _Order) -> Performed:
        account = await self._own_account(order.arguments["account"])
        if account is None:
            return Performed(NOT_YOURS)
        lines = await self._bank.statement(account.number, limit=STATEMENT_LINES)
        if not lines:
            return Performed("none")
        written = [f"{line.at.date().isoformat()} {line.amount}" for line in lines]
        return Performed("found", {"lines": "\n".join(written)})

    async def _send_code(self, order: _Order) -> Performed:
        del order
        return Performed(await self._step_up.send(self._known_customer()))

    async def _check_code(self, order: _Order) -> Performed:
        verdict = await self._step_up.check(self._known_customer(), _secret(order.arguments["code"]))
        if verdict is CodeVerdict.ACCEPTED:
            self._stepped_up = True
        return Performed(verdict.value)

    async def _change_pin(self, order: _Order) -> Performed:
        new, again = _secret(order.arguments["new"]), _secret(order.arguments["again"])
        if not new.same_as(again):
            return Performed(NOT_THE_SAME)
        try:
            async with asyncio.timeout(order.within_s):
                change = await self._bank.change_pin(self._known_customer(), new)
        except (CoreOutcomeUnknownError, TimeoutError) as error:
            self._log.error("pin_change_unknown", cause=type(error).__name__, alarm=True)
            return Performed(UNKNOWN)
        return Performed(change.value)

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

    async def _interest_rate(self, order: _Order) -> Performed:
        product, term = Product(str(order.arguments["product"])), Term(str(order.arguments["term"]))
        found = await self._bank.interest_rate(product, term)
        return Performed("none") if found is None else Performed("found", {"rate": found.rate, "on": found.since})

    async def _exchange_rate(self, order: _Order) -> Performed:
        found = await self._bank.exchange_rate(ForeignCurrency(str(order.arguments["currency"])))
        if found is None:
            return Performed("none")
        at = found.at.astimezone(self._zone)
        return Performed("found", {"buys": found.buys, "sells": found.sells, "on": at.date(), "at": at.time()})

    async def _listed(self, order: _Order) -> Performed:
        # Whatever a telephone network sends as a number may be forged: this decides what is offered, and no more.
        number = self._caller.removeprefix("+")
        known = number.isascii() and number.isdigit()
        listed = known and await self._bank.is_listed(str(order.arguments["list"]), number)
        return Performed(LISTED if listed else "not_listed")

    async def _caller_number(self, order: _Order) -> Performed:
        del order
        number = national_number(self._caller)
        return Performed("withheld") if number is None else Performed("known", {"number": number})

    async def _answer(self, order: _Order) -> Performed:
        answer = order.arguments["answer"]
        if not isinstance(answer, int):
            raise TypeError("an answer is a number")
        self._keep_answer(str(order.arguments["question"]), answer)
        return Performed("kept")

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

    _PERFORM: ClassVar[Mapping[str, Callable[[BankOperations, _Order], Awaitable[Performed]]]] = MappingProxyType(
        {
            SIGN_IN: _sign_in,
            ACCOUNT: _account,
            BALANCE: _balance,
            TRANSACTION: _transaction,
            PROFILE: _profile,
            SIGN_OUT: _sign_out,
            TRANSFER: _transfer,
            STATEMENT: _statement,
            SEND_CODE: _send_code,
            CHECK_CODE: _check_code,
            CHANGE_PIN: _change_pin,
            INTEREST_RATE: _interest_rate,
            EXCHANGE_RATE: _exchange_rate,
            LISTED: _listed,
            CALLER_NUMBER: _caller_number,
            KEEP_ANSWER: _answer,
            QUEUE_STATE: _queue_state,
            PLACE_IN_QUEUE: _place_in_queue,
        }
    )


def _secret(value: Value) -> SecretDigits:
    if not isinstance(value, SecretDigits):
        raise TypeError("what is typed here is secret")
    return value
