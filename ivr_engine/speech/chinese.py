"""How Chinese counts, for both languages that a caller can choose.

Knows the four-digit groups (万 10^4, 亿 10^8, 万亿 10^12), where 零 is heard, and that 2 has two words.
Must not know which of the two words a language takes where: `cmn.py` and `yue.py` say that.

Tens, hundreds, thousands, 角 and 分 are recorded whole (三百, 五角): half as many joins as single syllables,
and the tone of each pair is the speaker's own.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import StrEnum

from ivr_engine.speech.grammar import (
    Prompts,
    checked_digits,
    checked_number,
    checked_ordinal,
    last_digits,
)
from ivr_engine.values.money import MINOR_UNITS_PER_MAJOR, Currency, Money
from ivr_engine.values.rate import QUOTED_UNITS, Rate

_GROUP = 10_000
_HIGHEST_GROUP = 3
_ONE_THOUSAND = 1_000
_TWO = 2
_NOON = 12


class Place(StrEnum):
    """What follows a 2; the values are the beginnings of prompt ids."""

    HUNDREDS = "hundreds"
    THOUSANDS = "thousands"
    MYRIAD = "myriad"
    HUNDRED_MILLION = "hundred_million"
    YUAN = "yuan"
    JIAO = "jiao"
    FEN = "fen"
    OCLOCK = "oclock"


_POINT = Place.OCLOCK.value
"""点/點 before decimals is the word, and the recording, of nine o'clock."""
_WHOLE_PLACES = (Place.HUNDREDS, Place.THOUSANDS, Place.JIAO, Place.FEN)


@dataclass(frozen=True, slots=True)
class ChineseGrammar:
    """A `Grammar`: `pair_before` says where 2 is 两/兩 instead of 二, `digit_one` how 1 is said in a number."""

    pair_before: frozenset[Place]
    digit_one: str

    def amount(self, money: Money) -> Prompts:
        """Speak currency, 元, 角 and 分; what is nought is left out, and 零 stands for a missing 角."""
        yuan, rest = divmod(abs(money.minor), MINOR_UNITS_PER_MAJOR)
        jiao, fen = divmod(rest, 10)
        heard = [f"currency_{money.currency.value.lower()}"]
        if money.minor < 0:
            heard.append("minus")
        if yuan or not rest:
            heard += self._before(checked_number(yuan), Place.YUAN)
            heard.append(Place.YUAN.value)
        if jiao:
            heard.append(self._whole(Place.JIAO, jiao))
        elif fen and yuan:
            heard.append("number_0")
        if fen:
            heard.append(self._whole(Place.FEN, fen))
        return tuple(heard)

    def cardinal(self, number: int) -> Prompts:
        """Speak a whole number; a lone 2 is 二, as in counting."""
        sign = ("minus",) if number < 0 else ()
        return (*sign, *self._number(abs(checked_number(number))))

    def digits(self, text: str) -> Prompts:
        """Speak digits one by one."""
        return tuple(self.digit_one if digit == "1" else f"number_{digit}" for digit in checked_digits(text))

    def masked(self, text: str) -> Prompts:
        """Speak 尾号 and the last four digits."""
        return ("ending_in", *self.digits(last_digits(text)))

    def date(self, day: datetime.date) -> Prompts:
        """Speak the year digit by digit (with 一, never 幺), the month as one recording, and the day."""
        year = tuple(f"number_{digit}" for digit in str(day.year))
        return (*year, "year", f"month_{day.month}", *self._number(day.day), "day")

    def time(self, moment: datetime.time) -> Prompts:
        """Speak part of the day, hour (12-hour) and minute; minutes 1 to 9 with 零, a full hour without."""
        hour = moment.hour - _NOON if moment.hour > _NOON else moment.hour
        heard = [_part_of_day(moment.hour), *self._before(hour, Place.OCLOCK), Place.OCLOCK.value]
        if moment.minute:
            nought = ["number_0"] if moment.minute < 10 else []
            heard += [*nought, *self._number(moment.minute), "minute"]
        return tuple(heard)

    def ordinal(self, number: int) -> Prompts:
        """Speak 第 and the number."""
        return ("ordinal", *self._number(checked_ordinal(number)))

    def rate(self, rate: Rate) -> Prompts:
        """Speak 百分之 and the number, or 一百, a currency, 兑换, the other, the number and 元."""
        whole, decimals = rate.parts
        number = self._number(checked_number(whole))
        if decimals:  # 2 is 二 and 1 is 一 on both sides of the point: it is read, not counted
            number += (_POINT, *(f"number_{digit}" for digit in decimals))
        if rate.pair is None:
            return (*(("minus",) if rate.hundred_thousandths < 0 else ()), "percent", *number)
        of, priced_in = (f"currency_{currency.value.lower()}" for currency in (rate.pair.of, rate.pair.priced_in))
        return (*self._number(QUOTED_UNITS), of, "worth", priced_in, *number, Place.YUAN.value)

    def vocabulary(self) -> frozenset[str]:
        """Return every id that any of the read-outs can produce."""
        numbers = {f"number_{number}" for number in (*range(11), *range(20, 100, 10))}
        wholes = {self._whole(place, digit) for place in _WHOLE_PLACES for digit in range(1, 10)}
        units = {Place.MYRIAD, Place.HUNDRED_MILLION, Place.YUAN, Place.OCLOCK}
        pair = {"number_pair"} if units & self.pair_before else set()
        money = {f"currency_{currency.value.lower()}" for currency in Currency}
        dates = {"year", "day", "minute", *(f"month_{month}" for month in range(1, 13))}
        parts = {_part_of_day(hour) for hour in range(24)}
        others = {"minus", "ordinal", "ending_in", self.digit_one, *(unit.value for unit in units)}
        return frozenset(numbers | wholes | pair | money | dates | parts | others | {"percent", "worth"})

    def _number(self, number: int) -> Prompts:
        """Speak 0 to 999,999,999,999,999: groups of four digits, 零 once where digits are skipped."""
        if number == 0:
            return ("number_0",)
        groups = [number // _GROUP**level % _GROUP for level in range(_HIGHEST_GROUP + 1)]
        heard: list[str] = []
        for level in range(_HIGHEST_GROUP, -1, -1):
            value = groups[level]
            if value:
                skipped = value < _ONE_THOUSAND or groups[level + 1] == 0 if heard else False
                if skipped:
                    heard.append("number_0")
                heard += self._group(value, level, leading=not heard)
            if level % 2 and value:
                heard.append(Place.MYRIAD.value)
            elif level == 2 and heard:
                heard.append(Place.HUNDRED_MILLION.value)  # closes 亿, and 万亿 when its own four digits are 0
        return tuple(heard)

    def _group(self, value: int, level: int, *, leading: bool) -> Prompts:
        """Speak 1 to 9999; 10 to 19 begin with 十 when nothing stands before them, else with 一十."""
        if level and value == _TWO:
            return self._before(value, Place.HUNDRED_MILLION if level == _TWO else Place.MYRIAD)
        thousands, hundreds, tens, ones = (value // 10**power % 10 for power in (3, 2, 1, 0))
        heard: list[str] = []
        if thousands:
            heard.append(self._whole(Place.THOUSANDS, thousands))
        if hundreds:
            heard.append(self._whole(Place.HUNDREDS, hundreds))
        elif thousands and (tens or ones):
            heard.append("number_0")
        if tens == 1 and not (leading and not heard):
            heard.append("number_1")
        if tens:
            heard.append(f"number_{tens * 10}")
        elif hundreds and ones:
            heard.append("number_0")
        if ones:
            heard.append(f"number_{ones}")
        return tuple(heard)

    def _before(self, number: int, unit: Place) -> Prompts:
        """Speak a number before a unit: a lone 2 may take its other word."""
        if number == _TWO and unit in self.pair_before:
            return ("number_pair",)
        return self._number(number)

    def _whole(self, place: Place, digit: int) -> str:
        return f"{place}_pair" if digit == _TWO and place in self.pair_before else f"{place}_{digit}"


def _part_of_day(hour: int) -> str:
    """Return the part of the day that Chinese puts before the hour."""
    for end, name in ((6, "before_dawn"), (12, "morning"), (13, "noon"), (18, "afternoon")):
        if hour < end:
            return name
    return "evening"
