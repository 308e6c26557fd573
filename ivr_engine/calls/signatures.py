"""What flows may ask the bank: the closed signatures of all operations.

Knows names, arguments, outcomes and the levels that they need. Must not know how any of them is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ivr_engine.banking.code_policy import CodeVerdict
from ivr_engine.banking.model import AccountKind, ForeignCurrency, PinChange, PostingOutcome, Product, Segment, Term
from ivr_engine.calls.queue_questions import QUEUE_SIGNATURES
from ivr_engine.calls.step_up import CODE_MESSAGE
from ivr_engine.flow.operations import Level, Signature
from ivr_engine.flow.values import (
    DATE,
    DIGITS,
    MONEY,
    NUMBER,
    RATE,
    SECRET,
    TEXT,
    TIME,
    DataClass,
    Type,
    Variable,
    one_of,
)
from ivr_engine.values.language import Language

SIGN_IN: Final = "sign_in"
ACCOUNT: Final = "account"
BALANCE: Final = "balance"
TRANSACTION: Final = "transaction"
PROFILE: Final = "profile"
SIGN_OUT: Final = "sign_out"
TRANSFER: Final = "transfer"
STATEMENT: Final = "statement"
SEND_CODE: Final = "send_code"
CHECK_CODE: Final = "check_code"
CHANGE_PIN: Final = "change_pin"
CALLER_NUMBER: Final = "caller_number"
KEEP_ANSWER: Final = "keep_answer"
NOT_YOURS: Final = "not_yours"
NOT_THE_SAME: Final = "not_the_same"
INTEREST_RATE: Final = "interest_rate"
EXCHANGE_RATE: Final = "exchange_rate"
LISTED: Final = "listed"
AGE_UNKNOWN: Final = "age_unknown"
CALLER_LISTS: Final = ("vip",)
"""The lists of callers that a bank keeps, unless the hotline is set up for others."""


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


_CODE_OUTCOMES: Final = (CodeVerdict.ACCEPTED, CodeVerdict.WRONG, CodeVerdict.EXPIRED, CodeVerdict.ATTEMPTS_USED)
_KNOWN_OF_CALLER: Final[Mapping[str, Variable]] = MappingProxyType(
    {"language": _public(one_of(Language)), "segment": _personal(one_of(Segment))}
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
            {"found": {**_KNOWN_OF_CALLER, "age": _personal(NUMBER)}, AGE_UNKNOWN: _KNOWN_OF_CALLER, "none": {}},
            "What the bank knows of the caller: the language they like, how the bank serves them, and their age, in "
            "whole years by the bank's calendar; of companies it knows none.",
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


def _of_proof() -> tuple[Signature, ...]:
    return (
        Signature(
            SEND_CODE,
            {},
            {"sent": {}, "no_address": {}, "too_many": {}},
            "Send a one-time code by SMS to the mobile number that the bank has registered. It is good for 5 minutes.",
            needs=Level.SIGNED_IN,
            repeatable=False,
            sends=CODE_MESSAGE,
        ),
        Signature(
            CHECK_CODE,
            {"code": SECRET},
            {verdict.value: {} for verdict in _CODE_OUTCOMES},
            "Judge the code that the caller has typed. Three attempts for each code; they are counted.",
            needs=Level.SIGNED_IN,
            grants=MappingProxyType({CodeVerdict.ACCEPTED.value: Level.STEPPED_UP}),
            repeatable=False,
        ),
        Signature(
            CHANGE_PIN,
            {"new": SECRET, "again": SECRET},
            {PinChange.CHANGED.value: {}, NOT_THE_SAME: {}, PinChange.REFUSED.value: {}},
            "Keep a new PIN, typed twice. The bank refuses the present one.",
            needs=Level.STEPPED_UP,
            changes=True,
            repeatable=False,
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
            STATEMENT,
            {"account": DIGITS},
            {"found": {"lines": _personal(TEXT)}, "none": {}, "not_yours": {}},
            "The newest movements of one of the caller's accounts as text for a message: a line each, day and amount.",
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


def _of_the_call() -> tuple[Signature, ...]:
    """What the engine does itself."""
    return (
        Signature(
            CALLER_NUMBER,
            {},
            # Not personal: the caller's own telephone shows it, and who has it shown wrongly hears what they show.
            {"known": {"number": _public(DIGITS)}, "withheld": {}},
            "The number that the network shows of the caller. It is a claim, and says nothing of who is calling.",
            at_once=True,
        ),
        Signature(
            KEEP_ANSWER,
            {"question": TEXT, "answer": NUMBER},
            {"kept": {}},
            "Keep the answer to a question of a survey with the record of the call; a later one replaces it.",
            at_once=True,
        ),
    )


def _of_everybody(caller_lists: tuple[str, ...]) -> tuple[Signature, ...]:
    return (
        Signature(
            INTEREST_RATE,
            {"product": one_of(Product), "term": one_of(Term)},
            {"found": {"rate": _public(RATE), "on": _public(DATE)}, "none": {}},
            "The interest of a product for a term, in per cent a year, and since which day it holds.",
        ),
        Signature(
            EXCHANGE_RATE,
            {"currency": one_of(ForeignCurrency)},
            {
                "found": {
                    "buys": _public(RATE),
                    "sells": _public(RATE),
                    "on": _public(DATE),
                    "at": _public(TIME),
                },
                "none": {},
            },
            "What the bank buys and sells a hundred units of a currency at, and when that was set.",
        ),
        Signature(
            LISTED,
            {"list": Type("one_of", caller_lists)},
            {"listed": {}, "not_listed": {}},
            "Whether the number that is calling stands on a list of the bank. It proves nobody, and opens nothing.",
        ),
    )


def signatures(caller_lists: tuple[str, ...] = CALLER_LISTS) -> Mapping[str, Signature]:
    """Return the operations of a hotline whose bank keeps these lists of callers."""
    offered = (
        *_of_the_caller(),
        *_of_proof(),
        *_of_accounts(),
        *_of_everybody(caller_lists),
        *_of_the_call(),
        *QUEUE_SIGNATURES,
    )
    return MappingProxyType({signature.name: signature for signature in offered})


SIGNATURES: Final = signatures()
"""The same with the usual lists: what an operation needs, and whether it changes something, hangs on no list."""
