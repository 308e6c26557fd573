"""Results of tests and coverage, as lines for people and as data for machines.

Knows results and the texts of prompts. Must not know terminals or files; places are shown as they were read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from ivr_engine.scenarios.coverage import FlowCoverage, What, percent, totals
from ivr_engine.scenarios.model import Scenario
from ivr_engine.scenarios.verdict import Failure, Told

Words = Callable[[str], str]
"""Gives the text of a recording (`<language>/<id>`)."""
STEPS_A_LINE: Final = 4


def failure_lines(failures: Sequence[Failure], told: Told, words: Words) -> Iterator[str]:
    """Yield why a test failed, then the call as it was: what was heard and which steps were taken."""
    for failure in failures:
        yield f"    {failure.place}  {failure.message}"
    yield "    the caller heard:"
    for heard in told.heard:
        mark = " (cut)" if heard.cut else ""
        yield f"      {heard.began_s:6.1f} s  {words(heard.name)}  [{heard.name}]{mark}"
    yield f"      {told.seconds:6.1f} s  the call ended: {told.reason}"
    yield "    steps:"
    steps = [f"{step.flow}:{step.step} {step.outcome}" for step, _ in told.trace]
    for at in range(0, len(steps), STEPS_A_LINE):
        yield "      " + " > ".join(steps[at : at + STEPS_A_LINE])


def as_data(scenario: Scenario, failures: Sequence[Failure], told: Told) -> dict[str, Any]:
    """Return one result for machines."""
    return {
        "file": scenario.file,
        "title": scenario.title,
        "passed": not failures,
        "failures": [
            {"line": failure.place.line, "column": failure.place.column, "message": failure.message}
            for failure in failures
        ],
        "ended": told.reason,
        "seconds": round(told.seconds, 3),
        "heard": [
            {"prompt": heard.name, "at_s": round(heard.began_s, 3), "whole": not heard.cut} for heard in told.heard
        ],
        "steps": [
            {"flow": step.flow, "step": step.step, "outcome": step.outcome, "at_ms": step.at_ms}
            for step, _ in told.trace
        ],
        "operations": [{"name": name, "outcome": outcome} for name, outcome in told.operations],
        "milestones": list(told.milestones),
        "money_moved": [{"from": moved.debit, "to": moved.credit, "amount": str(moved.amount)} for moved in told.moved],
        "seconds_until_a_human": told.human_after_s,
    }


def coverage_lines(flows: Sequence[FlowCoverage]) -> Iterator[str]:
    """Yield one line a flow, then every line that was never reached, then the total."""
    width = max((len(flow.flow) for flow in flows), default=0)
    for flow in flows:
        counts = "   ".join(
            f"{what.value} {flow.reached(what)}/{flow.there[what]}" for what in What if flow.there[what]
        )
        yield f"{flow.flow:{width}}   {counts}"
    for flow in flows:
        skipped = {item.name for item in flow.never if item.what is What.STEP}
        for item in flow.never:
            if item.what is What.ARM and item.name.partition(": ")[0] in skipped:
                continue  # of a step that nobody reached, its arms say nothing more
            yield f"{item.place}  never reached ({item.what.value}): {item.name}"
    reached, there = totals(flows)
    yield f"reached {reached} of {there}: {percent(reached, there)} %"


def coverage_data(flows: Sequence[FlowCoverage]) -> dict[str, Any]:
    """Return the coverage for machines."""
    reached, there = totals(flows)
    return {
        "percent": percent(reached, there),
        "flows": {flow.flow: {what.value: [flow.reached(what), flow.there[what]] for what in What} for flow in flows},
        "never": [
            {"file": item.place.file, "line": item.place.line, "what": item.what.value, "name": item.name}
            for flow in flows
            for item in flow.never
        ],
    }
