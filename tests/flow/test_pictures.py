"""The picture of a flow: nothing overlaps, every line leads from box to box, and it says what the flow does."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.flow.manual import compiled_sample
from ivr_engine.flow.model import Library
from ivr_engine.flow.nodes import KINDS
from ivr_engine.flow.pictures.layout import Layout, laid_out
from ivr_engine.flow.pictures.mermaid import mermaid
from ivr_engine.flow.pictures.outline import Nature, nature_of, outline_of
from ivr_engine.flow.pictures.shapes import Rectangle
from ivr_engine.flow.pictures.svg import svg
from ivr_engine.flow.step import Step
from tests.flow.test_manual import OTHERS
from tests.flow.world import flow, library_of, shipped, world

SVG: Final = "{http://www.w3.org/2000/svg}"
SMALL: Final = flow(
    """
    begin: {say: welcome, then: ask}
    ask: {menu: main_menu, keys: {1: look, star: begin, 2: ask}, when: {no_input: human}}
    look: {if: signed_in, then: end, else: sign_in}
    sign_in: {run: called, when: {good: end, bad: human}}
    human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
    end: {hang_up: done}
    """,
    top="otherwise: {no_match: human}\n",
)
CALLED: Final = flow(
    "begin: {if: signed_in, then: good, else: bad}\ngood: {return: good}\nbad: {return: bad}",
    top="outcomes: [good, bad]\n",
)

Shape = Sequence[tuple[str, Sequence[int]]]


def small() -> Library:
    library = library_of(a=SMALL, called=CALLED)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return library


def shapes(steps: int, reach: int) -> st.SearchStrategy[Shape]:
    """Return flows as kinds and how far ahead or back their further arms lead; the first one leads to the next step."""
    kinds = st.sampled_from(["say", "menu", "if", "queue"])
    arms = st.lists(st.integers(-reach, reach), min_size=4, max_size=4)
    return st.lists(st.tuples(kinds, arms), min_size=steps, max_size=steps)


def generated(shape: Shape) -> Library:
    """Return a flow of this shape, and one last step that hangs up."""
    steps = []
    for number, (kind, others) in enumerate(shape):
        here, then = f"a_step_called_{number}", f"a_step_called_{number + 1}"
        one, two, three, four = (f"a_step_called_{min(max(number + far, 0), len(shape))}" for far in others)
        steps.append(
            {
                "say": f"{here}: {{say: welcome, then: {then}}}",
                "menu": f"{here}: {{menu: main_menu, keys: {{1: {then}, 2: {one}, 3: {two}, star: {here}, "
                f"0: {three}}}, when: {{no_input: {four}}}}}",
                "if": f"{here}: {{if: signed_in, then: {one}, else: {then}}}",
                "queue": f"{here}: {{queue: service, when: {{answered: {then}, no_agents: {one}, full: {two}, "
                f"timed_out: {four}}}}}",
            }[kind]
        )
    steps.append(f"a_step_called_{len(shape)}: {{hang_up: done}}")
    top = f"otherwise: {{no_match: a_step_called_{len(shape)}}}\n"
    library = library_of(a=flow("\n".join(steps), top=top, start="a_step_called_0"))
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings[:5])
    return library


def assert_legible(layout: Layout) -> None:
    """Hold that nothing overlaps, that lines lead from box to box around the others, and that all is in the picture."""
    boxes = [box.rectangle for box in layout.boxes.values()]
    taken = [*boxes, *(label.rectangle for label in layout.labels)]
    taken.sort(key=lambda one: one.y)
    for number, one in enumerate(taken):
        assert one.x >= 0
        assert one.right <= layout.width + 0.01
        assert one.y >= 0
        assert one.bottom <= layout.height
        for other in taken[number + 1 :]:
            if other.y >= one.bottom:
                break
            assert not one.overlaps(other), (one, other)
    labels = {label.arm: label.rectangle for label in layout.labels}
    rows: dict[float, list[Rectangle]] = {}
    for box in boxes:
        rows.setdefault(box.y, []).append(box)
    tops = sorted(rows)

    def beside(y: float) -> list[Rectangle]:
        above = bisect_left(tops, y)
        return rows[tops[above - 1]] if above else []

    for drawn in layout.arms:
        source, target = layout.boxes[drawn.arm.source].rectangle, layout.boxes[drawn.arm.target].rectangle
        begins_at = labels.get(drawn.arm, source)
        assert drawn.line.begin[0] == pytest.approx(begins_at.middle)
        assert drawn.line.begin[1] == pytest.approx(begins_at.bottom)
        assert begins_at.x >= source.x - 0.01
        assert begins_at.right <= source.right + 0.01, "a label stands below its own box"
        assert drawn.line.end[1] == pytest.approx(target.y)
        assert target.x <= drawn.line.end[0] <= target.right
        points = list(drawn.line.points())
        assert all(-0.01 <= x <= layout.width + 0.01 and y >= 0 for x, y in points)
        assert not any(rectangle.holds(point) for point in points for rectangle in beside(point[1])), drawn.arm


@pytest.mark.parametrize("name", shipped().flows)
def test_picture_of_a_shipped_flow_is_legible(name: str) -> None:
    layout = laid_out(outline_of(shipped(), name))
    assert list(layout.boxes) == list(shipped().flows[name].steps)
    assert_legible(layout)


@settings(max_examples=8)
@given(shapes(60, reach=60))
def test_picture_of_sixty_steps_is_legible(shape: Shape) -> None:
    assert_legible(laid_out(outline_of(generated(shape), "a")))


@settings(max_examples=3)
@given(shapes(200, reach=12))
def test_picture_of_two_hundred_steps_is_legible(shape: Shape) -> None:
    assert_legible(laid_out(outline_of(generated(shape), "a")))


def test_same_flow_always_gives_the_same_picture() -> None:
    assert svg(small(), "a") == svg(small(), "a")
    assert svg(shipped(), "hotline") == svg(shipped(), "hotline")


def document(library: Library, name: str) -> ET.Element:
    return ET.fromstring(svg(library, name))  # what an XML reader refuses raises here


def texts(picture: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


def tooltips(picture: ET.Element) -> list[str]:
    return [title.text or "" for title in picture.iter(f"{SVG}title")]


def test_picture_says_title_steps_outcomes_and_where_each_step_is_written() -> None:
    picture = document(small(), "a")
    shown = texts(picture)
    assert shown[0] == "A test"
    assert "flow a, 6 steps" in shown
    assert {"begin", "ask", "look", "sign_in", "human", "end", "run called"} <= set(shown)
    assert {"key 1", "key star", "no input", "no match", "yes", "no", "answered"} <= set(shown)
    assert {nature.value for nature in Nature} <= set(shown)
    assert any(tooltip.startswith("a.yaml:8:3  ask: menu, takes ") for tooltip in tooltips(picture))
    assert "ask: press 1, then look" in tooltips(picture)


def test_longest_way_to_a_human_is_red_with_its_seconds() -> None:
    outline = outline_of(small(), "a")
    assert outline.worst is not None
    assert outline.worst.steps == ("begin", "ask", "human")
    assert outline.worst.exact
    picture = document(small(), "a")
    words = f"Longest way to a human without going in circles: {outline.worst.seconds} s"
    assert words in texts(picture)
    red = [path for path in picture.iter(f"{SVG}path") if path.get("class") == "worst" and path.get("marker-end")]
    assert len(red) == len(outline.worst.steps) - 1
    boxes = [box for box in picture.iter(f"{SVG}rect") if (box.get("class") or "").endswith(" w")]
    assert len([box for box in boxes if (box.get("class") or "").startswith("box")]) == len(outline.worst.steps)


def test_flow_without_a_human_has_no_red() -> None:
    assert outline_of(small(), "called").worst is None
    assert "Longest way" not in svg(small(), "called")


def test_arms_written_under_otherwise_are_grey_and_only_those() -> None:
    arms = outline_of(small(), "a").arms
    assert [(arm.source, arm.lines) for arm in arms if arm.grey] == [("ask", ("no match",))]
    grey = [path for path in document(small(), "a").iter(f"{SVG}path") if path.get("marker-end") == "url(#head-grey)"]
    assert len(grey) == 1


@pytest.mark.parametrize("name", shipped().flows)
def test_every_arm_of_a_shipped_flow_is_in_its_outline(name: str) -> None:
    shown = {(arm.source, line, arm.target, arm.grey) for arm in outline_of(shipped(), name).arms for line in arm.lines}
    for step in shipped().flows[name].steps.values():
        for outcome, target in step.arms.items() if len(step.outcomes) > 1 else ():
            assert (step.name, outcome.replace("_", " "), target, outcome in step.by_default) in shown


def test_back_arms_go_along_a_side_of_the_picture() -> None:
    layout = laid_out(outline_of(small(), "a"))
    boxes = [box.rectangle for box in layout.boxes.values()]
    back = next(drawn for drawn in layout.arms if (drawn.arm.source, drawn.arm.target) == ("ask", "begin"))
    xs = [x for x, _ in back.line.points()]
    assert min(xs) < min(box.x for box in boxes) or max(xs) > max(box.right for box in boxes)


def test_picture_is_self_contained_and_follows_the_readers_light_or_dark_screen() -> None:
    picture = svg(small(), "a")
    assert "@media (prefers-color-scheme:dark)" in picture
    assert not re.search(r"(href|src|@import|url\((?!#))", picture)
    assert "<script" not in picture


def test_names_with_signs_of_xml_are_drawn_as_written_and_long_ones_are_cut() -> None:
    long = "a_very_long_name_of_a_step_that_goes_on_and_on"
    steps = (
        f"begin: {{say: welcome, then: 'the <end> & \"more\"'}}\n'the <end> & \"more\"': {{say: welcome, then: {long}}}"
    )
    library = library_of(a=flow(f"{steps}\n{long}: {{hang_up: done}}"))
    assert library.findings == ()
    picture = document(library, "a")
    assert 'the <end> & "more"' in texts(picture)
    assert f"{long[:29]}…" in texts(picture)
    assert any(long in tooltip for tooltip in tooltips(picture))
    assert_legible(laid_out(outline_of(library, "a")))


def test_label_of_very_many_outcomes_shows_some_and_its_tooltip_all() -> None:
    keys = ", ".join(f"{key}: end" for key in range(10))
    menu = f"begin: {{menu: main_menu, keys: {{{keys}}}, when: {{no_input: end, no_match: end}}}}"
    library = library_of(a=flow(f"{menu}\nend: {{hang_up: done}}"))
    (label,) = laid_out(outline_of(library, "a")).labels
    assert label.lines == ("key 0", "key 1", "key 2", "and 9 more")
    assert "press 9" in label.arm.tooltip


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.WORD))
def test_every_kind_of_step_has_a_nature_by_its_properties(kind: type[Step]) -> None:
    step = compiled_sample(kind, world(), OTHERS)
    nature = nature_of(step)
    if not step.ways:
        assert nature is (Nature.ENDS if step.hands_over_to is None else Nature.FLOW)
    if step.rescues:
        assert nature is Nature.HUMAN
    expected = {
        "say": Nature.SPEAKS,
        "menu": Nature.ASKS,
        "collect": Nature.ASKS,
        "secret": Nature.ASKS,
        "if": Nature.DECIDES,
        "do": Nature.BANK,
        "run": Nature.FLOW,
        "hand_over": Nature.FLOW,
        "queue": Nature.HUMAN,
        "hang_up": Nature.ENDS,
    }
    assert nature is expected.get(kind.WORD, nature)


def test_mermaid_shows_natures_as_shapes_outcomes_on_the_edges_and_otherwise_dotted() -> None:
    assert mermaid(small(), "a") == "\n".join(
        [
            "flowchart TD",
            '    begin((" ")) --> s0',
            '    s0("begin<br/>say")',
            '    s1{{"ask<br/>menu"}}',
            '    s2{"look<br/>if"}',
            '    s3[["sign_in<br/>run called"]]',
            '    s4(("human<br/>queue service"))',
            '    s5(["end<br/>hang_up"])',
            "    s0 --> s1",
            '    s1 -->|"key 1"| s2',
            '    s1 -->|"key star"| s0',
            '    s1 -->|"key 2"| s1',
            '    s1 -->|"no input"| s4',
            '    s1 -.->|"no match"| s4',
            '    s2 -->|"yes"| s5',
            '    s2 -->|"no"| s3',
            '    s3 -->|"good"| s5',
            '    s3 -->|"bad"| s4',
            '    s4 -->|"answered, no agents, full, timed out"| s5',
            "",
        ]
    )


def test_name_with_quotes_does_not_break_mermaid() -> None:
    library = library_of(
        a=flow("""begin: {say: welcome, then: 'the "end" & more'}\n'the "end" & more': {hang_up: done}""")
    )
    assert 's1(["the #quot;end#quot; #amp; more<br/>hang_up"])' in mermaid(library, "a")


ENTERED: Final = flow(
    """
    begin: {menu: main_menu, keys: {1: again, 2: over}, when: {no_input: end, no_match: end}}
    again: {run: called, times: 3, while: good, when: {good: begin, bad: human}}
    over: {hand_over: other}
    human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
    end: {hang_up: done}
    note: {set: {left: true}, then: noted}
    noted: {hang_up: left}
    """,
    top="""
    variables: {left: yes_no}
    budget: {steps: 100}
    finally: note
    otherwise: {budget_exceeded: human}
    everywhere: {0: human}
    """,
)


def entered() -> Library:
    library = library_of(a=ENTERED, called=CALLED, other=flow("begin: {hang_up: done}"))
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    return library


def test_what_a_call_comes_to_from_anywhere_is_drawn_with_what_leads_to_it() -> None:
    outline = outline_of(entered(), "a")
    assert outline.begins == ("begin", "otherwise: budget_exceeded", "finally:")
    leading = [(arm.source, arm.target, arm.grey) for arm in outline.arms if arm.source in outline.begins[1:]]
    assert leading == [("otherwise: budget_exceeded", "human", True), ("finally:", "note", True)]
    assert_legible(laid_out(outline))
    shown = texts(document(entered(), "a"))
    assert "flow a, 7 steps" in shown
    assert {"finally:", "when the caller has hung up", "when a call takes too much"} <= set(shown)
    lines = mermaid(entered(), "a").splitlines()
    assert '    s8>"finally:<br/>when the caller has hung up"]' in lines
    assert "    s8 -.-> s5" in lines


def test_flow_that_is_run_again_and_one_that_is_handed_over_to_are_named() -> None:
    boxes = outline_of(entered(), "a").boxes
    assert boxes["again"].detail == "run called up to 3 times"
    assert (boxes["over"].detail, boxes["over"].nature) == ("hand_over other", Nature.FLOW)


def test_key_that_works_everywhere_is_grey() -> None:
    arms = outline_of(entered(), "a").arms
    assert ("begin", "human", ("key 0",)) in [(arm.source, arm.target, arm.lines) for arm in arms if arm.grey]


def test_flow_that_there_is_not_cannot_be_drawn() -> None:
    for draw in (svg, mermaid):
        with pytest.raises(KeyError):
            draw(shipped(), "nowhere")
