"""Every mistake has its code, its place and its words; nothing else is found beside it."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.flow.codes import CODES
from ivr_engine.flow.findings import Finding, Place, did_you_mean
from ivr_engine.flow.wording import Text, Wording
from tests.flow.mistakes import mistakes
from tests.flow.world import findings_of, flow, library_of, proved_library_of, shipped

END: Final = "end: {hang_up: completed}\n"
HUMAN: Final = "human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}\n"
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
    library = proved_library_of(**mistake.files)
    found = (*library.findings, *library.advice)
    shown = "\n".join(finding.render() for finding in found)
    assert [(finding.code, str(finding.place)) for finding in found] == [(mistake.code, f"a.yaml:{mistake.at}")], shown
    assert mistake.message in found[0].message, shown
    assert mistake.mend in found[0].mend, shown


def test_every_code_is_raised_by_some_mistake() -> None:
    elsewhere = {"W903"}  # needs prompts with other words: test_experience.py
    elsewhere |= {"E412", "E414"}  # stand in files of messages: test_messages.py
    never_raised = sorted(set(CODES) - {mistake.code for mistake in MISTAKES.values()} - elsewhere)
    assert never_raised == []


def test_every_finding_has_a_code_that_can_be_explained() -> None:
    unknown = {mistake.code for mistake in MISTAKES.values()} - set(CODES)
    assert unknown == set()


@pytest.mark.parametrize("name", MISTAKES)
def test_words_are_for_a_clerk_and_not_for_a_programmer(name: str) -> None:
    mistake = MISTAKES[name]
    library = proved_library_of(**mistake.files)
    for finding in (*library.findings, *library.advice):
        quoted_away = re.sub(r"'[^']*'|`[^`]*`", "", f"{finding.message} {finding.mend}")
        assert not PROGRAMMERS_WORDS.search(quoted_away), finding.render()


@pytest.mark.parametrize("name", [name for name, mistake in MISTAKES.items() if mistake.code[:3] in SAID_IN_CHINESE])
def test_words_of_a_mistake_can_be_said_in_another_language(name: str) -> None:
    library = proved_library_of(**MISTAKES[name].files)
    for finding in (*library.findings, *library.advice):
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
    steps = "begin: {menu: main_menu, keys: {01: end, 1: end, 0: human}, when: {no_input: end, no_match: end}}\n"
    library = library_of(a=flow(steps + HUMAN + END))
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


BROKEN_QUOTE: Final = "ivr: 1\ntitle: 'oops\n"
UNKNOWN_RUN: Final = "begin: {run: other, into: {k: n}, then: tell, when: {bad: end}}\n"
UNKNOWN_OPERATION: Final = "begin: {do: acount, with: {position: 1}, into: {k: n}, then: tell, when: {none: end}}\n"


@pytest.mark.parametrize(
    ("steps", "others", "codes"),
    [
        (UNKNOWN_RUN, {"other": BROKEN_QUOTE}, ["E101"]),
        (UNKNOWN_RUN, {}, ["E601"]),
        (UNKNOWN_OPERATION, {}, ["E501"]),
    ],
)
def test_arms_and_results_of_what_cannot_be_known_are_not_blamed(
    steps: str, others: dict[str, str], codes: list[str]
) -> None:
    tell = "tell: {say: [{number: n}], then: end}\n"
    text = flow(steps + tell + END, top="variables: {n: number}\notherwise: {unavailable: end}\n")
    assert [finding.code for finding in findings_of(text, **others)] == codes


def test_mistakes_of_all_files_are_told_at_once_by_file_and_line() -> None:
    found = findings_of(
        flow("begin: {say: welcom, then: edn}\nlook: {sya: welcome, then: end}\n" + END),
        b="ivr: 1\ntitle: A\nstart: begin\nsteps:\n  begin：\n    say： welcome\n    then: end\n",
        c=flow("begin: {say: welcome, then: end}\nold: {say: good_by, then: end}\n" + END),
        d=flow("begin: {run: b, when: {good: end}}\nask: {do: acount, when: {unavailable: end}}\n" + END),
    )
    assert [(str(finding.place), finding.code) for finding in found] == [
        ("a.yaml:6:16", "E401"),
        ("a.yaml:6:30", "E206"),
        ("a.yaml:7:3", "E201"),
        ("b.yaml:5:8", "E101"),
        ("b.yaml:6:8", "E101"),
        ("c.yaml:7:3", "E207"),
        ("c.yaml:7:14", "E401"),
        ("d.yaml:7:13", "E501"),
    ]


def test_mistake_in_the_title_hides_none_in_the_steps() -> None:
    found = findings_of("ivr: 1\nowmer: me\nstart: begin\nsteps:\n  begin: {say: welcom, then: edn}\n  " + END)
    assert [(str(finding.place), finding.code) for finding in found] == [
        ("a.yaml:1:1", "E111"),
        ("a.yaml:2:1", "E110"),
        ("a.yaml:5:16", "E401"),
        ("a.yaml:5:30", "E206"),
    ]


def test_mistake_on_which_all_steps_depend_hides_none_of_what_a_step_is_by_itself() -> None:
    found = findings_of(
        flow("begin: {say: [{digits: d}], then: end}\nlook: {sya: welcome}\n" + END, top="variabels: {d: digits}\n")
    )
    assert [(str(finding.place), finding.code) for finding in found] == [("a.yaml:5:1", "E110"), ("a.yaml:8:3", "E201")]


def test_key_that_is_misspelt_is_not_missing_as_well() -> None:
    steps = "begin: {collect: d, prompt: enter_pin, lenght: 6, then: end, when: {no_input: end, too_short: end}}\n"
    found = findings_of(flow(steps + END, top="variables: {d: digits}\n"))
    assert [(finding.code, finding.mend) for finding in found] == [("E110", "did you mean 'length'?")]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{type: digits, data_class: personal}", "the type of a variable is expected here, in one text"),
        ("6", "the type of a variable is expected here, in one text"),
        ("cash", "'cash' is no type"),
    ],
)
def test_variable_is_declared_by_one_text(written: str, message: str) -> None:
    (found,) = findings_of(flow("begin: {say: welcome, then: end}\n" + END, top=f"variables: {{n: {written}}}\n"))
    assert (found.code, str(found.message), found.place.line) == ("E112", message, 5)


def test_variable_that_nothing_sets_is_told_where_it_is_read_first_and_not_at_every_step_after() -> None:
    steps = "begin: {say: [{number: n}], then: again}\nagain: {say: [{number: n}], then: end}\n" + END
    found = findings_of(flow(steps, top="variables: {n: number}\n"))
    assert [(finding.code, finding.place.line) for finding in found] == [("E305", 7)]


def test_secret_that_an_operation_has_taken_is_told_at_each_that_takes_it_again() -> None:
    signs_in = "do: sign_in, with: {customer: c, pin: pin}"
    arms = "refused: end, attempts_used: end, locked: end, unavailable: end"
    found = findings_of(
        flow(
            f"""
            begin: {{collect: c, prompt: enter_pin, length: 6, then: ask, when: {{no_input: end, too_short: end}}}}
            ask: {{secret: pin, prompt: enter_pin, length: 6, then: one, when: {{no_input: end, too_short: end}}}}
            one: {{{signs_in}, when: {{signed_in: two, {arms}}}}}
            two: {{{signs_in}, when: {{signed_in: three, {arms}}}}}
            three: {{{signs_in}, when: {{signed_in: end, {arms}}}}}
            end: {{hang_up: completed}}
            """,
            top="variables: {c: personal digits, pin: secret}\n",
        )
    )
    assert [(finding.code, finding.place.line) for finding in found] == [("E305", 10), ("E305", 11)]


def test_prompt_that_lacks_a_language_is_told_once_wherever_it_is_said() -> None:
    found = findings_of(
        flow("begin: {say: a_m, then: again}\nagain: {say: a_m, then: end}\n" + END),
        b=flow("begin: {say: a_m, then: end}\n" + END),
    )
    assert [(str(finding.place), finding.code) for finding in found] == [("a.yaml:6:16", "E402")]


def test_step_that_nobody_reaches_is_told_although_another_step_has_a_mistake() -> None:
    found = findings_of(flow("begin: {say: welcom, then: end}\nold: {say: welcome, then: end}\n" + END))
    assert [finding.code for finding in found] == ["E401", "E207"]


def test_misspelt_step_makes_no_echo_at_the_step_that_was_meant() -> None:
    found = findings_of(flow("begin: {say: welcome, then: edn}\n" + END))
    assert [finding.code for finding in found] == ["E206"]


def test_of_steps_that_nobody_reaches_the_first_is_told_and_a_circle_once() -> None:
    found = findings_of(
        flow(
            """
            begin: {say: welcome, then: end}
            end: {hang_up: completed}
            round: {say: welcome, then: about}
            about: {say: welcome, then: round}
            onto: {say: welcome, then: round}
            alone: {say: welcome, then: alone}
            second: {say: welcome, then: first}
            first: {say: welcome, then: second}
            """
        )
    )
    assert [(finding.code, finding.place.line) for finding in found] == [
        ("E207", 10),
        ("E207", 11),
        ("E207", 12),
    ]


def test_several_mistakes_are_told_in_the_order_of_the_file() -> None:
    found = findings_of(flow("begin: {say: welcom, then: nowhere}\nold: {hang_up: done}\n"))
    assert [finding.code for finding in found] == ["E401", "E206"]


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


def test_finding_in_chinese_reads_so_and_keeps_what_is_written_letter_by_letter() -> None:
    found = findings_of(flow("begin: {say: welcome, thn: end}\n" + END, top="title：测试\n"))
    assert [finding.render(Wording.CHINESE) for finding in found] == [
        (
            "a.yaml:5:6  E101  这里用了全角冒号（：）\n"
            "     5 | title：测试\n"
            "       |      ^\n"
            "  修改方法：改成半角冒号，后面加一个空格（: ）。详见：ivr explain E101"
        )
    ]
    found = findings_of(flow("begin: {say: welcome, then: end, when: {按键: end}, 说: 欢迎, thn: end}\n" + END))
    assert [finding.render(Wording.CHINESE).splitlines()[2:] for finding in found] == [
        [
            f"       | {' ' * 54}^",  # each Chinese character takes two columns
            "  修改方法：请从这些里选一个：“interrupt”、“milestone”、“say”、“then”、“when”。详见：ivr explain E110",
        ],
        [
            f"       | {' ' * 64}^",
            "  修改方法：是不是想写“then”？详见：ivr explain E110",
        ],
    ]


def test_mark_stands_below_its_character_after_marks_that_take_no_column_of_their_own() -> None:
    place = Place("a.yaml", 1, 5)
    shown = Finding(place, "E112", Text("x"), Text("x"), "e\u0301中x: y").render().splitlines()
    assert shown[1:3] == ["     1 | e\u0301中x: y", "       |     ^"]


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
    shown = Finding(place, "E112", Text("'{value}'", value="\x1b[31m"), Text("x"), "\x1b]0;title\x07").render()
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_nearest_word_is_offered_or_else_all_of_them() -> None:
    assert did_you_mean("welcom", ["welcome", "goodbye"]) == "did you mean 'welcome'?"
    assert did_you_mean("xyz", ["welcome", "goodbye"]) == "use one of: goodbye, welcome"
    assert did_you_mean("xyz", []) == "there is none to choose from yet"
