"""Proved here: a human is never many keys away, and is offered before a promised time has passed.

*Keys*: from every menu, in every place where its flow is run, the fewest keys that lead to a human. Keys of the caller
cost what they cost; steps and a willing world cost nothing; silence and mistakes are no way to ask for somebody.
Who waits in a queue has got to the human: menus that are offered meanwhile count for nothing.

*Seconds*: a question offers a human when one key, or silence, leads to one without another question. From the start of
the call the longest time is added up to the first question that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import inf

from ivr_engine.flow.findings import Place
from ivr_engine.flow.graphs import nearest
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.proof.offers import check_offers
from ivr_engine.flow.source import Source
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.wording import Text

_HUMAN = ""
"""Stands among the steps for a human; no step has an empty name."""
Costs = tuple[tuple[str, float], ...]
"""By outcome of a flow: how many keys a human is away after it has returned."""


def check_humans(explorer: Explorer, sources: Mapping[str, Source], limits: Limits) -> None:
    """Note menus from which a human is too many keys away, and first flows that offer one too late."""
    keys = Keys(explorer.flows)
    keys.look_from(explorer.first)
    for step, (flow, away) in keys.farthest.items():
        if away > limits.keys_to_human:
            _tell(explorer.flows[flow].steps[step[1]], away, limits, sources[flow])
    check_offers(explorer, sources, limits)


@dataclass(slots=True)
class Crossing:
    """The fewest keys from the start of a flow to a human inside it, and to each of its returns."""

    to_human: float = inf
    to_return: dict[str, float] = field(default_factory=dict)


class Keys:
    """Counts keys; `farthest` gathers, for every menu, the greatest number over all places where its flow is run."""

    def __init__(self, flows: Mapping[str, CompiledFlow]) -> None:
        self._flows = flows
        self.farthest: dict[tuple[Place, str], tuple[str, float]] = {}
        self.look_at = cache(self._look_at)
        self._todo: list[str] = []
        # Flows may hand over in a circle: by rounds, until no human comes nearer.
        steps = (step for flow in flows.values() for step in flow.steps.values())
        self._handed = {step.hands_over_to: inf for step in steps if step.hands_over_to is not None}
        while True:
            self.crossing = cache(self._crossing)
            now = {name: self.crossing(name).to_human for name in self._handed}
            if now == self._handed:
                break
            self._handed = now

    def look_from(self, first: Iterable[str]) -> None:
        """Measure every menu that is reached from these flows."""
        self._todo = list(first)
        while self._todo:
            self.look_at(self._todo.pop(), ())

    def _crossing(self, name: str) -> Crossing:
        flow = self._flows[name]
        crossing = Crossing()
        for step, away in nearest(flow.start, lambda step: self._edges(flow, step)).items():
            if step == _HUMAN:
                crossing.to_human = away
            elif (outcome := flow.steps[step].returns) is not None:
                crossing.to_return[outcome] = min(away, crossing.to_return.get(outcome, inf))
        return crossing

    def _edges(self, flow: CompiledFlow, name: str) -> Iterator[tuple[str, float]]:
        if name == _HUMAN:
            return
        step = flow.steps[name]
        if step.rescues:
            yield _HUMAN, 0
        if step.hands_over_to is not None:
            yield _HUMAN, self._handed[step.hands_over_to]
        if step.runs is not None:
            crossing = self.crossing(step.runs)
            yield _HUMAN, crossing.to_human
            for outcome, away in crossing.to_return.items():
                if outcome in step.from_flow:
                    yield step.arms[outcome], away
        for way in step.ways:
            if way.outcome not in step.from_flow and way.by not in (By.SILENCE, By.MISTAKE):
                yield step.arms[way.outcome], presses(way)

    def _look_at(self, name: str, after: Costs) -> None:
        """Measure every menu of a flow that is followed by these costs, then the flows that it runs."""
        flow = self._flows[name]
        away = self._away(flow, dict(after))
        for step in flow.steps.values():
            if step.stays:
                continue  # who waits in a queue has got to the human, whatever menus are offered meanwhile
            if step.runs is not None:
                costs = tuple((outcome, away.get(target, inf)) for outcome, target in step.arms.items())
                self.look_at(step.runs, costs)
            elif step.hands_over_to is not None:
                self._todo.append(step.hands_over_to)
            elif is_menu(step):
                key, here = (step.place, step.name), away.get(step.name, inf)
                if here > self.farthest.get(key, ("", -inf))[1]:
                    self.farthest[key] = (name, here)

    def _away(self, flow: CompiledFlow, after: Mapping[str, float]) -> dict[str, float]:
        """Return how many keys a human is away from each step, by looking back from humans and returns."""
        back: dict[str, list[tuple[str, float]]] = {}
        for name, step in flow.steps.items():
            for target, cost in self._edges(flow, name):
                back.setdefault(target, []).append((name, cost))
            if step.returns is not None:
                back.setdefault(_HUMAN, []).append((name, after.get(step.returns, inf)))
        return nearest(_HUMAN, lambda step: iter(back.get(step, ())))


def presses(way: Way) -> int:
    """Return how many keys a way costs the caller."""
    return way.presses if way.by is By.CALLER else 0


def is_menu(step: CompiledStep) -> bool:
    """Say whether a step offers keys, rather than asking for a number."""
    return step.asks and step.runs is None and min(way.presses for way in step.ways if way.by is By.CALLER) == 1


def _tell(step: CompiledStep, away: float, limits: Limits, source: Source) -> None:
    mend = Text("give the menu a key, by custom 0, that leads to a `queue`")
    if away == inf:
        message = Text("from the menu '{step}' no keys lead to a human", step=step.name)
    else:
        message = Text(
            "from the menu '{step}' a human is {keys} keys away; promised are {limit}",
            step=step.name,
            keys=int(away),
            limit=limits.keys_to_human,
        )
    source.finding("E807", step.place, message, mend)
