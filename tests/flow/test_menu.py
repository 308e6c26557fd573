"""Menus that say their keys themselves, keys that are there for some callers only, and keys that work everywhere."""

from __future__ import annotations

from typing import Final

import pytest

from ivr_engine.flow.operations import Level
from ivr_engine.simulator.line import Press
from ivr_engine.values.language import Language
from tests.flow.calls import Story, Told
from tests.flow.test_hotline import press
from tests.flow.test_runner import run, took
from tests.flow.world import catalogue, flow, library_of

ENDS: Final = """
    one: {hang_up: one}
    two: {hang_up: two}
    three: {hang_up: three}
    human: {hang_up: human}
    silent: {hang_up: silent}
    wrong: {hang_up: wrong}
    """
OTHERWISE: Final = "otherwise: {no_input: silent, no_match: wrong}\n"
SPOKEN: Final = flow(
    """
    begin: {set: {rich: false, poor: true}, then: offer}
    offer:
      menu: choose_account_intro
      keys:
        1: {then: one, say: account_current, if: rich}
        2: {then: two, say: [account_credit_card, no_transactions], if: poor}
        3: three
        star: {then: offer, say: account_time_deposit}
        0: {then: human, hidden: true}
    """
    + ENDS,
    top="variables: {rich: yes_no, poor: yes_no}\n" + OTHERWISE,
)
MENU: Final = [
    "en/choose_account_intro",
    "en/account_credit_card",
    "en/no_transactions",
    "en/press_2",
    "en/account_time_deposit",
    "en/press_star",
]


def test_menu_says_each_label_and_then_its_key_in_the_order_of_the_file() -> None:
    told = run(SPOKEN, Story(press("2")))
    assert (told.reason, told.words) == ("two", MENU)


@pytest.mark.parametrize("language", Language)
def test_label_and_key_read_as_one_sentence_in_every_language(language: Language) -> None:
    label, key = catalogue().text(language, "account_current"), catalogue().text(language, "press_1")
    assert label[-1] in ",，"
    assert key[-1] in ".。"
    assert key[0] in "p请請"


def test_key_whose_condition_does_not_hold_is_neither_spoken_nor_taken() -> None:
    told = run(SPOKEN, Story(press("1", "3")))
    assert told.reason == "three"
    assert "en/account_current" not in told.words
    assert told.words[len(MENU) : len(MENU) + 2] == ["en/wrong_key", MENU[0]]


def test_condition_is_looked_at_each_time_the_menu_is_reached() -> None:
    text = SPOKEN.replace("then: offer, say: account_time_deposit", "then: change, say: account_time_deposit")
    text += "  change: {set: {rich: true}, then: offer}\n"
    told = run(text, Story(press("*", "1")))
    assert told.reason == "one"
    assert told.words[len(MENU) + 1 : len(MENU) + 3] == ["en/account_current", "en/press_1"]


@pytest.mark.parametrize(("key", "reason"), [("0", "human"), ("3", "three")])
def test_hidden_key_and_key_without_a_label_are_taken_and_not_spoken(key: str, reason: str) -> None:
    told = run(SPOKEN, Story(press(key)))
    assert (told.reason, told.words) == (reason, MENU)


def test_labels_are_heard_again_after_a_mistake() -> None:
    told = run(SPOKEN, Story(press("7", "", "2")))
    assert told.words == [*MENU, "en/wrong_key", *MENU, "en/nothing_heard", *MENU]


def test_only_keys_that_are_there_stop_a_menu_whose_interrupt_is_valid() -> None:
    text = SPOKEN.replace("menu: choose", "interrupt: valid\n    menu: choose")
    told = run(text, Story((Press("1", after_ms=100), Press("2", after_ms=100))))
    assert told.reason == "two"
    assert told.seconds == pytest.approx(0.2)


def test_key_for_callers_who_have_signed_in_says_so_of_who_presses_it() -> None:
    text = SPOKEN.replace("if: rich", "if: signed_in and rich")
    ways = {way.outcome: way for way in library_of(a=text).flows["a"].steps["offer"].ways}
    assert ways["key 1"].at_least is Level.SIGNED_IN
    assert ways["key 2"].at_least is None
    assert list(ways) == ["key 1", "key 2", "key 3", "key star", "key 0", "no_input", "no_match"]


def test_what_is_said_of_a_key_counts_in_what_the_step_reads_tells_and_how_long_it_lasts() -> None:
    def offer(say: str) -> tuple[set[str], set[str], int]:
        steps = f"begin: {{set: {{n: 1.00 CNY}}, then: offer}}\noffer: {{menu: welcome, keys: {{1: {say}}}}}\n"
        top = "variables: {n: personal money}\notherwise: {no_input: one, no_match: one}\n"
        library = library_of(a=flow(steps + "one: {hang_up: one}\n", top=top))
        assert library.findings == ()
        step = library.flows["a"].steps["offer"]
        return set(step.reads), set(step.tells), step.heard_ms

    plain, spoken = offer("one"), offer("{then: one, say: {amount: n}}")
    assert plain[:2] == (set(), set())
    assert spoken[:2] == ({"n"}, {"n"})
    assert spoken[2] > plain[2] + 8000


# --- keys that work everywhere ---------------------------------------------------------------------------------------

EVERYWHERE: Final = flow(
    """
    begin: {menu: main_menu, keys: {1: ask, 9: again}}
    again: {menu: balance_menu, keys: {0: two}}
    ask: {collect: n, prompt: enter_customer_number, length: 3, then: one, when: {too_short: wrong}}
    """
    + ENDS.replace("    three: {hang_up: three}\n", ""),
    top="variables: {n: digits}\neverywhere: {0: human}\n" + OTHERWISE,
)


def everywhere(*keys: str) -> Told:
    return run(EVERYWHERE, Story(press(*keys)))


def test_key_of_everywhere_works_in_a_menu_without_an_arm_of_its_own_and_is_not_spoken() -> None:
    told = everywhere("0")
    assert took(told) == [("begin", "key 0"), ("human", "human")]
    assert told.words == ["en/main_menu"]


def test_key_that_a_menu_uses_itself_is_its_own() -> None:
    assert everywhere("9", "0").reason == "two"


def test_keys_of_everywhere_are_digits_where_digits_are_typed() -> None:
    told = everywhere("1", "100")
    assert (told.reason, told.variables["n"]) == ("one", "100")


def test_key_of_everywhere_may_be_the_only_one_that_is_always_there() -> None:
    text = EVERYWHERE.replace(
        "keys: {1: ask, 9: again}", "keys: {1: {then: ask, if: signed_in}, 9: {then: again, if: signed_in}}"
    )
    assert run(text, Story(press("0"))).reason == "human"


def test_key_that_is_a_menus_own_under_a_condition_is_not_taken_for_another_when_it_does_not_hold() -> None:
    text = EVERYWHERE.replace("keys: {0: two}", "keys: {0: {then: two, if: signed_in}, 1: two}")
    assert run(text, Story(press("9", "0", "1"))).words.count("en/wrong_key") == 1


def test_every_question_by_keys_has_the_ways_of_everywhere() -> None:
    steps = library_of(a=EVERYWHERE).flows["a"].steps
    assert [way.outcome for way in steps["begin"].ways] == ["key 1", "key 9", "key 0", "no_input", "no_match"]
    assert steps["begin"].arms["key 0"] == "human"
    assert [way.outcome for way in steps["again"].ways] == ["key 0", "no_input", "no_match"]
    assert "key 0" not in steps["ask"].outcomes
