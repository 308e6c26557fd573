"""Every mistake in a test has its code, its place and its words; and what is written well means what it says."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.banking.model import AccountKind
from ivr_engine.flow.call import QueueOutcome
from ivr_engine.flow.codes import CODES
from ivr_engine.scenarios.findings import TEST_CODES
from ivr_engine.scenarios.model import Answer, Busy, HangUp, Hear, Moved, Press, Typed, Wait, Wanted
from ivr_engine.scenarios.reading import read_scenario
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.secret import SecretDigits
from tests.flow.test_findings import PROGRAMMERS_WORDS
from tests.scenarios.world import known, scenario_of

HEAD: Final = re.compile(r"([ET]\d+) (\d+:\d+) \| (.+) \| (.+)")


def mistakes() -> Mapping[str, tuple[re.Match[str], str]]:
    text = pathlib.Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8")
    found = {}
    for section in re.split(r"^==== ", text, flags=re.MULTILINE)[1:]:
        name, head, written = section.split("\n", 2)
        parsed = HEAD.fullmatch(head)
        assert parsed is not None, head
        assert name not in found
        found[name] = parsed, written
    return MappingProxyType(found)


MISTAKES: Final = mistakes()


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_found_at_its_place_in_plain_words_and_nothing_else_is(name: str) -> None:
    head, written = MISTAKES[name]
    scenario, findings = read_scenario("a.test.yaml", written, known())
    shown = "\n".join(finding.render() for finding in findings)
    code, at, message, mend = head.groups()
    assert scenario is None
    assert [(finding.code, str(finding.place)) for finding in findings] == [(code, f"a.test.yaml:{at}")], shown
    assert message in findings[0].message, shown
    assert mend in findings[0].mend, shown
    quoted_away = re.sub(r"'[^']*'|`[^`]*`", "", f"{findings[0].message} {findings[0].mend}")
    assert not PROGRAMMERS_WORDS.search(quoted_away), shown


def test_every_code_of_tests_is_raised_by_some_mistake() -> None:
    assert set(TEST_CODES) == {head.group(1) for head, _ in MISTAKES.values()} - set(CODES)


def test_codes_of_tests_and_of_flows_are_different() -> None:
    assert not set(TEST_CODES) & set(CODES)


@pytest.mark.parametrize("code", TEST_CODES)
def test_explanation_is_whole_sentences_for_a_clerk(code: str) -> None:
    explained = TEST_CODES[code]
    assert explained.explanation.endswith(".")
    assert not PROGRAMMERS_WORDS.search(re.sub(r"`[^`]*`", "", f"{explained.title} {explained.explanation}"))


def test_all_mistakes_of_a_test_are_told_at_once() -> None:
    written = "ivr_test: 1\ntitle: A\nlanguage: en\nsteps:\n  - hear: welcom\n  - press: one\n  - type: pin\n"
    _, findings = read_scenario("a.test.yaml", written, known())
    assert [(finding.code, finding.place.line) for finding in findings] == [("T106", 5), ("T104", 6), ("T109", 7)]


def agents_of(written: str) -> QueueOutcome | Busy | None:
    text = f"ivr_test: 1\ntitle: A\nlanguage: en\ngiven:\n  agents: {written}\nsteps: []\n"
    scenario, findings = read_scenario("a.test.yaml", text, known())
    assert scenario is not None, findings
    return scenario.given.agents


def test_agent_asks_for_a_secret_when_the_test_says_so() -> None:
    text = "ivr_test: 1\ntitle: A\nlanguage: en\ngiven: {asks secret: yes}\nsteps: []\n"
    scenario, findings = read_scenario("a.test.yaml", text, known())
    assert scenario is not None, findings
    assert scenario.given.asks_secret


def test_agents_are_free_after_a_while_with_others_before_and_talks_that_were() -> None:
    assert agents_of("free after 45 s") == Busy(45_000)
    written = "{free after: 2 min, waiting before: 3, talks take: 90 s}"
    assert agents_of(written) == Busy(120_000, 3, 90_000)
    assert agents_of("timed_out") is QueueOutcome.TIMED_OUT


def test_mistake_reads_so() -> None:
    written = "ivr_test: 1\ntitle: A\nlanguage: en\nsteps:\n  - hear: welcom\n"
    _, findings = read_scenario("a.test.yaml", written, known())
    assert [finding.render() for finding in findings] == [
        (
            "a.test.yaml:5:11  T106  there is no recording 'welcom'\n"
            "     5 |   - hear: welcom\n"
            "       |           ^\n"
            "  mend: did you mean 'welcome'?; more: ivr explain T106"
        )
    ]


WHOLE: Final = """
    ivr_test: 1
    title: Everything that a test may say
    flow: hotline
    language: yue
    given:
      customer:
        number: 620001
        pin: 246810
        name: 陳嘉欣
        wrong pins before: 2
        accounts:
          - number: "6225880012345678"
            kind: credit_card
            booked: -1,344.60 HKD
            held: 5 HKD
            credit line: 20000 HKD
            movements:
              - {amount: -1299 HKD, on: 2026-01-04, text: shop}
              - {amount: -10.60 HKD, days ago: 3}
          - {number: "6225880012345686", kind: current, booked: 0 HKD}
      bank: answers in 500 ms
      answers: {transaction: none, account: none after 3 times}
      agents: full
      time: 2026-02-03 09:30
    steps:
      - {hear: [welcome, ..., choose_language], within: 2 min}
      - {press: "2", during: main_menu, after: 300 ms, every: 200 ms}
      - hear: [cmn/welcome, main_menu, {number: 12}]
      - type: 620001#
      - type: wrong pin
      - press: star
      - wait: 7 s
      - hang up
    expect:
      ends: caller_hung_up
      heard in order: [..., main_menu]
      never heard: [goodbye]
      operations: [sign_in: refused, account]
      milestones: [balance_heard, money_moved]
      money moved:
        - {from: "6225880012345678", to: "6225880012345686", amount: 12.30 HKD}
      seconds until a human: under 1 min
    """


def test_everything_that_a_test_may_say_is_understood() -> None:
    scenario = scenario_of(WHOLE)
    assert (scenario.flow, scenario.language) == ("hotline", Language.CANTONESE)
    world = scenario.given
    assert (world.answer_after_s, dict(world.answers), world.agents) == (
        0.5,
        {"transaction": Answer("none"), "account": Answer("none", 3)},
        QueueOutcome.FULL,
    )
    assert world.begins == datetime(2026, 2, 3, 9, 30, tzinfo=UTC)
    customer = world.customer
    assert customer is not None
    assert (customer.number, customer.name, customer.wrong_pins) == ("620001", "陳嘉欣", 2)
    assert customer.pin.same_as(SecretDigits(b"246810"))
    account, other = customer.accounts
    hkd = Currency.HKD
    assert (account.kind, account.booked, account.held) == (
        AccountKind.CREDIT_CARD,
        Money(-134_460, hkd),
        Money(500, hkd),
    )
    assert [movement.amount.minor for movement in account.movements] == [-129_900, -1_060]
    assert account.movements[0].on == date(2026, 1, 4)
    expected = scenario.expected
    assert expected.operations == (("sign_in", "refused"), ("account", None))
    assert (expected.ends, expected.human_within_s) == ("caller_hung_up", 60.0)
    assert expected.milestones == ("balance_heard", "money_moved")
    assert expected.moved == (Moved(account.number, other.number, Money(1_230, hkd)),)
    assert expected.never_heard == (Wanted("goodbye"),)


def test_steps_are_understood_in_their_order() -> None:
    steps = scenario_of(WHOLE).steps
    assert [type(step) for step in steps] == [Hear, Press, Hear, Press, Press, Press, Wait, HangUp]
    first, key, heard, number, pin, star, wait, _ = steps
    assert isinstance(first, Hear)
    assert (first.listing.others_before, first.within_ms) == (frozenset({1}), 120_000)
    assert isinstance(key, Press)
    assert (key.keys, key.every_ms, key.during, key.after_ms) == ("2", 200, Wanted("main_menu"), 300)
    assert isinstance(heard, Hear)
    assert [str(one) for one in heard.listing.wanted][:2] == ["cmn/welcome", "yue/main_menu"]
    assert isinstance(number, Press)
    assert (number.typed, number.keys) == (Typed.NUMBER, "")
    assert isinstance(pin, Press)
    assert pin.typed is Typed.WRONG_PIN
    assert isinstance(star, Press)
    assert star.keys == "*"
    assert isinstance(wait, Wait)
    assert wait.milliseconds == 7000


def test_recording_is_in_any_language_until_the_first_key_and_then_in_the_tests() -> None:
    scenario = scenario_of("language: en\nsteps:\n  - hear: welcome\n  - press: 3\n  - hear: main_menu\n")
    listings = [step.listing for step in scenario.steps if isinstance(step, Hear)]
    assert [listing.wanted for listing in listings] == [
        (Wanted("welcome"),),
        (Wanted("main_menu", Language.ENGLISH),),
    ]


def test_movement_before_the_written_ones_makes_up_what_is_booked() -> None:
    customer = scenario_of(WHOLE).given.customer
    assert customer is not None
    movements = customer.accounts[0].all_movements
    assert sum(movement.amount.minor for movement in movements) == -134_460
    assert len(movements) == 3
    assert movements[-1].days_ago == 3


@given(st.text())
def test_no_text_whatever_brings_the_reader_down(text: str) -> None:
    scenario, findings = read_scenario("a.test.yaml", text, known())
    assert (scenario is None) == bool(findings)


SCALARS: Final = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["pin", "...", "1"])
TREES: Final = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["hear", "press", "type", "wait", "during", "customer", "number", "pin", "accounts", "bank", "answers"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(st.fixed_dictionaries({"given": TREES, "steps": TREES, "expect": TREES}))
def test_no_values_whatever_bring_the_reader_down(values: dict[str, object]) -> None:
    body = "\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items())
    scenario, findings = read_scenario("a.test.yaml", f"ivr_test: 1\ntitle: A\nlanguage: en\n{body}\n", known())
    assert (scenario is None) == bool(findings)
