"""Digits, dates, times, and the vocabulary of all read-outs."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.speech.grammar import LARGEST_NUMBER, LARGEST_ORDINAL, MOST_DIGITS
from ivr_engine.speech.grammars import grammar_for, required_prompts
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Pair, Rate
from tests.speech import heard
from tests.speech.strategies import WHOLE_NUMBERS

PROMPTS = Path(__file__).parents[2] / "prompts"
LANGUAGES = pytest.mark.parametrize("language", list(Language))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(PROMPTS)


def texts(catalogue: Catalogue, language: Language, ids: tuple[str, ...]) -> list[str]:
    return [catalogue.text(language, identifier) for identifier in ids]


def test_one_in_a_card_number_is_yao_in_mandarin_only(catalogue: Catalogue) -> None:
    spoken = {language: texts(catalogue, language, grammar_for(language).digits("01719")) for language in Language}
    assert spoken == {
        Language.MANDARIN: ["零", "幺", "七", "幺", "九"],
        Language.CANTONESE: ["零", "一", "七", "一", "九"],
        Language.ENGLISH: ["zero", "one", "seven", "one", "nine"],
    }


@LANGUAGES
@pytest.mark.parametrize("number", ["6222021234564719", "6222 **** **** 4719", "4719", "****4719"])
def test_masked_number_gives_away_only_four_digits(language: Language, number: str) -> None:
    grammar = grammar_for(language)
    assert grammar.masked(number) == ("ending_in", *grammar.digits("4719"))


@LANGUAGES
@pytest.mark.parametrize("number", ["", "719", "47a9", "471*", "４７１９", "47 19"])
def test_masked_number_without_four_digits_at_its_end_is_refused(language: Language, number: str) -> None:
    with pytest.raises(ValueError, match="4 digits"):
        grammar_for(language).masked(number)


@LANGUAGES
@pytest.mark.parametrize("text", ["", "12 34", "-1", "٣", "1" * (MOST_DIGITS + 1)])
def test_text_that_is_not_digits_is_refused_without_repeating_it(language: Language, text: str) -> None:
    with pytest.raises(ValueError, match="digits 0-9") as refusal:
        grammar_for(language).digits(text)
    assert not text or text not in str(refusal.value)


@pytest.mark.parametrize(
    ("day", "mandarin", "english"),
    [
        (datetime.date(2026, 3, 5), "二零二六年三月五日", "fifth of March twenty twenty six"),
        (datetime.date(2011, 10, 31), "二零一一年十月三十一日", "thirty first of October twenty eleven"),
        (datetime.date(2000, 12, 20), "二零零零年十二月二十日", "twentieth of December two thousand"),
        (datetime.date(2009, 9, 9), "二零零九年九月九日", "ninth of September two thousand and nine"),
        (datetime.date(1905, 1, 12), "一九零五年一月十二日", "twelfth of January nineteen hundred and five"),
        (datetime.date(1900, 2, 2), "一九零零年二月二日", "second of February nineteen hundred"),
    ],
)
def test_date_is_said_in_the_order_of_its_language(
    catalogue: Catalogue, day: datetime.date, mandarin: str, english: str
) -> None:
    assert "".join(texts(catalogue, Language.MANDARIN, grammar_for(Language.MANDARIN).date(day))) == mandarin
    # The characters of dates are the same in both scripts.
    assert "".join(texts(catalogue, Language.CANTONESE, grammar_for(Language.CANTONESE).date(day))) == mandarin
    assert " ".join(texts(catalogue, Language.ENGLISH, grammar_for(Language.ENGLISH).date(day))) == english


@LANGUAGES
@settings(max_examples=500)
@given(day=st.dates())
def test_listener_understands_the_date_that_was_meant(language: Language, day: datetime.date) -> None:
    assert heard.date(language, grammar_for(language).date(day)) == day


@pytest.mark.parametrize(
    ("moment", "mandarin", "cantonese", "english"),
    [
        (datetime.time(9, 5), "上午九点零五分", "上午九點零五分", "nine oh five a.m."),
        (datetime.time(9, 9), "上午九点零九分", "上午九點零九分", "nine oh nine a.m."),
        (datetime.time(14, 0), "下午两点", "下午兩點", "two p.m."),
        (datetime.time(12, 30), "中午十二点三十分", "中午十二點三十分", "twelve thirty p.m."),
        (datetime.time(12, 0), "中午十二点", "中午十二點", "twelve noon"),
        (datetime.time(0, 0), "凌晨零点", "凌晨零點", "twelve midnight"),
        (datetime.time(0, 12), "凌晨零点十二分", "凌晨零點十二分", "twelve twelve a.m."),
        (datetime.time(20, 45), "晚上八点四十五分", "晚上八點四十五分", "eight forty five p.m."),
    ],
)
def test_time_is_said_with_its_part_of_the_day(
    catalogue: Catalogue, moment: datetime.time, mandarin: str, cantonese: str, english: str
) -> None:
    assert "".join(texts(catalogue, Language.MANDARIN, grammar_for(Language.MANDARIN).time(moment))) == mandarin
    assert "".join(texts(catalogue, Language.CANTONESE, grammar_for(Language.CANTONESE).time(moment))) == cantonese
    assert " ".join(texts(catalogue, Language.ENGLISH, grammar_for(Language.ENGLISH).time(moment))) == english


@LANGUAGES
def test_listener_understands_every_minute_of_the_day(language: Language) -> None:
    for minute in range(24 * 60):
        moment = datetime.time(minute // 60, minute % 60, 59)
        assert heard.time(language, grammar_for(language).time(moment)) == moment.replace(second=0)


def everything_said(language: Language) -> Iterator[str]:
    grammar = grammar_for(language)
    for number in (*range(10_000), 20_000, 123_456_789, 2 * 10**8, LARGEST_NUMBER, -1):
        yield from grammar.cardinal(number)
        for currency in Currency:
            yield from grammar.amount(Money(number, currency))
    for place in range(1, LARGEST_ORDINAL + 1):
        yield from grammar.ordinal(place)
    for day in range(366):
        yield from grammar.date(datetime.date(2024, 1, 1) + datetime.timedelta(days=day))
    for minute in range(24 * 60):
        yield from grammar.time(datetime.time(minute // 60, minute % 60))
    for currency in Currency:
        for other in set(Currency) - {currency}:
            yield from grammar.rate(Rate(71_235_000, Pair(currency, other)))
            yield from grammar.rate(Rate(100_000, Pair(currency, other)))
    yield from grammar.rate(Rate(-123_456))
    yield from grammar.masked("0123456789")
    yield from grammar.digits("0123456789")


@LANGUAGES
def test_required_prompts_are_what_is_said_and_nothing_else(language: Language) -> None:
    assert set(everything_said(language)) == required_prompts(language)


@LANGUAGES
@settings(max_examples=300)
@given(number=WHOLE_NUMBERS, day=st.dates(), currency=st.sampled_from(Currency))
def test_nothing_is_said_without_a_text(
    catalogue: Catalogue, language: Language, number: int, day: datetime.date, currency: Currency
) -> None:
    grammar = grammar_for(language)
    said = {*grammar.cardinal(-number), *grammar.amount(Money(number, currency)), *grammar.date(day)}
    assert said <= catalogue.ids(language)
    assert said <= required_prompts(language)
