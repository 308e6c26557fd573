"""Keys that lead to no step of their own: hear it again, help, and back to the question before."""

from __future__ import annotations

from typing import Final

import pytest

from ivr_engine.flow.nodes.offering import EVENTS_MAX
from ivr_engine.flow.step import By
from ivr_engine.simulator.line import Deed, HearOut, Press
from ivr_engine.values.money import Currency, Money
from tests.flow.calls import Story, Told, tell
from tests.flow.test_choose import SIGN_IN, item
from tests.flow.test_hotline import NUMBER, PIN, bank_of, press
from tests.flow.test_runner import run, took
from tests.flow.world import findings_of, flow, library_of, proved_library_of

ENDS: Final = """
    one: {hang_up: one}
    human: {hang_up: human}
    silent: {hang_up: silent}
    wrong: {hang_up: wrong}
    """
TOP: Final = """
    everywhere: {0: human, star: repeat, 8: help, 7: back}
    otherwise: {no_input: silent, no_match: wrong}
    """
MENU: Final = flow(
    """
    begin: {menu: choose_account_intro, keys: {1: offer}, help: have_pen_ready}
    offer:
      menu: [{first: welcome, again: try_again}, main_menu]
      keys: {1: one}
      help: [no_transactions]
      back: begin
    """
    + ENDS,
    top=TOP,
)
OFFER: Final = ["en/welcome", "en/main_menu"]


def menu(*keys: str, text: str = MENU) -> Told:
    """Press a key at each prompt that is heard to its end; the first leads to the second menu."""
    return run(text, Story(press(*keys)))


def test_repeat_says_the_same_words_once_more_and_is_no_wrong_key() -> None:
    told = menu("1", "*", "1")
    assert told.reason == "one"
    assert told.words[1:] == OFFER * 2
    assert told.tally.wrong_entries == 0


def test_repeat_after_a_wrong_key_says_the_words_without_the_apology() -> None:
    told = menu("1", "9", "*", "1")
    again = ["en/try_again", "en/main_menu"]
    assert told.words[1:] == [*OFFER, "en/wrong_key", *again, *again]
    assert told.tally.wrong_entries == 1


def test_help_says_the_words_of_the_step_and_then_the_question() -> None:
    told = menu("1", "8", "1")
    assert told.reason == "one"
    assert told.words[1:] == [*OFFER, "en/no_transactions", *OFFER]
    assert told.tally.wrong_entries == 0


def test_repeat_stops_the_prompt_like_any_key() -> None:
    told = run(MENU, Story((Press("*", after_ms=300), *press("1", "1"))))
    assert (told.reason, told.words) == ("one", ["en/choose_account_intro"] * 2 + OFFER)


def test_repeat_and_help_are_bounded_together_and_then_wrong_keys() -> None:
    told = menu("1", "*", "8", "*", "8", "*", "*")
    assert told.reason == "wrong"
    assert told.tally.no_match == 3
    assert told.words.count("en/no_transactions") == 1
    assert told.words.count("en/main_menu") == 1 + EVENTS_MAX + 2


def test_they_are_counted_anew_when_the_caller_comes_again() -> None:
    told = menu("1", *"***", "7", "1", "*", "1")
    assert told.reason == "one"
    assert told.tally.wrong_entries == 0


def test_back_leads_to_the_question_that_the_step_names() -> None:
    told = menu("1", "7", "1", "1")
    assert [step for step, _ in took(told)] == ["begin", "offer", "begin", "offer", "one"]


def test_back_is_a_way_of_the_caller_and_an_arm_like_any_other() -> None:
    step = library_of(a=MENU).flows["a"].steps["offer"]
    assert step.arms["key 7"] == "begin"
    (way,) = [way for way in step.ways if way.outcome == "key 7"]
    assert (way.by, way.presses) == (By.CALLER, 1)
    assert "key 8" not in step.arms
    assert "key star" not in step.arms


def test_key_for_back_is_a_wrong_key_where_nothing_stands_behind() -> None:
    told = menu("7", "1", "1")
    assert "en/wrong_key" in told.words
    assert "key 7" not in library_of(a=MENU).flows["a"].steps["begin"].arms


def test_key_for_help_is_a_wrong_key_where_no_help_is_written() -> None:
    told = menu("8", "1", "1", text=MENU.replace(", help: have_pen_ready", ""))
    assert told.words[1:3] == ["en/wrong_key", "en/choose_account_intro"]


def test_keys_of_a_menu_may_mean_them_and_be_spoken_or_conditional() -> None:
    steps = """
    begin: {set: {rich: false}, then: ask}
    ask: {menu: welcome, keys: {1: offer}}
    offer:
      menu: choose_account_intro
      keys:
        1: {then: one, say: account_current}
        4: {then: repeat, say: hear_again}
        5: {then: help, if: rich}
        6: {then: back, say: account_credit_card}
        0: human
      help: have_pen_ready
      back: ask
    """
    top = "variables: {rich: yes_no}\notherwise: {no_input: silent, no_match: wrong}\n"
    text = flow(steps + ENDS, top=top)
    said = ["en/choose_account_intro", "en/account_current", "en/press_1", "en/hear_again", "en/press_4"]
    said += ["en/account_credit_card", "en/press_6"]
    told = run(text, Story(press("1", "4", "5", "6", "1", "1")))
    assert told.reason == "one"
    assert told.words == ["en/welcome", *said, *said, "en/wrong_key", *said, "en/welcome", *said]


def test_key_that_a_question_uses_itself_is_its_own() -> None:
    told = menu("1", "8", text=MENU.replace("keys: {1: one}", "keys: {1: one, 8: one}"))
    assert told.reason == "one"


# --- confirm, choose, pause ----------------------------------------------------------------------------------------

READ_BACK: Final = flow(
    """
    begin: {collect: n, prompt: enter_customer_number, length: 3, then: check, when: {too_short: silent}}
    check: {confirm: [you_entered, {digits: n}], help: have_pen_ready, then: one, when: {declined: wrong}}
    """
    + ENDS,
    top="variables: {n: digits}\n" + TOP.replace(", 7: back", "").replace("\n    ", "\n"),
)
VALUES: Final = ["en/you_entered", "en/number_1", "en/number_2", "en/number_3"]
QUESTION: Final = ["en/confirm_yes", "en/press_1", "en/confirm_no", "en/press_2"]


def read_back(*deeds: Deed) -> Told:
    return run(READ_BACK, Story((HearOut(), Press("123"), *deeds)))


def test_values_are_read_back_again_and_only_their_end_lets_a_yes_count() -> None:
    told = read_back(*press("*"), Press("1", after_ms=1500), *press("1"))
    assert told.reason == "one"
    assert told.words[1:] == [*VALUES, *QUESTION, *VALUES[:2], "en/please_listen", *VALUES, *QUESTION]


def test_repeat_while_values_are_read_begins_them_anew() -> None:
    told = read_back(Press("*", after_ms=1500), *press("8", "1"))
    assert told.reason == "one"
    assert told.words[1:] == [*VALUES[:2], *VALUES, *QUESTION, "en/have_pen_ready", *VALUES, *QUESTION]
    assert told.tally.wrong_entries == 0


def test_values_are_read_again_three_times_at_most() -> None:
    told = read_back(*press(*"*****"), *press("1"))
    assert told.words.count("en/you_entered") == 1 + EVENTS_MAX + 2
    assert told.tally.no_match == 2


def test_confirm_has_no_way_back() -> None:
    (finding,) = findings_of(READ_BACK.replace("help: have_pen_ready,", "help: have_pen_ready, back: begin,"))
    assert finding.code == "E110"


CHOOSE: Final = flow(
    """
    begin: {run: library/sign_in, when: {signed_in: ask, human: human, given_up: human}}
    ask: {menu: main_menu, keys: {1: pick}}
    pick:
      choose: account
      into: {number: account}
      offer: [account_current, {masked: account}]
      help: have_pen_ready
      back: ask
      then: one
    none: {hang_up: none}
    unavailable: {hang_up: unavailable}
    """
    + ENDS,
    top="variables: {account: personal digits}\n"
    + TOP.replace("7: back", "6: back")
    .replace("wrong}", "wrong, none: none, unavailable: unavailable}")
    .replace("\n    ", "\n"),
)


def choose(*keys: str) -> Told:
    library = library_of(a=CHOOSE, **{"library/sign_in": SIGN_IN})
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    bank = bank_of(*[Money(100, Currency.CNY)] * 2)
    return tell(Story(press(NUMBER, PIN, "1", *keys), bank), library=library, flow="a")


def test_list_helps_repeats_by_its_own_key_and_goes_back() -> None:
    page = [*item(0, 1), *item(1, 2), "en/hear_again", "en/press_star"]
    told = choose("8", "*", "6", "1", "2")
    assert told.reason == "one"
    assert told.words[3:] == [*page, "en/have_pen_ready", *page, *page, "en/main_menu", *page]


PAUSE: Final = flow(
    """
    ask: {menu: main_menu, keys: {1: begin}}
    begin: {pause: have_pen_ready, help: no_transactions, back: ask, then: one}
    """
    + ENDS,
    top=TOP,
    start="ask",
)


def test_pause_repeats_helps_and_goes_back_without_using_up_the_time() -> None:
    said = ["en/have_pen_ready", "en/when_ready", "en/press_1"]
    told = menu("1", "*", "8", "7", "1", "1", text=PAUSE)
    assert told.reason == "one"
    assert told.words == ["en/main_menu", *said, *said, "en/no_transactions", *said, "en/main_menu", *said]


@pytest.mark.parametrize(
    ("text", "keys"),
    [(MENU, ("1",)), (PAUSE, ("1",))],
)
def test_nobody_stays_longer_than_the_step_says(text: str, keys: tuple[str, ...]) -> None:
    library = library_of(a=text)
    asked = library.flows["a"].steps
    for pressed in ("*", "8", "9", ""):
        told = menu(*keys, *[pressed] * 12, text=text)
        for step in told.trace:
            assert step.took_ms <= asked[step.step].longest_ms


# --- what is refused -------------------------------------------------------------------------------------------------

BACK: Final = """
ivr: 1
title: A test
languages: [cmn, yue, en]
start: first
otherwise: {no_input: human, no_match: human, unavailable: human, too_short: human}
everywhere: {0: human, 7: back}
variables: {customer: personal digits, pin: secret, n: digits}
steps:
  first: {menu: main_menu, keys: {1: number}}
  number: {collect: customer, prompt: enter_customer_number, length: 6, then: ask_pin}
  ask_pin: {secret: pin, prompt: enter_pin, length: 6, then: check}
  check:
    do: sign_in
    with: {customer: customer, pin: pin}
    when: {signed_in: second, refused: human, attempts_used: human, locked: human}
  second: {menu: balance_menu, keys: {1: third, 2: human}}
  third: {menu: have_pen_ready, keys: {1: human}, back: %s}
  other: {menu: welcome, keys: {1: human}}
  human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
  end: {hang_up: completed}
"""


def back_to(target: str) -> list[tuple[str, str]]:
    text = (BACK % target).replace("2: human}", "2: other}")
    return [(finding.code, finding.message) for finding in proved_library_of(a=text).findings]


def test_back_to_the_question_before_is_proved() -> None:
    assert back_to("second") == []


@pytest.mark.parametrize("target", ["first", "number"])
def test_back_over_a_sign_in_is_refused(target: str) -> None:
    assert back_to(target) == [("E809", "`back` would lead over step 'check', which cannot be undone")]


@pytest.mark.parametrize("target", ["third", "other", "human"])
def test_back_to_what_is_no_question_before_is_refused(target: str) -> None:
    codes = back_to(target)
    assert ("E809", f"'{target}' is no question that comes before this one") in codes


def test_back_over_a_flow_that_signs_in_is_refused() -> None:
    steps = """
        first: {menu: main_menu, keys: {1: go}}
        go: {run: library/sign_in, when: {signed_in: second, human: human, given_up: human}}
        second: {menu: balance_menu, keys: {1: human}, back: first}
        human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
        end: {hang_up: completed}
        """
    top = "everywhere: {0: human, 7: back}\notherwise: {no_input: human, no_match: human}\n"
    library = proved_library_of(a=flow(steps, top=top, start="first"), **{"library/sign_in": SIGN_IN})
    assert [(finding.code, "'go'" in finding.message) for finding in library.findings] == [("E809", True)]
