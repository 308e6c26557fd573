"""The prompts that are shipped: whole in every language, recordable, and fair to the caller."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.speech.grammars import required_prompts
from ivr_engine.values.language import Language

PROMPTS = Path(__file__).parents[2] / "prompts"
LANGUAGES = pytest.mark.parametrize("language", list(Language))
MOST_PROMPTS = 250  # two days in a studio
SIMPLIFIED_ONLY = set("请户号码们为务账询单择选电话录线时间这个没对听错转")
TRADITIONAL_ONLY = set("請戶號碼們為務賬詢單擇選電話錄線時間這個沒對聽錯轉")
KEYS_IN_CHINESE = dict(zip("零一二三四五六七八九", "0123456789", strict=True))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load(PROMPTS)


def keys_offered(catalogue: Catalogue, language: Language, identifier: str) -> list[str]:
    text = catalogue.text(language, identifier)
    if language is Language.ENGLISH:
        names = {"star": "*", "hash": "#"}
        return [names.get(key, key) for key in re.findall(r"press (\d|star|hash)", text)]
    names = {"星": "*", "井": "#", **KEYS_IN_CHINESE}
    return [names[key] for key in re.findall("请?請?按([零一二三四五六七八九星井])", text)]


@LANGUAGES
def test_every_read_out_has_its_texts_and_no_other_text_is_a_read_out(catalogue: Catalogue, language: Language) -> None:
    assert required_prompts(language) <= catalogue.ids(language)


def test_no_language_lacks_a_prompt_of_another(catalogue: Catalogue) -> None:
    dialogue = {language: catalogue.ids(language) - required_prompts(language) for language in Language}
    assert dialogue[Language.MANDARIN] == dialogue[Language.CANTONESE] == dialogue[Language.ENGLISH]


@LANGUAGES
def test_a_bank_can_record_all_prompts(catalogue: Catalogue, language: Language) -> None:
    assert len(catalogue.ids(language)) <= MOST_PROMPTS


@LANGUAGES
def test_no_two_prompts_of_a_language_have_the_same_text(catalogue: Catalogue, language: Language) -> None:
    texts = [catalogue.text(language, identifier) for identifier in catalogue.ids(language)]
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize(
    "identifier", ["main_menu", "rates_menu", "balance_menu", "survey", "attempts_used_agent_offer"]
)
def test_menu_offers_the_same_keys_in_every_language(catalogue: Catalogue, identifier: str) -> None:
    offered = {tuple(keys_offered(catalogue, language, identifier)) for language in Language}
    assert len(offered) == 1
    assert offered != {()}


def test_menus_offer_the_keys_that_the_flows_take(catalogue: Catalogue) -> None:
    assert keys_offered(catalogue, Language.MANDARIN, "main_menu") == ["1", "2", "3", "5", "0", "*"]
    assert keys_offered(catalogue, Language.MANDARIN, "rates_menu") == ["1", "2", "3", "8", "9", "0"]
    assert keys_offered(catalogue, Language.MANDARIN, "balance_menu") == ["1", "2", "3", "9", "0"]
    assert keys_offered(catalogue, Language.MANDARIN, "transactions_menu") == ["1", "2", "9", "0"]
    assert [keys_offered(catalogue, language, "choose_language") for language in Language] == [["1"], ["2"], ["3"]]


@LANGUAGES
@pytest.mark.parametrize("key", [*"0123456789", "*", "#"])
def test_words_after_a_label_offer_the_key_that_they_are_named_after(
    catalogue: Catalogue, language: Language, key: str
) -> None:
    identifier = f"press_{dict(zip('*#', ('star', 'hash'), strict=True)).get(key, key)}"
    assert keys_offered(catalogue, language, identifier) == [key]


def test_english_menu_says_what_a_key_does_before_the_key(catalogue: Catalogue) -> None:
    after_a_label = {f"press_{key}" for key in (*"0123456789", "star", "hash")}
    assert after_a_label <= catalogue.ids(Language.ENGLISH)
    for identifier in catalogue.ids(Language.ENGLISH) - after_a_label:
        for sentence in catalogue.text(Language.ENGLISH, identifier).split(". "):
            assert not sentence.lower().startswith("press"), identifier


def test_refused_sign_in_does_not_tell_which_of_the_two_was_wrong(catalogue: Catalogue) -> None:
    text = catalogue.text(Language.ENGLISH, "sign_in_refused")
    assert "number" in text
    assert "PIN" in text


def test_mandarin_is_simplified_and_cantonese_is_traditional(catalogue: Catalogue) -> None:
    both = SIMPLIFIED_ONLY & TRADITIONAL_ONLY
    for identifier in catalogue.ids(Language.MANDARIN):
        assert not set(catalogue.text(Language.MANDARIN, identifier)) & (TRADITIONAL_ONLY - both), identifier
    for identifier in catalogue.ids(Language.CANTONESE):
        assert not set(catalogue.text(Language.CANTONESE, identifier)) & (SIMPLIFIED_ONLY - both), identifier


def test_cantonese_is_spoken_cantonese_not_read_mandarin(catalogue: Catalogue) -> None:
    dialogue = catalogue.ids(Language.CANTONESE) - required_prompts(Language.CANTONESE)
    for identifier in dialogue:
        assert not set("的是不没沒这這们們您吗嗎") & set(catalogue.text(Language.CANTONESE, identifier)), identifier
