"""Proved here: no money moves, and nobody is called back, but with values that the caller has confirmed.

Nothing may have changed them since. For every such step and every variable that it spends, all paths to it are looked
at together with one bit: has this variable been confirmed since it was written last, and not been used up by a step
that moved money since? One confirmation is good for one movement.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping

from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.proof.paths import joined, path_to, told
from ivr_engine.flow.source import Source
from ivr_engine.flow.step import Way
from ivr_engine.flow.wording import Text

_Node = tuple[str, bool]


def check_confirmations(explorer: Explorer, sources: Mapping[str, Source]) -> None:
    """Note each money step with the values that the caller may not have confirmed.

    Values that no step ever reads out are one mistake, the confirmation that is missing; the others are another.
    """
    for flow in explorer.flows.values():
        read_out = {variable for step in flow.steps.values() for way in step.ways for variable in way.confirms}
        for step in flow.steps.values():
            unconfirmed = {
                variable: ways
                for variable in sorted(step.spends or ())
                if (ways := _way_unconfirmed(flow, step, variable)) is not None
            }
            for tell, variables in (
                (_tell_never, tuple(variable for variable in unconfirmed if variable not in read_out)),
                (_tell_not_always, tuple(variable for variable in unconfirmed if variable in read_out)),
            ):
                if variables:
                    path = _whole_path(explorer, flow, unconfirmed[variables[0]])
                    tell(step, variables, sources[flow.name], path)


def _way_unconfirmed(flow: CompiledFlow, step: CompiledStep, variable: str) -> list[Way] | None:
    """Return a shortest way to a step with the variable unconfirmed, or None when there is none."""
    start: _Node = (flow.start, False)
    came_by: dict[_Node, tuple[_Node, Way] | None] = {start: None}
    todo = deque([start])
    while todo:
        node = todo.popleft()
        if node == (step.name, False):
            return _back(came_by, node)
        for way, after in _moves(flow, node, variable):
            if after not in came_by:
                came_by[after] = node, way
                todo.append(after)
    return None


def _moves(flow: CompiledFlow, node: _Node, variable: str) -> Iterator[tuple[Way, _Node]]:
    name, confirmed = node
    step = flow.steps[name]
    for way in step.ways:
        kept = confirmed and variable not in way.writes and variable not in step.forgets
        kept = kept and variable not in (step.spends or ())
        yield way, (step.arms[way.outcome], kept or variable in way.confirms)


def _back(came_by: Mapping[_Node, tuple[_Node, Way] | None], node: _Node) -> list[Way]:
    ways: list[Way] = []
    while (before := came_by[node]) is not None:
        node, way = before
        ways.insert(0, way)
    return ways


def _tell_never(step: CompiledStep, variables: tuple[str, ...], source: Source, path: Text | None) -> None:
    message = Text(
        "step '{step}' acts on '{variables}', which no `confirm` step reads out",
        step=step.name,
        variables=variables,
    )
    mend = Text("read '{variables}' out in a `confirm` step right before '{step}'", variables=variables, step=step.name)
    source.finding("E804", step.place, message, mend, path=path)


def _tell_not_always(step: CompiledStep, variables: tuple[str, ...], source: Source, path: Text | None) -> None:
    message = Text(
        "step '{step}' acts on '{variables}', whose value the caller may not have confirmed",
        step=step.name,
        variables=variables,
    )
    mend = Text("let every path to '{step}' come from the `confirm` step, with nothing set in between", step=step.name)
    source.finding("E804", step.place, message, mend, path=path)


def _whole_path(explorer: Explorer, flow: CompiledFlow, ways: list[Way]) -> Text | None:
    """Join the way to the flow, if it is known, with the way within it."""
    within = told(ways)
    for level in Level:
        visit = explorer.visits.get((flow.name, level))
        if visit is not None:
            before = path_to(explorer, visit, (flow.start, level))
            return joined([part for part in (before, within) if part is not None])
    return within
