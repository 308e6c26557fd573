"""What is true of whole flows: steps are reached, variables are set before they are read, flows do not go in circles.

Knows compiled flows as graphs. Must not know YAML or kinds of steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from ivr_engine.flow.model import FLOWS_DEEP_MAX, CompiledFlow, CompiledStep
from ivr_engine.flow.source import Source
from ivr_engine.flow.values import SECRET


def check_flow(flow: CompiledFlow, source: Source) -> None:
    """Note steps that nobody reaches and variables that are read before they are set."""
    set_before = _set_before(flow)
    for name, step in flow.steps.items():
        if name not in set_before:
            message = f"no path from '{flow.start}' leads to step '{name}'"
            source.finding("E207", step.place, message, "lead an arm to it, or remove it")
            continue
        for variable in sorted(step.reads - set_before[name]):
            message = f"'{variable}' may be read here before anything has set it"
            if flow.variables[variable].type == SECRET:
                mend = f"lead every path to '{name}' through the step that asks for '{variable}'"
            else:
                mend = f"set '{variable}' on every path to '{name}'"
            source.finding("E305", step.place, message, mend)


def _set_before(flow: CompiledFlow) -> Mapping[str, frozenset[str]]:
    """Return, for each step that is reached, the variables that are set on every path to it."""
    if any(entry not in flow.steps for entry in flow.entries):
        return {name: frozenset(flow.variables) for name in flow.steps}
    known: dict[str, frozenset[str]] = dict.fromkeys(flow.entries, frozenset(flow.interface.inputs))
    todo = deque(flow.entries)
    while todo:
        step = flow.steps[todo.popleft()]
        for way in step.ways:
            target = step.arms.get(way.outcome)
            if target is None or target not in flow.steps:
                continue
            after = known[step.name] - step.forgets | way.writes
            before = known.get(target)
            now = after if before is None else before & after
            if now != before:
                known[target] = now
                todo.append(target)
    return known


def check_nesting(flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source]) -> None:
    """Note flows that, through others, run themselves, and flows nested deeper than a call may go."""
    runs = {name: [step for step in flow.steps.values() if step.runs in flows] for name, flow in flows.items()}
    left = dict(runs)  # round by round, the flows go that run only flows already gone: each round is one level deeper
    last: set[str] = set()
    for depth in range(len(flows)):
        free = {name for name, steps in left.items() if not any(step.runs in left for step in steps)}
        for name in sorted(free) if depth == FLOWS_DEEP_MAX else ():
            step = next(step for step in runs[name] if step.runs in last)
            message = f"with this, flows run each other more than {FLOWS_DEEP_MAX} deep"
            sources[name].finding("E606", step.place, message, "let one of the flows in between do the work itself")
        last = free
        for name in free:
            del left[name]
    in_circles: set[str] = set()
    for name in left:
        circle = _circle_from(name, left)
        if not in_circles.intersection(circle):
            shown = " > ".join((*circle, circle[0]))
            place = next(step.place for step in left[circle[0]] if step.runs in left)
            mend = "end one of them with `return`, and go on in the flow that runs it"
            sources[circle[0]].finding("E602", place, f"these flows run each other: {shown}", mend)
        in_circles.update(circle)


def _circle_from(name: str, runs: Mapping[str, list[CompiledStep]]) -> tuple[str, ...]:
    """Follow, from flow to flow, the first that is run; every flow here runs another one of them."""
    walked: list[str] = []
    while name not in walked:
        walked.append(name)
        name = next(step.runs for step in runs[name] if step.runs is not None and step.runs in runs)
    return tuple(walked[walked.index(name) :])
