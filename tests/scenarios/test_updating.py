"""`heard in order` is rewritten from what was heard, and nothing else of the test changes."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.scenarios.model import Listing
from ivr_engine.scenarios.reading import read_scenario
from ivr_engine.scenarios.reading_steps import read_list
from ivr_engine.scenarios.updating import rewritten
from ivr_engine.values.language import Language
from tests.scenarios.world import known

EN = Language.ENGLISH


def update(text: str, *heard: str) -> str:
    def read(item: str) -> Listing:
        return read_list(item, EN)

    return rewritten(textwrap.dedent(text).lstrip("\n"), EN, heard, read)


BLOCK = """
    ivr_test: 1
    title: A   # odd   spacing stays
    language: en
    steps: [hang up]
    expect:
      heard in order:
        # the greeting
        - cmn/welcome   # in Mandarin
        - main_menu

        # what is owned
        - your_balance_is
        - {amount: 5.00 CNY}   # never changes
        - balance_menu
      ends: completed   # and so does this
    """


def test_items_that_still_fit_stay_as_written_with_their_comments() -> None:
    heard = ("cmn/welcome", "en/wrong_key", "en/your_balance_is", "en/number_5", "en/currency_cny", "en/goodbye")
    assert update(BLOCK, *heard) == textwrap.dedent(
        """
        ivr_test: 1
        title: A   # odd   spacing stays
        language: en
        steps: [hang up]
        expect:
          heard in order:
            # the greeting
            - cmn/welcome   # in Mandarin
            - wrong_key

            # what is owned
            - your_balance_is
            - {amount: 5.00 CNY}   # never changes
            - goodbye
          ends: completed   # and so does this
        """
    ).lstrip("\n")


def test_read_out_that_was_heard_otherwise_becomes_what_was_heard() -> None:
    heard = ("cmn/welcome", "en/main_menu", "en/your_balance_is", "en/number_6", "en/currency_cny", "en/balance_menu")
    lines = [line.strip() for line in update(BLOCK, *heard).splitlines()]
    assert "- {amount: 5.00 CNY}   # never changes" not in lines
    at = lines.index("- your_balance_is")
    assert lines[at : at + 4] == ["- your_balance_is", "- number_6", "- currency_cny", "- balance_menu"]


def test_list_in_one_line_stays_in_one_line() -> None:
    text = "ivr_test: 1\nexpect:\n  heard in order: [welcome]  # all\n  ends: completed\n"
    assert update(text, "cmn/welcome", "en/goodbye") == text.replace("[welcome]", "[cmn/welcome, goodbye]")


def test_list_in_brackets_that_grows_too_long_takes_more_lines() -> None:
    text = "ivr_test: 1\nexpect:\n  heard in order: [welcome]\n"
    updated = update(text, *(["en/main_menu"] * 30))
    assert all(len(line) <= 110 for line in updated.splitlines())
    assert updated.splitlines()[2] == "  heard in order: ["
    assert updated.splitlines()[-1] == "  ]"


def test_list_over_several_lines_in_brackets_is_replaced_whole() -> None:
    text = "ivr_test: 1\nexpect:\n  heard in order: [welcome,\n    goodbye]\n  ends: completed\n"
    assert update(text, "en/welcome") == "ivr_test: 1\nexpect:\n  heard in order: [welcome]\n  ends: completed\n"


@pytest.mark.parametrize("text", ["ivr_test: 1\nexpect:\n  ends: completed\n", "ivr_test: 1\n", "- a\n"])
def test_test_without_such_a_list_stays_as_it_is(text: str) -> None:
    assert update(text, "en/welcome") == text


WORDS = ("cmn/welcome", "en/main_menu", "en/goodbye", "en/number_5", "en/currency_cny", "yue/wrong_key")


@given(st.lists(st.sampled_from(WORDS), max_size=12), st.booleans(), st.lists(st.sampled_from(WORDS), max_size=8))
def test_rewritten_list_says_exactly_what_was_heard(heard: list[str], block: bool, before: list[str]) -> None:
    items = "".join(f"    - {name}  # {n}\n" for n, name in enumerate(before)) if block else ""
    listed = f"\n{items}" if items else f" [{', '.join(before)}]\n"
    text = f"ivr_test: 1\ntitle: A\nlanguage: en\nsteps: []\nexpect:\n  heard in order:{listed}  ends: completed\n"
    scenario, findings = read_scenario("a.test.yaml", update(text, *heard), known())
    assert findings == ()
    assert scenario is not None
    assert scenario.expected.heard is not None
    assert [str(one) for one in scenario.expected.heard.wanted] == heard
    assert scenario.expected.ends == "completed"
