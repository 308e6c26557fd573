"""Milestones: what a caller has reached stands in the trace, once, and only when it is reached."""

from __future__ import annotations

from tests.flow.calls import Story, Told, tell
from tests.flow.test_hotline import press
from tests.flow.world import flow, library_of

TOP = "milestones: {greeted: self_service, human: human, given_up: abandoned_task}\n"


def told(steps: str, story: Story, **others: str) -> Told:
    library = library_of(a=flow(steps, top=TOP), **others)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return tell(story, library=library, flow="a")


def reached(call: Told) -> list[tuple[str, str | None, str | None]]:
    return [(step.step, step.milestone, step.milestone_kind) for step in call.trace if step.milestone is not None]


STEPS = """
    begin: {say: welcome, milestone: greeted, then: ask}
    ask: {collect: n, prompt: enter_pin, length: 2, milestone: human, then: end,
      when: {no_input: gone, too_short: gone}}
    gone: {hang_up: gone, milestone: given_up}
    end: {hang_up: done}
    """


def test_milestone_is_reached_by_the_usual_outcome_and_by_an_end() -> None:
    top = TOP + "variables: {n: digits}\n"
    library = library_of(a=flow(STEPS, top=top))
    assert library.findings == ()
    assert reached(tell(Story(press("12")), library=library, flow="a")) == [
        ("begin", "greeted", "self_service"),
        ("ask", "human", "human"),
    ]
    assert reached(tell(Story(), library=library, flow="a")) == [
        ("begin", "greeted", "self_service"),
        ("gone", "given_up", "abandoned_task"),
    ]


ROUND = flow(
    "begin: {if: n < 3, then: more, else: enough}\nmore: {return: more}\nenough: {return: enough}\n",
    top="inputs: {n: number}\noutcomes: [more, enough]\n",
)


def test_flow_that_is_run_reaches_what_the_step_says_that_runs_it() -> None:
    steps = """
        begin: {run: round, with: {n: 1}, milestone: greeted, when: {more: twice, enough: end}}
        twice: {run: round, with: {n: 3}, milestone: human, when: {more: end, enough: last}}
        last: {say: welcome, milestone: given_up, then: end}
        end: {hang_up: done, milestone: human}
        """
    assert reached(told(steps, Story(), round=ROUND)) == [
        ("more", "greeted", "self_service"),
        ("last", "given_up", "abandoned_task"),
        ("end", "human", "human"),
    ]


def test_repetition_reaches_its_milestone_once() -> None:
    steps = """
        begin: {run: round, for: n, times: 2, while: more, milestone: greeted, when: {more: end, enough: end}}
        again: {hang_up: again, milestone: human}
        end: {say: welcome, milestone: given_up, then: again}
        """
    assert [name for _, name, _ in reached(told(steps, Story(), round=ROUND))] == ["greeted", "given_up", "human"]
