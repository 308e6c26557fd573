"""Who uses a prompt, an operation, a queue or a flow, and where."""

from __future__ import annotations

from typing import Final

import pytest

from ivr_engine.flow.impact import Impact, first_flows, impacts, known_names
from ivr_engine.flow.manual import compiled_sample
from ivr_engine.flow.model import Library
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.samples import sample_of
from ivr_engine.flow.source import read_source
from ivr_engine.flow.step import Step
from ivr_engine.flow.uses import DESTINATIONS, FLOWS, MESSAGES, OPERATIONS, PROMPTS, QUEUES, Use
from tests.flow.test_manual import OTHERS
from tests.flow.world import flow, library_of, shipped, world

CALLED: Final = flow(
    """
    begin: {say: 'account_{kind}', then: ask}
    ask: {do: balance, with: {account: balance}, into: {booked: money}, when: {found: good, not_yours: good,
      unavailable: good}}
    good: {return: good}
    """,
    top="""
    outcomes: [good]
    inputs: {kind: 'one of (current, credit_card)', balance: personal digits}
    variables: {money: personal money}
    """,
)
FIRST: Final = flow(
    """
    begin: {say: welcome, then: main_menu}
    main_menu: {menu: main_menu, keys: {1: deeper, star: main_menu}, when: {no_input: human, no_match: human}}
    deeper: {run: between, when: {good: human}}
    human: {queue: service, hold: [welcome, welcome], when: {answered: end, no_agents: end, full: end, timed_out: end}}
    end: {hang_up: done}
    """
)
BETWEEN: Final = (
    flow(
        """
    begin: {run: called, with: {kind: kind, balance: number}, when: {good: good}}
    good: {return: good}
    """,
        top="""
    outcomes: [good]
    variables: {kind: 'one of (current, credit_card)', number: personal digits}
    """,
    )
    .replace("  begin: {run", "  first: {set: {kind: current, number: \"'1'\"}, then: begin}\n  begin: {run")
    .replace("start: begin", "start: first")
)


def library() -> Library:
    made = library_of(first=FIRST, between=BETWEEN, called=CALLED)
    assert made.findings == (), "\n".join(finding.render() for finding in made.findings)
    return made


def impact(name: str, sort: str) -> Impact:
    return next(one for one in impacts(library(), world(), name) if one.sort == sort)


def places(found: Impact) -> list[str]:
    return [f"{use.place} {use.step}" for use in found.used_by]


def test_prompt_is_found_where_it_is_written() -> None:
    assert places(impact("welcome", PROMPTS)) == ["first.yaml:6:16 begin", "first.yaml:9:34 human"]


def test_prompt_that_is_called_like_a_step_is_not_mistaken_for_the_step() -> None:
    assert places(impact("main_menu", PROMPTS)) == ["first.yaml:7:21 main_menu"]


def test_prompt_with_a_choice_in_its_name_is_found_for_each_word_of_the_choice() -> None:
    for word in ("current", "credit_card"):
        assert places(impact(f"account_{word}", PROMPTS)) == ["called.yaml:9:16 begin"]
    assert not impact("account_time_deposit", PROMPTS).used_by


def test_words_that_belong_to_the_kind_of_step_are_found_at_the_step() -> None:
    assert places(impact("nothing_heard", PROMPTS)) == ["first.yaml:7:3 main_menu"]


def test_operation_that_is_called_like_its_argument_is_found_behind_the_steps_own_word() -> None:
    assert places(impact("balance", OPERATIONS)) == ["called.yaml:10:13 ask"]


def test_queue_and_flow_are_found() -> None:
    assert places(impact("service", QUEUES)) == ["first.yaml:9:18 human"]
    assert places(impact("between", FLOWS)) == ["first.yaml:8:17 deeper"]


def test_first_flow_reaches_what_it_uses_through_the_flows_that_run_one_another() -> None:
    assert impact("balance", OPERATIONS).reached_from == {"first": ("first", "between", "called")}
    assert impact("welcome", PROMPTS).reached_from == {"first": ("first",)}
    assert impact("first", FLOWS).reached_from == {"first": ("first",)}
    assert impact("goodbye", PROMPTS).reached_from == {}


def test_call_may_begin_with_a_flow_that_nobody_runs_and_that_returns_to_nobody() -> None:
    assert first_flows(library()) == ("first",)
    assert first_flows(shipped()) == ("hotline", "pin_service")


def test_everything_that_a_shipped_flow_names_is_known() -> None:
    known = known_names(shipped(), world())
    used = {use for made in shipped().flows.values() for step in made.steps.values() for use in step.uses}
    assert {use.sort for use in used} == {PROMPTS, OPERATIONS, QUEUES, FLOWS, MESSAGES}
    assert all(use.name in known[use.sort] for use in used)


def test_what_there_is_not_has_no_impact() -> None:
    assert impacts(library(), world(), "welcom") == ()


def test_name_of_several_sorts_is_told_for_each() -> None:
    assert {one.sort for one in impacts(shipped(), world(), "main_menu")} == {PROMPTS}
    assert {
        one.sort for one in impacts(library_of(balance=FIRST, between=BETWEEN, called=CALLED), world(), "balance")
    } == {
        FLOWS,
        OPERATIONS,
    }


NAMED: Final = {
    "queue": QUEUES,
    "callback": QUEUES,
    "blind_transfer": DESTINATIONS,
    "attended_transfer": DESTINATIONS,
    "do": OPERATIONS,
    "choose": OPERATIONS,
    "run": FLOWS,
    "hand_over": FLOWS,
    **dict.fromkeys(("sms", "email", "fax", "page"), MESSAGES),
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.WORD))
def test_name_behind_the_word_of_a_kind_is_noted_when_it_is_one_of_the_hotline(kind: type[Step]) -> None:
    step = compiled_sample(kind, world(), OTHERS)
    name = str(read_source("a.yaml", sample_of(kind.WORD)).data[step.name][kind.WORD])  # type: ignore[index,call-overload]  # a sample is a block
    known = [sort for sort, names in {**known_names(library(), world()), FLOWS: set(OTHERS)}.items() if name in names]
    noted = [use.sort for use in step.uses if use.name == name and use.sort != PROMPTS]
    assert noted == [sort for sort in known if sort != PROMPTS] == ([NAMED[kind.WORD]] if kind.WORD in NAMED else [])


@pytest.mark.parametrize("name", shipped().flows)
def test_every_use_has_its_place_within_its_flow(name: str) -> None:
    for step in shipped().flows[name].steps.values():
        for use in step.uses:
            assert isinstance(use, Use)
            assert use.place.file == step.place.file
            assert use.place.line >= step.place.line


def test_flow_that_is_handed_over_to_is_reached_from_where_calls_begin() -> None:
    made = library_of(
        first=flow("begin: {hand_over: there}"), there=flow("begin: {say: welcome, then: end}\nend: {hang_up: done}")
    )
    assert first_flows(made) == ("first",)
    (found,) = impacts(made, world(), "welcome")
    assert found.reached_from == {"first": ("first", "there")}


def test_calls_may_begin_with_any_of_the_flows_that_hand_over_in_a_circle() -> None:
    begin = "begin: {menu: main_menu, keys: {1: go}, when: {no_input: end, no_match: end}}\nend: {hang_up: done}\n"
    made = library_of(a=flow(f"{begin}go: {{hand_over: b}}"), b=flow(f"{begin}go: {{hand_over: a}}"))
    assert first_flows(made) == ("a", "b")
