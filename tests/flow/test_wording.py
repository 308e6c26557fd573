"""Words for authors: every template has its Chinese, with the same facts, and no English is left in it."""

from __future__ import annotations

import pathlib
import re
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.flow.codes import CODES, explained
from ivr_engine.flow.wording import Text, Wording, chinese_codes, chinese_templates, in_chinese, say_in
from ivr_engine.scenarios.findings import TEST_CODES
from ivr_engine.scenarios.findings import explained as explained_of_tests
from tests.flow.mistakes import mistakes
from tests.flow.templates import Made, names_in, texts_in, texts_made
from tests.flow.world import proved_library_of

MADE: Final = tuple(texts_made())
MISTAKES: Final = MappingProxyType(mistakes())
CITED: Final = re.compile(r"`[^`]*`|“[^”]*”|'[^']*'|\"[^\"]*\"")
ENGLISH_WORD: Final = re.compile(r"[A-Za-z]{2,}")
SAID_IN_CHINESE_TOO: Final = frozenset({"Tab", "YAML", "UTF"})
"""Words that Chinese authors know by their English names."""
HALF_WIDTH: Final = re.compile(r"[一-鿿”）][,:;?!]|[,:;?!][一-鿿“（]")


def english_left(words: str) -> set[str]:
    """Return the English words outside of what is cited."""
    return set(ENGLISH_WORD.findall(CITED.sub("", words))) - SAID_IN_CHINESE_TOO


def breaches(made: list[Made] | tuple[Made, ...]) -> list[str]:
    """Return the calls of `Text` whose template cannot be found by its letters, or does not agree with its facts."""
    found = [f"{text.at}: the template is not a literal text" for text in made if text.template is None]
    for text in made:
        if text.template is not None and text.facts and names_in(text.template) != text.facts:
            found.append(f"{text.at}: the template does not name its facts")
        if not text.facts and text.names and not text.filled_later:
            found.append(f"{text.at}: a fact is missing")
    return found


def test_every_template_is_a_literal_that_names_its_facts() -> None:
    assert breaches(MADE) == []


@pytest.mark.parametrize(
    "code",
    [
        "Text(f'no {name}')",
        "Text('no {name}' + tail, name=name)",
        "Text(words)",
        "Text('no {name}', other=name)",
        "Text('no {name}', name=name, other=1)",
        "Text('no {name}', **facts)",
        "Text('no {name}')",
    ],
)
def test_template_that_cannot_be_translated_is_noticed(code: str) -> None:
    assert len(breaches(list(texts_in(code, pathlib.Path("a.py"))))) == 1


def test_every_template_has_its_chinese() -> None:
    missing = sorted({text.template for text in MADE if text.template} - set(chinese_templates()))
    assert missing == []


def test_every_chinese_template_is_used() -> None:
    left_over = sorted(set(chinese_templates()) - {text.template for text in MADE})
    assert left_over == []


def test_chinese_templates_have_the_facts_of_the_english_ones() -> None:
    chinese = chinese_templates()
    different = [
        text.template
        for text in MADE
        if text.template is not None
        and text.template in chinese
        and text.names != replace(text, template=chinese[text.template]).names
    ]
    assert different == []


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_told_in_chinese_without_an_english_word_left(name: str) -> None:
    library = proved_library_of(**MISTAKES[name].files)
    for finding in (*library.findings, *library.advice):
        for text in filter(None, (finding.message, finding.mend, finding.path)):
            said = say_in(text, Wording.CHINESE)
            assert english_left(said) == set(), said
            assert re.sub("[^“”]", "", said) == "“”" * said.count("“"), said
            assert said.count("`") % 2 == 0, said
            assert not HALF_WIDTH.search(CITED.sub("", said)), said


def test_every_code_has_its_chinese_and_no_other_has() -> None:
    assert list(chinese_codes()) == sorted({*CODES, *TEST_CODES})


@pytest.mark.parametrize("code", [*CODES, *TEST_CODES])
def test_explanation_in_chinese_is_whole_sentences_without_english_words(code: str) -> None:
    chinese = (explained if code in CODES else explained_of_tests)(code, Wording.CHINESE)
    assert chinese.explanation.endswith("。")
    assert not chinese.title.endswith("。")
    for words in (chinese.title, chinese.explanation):
        assert not HALF_WIDTH.search(words), words
        assert re.search("[一-鿿]", words), words


def test_explanation_in_english_is_what_stands_in_the_table() -> None:
    assert explained("E204") is CODES["E204"]


def test_text_is_its_english_words_and_remembers_how_they_were_made() -> None:
    text = Text("there is no variable '{name}'", name="balanse")
    assert text == "there is no variable 'balanse'"
    assert in_chinese(text) == "没有名为“balanse”的变量"
    assert say_in(text, Wording.ENGLISH) == text


def test_fact_that_is_a_text_is_said_in_the_same_language() -> None:
    text = Text("a value is expected before {what}", what=Text("the end"))
    assert text == "a value is expected before the end"
    assert in_chinese(text) == "结尾前面应当有一个值"


def test_names_of_a_list_are_parted_as_the_language_parts_them() -> None:
    text = Text("use one of: {names}", names=("any", "none"))
    assert text == "use one of: any, none"
    assert in_chinese(text) == "请从这些里选一个：“any”、“none”"


def test_texts_that_follow_each_other_are_parted_by_commas_and_not_taken_for_names() -> None:
    text = Text("{deeds}", deeds=(Text("press {keys}", keys="1"), Text("type {name}", name="pin"), Text("stay silent")))
    assert text == "press 1, type pin, stay silent"
    assert in_chinese(text) == "按 1 键，输入“pin”，不按任何键"


def test_braces_in_what_an_author_wrote_are_left_as_they_are() -> None:
    text = Text("there is no variable '{name}'", name="{name} {0} {")
    assert text == "there is no variable '{name} {0} {'"
    assert in_chinese(text) == "没有名为“{name} {0} {”的变量"


def test_words_without_a_template_are_the_same_in_every_language() -> None:
    assert say_in("plain", Wording.CHINESE) == "plain"
    assert in_chinese(Text("no such template")) == "no such template"
