"""The operations that flows may use: their names, arguments and outcomes.

Knows the flow language's side of each. Must not know who carries them out; `operations` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ivr_engine.banking.code_policy import CodeVerdict
from ivr_engine.banking.model import AccountKind, PinChange, PostingOutcome
from ivr_engine.calls.step_up import CODE_MESSAGE
from ivr_engine.flow.operations import Level, Signature
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, SECRET, TEXT, DataClass, Type, Variable, one_of
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
NOT_YOURS: Final = "not_yours"
NOT_THE_SAME: Final = "not_the_same"


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


SIGNATURES: Final[Mapping[str, Signature]] = MappingProxyType(
    {signature.name: signature for signature in (*_of_the_caller(), *_of_proof(), *_of_accounts())}
)
