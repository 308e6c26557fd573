"""Reads what a test is given: the customer, the bank, the agents, the time.

Knows the keys under `given`. Must not know what the caller does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Final

from ivr_engine.banking.model import AccountKind, Addresses, Segment
from ivr_engine.banking.pin_policy import PIN_DIGITS_MAX, PIN_DIGITS_MIN
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.leaving import CallbackOutcome, TransferOutcome
from ivr_engine.flow.operations import UNAVAILABLE, Signature
from ivr_engine.flow.source import Data, Path, Source
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios import written
from ivr_engine.scenarios.block import Block
from ivr_engine.scenarios.model import CALLER, Answer, Busy, Given, GivenAccount, GivenCustomer, Movement
from ivr_engine.scenarios.sample import SAMPLE, sample_customer
from ivr_engine.values.medium import Medium
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits

AWAY: Final = "away"
_AWAY_FOR: Final = "away for "
_ANSWERS_IN: Final = "answers in "
_AFTER: Final = re.compile(r"(\w+) after (\d{1,4}) times?", re.ASCII)
_LEFT: Final = ("messages", "callbacks", "destinations")
_GIVEN: Final = ("customer", "bank", "answers", "agents", "asks secret", "time", "caller", *_LEFT)
_CUSTOMER: Final = ("number", "pin", "name", "segment", "born", "wrong pins before", "accounts", "addresses")
_ADDRESSES: Final = ("mobile", "fax", "email", "pager")
_ACCOUNT: Final = ("number", "kind", "booked", "held", "credit line", "movements")
_MOVEMENT: Final = ("amount", "on", "days ago", "text")
_STEP_ENDS: Final[Mapping[str, list[str]]] = MappingProxyType(
    {
        **{medium.value: ["no_address", UNAVAILABLE] for medium in Medium},
        "case": [UNAVAILABLE],
        "note": [UNAVAILABLE],
    }
)
"""Steps that write, and how a test may let them end."""
_KINDS: Final[Mapping[str, str]] = MappingProxyType({kind.value: kind.value for kind in AccountKind})
_SEGMENTS: Final[Mapping[str, str]] = MappingProxyType({segment.value: segment.value for segment in Segment})
_AGENTS: Final[Mapping[str, str]] = MappingProxyType({outcome.value: outcome.value for outcome in QueueOutcome})
WITHHELD: Final = "withheld"
_MESSAGES: Final[Mapping[str, str]] = MappingProxyType({UNAVAILABLE: UNAVAILABLE})
_CALLBACKS: Final[Mapping[str, str]] = MappingProxyType({outcome.value: outcome.value for outcome in CallbackOutcome})
_TRANSFERS: Final[Mapping[str, str]] = MappingProxyType({outcome.value: outcome.value for outcome in TransferOutcome})
_YES: Final[Mapping[str, str]] = MappingProxyType({"yes": "yes"})
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
    callbacks = block.read("callbacks", written.one_word_of(_CALLBACKS), "")
    transfers = block.read("destinations", written.one_word_of(_TRANSFERS), "")
    return Given(
        customer=_customer(block),
        bank_away=away,
        answer_after_s=after_s,
        answers=MappingProxyType(answers),
        agents=_agents(block),
        begins=block.read("time", written.moment, None),
        caller=block.read("caller", _caller, CALLER),
        messages_away=bool(block.read("messages", written.one_word_of(_MESSAGES), "")),
        callbacks=CallbackOutcome(callbacks) if callbacks else None,
        destinations=TransferOutcome(transfers) if transfers else None,
        asks_secret=bool(block.read("asks secret", written.one_word_of(_YES), "")),
    )


def _caller(value: Data) -> str:
    return "" if value == WITHHELD else written.account_number(value)


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
        agents.read("waiting before", partial(written.count, most=WAITING_MAX), 0),
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
    ends = {
        name: [end for end in signature.outcome_names if not signature.outcomes.get(end)]
        for name, signature in operations.items()
    }
    ends |= _STEP_ENDS if operations else {}
    wanted = Block(block.source, (*block.path, "answers"), tuple(ends))
    for name in wanted.data:
        if name not in ends:
            continue  # it has its finding
        answer = wanted.read(name, _answer, Answer(""))
        empty = ends[name]
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
        addresses=_addresses(customer),
        wrong_pins=customer.read("wrong pins before", partial(written.count, most=PIN_DIGITS_MAX), 0),
        segment=Segment(customer.read("segment", written.one_word_of(_SEGMENTS), Segment.STANDARD.value)),
        born=customer.read("born", written.day, None),
    )


def _addresses(customer: Block) -> Addresses:
    if "addresses" not in customer:
        return Addresses()
    block = Block(customer.source, (*customer.path, "addresses"), _ADDRESSES)
    return Addresses(**{name: block.read(name, written.text, None) for name in _ADDRESSES})


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
        days_ago=block.read("days ago", partial(written.count, most=COUNT_MAX), 0),
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
