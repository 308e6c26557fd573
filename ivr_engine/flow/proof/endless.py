"""Proved here: no caller goes round for ever without wanting to.

Only keys that mean something may lead back to where the caller has been. A circle that is closed by silence, by wrong
keys, by answers of the bank or by steps alone has no end that anybody on the telephone could reach. Within a flow such
circles are strongly connected parts of the graph whose edges are the ways that are not the caller's; a flow that is run
stands for an edge where it can return without the caller's doing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from ivr_engine.flow.graphs import reached_from, strong_parts
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.proof.paths import joined, path_to
from ivr_engine.flow.source import Source
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.wording import Text


def check_circles(explorer: Explorer, sources: Mapping[str, Source]) -> bool:
    """Note each circle that a caller who does nothing on purpose cannot leave; return whether there is one."""
    passive = Passive(explorer.flows)
    found = False
    for flow in explorer.flows.values():
        edges = {name: [target for _, target in passive.moves(step)] for name, step in flow.steps.items()}
        for part in strong_parts(edges):
            if len(part) > 1 or part[0] in edges[part[0]]:
                found = True
                _tell(explorer, flow, sorted(part, key=list(flow.steps).index), passive, sources[flow.name])
    return _check_hand_overs(explorer, passive, sources) or found


def _check_hand_overs(explorer: Explorer, passive: Passive, sources: Mapping[str, Source]) -> bool:
    """Note flows that, one after the other, hand a caller who does nothing over in a circle."""
    edges = {name: sorted(passive.hands_over(name)) for name in explorer.flows}
    found = False
    for part in strong_parts(edges):
        if len(part) > 1 or part[0] in edges[part[0]]:
            found = True
            flow = explorer.flows[min(part)]
            shown = " > ".join((*sorted(part), min(part)))
            message = Text("flows hand a caller over in a circle here, without a key: {circle}", circle=shown)
            mend = Text("ask for a key before one of these flows hands over, or end the call")
            sources[flow.name].finding("E805", flow.steps[flow.start].place, message, mend)
    return found


class Passive:
    """What happens in flows while the caller does nothing on purpose."""

    def __init__(self, flows: Mapping[str, CompiledFlow]) -> None:
        self._flows = flows
        self.returns = cache(self._returns)
        self.hands_over = cache(self._hands_over)

    def moves(self, step: CompiledStep) -> Iterator[tuple[Way, str]]:
        """Return the ways out of a step that are not the caller's, and where each leads."""
        for way in step.ways:
            by_caller = way.by is By.CALLER
            if step.runs is not None and way.outcome in step.from_flow:
                by_caller = way.outcome not in self.returns(step.runs)
            if not by_caller:
                yield way, step.arms[way.outcome]

    def _reached(self, name: str) -> Iterator[CompiledStep]:
        flow = self._flows[name]
        reached = reached_from(flow.start, lambda step: (target for _, target in self.moves(flow.steps[step])))
        return (flow.steps[step] for step in reached)

    def _returns(self, name: str) -> frozenset[str]:
        """Return the outcomes with which a flow can return although the caller does nothing on purpose."""
        return frozenset(step.returns for step in self._reached(name) if step.returns is not None)

    def _hands_over(self, name: str) -> frozenset[str]:
        """Return the flows to which a flow, or one that it runs, hands a caller over who does nothing on purpose."""
        handed: set[str] = set()
        for step in self._reached(name):
            if step.hands_over_to is not None:
                handed.add(step.hands_over_to)
            elif step.runs is not None:
                handed |= self.hands_over(step.runs)
        return frozenset(handed)


def _tell(explorer: Explorer, flow: CompiledFlow, part: list[str], passive: Passive, source: Source) -> None:
    first = flow.steps[part[0]]
    deeds = [
        way.deed
        for name in part
        for way, target in passive.moves(flow.steps[name])
        if target in part and way.deed is not None and way.by is not By.STEP
    ]
    shown = " > ".join((*part, part[0]))
    if deeds:
        message = Text("a caller goes round for ever here: {circle} ({deeds})", circle=shown, deeds=joined(deeds[:3]))
    else:
        message = Text("a caller goes round for ever here: {circle}", circle=shown)
    mend = Text(
        "let only keys of the caller lead back; lead silence, wrong keys and a bank that is away to a human or an end"
    )
    source.finding("E805", first.place, message, mend, path=_path(explorer, flow, first))


def _path(explorer: Explorer, flow: CompiledFlow, step: CompiledStep) -> Text | None:
    for level in Level:
        visit = explorer.visits.get((flow.name, level))
        if visit is None:
            continue
        for reached in Level:
            if (step.name, reached) in visit.came_by:
                return path_to(explorer, visit, (step.name, reached))
    return None
