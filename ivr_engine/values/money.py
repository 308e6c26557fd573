"""Money as whole minor units of one currency.

Knows currencies and exact arithmetic. Must not know floats, formatting for screens, or how money is spoken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering

_PLAIN_AMOUNT = re.compile(r"-?\d{1,15}(\.\d{1,2})?", re.ASCII)


class Currency(StrEnum):
    """The currencies a hotline speaks (ISO 4217); each has two decimal places."""

    CNY = "CNY"
    USD = "USD"
    HKD = "HKD"


MINOR_UNITS_PER_MAJOR = 100


class CurrencyMismatchError(ValueError):
    """Two amounts of different currencies were added or compared."""


@total_ordering
@dataclass(frozen=True, slots=True)
class Money:
    """An amount in minor units (fen, cents) of one currency.

    Raises `CurrencyMismatchError` when mixed with another currency, `TypeError` for a fractional `minor`.
    """

    minor: int
    currency: Currency

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            message = f"minor units are a whole number, not {type(self.minor).__name__}"
            raise TypeError(message)

    @classmethod
    def parse(cls, text: str, currency: Currency) -> Money:
        """Read `1234`, `1234.5` or `-1234.56`; raise `ValueError` for anything else."""
        if not _PLAIN_AMOUNT.fullmatch(text):
            message = f"{text!r} is not an amount with at most two decimals"
            raise ValueError(message)
        whole, _, fraction = text.removeprefix("-").partition(".")
        minor = int(whole) * MINOR_UNITS_PER_MAJOR + int(fraction.ljust(2, "0") or "0")
        return cls(-minor if text.startswith("-") else minor, currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __str__(self) -> str:
        whole, cents = divmod(abs(self.minor), MINOR_UNITS_PER_MAJOR)
        sign = "-" if self.minor < 0 else ""
        return f"{sign}{whole}.{cents:02d} {self.currency.value}"

    def _same(self, other: Money) -> int:
        if other.currency is not self.currency:
            message = f"{self.currency.value} and {other.currency.value} do not mix"
            raise CurrencyMismatchError(message)
        return other.minor
