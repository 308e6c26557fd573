"""Prompt files: what is read from them, and what is said about a wrong one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.speech.catalogue import (
    LARGEST_FILE,
    LONGEST_TEXT,
    Catalogue,
    CatalogueError,
    PromptSource,
    parse_prompts,
)
from ivr_engine.speech.grammars import required_prompts
from ivr_engine.values.language import Language

WORDS = {Language.MANDARIN: "字", Language.CANTONESE: "字", Language.ENGLISH: "word"}


def problems_of(content: str, language: Language = Language.MANDARIN) -> list[str]:
    return [str(problem) for problem in parse_prompts(PromptSource("file.yaml", language, content))[1]]


def sources(extra: Mapping[Language, str], *, without: str = "") -> list[PromptSource]:
    """Return sources in which every language has all its read-outs, and the lines of `extra` on top."""
    return [
        PromptSource(
            f"{language}.yaml",
            language,
            extra.get(language, "")
            + "".join(
                f"{identifier}: {WORDS[language]}\n" for identifier in sorted(required_prompts(language) - {without})
            ),
        )
        for language in Language
    ]


EVERYWHERE = dict.fromkeys(Language, "goodbye: 再見\n")


def test_text_stands_in_the_catalogue_as_written() -> None:
    catalogue = Catalogue.from_sources(sources({**EVERYWHERE, Language.ENGLISH: "goodbye: On or off.\n"}))
    assert catalogue.text(Language.ENGLISH, "goodbye") == "On or off."
    assert catalogue.has(Language.CANTONESE, "goodbye")
    assert not catalogue.has(Language.CANTONESE, "good_bye")
    assert catalogue.ids(Language.ENGLISH) == required_prompts(Language.ENGLISH) | {"goodbye"}
    assert catalogue.in_file_order(Language.ENGLISH)[0] == "goodbye"
    with pytest.raises(KeyError):
        catalogue.text(Language.ENGLISH, "good_bye")


@pytest.mark.parametrize("text", ["On", "yes", "null", "12", "1.5", "2026-01-01", "0x1F"])
def test_text_that_yaml_would_read_as_something_else_stays_text(text: str) -> None:
    prompts, wrong = parse_prompts(PromptSource("en.yaml", Language.ENGLISH, f"one: {text}\n"))
    assert not wrong
    assert prompts["one"].text == text


def test_speaker_is_told_the_comment_above_the_group_and_behind_the_text() -> None:
    content = (
        "# About this file.\n\n"
        "# Money.\n# Say it slowly.\nyuan: 元  # no tone change\nfen: '分#'\n\n"
        "# End.\nbye: 再见\n"
    )
    prompts, _ = parse_prompts(PromptSource("cmn.yaml", Language.MANDARIN, content))
    assert prompts["yuan"].group == prompts["fen"].group == "Money. Say it slowly."
    assert prompts["yuan"].remark == "no tone change"
    assert prompts["fen"].remark == ""
    assert prompts["fen"].text == "分#"
    assert prompts["bye"].group == "End."
    assert prompts["bye"].line == 9


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: 一\nb: 二\na: 三\n", "file.yaml:3: 'a' is already in line 1"),
        ("a: 一\n\nb:\n", "file.yaml:3: the text is empty"),
        ("a: '  '\n", "file.yaml:1: the text is empty"),
        ("Welcome: 一\n", "file.yaml:1: 'Welcome' is no prompt id"),
        ("a__b: 一\n", "file.yaml:1: 'a__b' is no prompt id"),
        ("../a: 一\n", "file.yaml:1: '../a' is no prompt id"),
        ("1a: 一\n", "file.yaml:1: '1a' is no prompt id"),
        (f"{'a' * 61}: 一\n", "is no prompt id"),
        ("[a]: 一\n", "file.yaml:1: a prompt id is one word"),
        ("a: [一]\n", "file.yaml:1: the text of a prompt is one line of words"),
        ("a: |\n  一\n  二\n", "file.yaml:1: the text of a prompt stands in one line"),
        ("a:\n  一\n  二\n", "file.yaml:1: the text of a prompt stands in one line"),
        ("a: 一\nb: 请按1\n", "file.yaml:2: write numbers as words"),
        (f"a: {'一' * (LONGEST_TEXT + 1)}\n", f"at most {LONGEST_TEXT}"),
        ("- a\n", "file.yaml:1: a prompt file is a list of `id: text`"),
        ("a: 一\nb: 'c\n", "file.yaml:3: not readable as YAML"),
        ("a: \x07\n", "file.yaml: not readable as YAML"),
        ("#" * (LARGEST_FILE + 1), "file.yaml: the file has more than"),
    ],
)
def test_wrong_file_is_reported_with_its_line(content: str, expected: str) -> None:
    assert len(problems_of(content)) == 1
    assert expected in problems_of(content)[0]


def test_file_nested_without_end_is_a_problem_not_a_crash() -> None:
    assert "not readable" in problems_of("[" * 50_000)[0]


@given(content=st.text(alphabet="ab:#'\"|>-[]{}&*! \n\t一1\u2028\x85", max_size=60))
def test_any_file_gives_good_prompts_or_problems(content: str) -> None:
    prompts, _ = parse_prompts(PromptSource("file.yaml", Language.MANDARIN, content))
    for prompt in prompts.values():
        assert prompt.text.strip()
        assert "\n" not in prompt.text


def test_digits_may_stand_in_english_texts() -> None:
    assert problems_of("a: press 1\n", Language.ENGLISH) == []


def test_prompt_that_another_language_has_must_be_in_all() -> None:
    with pytest.raises(CatalogueError) as refusal:
        Catalogue.from_sources(sources({**EVERYWHERE, Language.ENGLISH: ""}))
    assert [str(problem) for problem in refusal.value.problems] == [
        "en.yaml: 'goodbye' has no text in this language; cmn.yaml:1 has one"
    ]


def test_read_out_prompt_must_be_there() -> None:
    with pytest.raises(CatalogueError, match=r"en\.yaml: 'hundred' is needed to read out"):
        Catalogue.from_sources(sources({}, without="hundred"))


def test_read_out_prompts_of_one_language_are_not_asked_of_the_others() -> None:
    catalogue = Catalogue.from_sources(sources({}))
    assert not catalogue.has(Language.ENGLISH, "myriad")
    assert not catalogue.has(Language.MANDARIN, "trillion")


def test_all_problems_are_reported_at_once() -> None:
    wrong = {Language.MANDARIN: "A: 一\nb:\n", Language.CANTONESE: "c: 1\n"}
    with pytest.raises(CatalogueError) as refusal:
        Catalogue.from_sources(sources(wrong))
    assert [problem.line for problem in refusal.value.problems] == [1, 2, 1]


def test_bank_adds_a_file_beside_ours(tmp_path: Path) -> None:
    for source in sources({}):
        (tmp_path / source.name).write_text(source.content, encoding="utf-8")
        (tmp_path / f"{source.language}.cards.yaml").write_text("card_lost: 卡\n", encoding="utf-8")
    (tmp_path / "notes.yaml").write_text("Not: [prompts]", encoding="utf-8")
    catalogue = Catalogue.load(tmp_path)
    assert catalogue.prompt(Language.ENGLISH, "card_lost").source == "en.cards.yaml"
    (tmp_path / "en.more.yaml").write_text("card_lost: again\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match=r"en\.more\.yaml:1: 'card_lost' is already in en\.cards\.yaml:1"):
        Catalogue.load(tmp_path)


@pytest.mark.parametrize(
    ("typed", "meant"), [("good_by", "goodbye"), ("GoodBye", "goodbye"), ("currency_eur", "currency_usd"), ("x", None)]
)
def test_mistyped_id_gets_a_suggestion(typed: str, meant: str | None) -> None:
    suggestion = Catalogue.from_sources(sources(EVERYWHERE)).suggest(typed)
    if meant == "currency_usd":
        assert suggestion is not None
        assert suggestion.startswith("currency_")
    else:
        assert suggestion == meant
