"""Every mistake has its code, its place and its words; nothing else is found beside it."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.flow.findings import CODES, Finding, Place, did_you_mean
from ivr_engine.flow.wording import Text
from tests.flow.mistakes import mistakes
from tests.flow.world import findings_of, flow, library_of, shipped

END: Final = "end: {hang_up: completed}\n"
MISTAKES: Final = MappingProxyType(mistakes())

SAID_IN_CHINESE: Final = ("E12", "E24", "E51", "E61", "E71")
"""Codes whose words remember how they were made."""

PROGRAMMERS_WORDS: Final = re.compile(
    r"\b(dict|dictionary|str|string|int|integer|bool|boolean|tuple|parse|parser|token|null|None|exception|invalid|"
    r"input should|valid|schema|enum|mapping|scalar|node|runtime|codec|identifier)\b"
)


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_is_found_at_its_place_and_nothing_else_is(name: str) -> None:
    mistake = MISTAKES[name]
    found = library_of(**mistake.files).findings
    shown = "\n".join(finding.render() for finding in found)
    assert [(finding.code, str(finding.place)) for finding in found] == [(mistake.code, f"a.yaml:{mistake.at}")], shown
    assert mistake.message in found[0].message, shown
    assert mistake.mend in found[0].mend, shown


def test_every_code_is_raised_by_some_mistake() -> None:
    never_raised = sorted(set(CODES) - {mistake.code for mistake in MISTAKES.values()})
    assert never_raised == []


def test_every_finding_has_a_code_that_can_be_explained() -> None:
    unknown = {mistake.code for mistake in MISTAKES.values()} - set(CODES)
    assert unknown == set()


@pytest.mark.parametrize("name", MISTAKES)
def test_words_are_for_a_clerk_and_not_for_a_programmer(name: str) -> None:
    mistake = MISTAKES[name]
    for finding in library_of(**mistake.files).findings:
        quoted_away = re.sub(r"'[^']*'|`[^`]*`", "", f"{finding.message} {finding.mend}")
        assert not PROGRAMMERS_WORDS.search(quoted_away), finding.render()


@pytest.mark.parametrize("name", [name for name, mistake in MISTAKES.items() if mistake.code[:3] in SAID_IN_CHINESE])
def test_words_of_a_mistake_can_be_said_in_another_language(name: str) -> None:
    for finding in library_of(**MISTAKES[name].files).findings:
        assert isinstance(finding.message, Text)


@pytest.mark.parametrize("code", CODES)
def test_explanation_is_whole_sentences_for_a_clerk(code: str) -> None:
    explained = CODES[code]
    assert explained.explanation.endswith(".")
    assert not PROGRAMMERS_WORDS.search(re.sub(r"`[^`]*`", "", f"{explained.title} {explained.explanation}"))


def test_shipped_flows_have_no_finding() -> None:
    assert shipped().findings == ()


@pytest.mark.parametrize(
    "written", ["on", "yes", "no", "off", "0123", "1_000", "12:30", "0x1f", "1e3", "2026-01-05", "~x"]
)
def test_word_that_yaml_would_turn_into_something_else_stays_what_was_written(written: str) -> None:
    library = library_of(a=f"ivr: 1\ntitle: {written}\nstart: {written}\nsteps:\n  {written}: {{hang_up: done}}\n")
    assert library.findings == ()
    assert library.flows["a"].title == library.flows["a"].start == written


def test_key_of_two_digits_with_a_leading_nought_is_not_a_number() -> None:
    steps = "begin: {menu: main_menu, keys: {01: end, 1: end}, when: {no_input: end, no_match: end}}\n"
    library = library_of(a=flow(steps + END))
    assert library.findings == ()
    assert library.flows["a"].steps["begin"].outcomes[:2] == ("key 01", "key 1")


def test_flow_that_cannot_be_read_is_blamed_itself_and_not_those_that_run_it() -> None:
    runs = flow("begin: {run: broken, when: {good: end, bad: end}}\n" + END)
    found = library_of(a=runs, broken="ivr: 1\ntitle: 'oops\n").findings
    assert [(finding.code, finding.place.file) for finding in found] == [("E101", "broken.yaml")]


def test_flows_that_run_each_other_are_blamed_once_for_each_circle() -> None:
    def runs(other: str) -> str:
        return flow(f"begin: {{run: {other}, when: {{good: back}}}}\nback: {{return: good}}", top="outcomes: [good]\n")

    found = library_of(a=runs("b"), b=runs("c"), c=runs("b"), d=runs("d")).findings
    assert [(finding.code, str(finding.place), finding.message) for finding in found] == [
        ("E602", "b.yaml:7:3", "these flows run each other: b > c > b"),
        ("E602", "d.yaml:7:3", "these flows run each other: d > d"),
    ]


def test_several_mistakes_are_told_in_the_order_of_the_file() -> None:
    found = findings_of(flow("begin: {say: welcom, then: nowhere}\nold: {hang_up: done}\n"))
    assert [finding.code for finding in found] == ["E401", "E206"]


def test_steps_nobody_reaches_are_told_when_the_rest_is_sound() -> None:
    found = findings_of(flow("begin: {hang_up: done}\nold: {say: welcome, then: older}\nolder: {hang_up: done}\n"))
    assert [(finding.code, finding.place.line) for finding in found] == [("E207", 7), ("E207", 8)]


def test_missing_arm_reads_so() -> None:
    found = findings_of(flow("begin:\n  menu: main_menu\n  keys: {1: end}\n  when: {no_match: end}\n" + END))
    assert [finding.render() for finding in found] == [
        (
            "a.yaml:6:3  E204  step 'begin' has no arm for 'no_input'\n"
            "     6 |   begin:\n"
            "       |   ^\n"
            "  mend: add `no_input: <step>` under `when`; more: ivr explain E204"
        )
    ]


def test_full_width_colon_reads_so_and_the_mark_stands_below_it_on_a_terminal() -> None:
    found = findings_of("ivr: 1\n标题：柜台\nstart: a\n")
    assert [finding.render() for finding in found] == [
        (
            "a.yaml:2:3  E101  a full-width colon (：) stands here\n"
            "     2 | 标题：柜台\n"
            "       |     ^\n"
            "  mend: write a plain colon and a space (: ); more: ivr explain E101"
        )
    ]


def test_expression_is_marked_at_its_own_column() -> None:
    steps = "begin:\n  if: signed_in and langauge = en\n  then: end\n  else: end\n"
    assert [finding.render() for finding in findings_of(flow(steps + END))] == [
        (
            "a.yaml:7:23  E301  there is no variable 'langauge'\n"
            "     7 |     if: signed_in and langauge = en\n"
            "       |                       ^\n"
            "  mend: did you mean 'language'?; more: ivr explain E301"
        )
    ]


def test_finding_cannot_change_the_terminal_that_shows_it() -> None:
    place = Place("a.yaml", 1, 1)
    shown = Finding(place, "E112", "'\x1b[31m'", "x", "\x1b]0;title\x07").render()
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_nearest_word_is_offered_or_else_all_of_them() -> None:
    assert did_you_mean("welcom", ["welcome", "goodbye"]) == "did you mean 'welcome'?"
    assert did_you_mean("xyz", ["welcome", "goodbye"]) == "use one of: goodbye, welcome"
    assert did_you_mean("xyz", []) == "there is none to choose from yet"
