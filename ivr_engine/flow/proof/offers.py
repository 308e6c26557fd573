"""How long it takes, at the slowest, until a human is offered.

Knows the longest time of each step. A question offers a human when one key, or staying silent, leads to one without
another question. What follows a flow that is run decides whether a question in it offers one, so a flow is looked at
once for each set of its outcomes after which a human follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from ivr_engine.flow.findings import Place
from ivr_engine.flow.graphs import strong_parts
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.source import Source
from ivr_engine.flow.step import By
from ivr_engine.flow.wording import Text

Outcomes = frozenset[str]


@dataclass(slots=True)
class Slowest:
    """The longest times in a flow: until a human is offered in it, and until it returns without having offered one."""

    offered_ms: int | None = None
    offered_at: str = ""
    returns_ms: dict[str, int] = field(default_factory=dict)


def check_offers(explorer: Explorer, sources: Mapping[str, Source], limits: Limits) -> None:
    """Note circles in which no human is offered, and first flows in which one is offered too late."""
    offers = Offers(explorer.flows)
    for name in explorer.first:
        slowest = offers.slowest(name, frozenset())
        late_ms = slowest.offered_ms or 0
        if late_ms > limits.human_within_s * 1000 and not offers.circles:
            _tell_late(explorer.flows[name], slowest, limits, sources[name])
    for flow, part in offers.circles.values():
        _tell_circle(flow, part, sources[flow.name])


class Offers:
    """Adds up longest times; `circles` gathers those in which a caller meets no offer."""

    def __init__(self, flows: Mapping[str, CompiledFlow]) -> None:
        self._flows = flows
        self.circles: dict[Place, tuple[CompiledFlow, list[str]]] = {}
        # Flows may hand over in a circle: by rounds, until nothing more is found.
        steps = (step for flow in flows.values() for step in flow.steps.values())
        handed = {step.hands_over_to for step in steps if step.hands_over_to is not None}
        self._start_rescued = dict.fromkeys(handed, False)
        while True:
            self.rescued = cache(self._rescued)
            now = {name: flows[name].start in self.rescued(name, frozenset()) for name in handed}
            if now == self._start_rescued:
                break
            self._start_rescued = now
        self._open: set[str] = set()
        self.slowest = cache(self._slowest)

    def _rescued(self, name: str, after: Outcomes) -> frozenset[str]:
        """Return the steps from which a human is reached without a question, in a world that is willing.

        `after` are the outcomes of this flow after which that holds.
        """
        flow = self._flows[name]
        back: dict[str, set[str]] = {}
        for step in flow.steps.values():
            for target in () if step.asks else step.arms.values():
                back.setdefault(target, set()).add(step.name)
        rescued: set[str] = set()
        # Flows that are run may lead to a human by themselves, before anything is known of what follows them.
        todo = [
            step.name
            for step in flow.steps.values()
            if step.rescues or step.returns in after or step.runs or step.hands_over_to
        ]
        while todo:
            step = flow.steps[todo.pop()]
            if step.name in rescued or not self._is_rescued(step, rescued, after):
                continue
            rescued.add(step.name)
            todo.extend(back.get(step.name, ()))
        return frozenset(rescued)

    def _is_rescued(self, step: CompiledStep, rescued: set[str], after: Outcomes) -> bool:
        if step.rescues or (step.returns is not None and step.returns in after):
            return True
        if step.hands_over_to is not None:
            return self._start_rescued[step.hands_over_to]
        if step.runs is not None:
            inner = frozenset(outcome for outcome, target in step.arms.items() if target in rescued)
            return self._flows[step.runs].start in self.rescued(step.runs, inner)
        follows = [target in rescued for target in step.arms.values()]
        # The world may be willing; who has not signed in stays so.
        decides_by_level = any(way.at_least is not None and way.by is By.STEP for way in step.ways)
        return all(follows) if decides_by_level else any(follows)

    def offers(self, step: CompiledStep, rescued: frozenset[str]) -> bool:
        """Say whether a question offers a human."""
        return any(
            step.arms[way.outcome] in rescued
            for way in step.ways
            if way.by is By.SILENCE or (way.by is By.CALLER and way.presses <= 1 and way.at_least is None)
        )

    def _slowest(self, name: str, after: Outcomes) -> Slowest:
        flow = self._flows[name]
        rescued = self.rescued(name, after)
        edges = {step.name: [target for target, _ in self._onward(step, rescued)] for step in flow.steps.values()}
        order: list[str] = []
        for part in strong_parts(edges):
            if len(part) > 1 or part[0] in edges[part[0]]:
                first = min(part, key=list(flow.steps).index)
                self.circles[flow.steps[first].place] = flow, sorted(part, key=list(flow.steps).index)
            order.extend(part)
        slowest = Slowest()
        reached_ms = {flow.start: 0}
        for step_name in reversed(order):
            if step_name in reached_ms:
                self._walk(flow.steps[step_name], rescued, reached_ms, slowest)
        return slowest

    def _walk(self, step: CompiledStep, rescued: frozenset[str], reached_ms: dict[str, int], slowest: Slowest) -> None:
        now_ms = reached_ms[step.name]
        if step.returns is not None:
            slowest.returns_ms[step.returns] = max(now_ms, slowest.returns_ms.get(step.returns, 0))
        offered_ms: int | None = None
        if step.rescues:
            offered_ms = now_ms
        elif step.runs is not None or step.hands_over_to is not None:
            inner = self._inner(step, rescued)
            offered_ms = None if inner.offered_ms is None else now_ms + inner.offered_ms
        elif self.offers(step, rescued):
            offered_ms = now_ms + step.heard_ms
        if offered_ms is not None and (slowest.offered_ms is None or offered_ms > slowest.offered_ms):
            slowest.offered_ms, slowest.offered_at = offered_ms, step.name
        for target, took_ms in self._onward(step, rescued):
            reached_ms[target] = max(reached_ms.get(target, 0), now_ms + took_ms)

    def _onward(self, step: CompiledStep, rescued: frozenset[str]) -> Iterator[tuple[str, int]]:
        """Return where a caller goes on without having been offered a human, and after what time."""
        if step.rescues or (step.asks and self.offers(step, rescued)):
            return
        if step.runs is not None:
            returns_ms = self._inner(step, rescued).returns_ms
            again = step.repeated
            before_ms = returns_ms.get(again.again_on, 0) * (again.times - 1) if again is not None else 0
            for outcome, took_ms in returns_ms.items():
                yield step.arms[outcome], before_ms + took_ms
            return
        for target in step.arms.values():
            yield target, step.longest_ms

    def _inner(self, step: CompiledStep, rescued: frozenset[str]) -> Slowest:
        if step.hands_over_to is not None:
            return self._handed_over(step.hands_over_to)
        after = frozenset(outcome for outcome, target in step.arms.items() if target in rescued)
        return self.slowest(step.runs or "", after)

    def _handed_over(self, name: str) -> Slowest:
        flow = self._flows[name]
        if name in self._open:
            self.circles[flow.steps[flow.start].place] = flow, [flow.start]
            return Slowest()
        self._open.add(name)
        try:
            return self.slowest(name, frozenset())
        finally:
            self._open.remove(name)


def _tell_late(flow: CompiledFlow, slowest: Slowest, limits: Limits, source: Source) -> None:
    step = flow.steps[slowest.offered_at]
    message = Text(
        "it may take {seconds} s until a human is offered, here in step '{step}'; promised are {limit}",
        seconds=(slowest.offered_ms or 0) // 1000,
        step=step.name,
        limit=limits.human_within_s,
    )
    mend = Text("offer a human earlier (by custom with key 0), or shorten what is said before")
    source.finding("E808", step.place, message, mend)


def _tell_circle(flow: CompiledFlow, part: list[str], source: Source) -> None:
    shown = " > ".join((*part, part[0]))
    message = Text("a caller can go round here without being offered a human: {circle}", circle=shown)
    mend = Text("let silence or a key of one of these questions lead to a `queue`")
    source.finding("E808", flow.steps[part[0]].place, message, mend)
