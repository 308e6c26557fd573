"""Values written down for a checkpoint, and types as authors write them."""

from __future__ import annotations

import json
from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.findings import NotUnderstoodError
from ivr_engine.flow.values import (
    DATE,
    DIGITS,
    MONEY,
    NUMBER,
    PLAIN_TYPES,
    RATE,
    SECRET,
    TEXT,
    TIME,
    YES_NO,
    DataClass,
    Encoded,
    Type,
    Value,
    Variable,
    decode,
    encode,
    type_of,
)
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Pair, Rate
from ivr_engine.values.secret import SecretDigits

KIND = Type("one_of", ("current", "card"))
money = st.builds(Money, st.integers(-(10**18), 10**18), st.sampled_from(Currency))
rate = st.builds(Rate, st.integers()) | st.builds(Rate, st.integers(1), st.just(Pair(Currency.USD, Currency.CNY)))
typed: st.SearchStrategy[tuple[Type, Value]] = st.one_of(
    st.tuples(st.just(TEXT), st.text()),
    st.tuples(st.just(DIGITS), st.text("0123456789")),
    st.tuples(st.just(NUMBER), st.integers()),
    st.tuples(st.just(MONEY), money),
    st.tuples(st.just(RATE), rate),
    st.tuples(st.just(DATE), st.dates()),
    st.tuples(st.just(TIME), st.times()),
    st.tuples(st.just(YES_NO), st.booleans()),
    st.tuples(st.just(KIND), st.sampled_from(KIND.members)),
)


@given(typed)
def test_value_is_read_back_through_json_as_it_was(pair: tuple[Type, Value]) -> None:
    kind, value = pair
    read: Encoded = json.loads(json.dumps(encode(value)))
    back = decode(read, kind)
    assert back == value
    assert type(back) is type(value)


@given(typed)
def test_value_has_the_type_of_its_kind(pair: tuple[Type, Value]) -> None:
    kind, value = pair
    assert type_of(value) == (TEXT if kind in (DIGITS, KIND) else kind)


def test_secret_is_never_written_down() -> None:
    secret = SecretDigits(b"246810")
    assert type_of(secret) == SECRET
    with pytest.raises(ValueError, match="never written down") as caught:
        encode(secret)
    assert "246810" not in str(caught.value)


@pytest.mark.parametrize(
    ("stored", "kind"),
    [
        ("loan", KIND),  # the choice had this word when the call began
        (1, TEXT),
        ("1", NUMBER),
        (True, NUMBER),
        (1, YES_NO),
        ([1, "CNY"], NUMBER),
        ([1, "CNY"], RATE),
        ([1], MONEY),
        ([1, "CNY", "CNY"], RATE),
        (1, RATE),
        ([True, "CNY"], MONEY),
        ([1, "EUR"], MONEY),
        (["1", "CNY"], MONEY),
        (100, MONEY),
        ("tomorrow", DATE),
        ("25:00", TIME),
        (5, DATE),
        ("246810", SECRET),
    ],
)
def test_stored_value_that_does_not_fit_is_refused(stored: Encoded, kind: Type) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(stored, kind)


@pytest.mark.parametrize(
    ("written", "kind", "data_class"),
    [
        ("money", MONEY, DataClass.PUBLIC),
        ("public money", MONEY, DataClass.PUBLIC),
        ("personal money", MONEY, DataClass.PERSONAL),
        ("personal  digits", DIGITS, DataClass.PERSONAL),
        ("secret", SECRET, DataClass.SECRET),
        ("personal secret", SECRET, DataClass.SECRET),
        ("one of (current, card)", KIND, DataClass.PUBLIC),
        ("personal one of ( current ,card )", KIND, DataClass.PERSONAL),
    ],
)
def test_type_is_written(written: str, kind: Type, data_class: DataClass) -> None:
    assert Variable.parse(written) == Variable(kind, data_class)


@pytest.mark.parametrize("written", ["", "integer", "secret money", "one of ()", "one of (a b)", "Money", "personal"])
def test_type_that_there_is_not_is_refused_with_those_there_are(written: str) -> None:
    with pytest.raises(NotUnderstoodError) as caught:
        Variable.parse(written)
    assert all(kind.name in caught.value.mend for kind in PLAIN_TYPES)


def test_choice_reads_aloud() -> None:
    assert str(KIND) == "one of (current, card)"
    assert Variable.parse(str(KIND)).type == KIND


def test_calendar_values_are_written_as_everybody_writes_them() -> None:
    assert encode(date(2026, 1, 5)) == "2026-01-05"
    assert encode(time(9, 5)) == "09:05:00"
    assert encode(Money(-1205, Currency.HKD)) == [-1205, "HKD"]
