"""What digits become: a number, an amount, a date; and the limits that a flow sets to it.

Knows how each type is typed on a telephone. Must not know how it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from ivr_engine.channel.keys import DIGIT_KEYS
from ivr_engine.flow.call import Call
from ivr_engine.flow.expressions import Evaluate
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, Type, Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.money import Currency, CurrencyMismatchError, Money

POINT: Final = "*"
"""The decimal point of an amount, on a telephone."""
DATE_KEYS: Final = 8
NUMBER_KEYS_MAX: Final = 18
"""More digits than an expression could write."""

Test = Callable[[Call, Value], bool]


@dataclass(frozen=True, slots=True)
class KindOfEntry:
    """How a type is typed: `length` if the flow gives none, or always when it is `fixed`; `keys` that belong to it.

    `ordered` types may have a least and a greatest value. `may_fail` says whether digits can be no value of the type.
    """

    keys: str
    length: tuple[int, int] | None
    fixed: bool = False
    ordered: bool = True
    may_fail: bool = False


KINDS_OF_ENTRY: Final[Mapping[Type, KindOfEntry]] = MappingProxyType(
    {
        DIGITS: KindOfEntry(DIGIT_KEYS, None, ordered=False),
        NUMBER: KindOfEntry(DIGIT_KEYS, (1, 9)),
        MONEY: KindOfEntry(DIGIT_KEYS + POINT, (1, 12), may_fail=True),
        DATE: KindOfEntry(DIGIT_KEYS, (DATE_KEYS, DATE_KEYS), fixed=True, may_fail=True),
    }
)


def value_of(text: str, kind: Type, currency: Currency | None) -> Value | None:
    """Return the value that was typed, or None when there is no such value; `text` is of the kind's keys."""
    if kind == NUMBER:
        return int(text)
    if kind == MONEY and currency is not None:
        return _amount(text, currency)
    if kind == DATE:
        return _day(text)
    return text


def bound(scope: Scope, name: str, text: str | int | bool, kind: Type, currency: Currency | None) -> Test | None:  # noqa: FBT001 # a YAML scalar, not a switch
    """Return what holds a value against the limit `least` or `most`, or None after a finding."""
    compiled = scope.expression(text, (name,), kind)
    if compiled is None:
        return None
    evaluate = compiled.evaluate
    theirs = _fixed_currency(evaluate) if currency is not None and not compiled.reads else currency
    if theirs != currency:
        shown = theirs.value if theirs is not None else Text("several currencies")
        message = Text("this limit is in {theirs}, and {ours} is typed", theirs=shown, ours=currency or "")
        scope.finding("E231", (name,), message, Text("write both in one currency"))
    is_least = name == "least"

    def holds(call: Call, value: Value) -> bool:
        typed: Any = value
        limit: Any = evaluate(call)
        try:
            return bool(typed >= limit if is_least else typed <= limit)
        except CurrencyMismatchError:  # nobody can say which is more: such an amount is not taken
            return False

    return holds


class _Nothing:
    """No call at all, for expressions that read nothing of one."""

    def __init__(self) -> None:
        self.variables: dict[str, Value] = {}

    def fact(self, name: str) -> Value:
        """Return anything: no amount depends on a fact."""
        return name


def _fixed_currency(evaluate: Evaluate) -> Currency | None:
    try:
        amount = evaluate(_Nothing())
    except CurrencyMismatchError:
        return None
    return amount.currency if isinstance(amount, Money) else None


def _amount(text: str, currency: Currency) -> Money | None:
    """Read whole units, and after the star at most two places; what may be left out is a nought."""
    whole, _, places = text.partition(POINT)
    if not whole and not places:
        return None
    try:
        return Money.parse(f"{whole or '0'}.{places or '0'}", currency)
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
