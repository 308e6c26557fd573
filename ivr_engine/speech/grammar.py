"""What every language must be able to read out, and the limits of it.

Knows the read-outs and their ranges. Must not know any language's words, nor files or audio.
"""

from __future__ import annotations

import datetime
import re
from typing import Final, Protocol

from ivr_engine.values.money import Money
from ivr_engine.values.rate import Rate

LARGEST_NUMBER: Final = 999_999_999_999_999
"""Fifteen digits: what `values.money` reads, and more than a caller can take in."""

LARGEST_ORDINAL: Final = 999
"""A place in a queue or in a list; nothing else is counted with ordinals on the telephone."""

MOST_DIGITS: Final = 32
"""Digits of one read-out; card numbers have up to 19."""

MASKED_DIGITS: Final = 4
"""How much of a number a caller may hear when others could listen."""

_DIGITS = re.compile(r"[0-9]+", re.ASCII)

Prompts = tuple[str, ...]


class Grammar(Protocol):
    """How one language speaks values; every method returns prompt ids in the order in which they are heard."""

    def amount(self, money: Money) -> Prompts:
        """Speak an amount with its currency; `ValueError` beyond fifteen digits of major units."""
        ...

    def cardinal(self, number: int) -> Prompts:
        """Speak a whole number, also a negative one; `ValueError` beyond fifteen digits."""
        ...

    def digits(self, text: str) -> Prompts:
        """Speak digits one by one; `ValueError` unless there are 1 to 32 of `0`-`9` and nothing else."""
        ...

    def masked(self, text: str) -> Prompts:
        """Speak "ending in" and the last four digits; `ValueError` unless the text ends in four digits."""
        ...

    def date(self, day: datetime.date) -> Prompts:
        """Speak day, month and year."""
        ...

    def time(self, moment: datetime.time) -> Prompts:
        """Speak hour and minute; seconds are left out, not rounded."""
        ...

    def ordinal(self, number: int) -> Prompts:
        """Speak a place in a row, 1 to 999; `ValueError` for any other."""
        ...

    def rate(self, rate: Rate) -> Prompts:
        """Speak a percentage, or what a hundred units of a currency are worth; decimals digit by digit."""
        ...

    def vocabulary(self) -> frozenset[str]:
        """Return every id that any of the read-outs can produce."""
        ...


def checked_number(number: int) -> int:
    """Return the number unchanged; `ValueError` when it has more than fifteen digits."""
    if abs(number) > LARGEST_NUMBER:
        message = f"a number of more than {len(str(LARGEST_NUMBER))} digits cannot be read out"
        raise ValueError(message)
    return number


def checked_ordinal(number: int) -> int:
    """Return the place unchanged; `ValueError` when it is not 1 to 999."""
    if not 1 <= number <= LARGEST_ORDINAL:
        message = f"a place in a row is 1 to {LARGEST_ORDINAL}, not {number}"
        raise ValueError(message)
    return number


def checked_digits(text: str) -> str:
    """Return the digits unchanged; `ValueError`, without the text in it, when it is anything else."""
    if not _DIGITS.fullmatch(text) or len(text) > MOST_DIGITS:
        message = f"only 1 to {MOST_DIGITS} digits 0-9 can be read out one by one"
        raise ValueError(message)
    return text


def last_digits(text: str) -> str:
    """Return the last four digits of a number written whole or masked (`6222****4719`)."""
    last = text[-MASKED_DIGITS:]
    if len(last) < MASKED_DIGITS or not _DIGITS.fullmatch(last):
        message = f"a masked number ends in {MASKED_DIGITS} digits"
        raise ValueError(message)
    return last
