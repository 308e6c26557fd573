"""Rates as whole hundred-thousandths: interest in per cent a year, and what a hundred units of a currency are worth.

Knows two kinds of rate and exact comparison. Must not know floats, who quotes a rate, or how it is spoken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering
from typing import Final

from ivr_engine.values.money import Currency

HUNDRED_THOUSANDTHS: Final = 100_000
DECIMALS_MAX: Final = 5
QUOTED_UNITS: Final = 100
"""Banks quote foreign money by the hundred: 100 US dollars are 712.35 yuan."""

DECIMAL: Final = r"\d{1,9}(?:\.\d{1,5})?"
_PERCENT: Final = re.compile(rf"(-?)({DECIMAL}) ?%", re.ASCII)
_PAIR: Final = re.compile(rf"({DECIMAL}) ([A-Z]{{3}}) per {QUOTED_UNITS} ([A-Z]{{3}})", re.ASCII)


class RatesDifferError(ValueError):
    """Two rates were compared of which one is a percentage, or which are of other currencies."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What is exchanged: so much of `priced_in` for a hundred units of `of`. `ValueError` for one currency twice."""

    of: Currency
    priced_in: Currency

    def __post_init__(self) -> None:
        if self.of is self.priced_in:
            raise ValueError("a currency has no rate against itself")


@total_ordering
@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in hundred-thousandths of a per cent, or with a `pair` in hundred-thousandths of a unit for a hundred.

    Raises `TypeError` for a fraction, `ValueError` for an exchange rate that is not above nought, `RatesDifferError`
    when rates of two kinds are compared.
    """

    hundred_thousandths: int
    pair: Pair | None = None

    def __post_init__(self) -> None:
        if type(self.hundred_thousandths) is not int:
            message = f"hundred-thousandths are a whole number, not {type(self.hundred_thousandths).__name__}"
            raise TypeError(message)
        if self.pair is not None and self.hundred_thousandths <= 0:
            raise ValueError("an exchange rate is above nought")

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read `2.35%` or `712.35 CNY per 100 USD`; raise `ValueError` for anything else."""
        percent, pair = _PERCENT.fullmatch(text), _PAIR.fullmatch(text)
        if percent is not None:
            value = _exact(percent.group(2))
            return cls(-value if percent.group(1) else value)
        if pair is not None:
            return cls(_exact(pair.group(1)), Pair(Currency(pair.group(3)), Currency(pair.group(2))))
        message = f"{text!r} is no rate: write 2.35% or 712.35 CNY per {QUOTED_UNITS} USD, with at most five decimals"
        raise ValueError(message)

    @property
    def parts(self) -> tuple[int, str]:
        """The whole number without its sign, and the digits behind the point, without noughts at the end."""
        whole, rest = divmod(abs(self.hundred_thousandths), HUNDRED_THOUSANDTHS)
        return whole, f"{rest:0{DECIMALS_MAX}d}".rstrip("0")

    def __lt__(self, other: Rate) -> bool:
        if other.pair != self.pair:
            message = f"{self} and {other} are not of one kind"
            raise RatesDifferError(message)
        return self.hundred_thousandths < other.hundred_thousandths

    def __str__(self) -> str:
        whole, decimals = self.parts
        number = f"{'-' if self.hundred_thousandths < 0 else ''}{whole}.{decimals.ljust(2, '0')}"
        if self.pair is None:
            return f"{number}%"
        return f"{number} {self.pair.priced_in.value} per {QUOTED_UNITS} {self.pair.of.value}"


def _exact(decimal: str) -> int:
    whole, _, decimals = decimal.partition(".")
    return int(whole) * HUNDRED_THOUSANDTHS + int(decimals.ljust(DECIMALS_MAX, "0"))
