"""Rates as they are heard: the words that banks use, against ICU, and understood again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.flow.speaking import _READ_OUT_MS
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency
from ivr_engine.values.rate import Pair, Rate
from tests.speech import heard
from tests.speech.icu import Icu

PROMPTS = Path(__file__).parents[2] / "prompts"
LANGUAGES = pytest.mark.parametrize("language", list(Language))
PERCENTAGES = st.integers(-99_99999, 99_99999) | st.integers(-300, 300).map(lambda hundredths: hundredths * 1000)
QUOTES = st.integers(1, 99_999_99999) | st.integers(1, 99_999_99).map(lambda hundredths: hundredths * 1000)
PAIRS_OF_ALL = [(one, other) for one in Currency for other in Currency if one is not other]
PAIRS = st.permutations(list(Currency)).map(lambda order: Pair(order[0], order[1]))
ONE_SCRIPT = str.maketrans("萬點", "万点")


@pytest.fixture(scope="module")
def icu() -> Iterator[Icu]:
    with Icu() as oracle:
        yield oracle


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(PROMPTS)


def said(catalogue: Catalogue, language: Language, rate: Rate) -> str:
    joint = " " if language is Language.ENGLISH else ""
    return joint.join(catalogue.text(language, identifier) for identifier in grammar_for(language).rate(rate))


@pytest.mark.parametrize(
    ("rate", "mandarin", "cantonese", "english"),
    [
        ("2.35%", "百分之二点三五", "百分之二點三五", "two point three five per cent"),
        ("0.05%", "百分之零点零五", "百分之零點零五", "zero point zero five per cent"),
        ("3%", "百分之三", "百分之三", "three per cent"),
        ("12.1%", "百分之十二点一", "百分之十二點一", "twelve point one per cent"),
        ("-0.50%", "负百分之零点五", "負百分之零點五", "minus zero point five per cent"),
        ("0%", "百分之零", "百分之零", "zero per cent"),
        (
            "712.35 CNY per 100 USD",
            "一百美元兑换人民币七百一十二点三五元",
            "一百美元兌換人民幣七百一十二點三五元",
            "one hundred US dollars are worth seven hundred and twelve point three five yuan",
        ),
        (
            "91.2 CNY per 100 HKD",
            "一百港币兑换人民币九十一点二元",
            "一百港幣兌換人民幣九十一點二元",
            "one hundred Hong Kong dollars are worth ninety one point two yuan",
        ),
        (
            "1 USD per 100 CNY",
            "一百人民币兑换美元一元",
            "一百人民幣兌換美元一元",
            "one hundred yuan are worth one US dollar",
        ),
    ],
)
def test_rate_is_said_as_a_bank_says_it(
    catalogue: Catalogue, rate: str, mandarin: str, cantonese: str, english: str
) -> None:
    assert said(catalogue, Language.MANDARIN, Rate.parse(rate)) == mandarin
    assert said(catalogue, Language.CANTONESE, Rate.parse(rate)) == cantonese
    assert said(catalogue, Language.ENGLISH, Rate.parse(rate)) == english


@settings(max_examples=700)
@given(value=st.integers(0, 99_99999))
def test_decimals_are_spelled_as_icu_spells_them(icu: Icu, catalogue: Catalogue, value: int) -> None:
    rate = Rate(value)
    number = str(rate).removesuffix("%").rstrip("0").rstrip(".")
    mandarin = icu.spell("zh", "%spellout-cardinal", number)
    cantonese = icu.spell("yue", "%spellout-cardinal", number).replace("廿", "二十").replace("卅", "三十")
    english = re.sub(r"[-,\s]+", " ", icu.spell("en_GB", "%spellout-cardinal-verbose", number))
    assert said(catalogue, Language.MANDARIN, rate) == f"百分之{mandarin}"
    assert said(catalogue, Language.CANTONESE, rate).translate(ONE_SCRIPT) == f"百分之{cantonese}".translate(ONE_SCRIPT)
    assert said(catalogue, Language.ENGLISH, rate) == f"{english} per cent"


@LANGUAGES
@settings(max_examples=500)
@given(rate=st.builds(Rate, PERCENTAGES) | st.builds(Rate, QUOTES, PAIRS))
def test_listener_understands_the_rate_that_was_meant(language: Language, rate: Rate) -> None:
    assert heard.rate(language, grammar_for(language).rate(rate)) == rate


@LANGUAGES
def test_different_rates_never_sound_alike(language: Language) -> None:
    grammar = grammar_for(language)
    assert len({grammar.rate(Rate(value * 100)) for value in range(-5_000, 20_000)}) == 25_000


@LANGUAGES
def test_no_rate_of_a_bank_is_read_out_for_longer_than_is_reckoned_with(
    catalogue: Catalogue, language: Language
) -> None:
    grammar = grammar_for(language)
    longest = (Rate(-77_77_777), *(Rate(7777_7777, Pair(one, other)) for one, other in PAIRS_OF_ALL))
    for rate in longest:
        lasts_ms = sum(catalogue.lasts_ms(language, prompt) for prompt in grammar.rate(rate))
        assert lasts_ms <= _READ_OUT_MS["rate"], (rate, lasts_ms)
