"""How values are written in a message: what a grammar does for the ear, this does for the eye.

Knows the forms of each language; Cantonese is written in traditional characters. Must not know messages or media.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ivr_engine.speech.grammar import last_digits
from ivr_engine.values.language import Language
from ivr_engine.values.money import MINOR_UNITS_PER_MAJOR, Currency, Money

_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_CURRENCIES: Final[Mapping[Language, Mapping[Currency, tuple[str, str]]]] = MappingProxyType(
    {
        Language.MANDARIN: MappingProxyType(
            {Currency.CNY: ("人民币", "元"), Currency.USD: ("", "美元"), Currency.HKD: ("", "港元")}
        ),
        Language.CANTONESE: MappingProxyType(
            {Currency.CNY: ("人民幣", "元"), Currency.USD: ("", "美元"), Currency.HKD: ("", "港元")}
        ),
        Language.ENGLISH: MappingProxyType({currency: (f"{currency.value} ", "") for currency in Currency}),
    }
)
"""What stands before an amount and after it."""
_ENDING_IN: Final[Mapping[Language, str]] = MappingProxyType(
    {Language.MANDARIN: "尾号{digits}", Language.CANTONESE: "尾號{digits}", Language.ENGLISH: "ending in {digits}"}
)


def money(language: Language, amount: Money) -> str:
    """Write an amount with its currency: `CNY 1,234.50`, `人民币1,234.50元`."""
    whole, cents = divmod(abs(amount.minor), MINOR_UNITS_PER_MAJOR)
    before, after = _CURRENCIES[language][amount.currency]
    return f"{before}{'-' if amount.minor < 0 else ''}{whole:,}.{cents:02d}{after}"


def date(language: Language, day: datetime.date) -> str:
    """Write a day: `5 January 2026`, `2026年1月5日`."""
    if language is Language.ENGLISH:
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
    return f"{day.year}年{day.month}月{day.day}日"


def time(moment: datetime.time) -> str:
    """Write hour and minute, alike in every language; seconds are left out, not rounded."""
    return f"{moment.hour:02d}:{moment.minute:02d}"


def masked(language: Language, number: str) -> str:
    """Write the last four digits of a number; `ValueError` unless it ends in four digits."""
    return _ENDING_IN[language].format(digits=last_digits(number))
