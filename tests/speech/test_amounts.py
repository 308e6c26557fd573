"""Money as it is heard: exact words for the cases that banks get wrong, and understood again for all others."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.speech.chinese import ChineseGrammar, Place
from ivr_engine.speech.grammar import LARGEST_NUMBER
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from tests.speech import heard
from tests.speech.strategies import WHOLE_NUMBERS

PROMPTS = Path(__file__).parents[2] / "prompts"
LANGUAGES = pytest.mark.parametrize("language", list(Language))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(PROMPTS)


def said(catalogue: Catalogue, language: Language, money: Money) -> str:
    joint = " " if language is Language.ENGLISH else ""
    ids = grammar_for(language).amount(money)
    return joint.join(catalogue.text(language, identifier) for identifier in ids)


@pytest.mark.parametrize(
    ("amount", "mandarin", "cantonese", "english"),
    [
        ("0", "零元", "零元", "zero yuan"),
        ("0.05", "五分", "五分", "zero yuan and five fen"),
        ("0.20", "两角", "兩角", "zero yuan and twenty fen"),
        ("2", "两元", "兩元", "two yuan"),
        ("2.22", "两元两角两分", "兩元兩角兩分", "two yuan and twenty two fen"),
        ("10.05", "十元零五分", "十元零五分", "ten yuan and five fen"),
        ("12.50", "十二元五角", "十二元五角", "twelve yuan and fifty fen"),
        ("-1.00", "负一元", "負一元", "minus one yuan"),
        ("100.01", "一百元零一分", "一百元零一分", "one hundred yuan and one fen"),
        ("2200", "两千两百元", "二千二百元", "two thousand two hundred yuan"),
        ("1000100", "一百万零一百元", "一百萬零一百元", "one million one hundred yuan"),
        ("100000001", "一亿零一元", "一億零一元", "one hundred million and one yuan"),
        (
            "1234.50",
            "一千两百三十四元五角",
            "一千二百三十四元五角",
            "one thousand two hundred and thirty four yuan and fifty fen",
        ),
    ],
)
def test_amount_is_said_as_a_bank_says_it(
    catalogue: Catalogue, amount: str, mandarin: str, cantonese: str, english: str
) -> None:
    money = Money.parse(amount, Currency.CNY)
    assert said(catalogue, Language.MANDARIN, money) == "人民币" + mandarin
    assert said(catalogue, Language.CANTONESE, money) == "人民幣" + cantonese
    assert said(catalogue, Language.ENGLISH, money) == english


@pytest.mark.parametrize(
    ("amount", "currency", "mandarin", "cantonese", "english"),
    [
        ("1", Currency.USD, "美元一元", "美元一元", "one US dollar"),
        ("2.01", Currency.USD, "美元两元零一分", "美元兩元零一分", "two US dollars and one cent"),
        ("1.10", Currency.HKD, "港币一元一角", "港幣一元一角", "one Hong Kong dollar and ten cents"),
        ("0.05", Currency.HKD, "港币五分", "港幣五分", "zero Hong Kong dollars and five cents"),
        ("-21", Currency.HKD, "港币负二十一元", "港幣負二十一元", "minus twenty one Hong Kong dollars"),
    ],
)
def test_currency_is_always_heard(
    catalogue: Catalogue, amount: str, currency: Currency, mandarin: str, cantonese: str, english: str
) -> None:
    money = Money.parse(amount, currency)
    assert said(catalogue, Language.MANDARIN, money) == mandarin
    assert said(catalogue, Language.CANTONESE, money) == cantonese
    assert said(catalogue, Language.ENGLISH, money) == english


@LANGUAGES
@settings(max_examples=700)
@given(
    major=WHOLE_NUMBERS,
    minor=st.sampled_from((0, 1, 5, 10, 20, 50, 99)) | st.integers(0, 99),
    negative=st.booleans(),
    currency=st.sampled_from(Currency),
)
def test_listener_understands_the_amount_that_was_meant(
    language: Language, major: int, minor: int, negative: bool, currency: Currency
) -> None:
    units = major * 100 + minor
    money = Money(-units if negative else units, currency)
    assert heard.amount(language, grammar_for(language).amount(money)) == money


@LANGUAGES
def test_every_amount_of_the_first_thousand_units_is_understood(language: Language) -> None:
    grammar = grammar_for(language)
    for minor in range(100_000):
        money = Money(minor, Currency.HKD)
        assert heard.amount(language, grammar.amount(money)) == money


@LANGUAGES
def test_different_amounts_never_sound_alike(language: Language) -> None:
    grammar = grammar_for(language)
    amounts = {grammar.amount(Money(minor, currency)) for currency in Currency for minor in range(-11_000, 11_000)}
    assert len(amounts) == len(Currency) * 22_000


@LANGUAGES
def test_amount_of_sixteen_digits_is_refused(language: Language) -> None:
    largest = Money(LARGEST_NUMBER * 100 + 99, Currency.CNY)
    assert heard.amount(language, grammar_for(language).amount(largest)) == largest
    with pytest.raises(ValueError, match="15 digits"):
        grammar_for(language).amount(largest + Money(1, Currency.CNY))


def test_bank_that_says_two_hundred_the_other_way_changes_one_constant() -> None:
    grammar = ChineseGrammar(pair_before=frozenset(Place) - {Place.HUNDREDS}, digit_one="digit_one")
    assert grammar.amount(Money(20_000, Currency.CNY)) == ("currency_cny", "hundreds_2", "yuan")
    assert "hundreds_2" in grammar.vocabulary()
    assert "hundreds_pair" not in grammar.vocabulary()
