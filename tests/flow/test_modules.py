"""Flows that run others several times, and calls that are handed over for good."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

import pytest

from ivr_engine.flow.model import Library
from ivr_engine.flow.runner import StackEntry
from tests.flow.calls import Story, Told, tell
from tests.flow.test_hotline import press
from tests.flow.world import flow, library_of

ROUND: Final = flow(
    """
    begin: {if: place < last, then: again, else: enough}
    again: {return: more}
    enough: {return: enough}
    """,
    top="inputs: {place: number, last: number}\noutputs: [place]\noutcomes: [more, enough]\n",
)
ROUNDS: Final = flow(
    """
    begin: {set: {last: LAST, seen: 0}, then: rounds}
    rounds: {run: round, with: {last: last}, into: {place: seen}, for: place, times: 4, while: more,
      when: {more: used_up, enough: end}}
    used_up: {hang_up: used_up}
    end: {hang_up: done}
    """,
    top="variables: {last: number, seen: number}\n",
)


def sound(**texts: str) -> Library:
    library = library_of(**texts)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return library


def rounds(last: int) -> Library:
    return sound(a=ROUNDS.replace("LAST", str(last)), round=ROUND)


def entered(told: Told) -> int:
    return [step.outcome for step in told.trace].count("entered")


@pytest.mark.parametrize(
    ("last", "runs", "reason"), [(1, 1, "done"), (3, 3, "done"), (4, 4, "done"), (9, 4, "used_up")]
)
def test_flow_is_run_again_while_it_says_so_and_at_most_so_many_times(last: int, runs: int, reason: str) -> None:
    told = tell(Story(), library=rounds(last), flow="a")
    assert (entered(told), told.reason) == (runs, reason)


def test_outputs_of_each_round_are_kept() -> None:
    assert tell(Story(), library=rounds(9), flow="a").variables["seen"] == 4


def test_step_that_is_reached_anew_counts_from_one() -> None:
    steps = """
        begin: {set: {turns: 0}, then: rounds}
        rounds: {run: round, with: {last: 9}, for: place, times: 3, while: more, when: {more: turn, enough: end}}
        turn: {set: {turns: turns + 1}, then: look}
        look: {if: turns = 2, then: end, else: rounds}
        end: {hang_up: done}
        """
    told = tell(Story(), library=sound(a=flow(steps, top="variables: {turns: number}\n"), round=ROUND), flow="a")
    assert entered(told) == 6


@pytest.mark.parametrize("last", [3, 9])
def test_repetition_goes_on_in_another_engine_with_the_same_count(last: int) -> None:
    library = rounds(last)
    whole = tell(Story(), library=library, flow="a")
    for at, boundary in enumerate(whole.boundaries[:-1]):
        written = tuple(StackEntry(**entry) for entry in json.loads(json.dumps(list(map(asdict, boundary.stack)))))
        assert written == boundary.stack
        told = tell(Story(), library=library, go_on_from=boundary)
        assert [step.step for step in told.trace] == [step.step for step in whole.trace[at + 1 :]]
        assert told.reason == whole.reason


def test_secret_held_while_another_flow_runs_is_asked_for_once_more_in_another_engine() -> None:
    """The flow that is run stood above a step that did not run it, and the call could not go on."""
    called = flow("begin: {say: welcome, then: back}\nback: {return: good}", top="outcomes: [good]\n")
    steps = """
        begin: {secret: pin, prompt: enter_pin, length: 4, then: greet, when: {no_input: end, too_short: end}}
        greet: {run: called, when: {good: end}}
        end: {hang_up: done}
        """
    library = sound(a=flow(steps, top="variables: {pin: secret}\n"), called=called)
    whole = tell(Story(press("1234")), library=library, flow="a")
    said = next(at for at, step in enumerate(whole.trace) if step.outcome == "said")
    assert [entry.step for entry in whole.boundaries[said].stack] == ["begin"]
    told = tell(Story(press("1234")), library=library, go_on_from=whole.boundaries[said])
    assert [step.step for step in told.trace] == [step.step for step in whole.trace]


OTHER: Final = flow("begin: {say: [{number: n}], then: end}\nend: {hang_up: other}\n", top="inputs: {n: number}\n")


def test_call_that_is_handed_over_goes_on_elsewhere_and_does_not_come_back() -> None:
    inner = flow("begin: {hand_over: other, with: {n: 7}}\n", top="outcomes: [good]\n")
    outer = flow("begin: {run: inner, when: {good: end}}\nend: {hang_up: done}\n")
    told = tell(Story(), library=sound(a=outer, inner=inner, other=OTHER), flow="a")
    assert told.reason == "other"
    assert told.words == ["en/number_7"]
    assert [(step.flow, step.outcome) for step in told.trace][:2] == [("a", "entered"), ("inner", "handed_over")]
    assert [entry.flow for entry in told.boundaries[1].stack] == ["other"]


def test_secret_is_wiped_when_the_call_is_handed_over() -> None:
    steps = """
        begin: {secret: pin, prompt: enter_pin, length: 4, then: go, when: {no_input: go, too_short: go}}
        go: {hand_over: other, with: {n: 1}}
        """
    told = tell(
        Story(press("1234")), library=sound(a=flow(steps, top="variables: {pin: secret}\n"), other=OTHER), flow="a"
    )
    assert told.reason == "other"
    assert told.secrets_left == 0


def test_flows_may_hand_a_call_over_as_often_as_the_caller_likes() -> None:
    def hands_over(other: str) -> str:
        menu = "begin: {menu: main_menu, keys: {1: go, 2: end}, when: {no_input: end, no_match: end}}\n"
        return flow(menu + f"go: {{hand_over: {other}}}\nend: {{hang_up: done}}\n")

    library = sound(a=hands_over("b"), b=hands_over("a"))
    told = tell(Story(press(*"1" * 20, "2")), library=library, flow="a")
    assert told.reason == "done"
    assert len(told.boundaries[-2].stack) == 1
