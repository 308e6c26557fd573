"""Recordings joined into what a caller hears."""

from __future__ import annotations

import pytest

from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance


def test_utterances_of_one_language_are_joined_in_order() -> None:
    whole = Utterance(Language.ENGLISH, ("a", "b")) + Utterance(Language.ENGLISH, ("c",))
    assert whole == Utterance(Language.ENGLISH, ("a", "b", "c"))


@pytest.mark.parametrize(("first", "second"), [(True, False), (False, True), (True, True)])
def test_what_is_joined_to_something_personal_is_personal(first: bool, second: bool) -> None:
    whole = Utterance(Language.ENGLISH, ("a",), first) + Utterance(Language.ENGLISH, ("b",), second)
    assert whole.personal


def test_two_languages_are_not_joined() -> None:
    with pytest.raises(ValueError, match="one language, not en and cmn"):
        Utterance(Language.ENGLISH, ("a",)) + Utterance(Language.MANDARIN, ("b",))
