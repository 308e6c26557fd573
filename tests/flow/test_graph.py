"""The picture of a flow."""

from __future__ import annotations

import re

import pytest

from ivr_engine.flow.graph import _SHAPES, mermaid
from ivr_engine.flow.nodes import KINDS
from tests.flow.world import flow, library_of, shipped


def test_flow_is_drawn_with_its_kinds_as_shapes_and_its_outcomes_on_the_edges() -> None:
    library = library_of(
        a=flow(
            """
            begin: {say: welcome, then: ask}
            ask: {menu: main_menu, keys: {1: look, star: begin}, when: {no_input: human, no_match: human}}
            look: {if: signed_in, then: end, else: sign_in}
            sign_in: {run: called, when: {good: end, bad: human}}
            human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
            end: {hang_up: done}
            """
        ),
        called=flow(
            "begin: {if: signed_in, then: good, else: bad}\ngood: {return: good}\nbad: {return: bad}",
            top="outcomes: [good, bad]\n",
        ),
    )
    assert library.findings == ()
    assert mermaid(library, "a") == "\n".join(
        [
            "flowchart TD",
            '    begin((" ")) --> s0',
            '    s0("begin<br/>say")',
            '    s1{{"ask<br/>menu"}}',
            '    s2{"look<br/>if"}',
            '    s3[["sign_in<br/>run called"]]',
            '    s4(("human<br/>queue"))',
            '    s5(["end<br/>hang_up"])',
            "    s0 --> s1",
            '    s1 -->|"key 1"| s2',
            '    s1 -->|"key star"| s0',
            '    s1 -->|"no input, no match"| s4',
            '    s2 -->|"yes"| s5',
            '    s2 -->|"no"| s3',
            '    s3 -->|"good"| s5',
            '    s3 -->|"bad"| s4',
            '    s4 -->|"answered, no agents, full, timed out"| s5',
            "",
        ]
    )


@pytest.mark.parametrize("name", shipped().flows)
def test_every_step_and_every_arm_of_a_shipped_flow_is_drawn(name: str) -> None:
    drawn = shipped().flows[name]
    picture = mermaid(shipped(), name)
    nodes = dict(re.findall(r'^    (s\d+)\W+"(\w+)<br/>', picture, re.MULTILINE))
    assert list(nodes.values()) == list(drawn.steps)
    edges = re.findall(r'^    (s\d+) -->(?:\|"([^"]*)"\|)? (s\d+)$', picture, re.MULTILINE)
    arms = {(nodes[here], outcome, nodes[there]) for here, outcomes, there in edges for outcome in outcomes.split(", ")}
    for step in drawn.steps.values():
        for outcome, target in step.arms.items():
            shown = "" if len(step.outcomes) == 1 else outcome.replace("_", " ")
            assert (step.name, shown, target) in arms


def test_name_with_quotes_does_not_break_the_picture() -> None:
    library = library_of(
        a=flow("""begin: {say: welcome, then: 'the "end" & more'}\n'the "end" & more': {hang_up: done}""")
    )
    assert library.findings == ()
    assert 's1(["the #quot;end#quot; #amp; more<br/>hang_up"])' in mermaid(library, "a")


def test_each_kind_of_step_has_a_shape_of_its_own_or_a_plain_box() -> None:
    assert {kind.WORD for kind in KINDS} >= set(_SHAPES)


def test_flow_that_there_is_not_cannot_be_drawn() -> None:
    with pytest.raises(KeyError):
        mermaid(shipped(), "nowhere")
