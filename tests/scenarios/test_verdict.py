"""Lists with `...` are held against what was heard."""

from __future__ import annotations

import re
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.scenarios.model import Listing, Wanted
from ivr_engine.scenarios.verdict import difference_of
from ivr_engine.values.language import Language

EN: Final = Language.ENGLISH


def listing(text: str) -> Listing:
    wanted: list[Wanted] = []
    others: set[int] = set()
    for word in text.split():
        if word == "...":
            others.add(len(wanted))
        else:
            wanted.append(Wanted(word, EN))
    return Listing(tuple(wanted), frozenset(others))


def heard(text: str) -> list[str]:
    return [f"en/{word}" for word in text.split()]


FITS: Final = (
    ("a b c", "a b c"),
    ("", ""),
    ("... c", "a b c"),
    ("a ...", "a b c"),
    ("...", "a b c"),
    ("...", ""),
    ("a ... c", "a c"),
    ("a ... c", "a c b c"),
    ("... b ...", "a b c"),
    ("... a b ... d", "a c a b d"),
    ("a ... b ... c", "a x b y c"),
)
DIFFERS: Final = (
    ("a b", "a b c", "en/c was heard after the last"),
    ("a b c", "a b", "`en/c` is listed, but nothing more was heard"),
    ("a b", "a c", "after `en/a` `en/b` is listed, but en/c was heard"),
    ("b", "a", "after the beginning `en/b` is listed, but en/a was heard"),
    ("", "a", "en/a was heard after the last"),
    ("... c", "a b", "this was never heard: en/c"),
    ("a ... c ...", "a b", "after `en/a` this was never heard: en/c"),
    ("... b", "a b c", "en/c was heard after the last"),
    ("... a b", "a c b", "this was never heard: en/a, en/b"),
)


@pytest.mark.parametrize(("wanted", "was"), FITS)
def test_list_fits(wanted: str, was: str) -> None:
    assert difference_of(listing(wanted), heard(was)) is None


@pytest.mark.parametrize(("wanted", "was", "words"), DIFFERS)
def test_list_does_not_fit_and_it_is_told_where(wanted: str, was: str, words: str) -> None:
    assert words in str(difference_of(listing(wanted), heard(was)))


@given(st.lists(st.sampled_from("ab..."), max_size=6), st.lists(st.sampled_from("ab"), max_size=6))
def test_list_fits_exactly_where_a_pattern_of_letters_does(wanted: list[str], was: list[str]) -> None:
    words = " ".join("..." if word == "." else word for word in wanted)
    pattern = "".join(".*" if word == "." else word for word in wanted)
    fits = difference_of(listing(words), heard(" ".join(was))) is None
    assert fits == bool(re.fullmatch(pattern, "".join(was)))


def test_recording_in_another_language_is_another_recording() -> None:
    assert difference_of(Listing((Wanted("a", EN),)), ["yue/a"]) is not None
    assert difference_of(Listing((Wanted("a"),)), ["yue/a"]) is None


def test_recording_whose_name_ends_alike_is_another_recording() -> None:
    assert not Wanted("hear").is_heard_in("en/nothing_hear")
    assert not Wanted("menu", EN).is_heard_in("en/main_menu")
