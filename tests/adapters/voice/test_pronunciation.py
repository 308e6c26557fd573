"""Words that the speaking machine reads wrongly are replaced before it sees them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ivr_engine.adapters.voice.pronunciation import Pronunciation, PronunciationError
from ivr_engine.values.language import Language

TWO_WORDS = "cmn:\n  银行: yin2 hang2\n  银行卡: yin2 hang2 ka3\n"


def test_longest_word_wins_and_the_rest_stays() -> None:
    pronunciation = Pronunciation.parse(TWO_WORDS)
    assert pronunciation.spoken(Language.MANDARIN, "我的银行卡，银行。") == "我的yin2 hang2 ka3，yin2 hang2。"


def test_words_of_one_language_leave_the_others_alone() -> None:
    assert Pronunciation.parse(TWO_WORDS).spoken(Language.CANTONESE, "银行") == "银行"


def test_folder_without_the_file_has_no_replacements(tmp_path: Path) -> None:
    assert Pronunciation.load(tmp_path).spoken(Language.MANDARIN, "银行") == "银行"


@pytest.mark.parametrize("content", ["", "cmn:\n"])
def test_empty_file_has_no_replacements(content: str) -> None:
    assert Pronunciation.parse(content).spoken(Language.MANDARIN, "银行") == "银行"


@pytest.mark.parametrize(
    "content", ["[", "- a", "fr:\n  a: b\n", "cmn: a", "cmn:\n  a: 1\n", "cmn:\n  '': b\n", "cmn:\n  a:\n", "7: {}"]
)
def test_wrong_file_is_refused_by_name(content: str) -> None:
    with pytest.raises(PronunciationError, match=r"pronunciation\.yaml"):
        Pronunciation.parse(content)
