"""Reading back: what counts as yes, what as no, and what a hasty key does."""

from __future__ import annotations

from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.step import By
from ivr_engine.simulator.line import Deed, HearOut, Press
from tests.flow.calls import Story, Told
from tests.flow.test_hotline import press
from tests.flow.test_runner import run
from tests.flow.world import flow, library_of

STEPS: Final = """
    begin: {collect: n, prompt: enter_customer_number, length: 3, then: check, when: {no_input: end, too_short: end}}
    check: {confirm: [you_entered, {digits: n}], then: good,
      when: {declined: bad, no_input: silent, no_match: wrong}}
    good: {hang_up: confirmed}
    bad: {hang_up: declined}
    silent: {hang_up: silent}
    wrong: {hang_up: wrong}
    end: {hang_up: done}
    """
READ_BACK: Final = flow(STEPS, top="variables: {n: digits}\n")
WORDS: Final = ["en/you_entered", "en/number_1", "en/number_2", "en/number_3"]
QUESTION: Final = ["en/confirm_yes", "en/press_1", "en/confirm_no", "en/press_2"]
BEFORE_READ_BACK_S: Final = 1.2
"""A prompt of 1 s, and three keys 100 ms apart."""


def read_back(*deeds: Deed) -> Told:
    """Type the number when it is asked for, then do these deeds; the read-back begins with the last key."""
    return run(READ_BACK, Story((HearOut(), Press("123"), *deeds)))


def test_caller_hears_the_values_and_which_keys_say_yes_and_no() -> None:
    told = read_back(*press("1"))
    assert told.reason == "confirmed"
    assert told.words[1:] == WORDS + QUESTION


def test_yes_counts_as_soon_as_the_values_have_been_heard() -> None:
    told = read_back(Press("1", after_ms=4100))
    assert told.reason == "confirmed"
    assert told.words[1:] == [*WORDS, "en/confirm_yes"]


def test_yes_before_the_end_of_the_values_is_no_yes_and_they_are_read_again_from_the_start() -> None:
    told = read_back(Press("1", after_ms=1500), *press("1"))
    assert told.reason == "confirmed"
    assert told.words[1:] == [*WORDS[:2], "en/please_listen", *WORDS, *QUESTION]


def test_second_hasty_yes_does_not_even_stop_the_words() -> None:
    told = read_back(Press("1", after_ms=1500), Press("1", after_ms=2000), Press("1", after_ms=1000))
    assert told.reason == "silent"
    assert told.words.count("en/please_listen") == 1
    assert [heard.complete for heard in told.heard].count(False) == 1


def test_keys_typed_ahead_are_dropped_before_it_speaks_and_confirm_nothing() -> None:
    text = READ_BACK.replace("begin: {", "begin: {say: welcome, interrupt: none, then: ask}\n  ask: {")
    told = run(text, Story((Press("12311", after_ms=300),)))
    assert told.reason == "silent"
    assert told.words[-8:] == WORDS + QUESTION
    assert "en/please_listen" not in told.words


def test_no_counts_at_any_time() -> None:
    early = read_back(Press("2", after_ms=100))
    assert (early.reason, early.words[1:]) == ("declined", ["en/you_entered"])
    assert early.seconds == pytest.approx(BEFORE_READ_BACK_S + 0.1)
    assert read_back(*press("2")).reason == "declined"


def test_key_that_says_neither_does_not_stop_the_values_and_is_a_wrong_key_after_them() -> None:
    early = read_back(Press("7", after_ms=500), *press("1"))
    assert (early.reason, early.words[1:]) == ("confirmed", WORDS + QUESTION)
    late = read_back(*press("7", "7", "7"))
    assert late.reason == "wrong"
    assert late.words.count("en/wrong_key") == 2
    assert late.words.count("en/you_entered") == 3


def test_silence_is_told_and_the_values_are_read_back_again() -> None:
    told = read_back()
    assert told.reason == "silent"
    assert told.words[1:] == (WORDS + QUESTION + ["en/nothing_heard"]) * 2 + WORDS + QUESTION


def test_other_keys_may_say_yes_and_no_and_are_named() -> None:
    text = READ_BACK.replace("then: good", "'yes': hash, 'no': star, then: good")
    told = run(text, Story((HearOut(), Press("123"), *press("#"))))
    assert told.reason == "confirmed"
    assert told.words[-4:] == ["en/confirm_yes", "en/press_hash", "en/confirm_no", "en/press_star"]


def test_hash_that_ends_the_number_neither_confirms_nor_cuts_the_values_short() -> None:
    text = READ_BACK.replace("then: good", "'yes': hash, then: good")
    told = run(text, Story((HearOut(), Press("123#"))))
    assert told.reason == "silent"
    assert "en/please_listen" not in told.words


@given(
    presses=st.lists(st.tuples(st.sampled_from("127#*"), st.integers(0, 9000)), max_size=8),
    slow=st.booleans(),
)
def test_whatever_is_pressed_and_when_nothing_is_confirmed_that_was_not_heard(
    presses: list[tuple[str, int]], *, slow: bool
) -> None:
    told = read_back(*(Press(key, after_ms=after_ms if slow else after_ms // 6) for key, after_ms in presses))
    heard = [heard.prompt for heard in told.heard if heard.complete]
    whole = [at for at in range(len(heard)) if heard[at : at + len(WORDS)] == WORDS]
    if told.reason == "confirmed":
        assert whole
        assert "1" in [key for key, _ in presses]
    assert told.seconds <= 200


def test_only_variables_that_are_read_out_by_themselves_are_confirmed() -> None:
    steps = """
        begin: {set: {m: 1.00 CNY, fee: 0.50 CNY, account: "'6225'", kind: card}, then: check}
        check: {confirm: [{amount: m}, {amount: m + fee}, {masked: account}, 'account_credit_{kind}'], then: end,
          when: {declined: end, no_input: end, no_match: end}}
        end: {hang_up: done}
        """
    top = "variables: {m: money, fee: money, account: personal digits, kind: one of (card)}\n"
    library = library_of(a=flow(steps, top=top))
    assert library.findings == ()
    check = library.flows["a"].steps["check"]
    (yes,) = [way for way in check.ways if way.confirms]
    assert (yes.outcome, yes.by) == ("confirmed", By.CALLER)
    assert yes.confirms == {"m", "account", "kind"}
    assert check.reads == {"m", "fee", "account", "kind"}
    assert check.tells == {"account"}


def test_key_that_works_everywhere_works_while_values_are_read_back() -> None:
    text = READ_BACK.replace("steps:", "everywhere: {0: human}\nsteps:") + "  human: {hang_up: human}\n"
    early = run(text, Story((HearOut(), Press("123"), Press("0", after_ms=200))))
    assert early.reason == "human"
    late = run(text, Story((HearOut(), Press("123"), *press("0"))))
    assert (late.reason, late.trace[-2].outcome) == ("human", "key 0")


def test_step_says_how_long_it_may_last_and_how_long_it_is_heard() -> None:
    slowest = flow(
        """
        begin: {confirm: welcome, tries: 5, first_key: 10 s, then: end,
          when: {declined: end, no_input: end, no_match: end}}
        end: {hang_up: done}
        """
    )
    step = library_of(a=slowest).flows["a"].steps["begin"]
    assert step.heard_ms < step.longest_ms
    assert step.longest_ms > 5 * (step.heard_ms + 10_000)
