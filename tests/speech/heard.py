"""Understands a played list of prompt ids as a listener would: ids back to amounts, dates and times.

Written without looking at the grammars' rules: a value grows token by token, as in a listener's head.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Pair, Rate

_ENGLISH_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}


def amount(language: Language, heard: Sequence[str]) -> Money:
    """Return the amount that a caller understood."""
    return _english_amount(heard) if language is Language.ENGLISH else _chinese_amount(heard)


def cardinal(language: Language, heard: Sequence[str]) -> int:
    """Return the number that a caller understood."""
    sign, words = (-1, heard[1:]) if heard[0] == "minus" else (1, heard)
    return sign * (_english_number(words) if language is Language.ENGLISH else _chinese_number(words))


def date(language: Language, heard: Sequence[str]) -> datetime.date:
    """Return the day that a caller understood."""
    month_at = next(at for at, word in enumerate(heard) if word.startswith("month_"))
    month = int(heard[month_at].removeprefix("month_"))
    if language is Language.ENGLISH:
        day = sum(int(word.split("_")[1]) for word in heard[:month_at])
        return datetime.date(_english_year(heard[month_at + 1 :]), month, day)
    assert heard[month_at - 1] == "year"
    assert heard[-1] == "day"
    year = int("".join(word.removeprefix("number_") for word in heard[: month_at - 1]))
    return datetime.date(year, month, _chinese_number(heard[month_at + 1 : -1]))


def time(language: Language, heard: Sequence[str]) -> datetime.time:
    """Return the time of day that a caller understood."""
    return _english_time(heard) if language is Language.ENGLISH else _chinese_time(heard)


def rate(language: Language, heard: Sequence[str]) -> Rate:
    """Return the rate that a caller understood."""
    words = list(heard)
    if "percent" in words:
        sign = -1 if words[0] == "minus" else 1
        return Rate(sign * _decimal(language, [word for word in words if word not in ("percent", "minus")]))
    middle = words.index("worth")
    english = language is Language.ENGLISH
    hundred, of = words[: middle - 1], words[middle - 1]
    assert cardinal(language, hundred) == 100
    if english:
        number, priced_in = words[middle + 1 : -1], words[-1]
    else:
        assert words[-1] == "yuan"
        priced_in, number = words[middle + 1], words[middle + 2 : -1]
    currencies = (Currency(word.split("_")[1].upper()) for word in (of, priced_in))
    return Rate(_decimal(language, number), Pair(*currencies))


def _decimal(language: Language, words: Sequence[str]) -> int:
    at = next((at for at, word in enumerate(words) if word in ("point", "oclock")), len(words))
    decimals = "".join(word.removeprefix("number_") for word in words[at + 1 :])
    assert len(decimals) == len(words[at + 1 :]), "digit by digit"
    return cardinal(language, words[:at]) * 100_000 + int(decimals.ljust(5, "0"))


def _chinese_amount(heard: Sequence[str]) -> Money:
    currency = Currency(heard[0].removeprefix("currency_").upper())
    words = list(heard[1:])
    sign = 1
    if words[0] == "minus":
        sign = -1
        words.pop(0)
    minor = 0
    if "yuan" in words:
        end = words.index("yuan")
        minor += _chinese_number(words[:end]) * 100
        words = words[end + 1 :]
    for word in words:
        place, _, digit = word.partition("_")
        worth = {"jiao": 10, "fen": 1, "number": 0}[place]
        minor += worth * (2 if digit == "pair" else int(digit))
    return Money(sign * minor, currency)


def _chinese_number(words: Sequence[str]) -> int:
    above = section = pending = 0  # what 亿 closed, what is collected for the next unit, a digit awaiting its ten
    for word in words:
        place, _, digit = word.rpartition("_")
        value = 2 if digit == "pair" else int(digit) if digit.isdecimal() else 0
        if word == "myriad":
            section = (section + pending) * 10**4
            pending = 0
        elif word == "hundred_million":
            above = (section + pending) * 10**8
            section = pending = 0
        elif place == "thousands":
            section += value * 1000
        elif place == "hundreds":
            section += value * 100
        elif value >= 10:
            section += value
            pending = 0  # the 一 of 一十
        else:
            assert place == "number", word
            section += pending
            pending = value
    return above + section + pending


def _english_amount(heard: Sequence[str]) -> Money:
    words = list(heard)
    sign = 1
    if words[0] == "minus":
        sign = -1
        words.pop(0)
    at = next(at for at, word in enumerate(words) if word.startswith("currency_"))
    major = _english_number(words[:at])
    unit, rest = words[at], words[at + 1 :]
    currency = Currency(unit.split("_")[1].upper())
    if currency is not Currency.CNY:
        assert (major == 1) == unit.endswith("_one"), "singular and plural"
    minor = 0
    if rest:
        assert rest[0] == "and"
        minor = _english_number(rest[1:-1])
        expected = "fen" if currency is Currency.CNY else "cent" if minor == 1 else "cents"
        assert rest[-1] == expected
    return Money(sign * (major * 100 + minor), currency)


def _english_number(words: Sequence[str]) -> int:
    total = section = 0
    for word in words:
        if word == "and":
            continue
        if word == "hundred":
            section *= 100
        elif word in _ENGLISH_SCALES:
            total += section * _ENGLISH_SCALES[word]
            section = 0
        else:
            section += int(word.removeprefix("number_"))
    return total + section


def _english_year(words: Sequence[str]) -> int:
    if {"hundred", "thousand"} & set(words):
        return _english_number(words)
    values = [int(word.removeprefix("number_")) for word in words]
    for split in range(1, len(values)):
        first, second = values[:split], values[split:]
        if _is_two_digits(first) and _is_two_digits(second):
            return sum(first) * 100 + sum(second)
    return sum(values)


def _is_two_digits(values: Sequence[int]) -> bool:
    if len(values) == 1:
        return values[0] >= 10
    return len(values) == 2 and values[0] >= 20 and values[0] % 10 == 0 and 1 <= values[1] <= 9


def _chinese_time(heard: Sequence[str]) -> datetime.time:
    at = heard.index("oclock")
    hour = _chinese_number(heard[1:at])
    if heard[0] in {"afternoon", "evening"}:
        hour += 12
    minutes = heard[at + 1 :]
    if not minutes:
        return datetime.time(hour)
    assert minutes[-1] == "minute"
    return datetime.time(hour, _chinese_number(minutes[:-1]))


def _english_time(heard: Sequence[str]) -> datetime.time:
    hour = int(heard[0].removeprefix("number_")) % 12
    if heard[-1] in {"p_m", "noon"}:
        hour += 12
    minutes = [word for word in heard[1:-1] if word != "oh"]
    return datetime.time(hour, sum(int(word.removeprefix("number_")) for word in minutes))
