"""What was reached is counted by step, arm, handler and language, and what was not is told by its line."""

from __future__ import annotations

from ivr_engine.flow.runner import StepDone
from ivr_engine.flow.source import read_source
from ivr_engine.scenarios.coverage import Coverage, FlowCoverage, What, percent, totals
from ivr_engine.scenarios.report import coverage_data, coverage_lines
from ivr_engine.values.language import Language
from tests.flow.world import flow, library_of

MAIN = flow(
    """
    begin: {menu: main_menu, keys: {1: ask, star: begin}}
    ask:
      run: inner
      when: {good: end, bad: begin}
    end: {hang_up: completed}
    """,
    top="otherwise: {no_input: end, no_match: end, unavailable: end}\n",
)
INNER = flow(
    """
    begin: {if: signed_in, then: good, else: bad}
    good: {return: good}
    bad: {return: bad}
    """,
    top="outcomes: [good, bad]\n",
)


def coverage(*steps: tuple[str, str, str, str]) -> tuple[FlowCoverage, ...]:
    library = library_of(a=MAIN, inner=INNER)
    assert library.findings == ()
    sources = {"a": read_source("a.yaml", MAIN), "inner": read_source("inner.yaml", INNER)}
    counted = Coverage(library, sources)
    counted.add(
        [(StepDone(where, step, word, outcome, 0, 0), Language.ENGLISH) for where, step, word, outcome in steps]
    )
    return counted.by_flow()


def never(flows: tuple[FlowCoverage, ...], what: What) -> list[str]:
    return [f"{item.place}: {item.name}" for flow in flows for item in flow.never if item.what is what]


def test_everything_is_missing_when_nobody_called() -> None:
    flows = coverage()
    assert [(one.flow, one.there[What.STEP], one.there[What.ARM]) for one in flows] == [("a", 3, 6), ("inner", 3, 2)]
    assert totals(flows)[0] == 0
    assert flows[0].there[What.HANDLER] == 2, "no step can end in `unavailable`, so nobody can reach that handler"
    assert flows[0].there[What.LANGUAGE] == 3


def test_arm_of_a_step_that_runs_a_flow_is_taken_when_that_flow_comes_back() -> None:
    entered = (("a", "begin", "menu", "key 1"), ("a", "ask", "run", "entered"), ("inner", "begin", "if", "no"))
    inside = coverage(*entered)
    assert "a.yaml:10:23: ask: bad" in never(inside, What.ARM)
    back = coverage(*entered, ("inner", "bad", "return", "bad"))
    assert [name for name in never(back, What.ARM) if "ask" in name] == ["a.yaml:10:12: ask: good"]


def test_arm_is_told_at_its_key_and_one_of_a_handler_at_its_step() -> None:
    arms = never(coverage(), What.ARM)
    assert "a.yaml:7:35: begin: key 1" in arms
    assert "a.yaml:7:43: begin: key star" in arms
    assert "a.yaml:7:3: begin: no_input" in arms
    assert "inner.yaml:7:26: begin: yes" in arms
    assert "inner.yaml:7:38: begin: no" in arms


def test_handler_is_reached_by_any_step_that_it_catches() -> None:
    flows = coverage(("a", "begin", "menu", "no_input"))
    assert never(flows, What.HANDLER) == ["a.yaml:5:28: otherwise: no_match"]


def test_language_is_reached_in_the_flow_in_which_it_was_spoken() -> None:
    flows = coverage(("a", "begin", "menu", "key 1"))
    missing = [(item.flow, item.name) for flow in flows for item in flow.never if item.what is What.LANGUAGE]
    assert sorted(missing) == [("a", "cmn"), ("a", "yue"), ("inner", "cmn"), ("inner", "en"), ("inner", "yue")]


def test_coverage_reads_so() -> None:
    flows = coverage(("a", "begin", "menu", "key 1"), ("a", "ask", "run", "entered"))
    lines = list(coverage_lines(flows))
    assert lines[0] == "a       steps 2/3   arms 1/6   handlers 0/2   languages 1/3"
    assert lines[1] == "inner   steps 0/3   arms 0/2   languages 0/3"
    assert "a.yaml:11:3  never reached (steps): end" in lines
    assert not any("begin: yes" in line for line in lines), "the arms of a step that nobody reached say nothing more"
    assert lines[-1] == f"reached 4 of 22: {percent(4, 22)} %"
    assert coverage_data(flows)["percent"] == 18.1


def test_share_is_a_hundred_only_when_all_was_reached() -> None:
    assert percent(99_999, 100_000) == 99.9
    assert percent(3, 3) == percent(0, 0) == 100.0
