"""What is true of whole flows: steps are reached, variables are set before they are read, flows do not go in circles.

Knows compiled flows as graphs. Must not know YAML or kinds of steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Final

from ivr_engine.flow.model import FLOWS_DEEP_MAX, CompiledFlow, CompiledStep
from ivr_engine.flow.source import Source
from ivr_engine.flow.values import SECRET
from ivr_engine.flow.wording import Text

_OF_ONE_STEP: Final = frozenset({"E302", "E303", "E401", "E402", "E503", "E603", "E604", "E605", "E701"})
"""Findings that change neither where steps lead nor what they set: beside any other, what follows could be its echo."""


def check_flow(flow: CompiledFlow, source: Source) -> None:
    """Note steps that nobody reaches and variables that are read before they are set, each cause once."""
    if any(finding.code not in _OF_ONE_STEP for finding in source.findings):
        return
    set_before = _set_before(flow)
    for name in _first_unreached(flow, set_before):
        message = Text("no path from '{start}' leads to step '{name}'", start=flow.start, name=name)
        source.finding("E207", flow.steps[name].place, message, Text("lead an arm to it, or remove it"))
    for name, step in flow.steps.items():
        for variable in sorted(step.reads - set_before.get(name, step.reads)):
            message = Text("'{variable}' may be read here before anything has set it", variable=variable)
            mend = Text("set '{variable}' on every path to '{name}'", variable=variable, name=name)
            if flow.variables[variable].type == SECRET:
                mend = Text(
                    "lead every path to '{name}' through the step that asks for '{variable}'",
                    variable=variable,
                    name=name,
                )
            source.finding("E305", step.place, message, mend)


def _first_unreached(flow: CompiledFlow, reached: Collection[str]) -> list[str]:
    """Return the steps that nobody reaches, without those that would be reached if these were."""
    left = [name for name in flow.steps if name not in reached]
    led_to = {target for name in left for target in flow.steps[name].arms.values() if target != name}
    first: list[str] = []
    seen: set[str] = set()
    for name in sorted(
        left, key=lambda name: name in led_to
    ):  # whole circles come last: their first step stands for all
        if name in seen:
            continue
        first.append(name)
        todo = [name]
        while todo:
            step = todo.pop()
            if step not in seen:
                seen.add(step)
                todo.extend(flow.steps[step].arms.values())
    return first


def _set_before(flow: CompiledFlow) -> Mapping[str, frozenset[str]]:
    """Return, for each step that is reached, the variables that are set on every path to it.

    What a step reads counts as set after it: if it was not, the step itself is blamed, and nobody else.
    """
    entries = [entry for entry in flow.entries if entry in flow.steps]
    known: dict[str, frozenset[str]] = dict.fromkeys(entries, frozenset(flow.interface.inputs))
    todo = deque(entries)
    while todo:
        step = flow.steps[todo.popleft()]
        for way in step.ways:
            target = step.arms[way.outcome]
            after = (known[step.name] | step.reads) - step.forgets | way.writes
            before = known.get(target)
            now = after if before is None else before & after
            if now != before:
                known[target] = now
                todo.append(target)
    return known


def check_nesting(flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source]) -> None:
    """Note flows that, through others, run themselves, and flows nested deeper than a call may go."""
    runs = {name: [step for step in flow.steps.values() if _in(flows, step)] for name, flow in flows.items()}
    left = dict(runs)  # round by round, the flows go that run only flows already gone: each round is one level deeper
    last: set[str] = set()
    for depth in range(len(flows)):
        free = {name for name, steps in left.items() if not any(_in(left, step) for step in steps)}
        for name in sorted(free) if depth == FLOWS_DEEP_MAX else ():
            step = next(step for step in runs[name] if _in(last, step))
            message = Text("with this, flows run each other more than {limit} deep", limit=FLOWS_DEEP_MAX)
            mend = Text("let one of the flows in between do the work itself")
            sources[name].finding("E606", step.place, message, mend)
        last = free
        for name in free:
            del left[name]
    in_circles: set[str] = set()
    for name in left:
        circle = _circle_from(name, left)
        if not in_circles.intersection(circle):
            shown = " > ".join((*circle, circle[0]))
            place = next(step.place for step in left[circle[0]] if _in(left, step))
            message = Text("these flows run each other: {flows}", flows=shown)
            mend = Text("end one of them with `return`, and go on in the flow that runs it")
            sources[circle[0]].finding("E602", place, message, mend)
        in_circles.update(circle)


def _in(names: Collection[str], step: CompiledStep) -> list[str]:
    """Return the flows that a step runs, of these."""
    return [name for name in step.inner if name in names]


def _circle_from(name: str, runs: Mapping[str, list[CompiledStep]]) -> tuple[str, ...]:
    """Follow, from flow to flow, the first that is run; every flow here runs another one of them."""
    walked: list[str] = []
    while name not in walked:
        walked.append(name)
        name = next(inner for step in runs[name] for inner in _in(runs, step))
    return tuple(walked[walked.index(name) :])
