"""Reads what a test is given: the customer, the bank, the agents, the time.

Knows the keys under `given`. Must not know what the caller does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from ivr_engine.banking.model import AccountKind
from ivr_engine.banking.pin_policy import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.operations import UNAVAILABLE, Signature
from ivr_engine.flow.source import Data, Path, Source
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios import written
from ivr_engine.scenarios.block import Block
from ivr_engine.scenarios.model import Answer, Busy, Given, GivenAccount, GivenCustomer, Movement
from ivr_engine.scenarios.sample import SAMPLE, sample_customer
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits

AWAY: Final = "away"
_AWAY_FOR: Final = "away for "
_ANSWERS_IN: Final = "answers in "
_AFTER: Final = re.compile(r"(\w+) after (\d{1,4}) times?", re.ASCII)
_GIVEN: Final = ("customer", "bank", "answers", "agents", "time")
_CUSTOMER: Final = ("number", "pin", "name", "wrong pins before", "accounts")
_ACCOUNT: Final = ("number", "kind", "booked", "held", "credit line", "movements")
_MOVEMENT: Final = ("amount", "on", "days ago", "text")
_KINDS: Final[Mapping[str, str]] = MappingProxyType({kind.value: kind.value for kind in AccountKind})
_AGENTS: Final[Mapping[str, str]] = MappingProxyType({outcome.value: outcome.value for outcome in QueueOutcome})
_BUSY: Final = ("free after", "waiting before", "talks take")
FREE_AFTER: Final = _BUSY[0]
COUNT_MAX: Final = 10_000
WAITING_MAX: Final = 100


def read_given(source: Source, operations: Mapping[str, Signature]) -> Given:
    """Return what is given; nothing but the defaults where the test says nothing."""
    if not isinstance(source.data, dict) or "given" not in source.data:
        return Given()
    block = Block(source, ("given",), _GIVEN)
    away, after_s, answers = _bank(block, operations)
    answers.update(_answers(block, operations))
    return Given(
        customer=_customer(block),
        bank_away=away,
        answer_after_s=after_s,
        answers=MappingProxyType(answers),
        agents=_agents(block),
        begins=block.read("time", written.moment, None),
    )


def _bank(block: Block, operations: Mapping[str, Signature]) -> tuple[bool, float, dict[str, Answer]]:
    """Return whether the bank is away altogether, after how many seconds it answers, and for what it is away."""
    words = block.read("bank", written.text, "")
    if words in ("", AWAY):
        return words == AWAY, 0.0, {}
    if words.startswith(_ANSWERS_IN):
        length = block.understood(words.removeprefix(_ANSWERS_IN), written.milliseconds, ("bank",), 0)
        return False, length / 1000, {}
    if words.startswith(_AWAY_FOR):
        names = [name.strip() for name in words.removeprefix(_AWAY_FOR).split(",")]
        known = [name for name in names if _is_operation(block, name, ("bank",), operations)]
        return False, 0.0, dict.fromkeys(known, Answer(UNAVAILABLE))
    message = Text("'{words}' is nothing that a bank does", words=words)
    block.finding("T104", ("bank",), message, Text("write `away`, `away for balance` or `answers in 3 s`"))
    return False, 0.0, {}


def _agents(block: Block) -> QueueOutcome | Busy | None:
    """Return how waiting ends, or when an agent is free; None where the test does not say."""
    if not isinstance(block.data.get("agents"), dict):
        return block.read("agents", _outcome_or_busy, None)
    agents = Block(block.source, (*block.path, "agents"), _BUSY)
    agents.needs(FREE_AFTER)
    return Busy(
        agents.read(FREE_AFTER, written.milliseconds, 0),
        agents.read("waiting before", partial(_count, most=WAITING_MAX), 0),
        agents.read("talks take", written.milliseconds, None),
    )


def _outcome_or_busy(value: Data) -> QueueOutcome | Busy:
    words = written.text(value)
    if words.startswith(f"{FREE_AFTER} "):
        return Busy(written.milliseconds(words.removeprefix(f"{FREE_AFTER} ")))
    if words not in _AGENTS:
        known = (*_AGENTS, f"{FREE_AFTER} 45 s")
        raise NotUnderstoodError(Text("'{written}' is not possible here", written=words), did_you_mean(words, known))
    return QueueOutcome(words)


def _answers(block: Block, operations: Mapping[str, Signature]) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    if "answers" not in block:
        return answers
    wanted = Block(block.source, (*block.path, "answers"), tuple(operations))
    for name in wanted.data:
        if name not in operations:
            continue  # it has its finding
        answer = wanted.read(name, _answer, Answer(""))
        empty = [end for end in operations[name].outcome_names if not operations[name].outcomes.get(end)]
        if answer.outcome not in empty:
            message = Text("'{name}' cannot be made to end in '{outcome}'", name=name, outcome=answer.outcome)
            wanted.finding("T108", (name,), message, did_you_mean(answer.outcome, empty))
        answers[name] = answer
    return answers


def _answer(value: Data) -> Answer:
    """Return an end, `none`, or one that comes later, `none after 3 times`."""
    words = written.text(value)
    found = _AFTER.fullmatch(words)
    return Answer(words) if found is None else Answer(found.group(1), int(found.group(2)))


def _is_operation(block: Block, name: str, at: Path, operations: Mapping[str, Signature]) -> bool:
    if name in operations:
        return True
    block.finding("T108", at, Text("there is no operation '{name}'", name=name), did_you_mean(name, operations))
    return False


def _customer(block: Block) -> GivenCustomer | None:
    if "customer" not in block:
        return None
    if not isinstance(block.data["customer"], dict):
        block.read("customer", written.one_word_of({SAMPLE: SAMPLE}), "")
        return sample_customer()
    customer = Block(block.source, (*block.path, "customer"), _CUSTOMER)
    customer.needs("number", "pin")
    accounts = customer.data.get("accounts", [])
    if not isinstance(accounts, list):
        message = Text("a list of accounts is expected here")
        customer.finding("T104", ("accounts",), message, Text("begin each account with a dash in a line of its own"))
        accounts = []
    return GivenCustomer(
        number=customer.read("number", written.account_number, ""),
        pin=customer.read("pin", _pin, SecretDigits(b"")),
        name=customer.read("name", written.text, ""),
        accounts=tuple(_account(block.source, (*customer.path, "accounts", at)) for at in range(len(accounts))),
        wrong_pins=customer.read("wrong pins before", partial(_count, most=PIN_DIGITS_MAX), 0),
    )


def _account(source: Source, path: Path) -> GivenAccount:
    block = Block(source, path, _ACCOUNT)
    if block.data:
        block.needs("number", "kind", "booked")
    booked = block.read("booked", written.money, Money(0, Currency.CNY))
    nothing = Money(0, booked.currency)

    def alike(value: Data) -> Money:
        amount = written.money(value)
        if amount.currency is not booked.currency:
            raise NotUnderstoodError(
                Text("{amount} is of another currency than the account", amount=amount),
                Text("write it in {currency}", currency=booked.currency.value),
            )
        return amount

    movements = range(len(block.items("movements")))
    return GivenAccount(
        number=block.read("number", written.account_number, "0000"),
        kind=AccountKind(block.read("kind", written.one_word_of(_KINDS), AccountKind.CURRENT.value)),
        booked=booked,
        held=block.read("held", alike, nothing),
        credit_line=block.read("credit line", alike, nothing),
        movements=tuple(_movement(source, (*path, "movements", at), alike, nothing) for at in movements),
    )


def _movement(source: Source, path: Path, alike: written.Reads[Money], nothing: Money) -> Movement:
    block = Block(source, path, _MOVEMENT)
    if block.data:
        block.needs("amount")
    if "on" in block and "days ago" in block:
        block.finding("T104", ("days ago",), Text("`on` and `days ago` say the same twice"), Text("remove one of them"))
    return Movement(
        amount=block.read("amount", alike, nothing),
        on=block.read("on", written.day, None),
        days_ago=block.read("days ago", partial(_count, most=COUNT_MAX), 0),
        text=block.read("text", written.text, ""),
    )


def _pin(value: Data) -> SecretDigits:
    words = written.text(value)
    if not (words.isascii() and words.isdigit() and PIN_DIGITS_MIN <= len(words) <= PIN_DIGITS_MAX):
        raise NotUnderstoodError(
            Text("this is no PIN"),
            Text("write {least} to {most} digits in quotes", least=PIN_DIGITS_MIN, most=PIN_DIGITS_MAX),
        )
    return SecretDigits(words.encode("ascii"))


def _count(value: Data, most: int) -> int:
    if type(value) is int and 0 <= value <= most:
        return value
    raise NotUnderstoodError(
        Text("'{value}' is no number of times", value=value), Text("write a whole number up to {most}", most=most)
    )
