"""What callers type: numbers, amounts, dates, checks and limits; and how long they may take."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.nodes.checks import is_weak_pin, luhn
from ivr_engine.flow.values import Value
from ivr_engine.simulator.line import HearOut, Press
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits
from tests.flow.calls import Story, Told
from tests.flow.test_hotline import press
from tests.flow.test_runner import run
from tests.flow.world import flow, library_of

ENDS: Final = ("no_input", "too_short", "not_valid", "cancelled")


def asking(kind: str, keys: str = "") -> str:
    """Return a flow that asks for a variable `n` of a type, with further keys in the step; it ends with the outcome."""
    whole = asking_with_ends(kind, keys, ENDS)
    unreached = " ".join(finding.message for finding in library_of(a=whole).findings if finding.code == "E207")
    return asking_with_ends(kind, keys, [end for end in ENDS if f"'{end}'" not in unreached])


def asking_with_ends(kind: str, keys: str, ends: Sequence[str]) -> str:
    ending = "".join(f"{end}: {{hang_up: {end}}}\n" for end in (*ends, "done"))
    otherwise = ", ".join(f"{end}: {end}" for end in ends)
    step = ", ".join(filter(None, ("collect: n", "prompt: enter_customer_number", keys, "then: done")))
    return flow(f"begin: {{{step}}}\n{ending}", top=f"variables: {{n: {kind}}}\notherwise: {{{otherwise}}}\n")


def typed(text: str, *keys: str) -> Value | str:
    """Type these entries, and return the value, or the outcome when there is none."""
    told = run(text, Story(press(*keys)))
    return told.variables.get("n", told.reason)


def cny(minor: int) -> Money:
    return Money(minor, Currency.CNY)


@pytest.mark.parametrize(("keys", "value"), [("7#", 7), ("007#", 7), ("123456789", 123456789), ("0#", 0)])
def test_number_is_typed_digit_by_digit(keys: str, value: int) -> None:
    assert typed(asking("number"), keys) == value


@pytest.mark.parametrize(
    ("keys", "minor"),
    [("500#", 50000), ("12*5#", 1250), ("12*50#", 1250), ("*50#", 50), ("12*#", 1200), ("0*01#", 1), ("0#", 0)],
)
def test_amount_is_whole_units_and_after_the_star_at_most_two_places(keys: str, minor: int) -> None:
    assert typed(asking("money", "currency: CNY"), keys) == cny(minor)


@pytest.mark.parametrize("keys", ["12*345#", "1*2*3#", "*#", "**#"])
def test_keys_that_are_no_amount_are_not_valid_and_asked_for_again(keys: str) -> None:
    told = run(asking("money", "currency: CNY"), Story(press(keys, "5#")))
    assert told.variables["n"] == cny(500)
    assert told.words[:3] == ["en/enter_customer_number", "en/not_valid", "en/enter_customer_number"]
    assert typed(asking("money", "currency: CNY"), keys, keys, keys) == "not_valid"


@given(minor=st.integers(0, 10**11))
def test_amount_is_exact_to_the_last_minor_unit(minor: int) -> None:
    text = asking("money", "currency: CNY, length: 1 to 18")
    assert typed(text, f"{minor // 100}*{minor % 100:02}#") == cny(minor)


def test_date_is_eight_keys_year_month_day() -> None:
    assert typed(asking("date"), "20240229") == date(2024, 2, 29)


@pytest.mark.parametrize("keys", ["20230229", "20241301", "00000101", "20240100"])
def test_day_that_is_in_no_calendar_is_not_valid(keys: str) -> None:
    assert typed(asking("date"), keys, keys, keys) == "not_valid"
    assert typed(asking("date"), keys, "20240101") == date(2024, 1, 1)


def test_date_with_fewer_keys_is_too_short() -> None:
    assert typed(asking("date"), "2024#", "2024#", "2024#") == "too_short"


def test_number_with_a_wrong_check_digit_is_asked_for_again() -> None:
    text = asking("digits", "length: 4 to 19, check: luhn")
    assert typed(text, "4111111111111112#", "4111111111111111#") == "4111111111111111"
    assert typed(text, *["4111111111111112#"] * 3) == "not_valid"


@given(digits=st.text("0123456789", min_size=1, max_size=18), at=st.integers(0, 17), other=st.integers(1, 9))
def test_luhn_has_one_right_check_digit_and_notices_every_single_wrong_one(digits: str, at: int, other: int) -> None:
    right = [digits + check for check in "0123456789" if luhn(digits + check)]
    assert len(right) == 1
    place = at % len(digits)
    changed = digits[:place] + str((int(digits[place]) + other) % 10) + digits[place + 1 :]
    assert not luhn(changed + right[0][-1])


@pytest.mark.parametrize("number", ["4111111111111111", "79927398713", "5500005555555559"])
def test_luhn_takes_numbers_that_are_known_to_be_right(number: str) -> None:
    assert luhn(number)


@pytest.mark.parametrize(
    ("kind", "keys", "below", "within", "above", "value"),
    [
        ("number", "least: 10, most: 20", "9#", "10#", "21#", 10),
        ("money", "currency: CNY, least: 0.01 CNY, most: 100.00 CNY", "0#", "100#", "100*01#", cny(10000)),
    ],
)
def test_value_beyond_a_limit_counts_as_a_try(
    kind: str, keys: str, below: str, within: str, above: str, value: Value
) -> None:
    assert typed(asking(kind, keys), below, above, within) == value
    assert typed(asking(kind, keys), below, above, below) == "not_valid"


def test_limit_may_be_a_variable() -> None:
    steps = """
        first: {set: {highest: 20.00 CNY}, then: begin}
        begin: {collect: n, prompt: enter_pin, currency: CNY, most: highest, tries: 1, then: end,
          when: {no_input: end, not_valid: wrong}}
        wrong: {hang_up: not_valid}
        end: {hang_up: done}
        """
    text = flow(steps, top="variables: {n: money, highest: money}\n", start="first")
    assert library_of(a=text).flows["a"].steps["begin"].reads == {"highest"}
    assert typed(text, "20#") == cny(2000)
    assert typed(text, "20*01#") == "not_valid"


def test_day_may_be_limited_by_another_day() -> None:
    steps = """
        begin: {collect: since, prompt: enter_pin, then: ask, when: {no_input: end, too_short: end, not_valid: end}}
        ask: {collect: n, prompt: enter_pin, least: since, tries: 1, then: end,
          when: {no_input: end, too_short: end, not_valid: wrong}}
        wrong: {hang_up: not_valid}
        end: {hang_up: done}
        """
    text = flow(steps, top="variables: {n: date, since: date}\n")
    assert typed(text, "20240110", "20240110") == date(2024, 1, 10)
    assert typed(text, "20240110", "20240109") == "not_valid"


def test_limit_that_turns_out_to_be_in_another_currency_takes_no_amount_and_ends_no_call() -> None:
    steps = """
        first: {set: {highest: 20.00 USD}, then: begin}
        begin: {collect: n, prompt: enter_pin, currency: CNY, most: highest, tries: 1, then: end,
          when: {no_input: end, not_valid: wrong}}
        wrong: {hang_up: not_valid}
        end: {hang_up: done}
        """
    text = flow(steps, top="variables: {n: money, highest: money}\n", start="first")
    assert typed(text, "1#") == "not_valid"


def test_outcome_is_that_of_the_last_try() -> None:
    text = asking("number", "length: 2 to 4, most: 50")
    assert typed(text, "99#", "1#", "") == "no_input"
    assert typed(text, "", "99#", "1#") == "too_short"
    assert typed(text, "1#", "", "99#") == "not_valid"


def test_only_an_entry_that_can_be_wrong_needs_an_arm_for_it() -> None:
    def outcomes(kind: str, keys: str) -> tuple[str, ...]:
        library = library_of(a=asking(kind, keys))
        assert library.findings == ()
        return library.flows["a"].steps["begin"].outcomes

    assert outcomes("digits", "length: 4") == ("collected", "no_input", "too_short")
    assert outcomes("number", "cancel: star") == ("collected", "cancelled", "no_input")
    assert outcomes("number", "least: 1") == ("collected", "no_input", "not_valid")
    assert outcomes("date", "") == ("collected", "no_input", "too_short", "not_valid")


# --- how long it may take --------------------------------------------------------------------------------------------


def test_nothing_is_asked_again_when_the_time_in_all_is_over() -> None:
    told = run(asking("digits", "length: 4, in_all: 10 s"))
    assert told.reason == "no_input"
    assert told.words.count("en/enter_customer_number") == 2
    assert told.seconds == pytest.approx(1 + 6 + 2 + 6)


def test_caller_who_is_typing_when_the_time_in_all_is_over_is_not_cut_off() -> None:
    told = run(asking("digits", "length: 4, in_all: 5 s"), Story((HearOut(), Press("1234", every_ms=5900))))
    assert told.variables["n"] == "1234"
    assert told.seconds > 15


def test_step_with_a_time_in_all_is_bounded_by_it() -> None:
    def longest(keys: str) -> int:
        return library_of(a=asking("digits", keys)).flows["a"].steps["begin"].longest_ms

    assert longest("length: 4, tries: 5, in_all: 10 s") < longest("length: 4, tries: 2") + 10_000
    assert longest("length: 4, tries: 1, in_all: 10 min") == longest("length: 4, tries: 1")


# --- interrupt -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("interrupt", "whole"), [("any", False), ("valid", True), ("none", True)])
def test_prompt_of_an_entry_is_stopped_by_the_keys_that_its_interrupt_names(interrupt: str, *, whole: bool) -> None:
    told = run(asking("digits", f"length: 4, interrupt: {interrupt}"), Story((Press("*", after_ms=100),)))
    first_try = itertools.takewhile(lambda heard: heard.prompt == "en/enter_customer_number", told.heard)
    assert any(heard.complete for heard in first_try) is whole


def test_star_may_begin_an_amount_and_so_stops_its_prompt() -> None:
    told = run(asking("money", "currency: CNY, interrupt: valid"), Story((Press("*50#", after_ms=100),)))
    assert told.variables["n"] == cny(50)
    assert not told.heard[0].complete


# --- new PINs --------------------------------------------------------------------------------------------------------

NEW_PIN: Final = flow(
    """
    begin: {secret: pin, prompt: enter_pin, length: 6, check: weak_pin, then: end,
      when: {no_input: end, too_short: end, not_valid: weak}}
    weak: {hang_up: not_valid}
    end: {hang_up: done}
    """,
    top="variables: {pin: secret}\n",
)
WEAK: Final = (
    "123456",
    "654321",
    "890123",
    "321098",
    "111111",
    "000000",
    "121212",
    "123123",
    "112233",
    "900315",
    "000229",
)
STRONG: Final = ("246810", "135802", "918273", "900230", "991301", "010229")


def new_pin(*pins: str) -> Told:
    return run(NEW_PIN, Story(press(*pins)))


@pytest.mark.parametrize("pin", WEAK)
def test_new_pin_that_is_guessed_first_is_refused_with_the_reason(pin: str) -> None:
    told = new_pin(pin, "246810")
    assert told.reason == "done"
    assert told.words[:3] == ["en/enter_pin", "en/pin_too_simple", "en/enter_pin"]
    assert told.secrets_left == 0
    assert new_pin(pin, pin, pin).reason == "not_valid"


@pytest.mark.parametrize("pin", STRONG)
def test_other_new_pins_are_taken(pin: str) -> None:
    assert new_pin(pin).words == ["en/enter_pin"]


def test_weak_pins_are_few_enough_that_a_customer_finds_one_that_is_not() -> None:
    weak = sum(is_weak_pin(SecretDigits(f"{pin:06}".encode())) for pin in range(0, 1_000_000, 7))
    assert weak * 7 < 50_000


def test_pin_of_other_keys_than_digits_is_weak() -> None:
    assert is_weak_pin(SecretDigits(b"12*456"))
    assert is_weak_pin(SecretDigits(b"1212"))
    assert not is_weak_pin(SecretDigits(b"1928"))


def test_pin_that_signs_in_is_not_judged_by_its_strength() -> None:
    text = (
        NEW_PIN.replace("check: weak_pin, ", "")
        .replace(", not_valid: weak", "")
        .replace("  weak: {hang_up: not_valid}\n", "")
    )
    assert run(text, Story(press("111111"))).words == ["en/enter_pin"]
