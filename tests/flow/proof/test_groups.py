"""A mistake hides the proofs of the flows that it has to do with, and of no others."""

from __future__ import annotations

from typing import Final

from tests.flow.world import flow, proved_library_of

CIRCLE: Final = flow("begin: {say: welcome, then: again}\nagain: {say: thank_you, then: begin}\n")
MISSPELT: Final = flow("begin: {say: welcom, then: end}\nend: {hang_up: completed}\n")
MODULE_IN_A_CIRCLE: Final = flow(
    "begin: {say: welcome, then: again}\nagain: {if: signed_in, then: begin, else: back}\nback: {return: good}\n",
    top="outcomes: [good]\n",
)


def codes_of(**texts: str) -> list[tuple[str, str]]:
    return [(finding.place.file, finding.code) for finding in proved_library_of(**texts).findings]


def test_circle_is_told_although_another_flow_has_a_mistake() -> None:
    assert codes_of(a=MISSPELT, b=CIRCLE) == [("a.yaml", "E401"), ("b.yaml", "E805")]


def test_circles_of_two_hotlines_are_told_together() -> None:
    assert codes_of(a=CIRCLE, b=CIRCLE) == [("a.yaml", "E805"), ("b.yaml", "E805")]


def test_flow_that_a_broken_one_runs_is_proved_when_that_is_mended() -> None:
    runs = "begin: {{say: {prompt}, then: go}}\ngo: {{run: b, when: {{good: end}}}}\nend: {{hang_up: completed}}\n"
    assert codes_of(a=flow(runs.format(prompt="welcom")), b=MODULE_IN_A_CIRCLE) == [("a.yaml", "E401")]
    assert codes_of(a=flow(runs.format(prompt="welcome")), b=MODULE_IN_A_CIRCLE) == [("b.yaml", "E805")]


def test_of_a_module_nothing_is_said_while_a_file_that_may_run_it_cannot_be_read() -> None:
    assert codes_of(a="ivr: 1\ntitle: 'oops\n", b=MODULE_IN_A_CIRCLE) == [("a.yaml", "E101")]
    assert codes_of(b=MODULE_IN_A_CIRCLE) == [("b.yaml", "E805")]
