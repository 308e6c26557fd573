"""Types of the flow language: what a variable may hold, and how sensitive it is.

Knows types, data classes and how values are written down and read back. Must not know steps or expressions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import Final

from ivr_engine.flow.findings import NotUnderstoodError
from ivr_engine.flow.wording import Text
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits

Value = str | int | bool | Money | date | time | SecretDigits


class DataClass(StrEnum):
    """How sensitive a value is."""

    PUBLIC = "public"
    PERSONAL = "personal"
    SECRET = "secret"  # noqa: S105 # a data class, not a password


@dataclass(frozen=True, slots=True)
class Type:
    """A type of the language; `members` only for a choice among named words."""

    name: str
    members: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"one of ({', '.join(self.members)})" if self.members else self.name


TEXT: Final = Type("text")
DIGITS: Final = Type("digits")
NUMBER: Final = Type("number")
MONEY: Final = Type("money")
DATE: Final = Type("date")
TIME: Final = Type("time")
YES_NO: Final = Type("yes_no")
SECRET: Final = Type("secret")
QUEUE: Final = Type("queue")
"""The name of a queue: an argument of operations, written as it is called; no variable holds one."""

PLAIN_TYPES: Final = (TEXT, DIGITS, NUMBER, MONEY, DATE, TIME, YES_NO, SECRET)
_ONE_OF: Final = re.compile(r"one of \(\s*(\w+(?:\s*,\s*\w+)*)\s*\)")
_PLAIN: Final = "|".join(known.name for known in PLAIN_TYPES)
TYPE_WRITTEN: Final = rf"^\s*((public|personal)\s+)?({_PLAIN}|one of \(\s*\w+(\s*,\s*\w+)*\s*\))\s*$"
"""How a type is written, as a pattern for editors."""


def one_of(members: type[StrEnum]) -> Type:
    """Return the type of an enumeration, so that flows and code share its words."""
    return Type("one_of", tuple(member.value for member in members))


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared variable."""

    type: Type
    data_class: DataClass

    @classmethod
    def parse(cls, text: str) -> Variable:
        """Read `money`, `personal money`, `secret` or `one of (a, b)`; raise `NotUnderstoodError`."""
        words = text.strip()
        data_class = DataClass.PUBLIC
        first, _, rest = words.partition(" ")
        if rest and first in (DataClass.PUBLIC, DataClass.PERSONAL):
            data_class, words = DataClass(first), rest.strip()
        if words == SECRET.name:
            return cls(SECRET, DataClass.SECRET)
        members = _ONE_OF.fullmatch(words)
        if members:
            return cls(Type("one_of", tuple(re.split(r"\s*,\s*", members.group(1)))), data_class)
        for known in PLAIN_TYPES:
            if known.name == words:
                return cls(known, data_class)
        possible = ", ".join(known.name for known in PLAIN_TYPES)
        mend = Text("use {possible} or `one of (a, b)`, with `personal` before it if it is", possible=possible)
        raise NotUnderstoodError(Text("'{written}' is no type", written=text), mend)


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that has a name in a flow; anybody may know it."""

    type: Type
    value: Value

    @classmethod
    def of(cls, value: Value) -> Constant:
        """Return a constant of the value's plain type."""
        return cls(type_of(value), value)


def type_of(value: Value) -> Type:
    """Return the plain type of a value (`digits` and choices are texts)."""
    if isinstance(value, bool):
        return YES_NO
    for kind, known in _TYPES_BY_PYTHON:
        if isinstance(value, kind):
            return known
    return TEXT


_TYPES_BY_PYTHON: Final[tuple[tuple[type, Type], ...]] = (
    (int, NUMBER),
    (Money, MONEY),
    (date, DATE),
    (time, TIME),
    (SecretDigits, SECRET),
)

Encoded = str | int | bool | list[str | int]


def encode(value: Value) -> Encoded:
    """Return a value as JSON data for a checkpoint; raise `ValueError` for a secret, which never leaves memory."""
    if isinstance(value, SecretDigits):
        raise ValueError("a secret is never written down")  # noqa: TRY004 # what fails is the value's sensitivity
    if isinstance(value, Money):
        return [value.minor, value.currency.value]
    if isinstance(value, (date, time)):
        return value.isoformat()
    return value


def decode(encoded: Encoded, kind: Type) -> Value:
    """Return the value that `encode` wrote for a variable of this type; raise `ValueError` when it does not fit."""
    if kind == MONEY and isinstance(encoded, list) and len(encoded) == 2 and type(encoded[0]) is int:
        return Money(encoded[0], Currency(str(encoded[1])))
    if isinstance(encoded, list):
        raise ValueError("only money is a pair")  # noqa: TRY004 # stored data that does not fit
    if kind in (DATE, TIME) and isinstance(encoded, str):
        return date.fromisoformat(encoded) if kind == DATE else time.fromisoformat(encoded)
    if kind == NUMBER and type(encoded) is int:
        return encoded
    if kind == YES_NO and isinstance(encoded, bool):
        return encoded
    if isinstance(encoded, str) and (kind in (TEXT, DIGITS) or encoded in kind.members):
        return encoded
    message = f"what was stored is no {kind}"
    raise ValueError(message)
