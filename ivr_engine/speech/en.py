"""English read-outs, British ("one hundred and five"), as banks in Hong Kong speak them.

Knows English numbers, money, dates. Must not know files or audio.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Final

from ivr_engine.speech.grammar import (
    Prompts,
    checked_digits,
    checked_number,
    checked_ordinal,
    last_digits,
)
from ivr_engine.values.money import MINOR_UNITS_PER_MAJOR, Currency, Money
from ivr_engine.values.rate import QUOTED_UNITS, Rate

_SCALES: Final = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (10**3, "thousand"))
_LAST_WHOLE = 20
_NOON = 12
_HUNDRED = 100


@dataclass(frozen=True, slots=True)
class EnglishGrammar:
    """A `Grammar`: numbers 0 to 20, tens and scales are recordings of their own."""

    def amount(self, money: Money) -> Prompts:
        """Speak major units always, then "and" and the minor ones: "five cents" alone would hide whose cents."""
        major, minor = divmod(abs(money.minor), MINOR_UNITS_PER_MAJOR)
        sign = ("minus",) if money.minor < 0 else ()
        heard = (*sign, *_number(checked_number(major)), _major_unit(money.currency, major))
        if not minor:
            return heard
        return (*heard, "and", *_number(minor), _minor_unit(money.currency, minor))

    def cardinal(self, number: int) -> Prompts:
        """Speak a whole number."""
        sign = ("minus",) if number < 0 else ()
        return (*sign, *_number(abs(checked_number(number))))

    def digits(self, text: str) -> Prompts:
        """Speak digits one by one."""
        return tuple(f"number_{digit}" for digit in checked_digits(text))

    def masked(self, text: str) -> Prompts:
        """Speak "ending in" and the last four digits."""
        return ("ending_in", *self.digits(last_digits(text)))

    def date(self, day: datetime.date) -> Prompts:
        """Speak "fifth", "of March", "twenty twenty-six"; the recordings of the months begin with "of"."""
        return (*self.ordinal(day.day), f"month_{day.month}", *_year(day.year))

    def time(self, moment: datetime.time) -> Prompts:
        """Speak "nine oh five a.m.", "nine a.m.", "twelve noon", "twelve midnight"."""
        hour = moment.hour % _NOON or _NOON
        if hour == _NOON and not moment.minute:
            return (f"number_{_NOON}", "midnight" if moment.hour == 0 else "noon")
        half = "a_m" if moment.hour < _NOON else "p_m"
        if not moment.minute:
            return (f"number_{hour}", half)
        nought = ("oh",) if moment.minute < 10 else ()
        return (f"number_{hour}", *nought, *_number(moment.minute), half)

    def ordinal(self, number: int) -> Prompts:
        """Speak a cardinal whose last word is an ordinal: "twenty" "first"."""
        *before, last = _number(checked_ordinal(number))
        word = "ordinal_100" if last == "hundred" else f"ordinal_{last.removeprefix('number_')}"
        return (*before, word)

    def rate(self, rate: Rate) -> Prompts:
        """Speak "two point three five per cent", or "one hundred US dollars are worth seven point one yuan"."""
        whole, decimals = rate.parts
        number = _number(checked_number(whole))
        if decimals:
            number += ("point", *(f"number_{digit}" for digit in decimals))
        if rate.pair is None:
            return (*(("minus",) if rate.hundred_thousandths < 0 else ()), *number, "percent")
        count = 1 if (whole, decimals) == (1, "") else 2
        of, priced_in = _major_unit(rate.pair.of, QUOTED_UNITS), _major_unit(rate.pair.priced_in, count)
        return (*_number(QUOTED_UNITS), of, "worth", *number, priced_in)

    def vocabulary(self) -> frozenset[str]:
        """Return every id that any of the read-outs can produce."""
        wholes = (*range(1, _LAST_WHOLE + 1), *range(30, _HUNDRED, 10))
        numbers = {"number_0", *(f"number_{number}" for number in wholes)}
        ordinals = {"ordinal_100", *(f"ordinal_{number}" for number in wholes)}
        scales = {"hundred", *(name for _, name in _SCALES)}
        counts = (1, 2)
        money = {_major_unit(currency, count) for currency in Currency for count in counts}
        money |= {_minor_unit(currency, count) for currency in Currency for count in counts}
        months = {f"month_{month}" for month in range(1, 13)}
        times = {"a_m", "p_m", "noon", "midnight", "oh"}
        others = {"and", "minus", "ending_in", "percent", "point", "worth"}
        return frozenset(numbers | ordinals | scales | money | months | times | others)


def english() -> EnglishGrammar:
    """Return the grammar of English."""
    return EnglishGrammar()


def _number(number: int) -> Prompts:
    """Speak 0 to 999,999,999,999,999; "and" stands before a last part below one hundred."""
    if number == 0:
        return ("number_0",)
    heard: list[str] = []
    rest = number
    for size, name in _SCALES:
        count, rest = divmod(rest, size)
        if count:
            heard += [*_below_thousand(count), name]
    if rest and rest < _HUNDRED and heard:
        heard.append("and")
    return (*heard, *_below_thousand(rest))


def _below_thousand(number: int) -> Prompts:
    hundreds, rest = divmod(number, _HUNDRED)
    heard: list[str] = [f"number_{hundreds}", "hundred"] if hundreds else []
    if hundreds and rest:
        heard.append("and")
    if 0 < rest <= _LAST_WHOLE:
        heard.append(f"number_{rest}")
    elif rest:
        tens, ones = divmod(rest, 10)
        heard.append(f"number_{tens * 10}")
        if ones:
            heard.append(f"number_{ones}")
    return tuple(heard)


def _year(year: int) -> Prompts:
    """Speak 2026 as "twenty twenty-six", 1900 as "nineteen hundred", 2005 as "two thousand and five"."""
    century, rest = divmod(year, _HUNDRED)
    if century < 10 or year % 1000 < 10:
        return _number(year)
    if rest == 0:
        return (*_number(century), "hundred")
    if rest < 10:
        return (*_number(century), "hundred", "and", *_number(rest))
    return (*_number(century), *_number(rest))


def _major_unit(currency: Currency, count: int) -> str:
    if currency is Currency.CNY:
        return "currency_cny"  # "yuan" has no plural
    return f"currency_{currency.value.lower()}" + ("_one" if count == 1 else "")


def _minor_unit(currency: Currency, count: int) -> str:
    if currency is Currency.CNY:
        return "fen"  # no plural either
    return "cent" if count == 1 else "cents"
