"""What is true of whole flows: steps are reached, variables are set before they are read, flows do not go in circles.

Knows compiled flows as graphs. Must not know YAML or kinds of steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from ivr_engine.flow.model import CompiledFlow
from ivr_engine.flow.source import Source


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
            source.finding("E305", step.place, message, f"set '{variable}' on every path to '{name}'")


def _set_before(flow: CompiledFlow) -> Mapping[str, frozenset[str]]:
    """Return, for each step that is reached, the variables that are set on every path to it."""
    if flow.start not in flow.steps:
        return {name: frozenset(flow.variables) for name in flow.steps}
    known: dict[str, frozenset[str]] = {flow.start: frozenset(flow.interface.inputs)}
    todo = deque([flow.start])
    while todo:
        step = flow.steps[todo.popleft()]
        for outcome, target in step.arms.items():
            if target not in flow.steps:
                continue
            after = known[step.name] | step.writes.get(outcome, frozenset())
            before = known.get(target)
            now = after if before is None else before & after
            if now != before:
                known[target] = now
                todo.append(target)
    return known


def check_circles(flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source]) -> None:
    """Note flows that, through others, run themselves."""
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        for step in flows[name].steps.values():
            if step.runs is None or step.runs not in flows:
                continue
            if step.runs in (*above, name):
                circle = " > ".join((*above, name, step.runs))
                sources[name].finding("E602", step.place, f"these flows run each other: {circle}", "break the circle")
            elif step.runs not in done:
                visit(step.runs, (*above, name))
        done.add(name)

    for name in flows:
        if name not in done:
            visit(name, ())
