"""What typed keys are looked at for: a check digit, and PINs that anybody would guess first.

Knows digits. Must not know steps, nor what the bank makes of a number.
"""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Final

from ivr_engine.values.secret import SecretDigits

_CENTURIES: Final = (1900, 2000)
_BIRTHDAY_DIGITS: Final = 6


def luhn(digits: str) -> bool:
    """Say whether the last digit is the check digit of the others (ISO/IEC 7812); cards and many accounts have one."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_weak_pin(pin: SecretDigits) -> bool:
    """Say whether a PIN is among those that are tried first.

    These are: one digit only, steps of one up or down (also through 9 and 0), a part that is repeated (121212, 123123),
    pairs of equal digits (112233), a day as year, month, day (900315); and whatever is not all digits.
    """
    digits = pin.reveal()
    if not digits.isdigit():
        return True
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    if steps in ({0}, {1}, {9}):
        return True
    parts = (length for length in range(1, len(digits) // 2 + 1) if len(digits) % length == 0)
    if any(digits == digits[:length] * (len(digits) // length) for length in parts):
        return True
    if len(digits) % 2 == 0 and digits[::2] == digits[1::2]:
        return True
    return len(digits) == _BIRTHDAY_DIGITS and any(_is_day(century, digits) for century in _CENTURIES)


def _is_day(century: int, digits: bytes) -> bool:
    year, month, day = (int(digits[at : at + 2]) for at in (0, 2, 4))
    try:
        date(century + year, month, day)
    except ValueError:
        return False
    return True
