"""Small written forms in tests: amounts, times, days, keys, names of recordings.

Knows how each is written. Must not know where it stands: who reads a block notes the finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Final, TypeAlias, TypeVar

from ivr_engine.channel.line import ALL_KEYS
from ivr_engine.flow.fields import telephone_keys
from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.source import Data
from ivr_engine.flow.wording import Text
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Rate

T = TypeVar("T")
Reads: TypeAlias = Callable[[Data], T]

LONGEST_MS: Final = 3_600_000
KEYS_MAX: Final = 64
_DURATION: Final = re.compile(r"(\d{1,7}) ?(ms|s|min)", re.ASCII)
_UNITS_MS: Final = (("ms", 1), ("s", 1000), ("min", 60_000))
_AMOUNT: Final = re.compile(r"(-?[\d,]+(?:\.\d+)?) ?([A-Z]{3})", re.ASCII)
_DAY_AND_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d", re.ASCII)


def text(written: Data) -> str:
    """Return one word or text; a number is its digits."""
    if isinstance(written, (list, dict)) or written is None:
        raise NotUnderstoodError(Text("one word or text is expected here"), Text("write it after the colon"))
    return str(written).lower() if isinstance(written, bool) else str(written)


def milliseconds(written: Data) -> int:
    """Return a length of time; at most an hour."""
    found = _DURATION.fullmatch(text(written))
    length = int(found.group(1)) * dict(_UNITS_MS)[found.group(2)] if found else -1
    if not 0 <= length <= LONGEST_MS:
        raise NotUnderstoodError(
            Text("'{written}' is no length of time", written=written),
            Text("write for example 5 s, 300 ms or 2 min, at most an hour"),
        )
    return length


def under_seconds(written: Data) -> float:
    """Return the seconds of `under 60` or `under 1 min`."""
    words = text(written)
    if words.startswith("under "):
        limit = words.removeprefix("under ").strip()
        return milliseconds(limit if not limit.isdigit() else f"{limit} s") / 1000
    raise NotUnderstoodError(
        Text("'{written}' is no bound", written=written), Text("write for example `under 60`, in seconds")
    )


def money(written: Data) -> Money:
    """Return an amount with its currency."""
    found = _AMOUNT.fullmatch(text(written))
    try:
        if found is not None:
            return Money.parse(found.group(1).replace(",", ""), Currency(found.group(2)))
    except ValueError:
        pass
    raise NotUnderstoodError(
        Text("'{written}' is no amount", written=written),
        Text(
            "write for example 10755.35 CNY; the currencies are {currencies}",
            currencies=", ".join(one.value for one in Currency),
        ),
    )


def day(written: Data) -> date:
    """Return a calendar day."""
    try:
        return date.fromisoformat(text(written))
    except ValueError:
        raise NotUnderstoodError(
            Text("'{written}' is no day", written=written), Text("write for example 2026-01-05")
        ) from None


def moment(written: Data) -> datetime:
    """Return a day and a time of day, in UTC."""
    words = text(written)
    try:
        if _DAY_AND_TIME.fullmatch(words):
            return datetime.fromisoformat(words).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise NotUnderstoodError(
        Text("'{written}' is no day with a time", written=written), Text("write for example 2026-01-05 09:30")
    )


def keys(written: Data) -> str:
    """Return keys of a telephone: digits in quotes, `star`, `hash`."""
    words = text(written)
    found = telephone_keys(words.replace(" ", ""))
    if found is None or len(found) > KEYS_MAX:
        raise NotUnderstoodError(
            Text("'{written}' are no keys of a telephone", written=words),
            Text("write keys of {keys} in quotes, or star or hash", keys=ALL_KEYS),
        )
    return found


def account_number(written: Data) -> str:
    """Return a number of customer or account: 4 to 32 digits."""
    words = text(written)
    if not (words.isascii() and words.isdigit() and 4 <= len(words) <= 32):
        raise NotUnderstoodError(
            Text("'{written}' is no number of a customer or an account", written=words),
            Text("write 4 to 32 digits, in quotes"),
        )
    return words


def one_word_of(known: Mapping[str, str]) -> Reads[str]:
    """Return what reads one of some words, shown as keys of `known`, and gives its value."""

    def read(written: Data) -> str:
        words = text(written)
        if words not in known:
            raise NotUnderstoodError(
                Text("'{written}' is not possible here", written=words), did_you_mean(words, known)
            )
        return known[words]

    return read


def language(written: Data) -> Language:
    """Return a language by its code."""
    return Language(one_word_of({one.value: one.value for one in Language})(written))


def read_out(kind: str, written: Data, spoken: Language) -> tuple[str, ...]:
    """Return the recordings of a read-out in a language; raise `NotUnderstoodError` for a value that is none."""
    grammar = grammar_for(spoken)
    readers: dict[str, Callable[[str], tuple[str, ...]]] = {
        "amount": lambda words: grammar.amount(money(words)),
        "number": lambda words: grammar.cardinal(int(words)),
        "ordinal": lambda words: grammar.ordinal(int(words)),
        "digits": grammar.digits,
        "masked": grammar.masked,
        "date": lambda words: grammar.date(day(words)),
        "time": lambda words: grammar.time(time.fromisoformat(words)),
        "rate": lambda words: grammar.rate(Rate.parse(words)),
    }
    words = text(written)
    if kind not in readers:
        raise NotUnderstoodError(Text("'{kind}' is no read-out", kind=kind), did_you_mean(kind, readers))
    try:
        return readers[kind](words)
    except NotUnderstoodError:
        raise
    except ValueError:
        raise NotUnderstoodError(
            Text("'{written}' cannot be read out as {kind}", written=words, kind=kind),
            Text("write the value as it stands in the bank, for example `amount: 10755.35 CNY`"),
        ) from None


def count(value: Data, most: int) -> int:
    """Read a whole number from 0 on."""
    if type(value) is int and 0 <= value <= most:
        return value
    raise NotUnderstoodError(
        Text("'{value}' is no number of times", value=value), Text("write a whole number up to {most}", most=most)
    )
