"""Proved here: a human is never many keys away, and is offered before a promised time has passed.

*Keys*: from every menu, in every place where its flow is run and at every level of sign-in at which it is reached, the
fewest keys that lead to a human. Keys of the caller cost what they cost; steps and a willing world cost nothing;
silence and mistakes are no way to ask for somebody, and a way for who has signed in is none for others. Who waits in a
queue has got to the human: menus that are offered meanwhile count for nothing.

*Seconds*: a question offers a human when one key, or silence, leads to one without another question. From the start of
the call the longest time is added up to the first question that does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import Final

from ivr_engine.flow.findings import Place
from ivr_engine.flow.graphs import nearest
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.proof.exploring import Exit, Explorer, State
from ivr_engine.flow.proof.offers import check_offers
from ivr_engine.flow.source import Source
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.wording import Text

_HUMAN: Final[State] = ("", Level.NOBODY)
"""Stands among the states for a human; no step has an empty name."""
Costs = tuple[tuple[Exit, float], ...]
"""By how a flow returns: how many keys a human is away then."""


def check_humans(explorer: Explorer, sources: Mapping[str, Source], limits: Limits) -> None:
    """Note menus from which a human is too many keys away, and first flows that offer one too late."""
    keys = Keys(explorer)
    keys.look_from(explorer.first)
    for step, (flow, away) in keys.farthest.items():
        if away > limits.keys_to_human:
            _tell(explorer.flows[flow].steps[step[1]], away, limits, sources[flow])
    check_offers(explorer, sources, limits)


@dataclass(slots=True)
class Crossing:
    """The fewest keys from the start of a flow to a human inside it, and to each of its returns."""

    to_human: float = inf
    to_return: dict[Exit, float] = field(default_factory=dict)


class Keys:
    """Counts keys; `farthest` gathers, for every menu, the greatest number over all places where its flow is run.

    What is only there for who has signed in counts for those alone who have, on the way to the menu or from it on.
    """

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer
        self._flows = explorer.flows
        self.farthest: dict[tuple[Place, str], tuple[str, float]] = {}
        self.look_at = cache(self._look_at)
        self._todo: list[tuple[str, Level]] = []
        # Flows may hand over in a circle: by rounds, until no human comes nearer.
        steps = (step for flow in self._flows.values() for step in flow.steps.values())
        handed = {step.hands_over_to for step in steps if step.hands_over_to is not None}
        self._handed = {(name, level): inf for name in handed for level in Level}
        while True:
            self.crossing = cache(self._crossing)
            now = {(name, level): self.crossing(name, level).to_human for name, level in self._handed}
            if now == self._handed:
                break
            self._handed = now

    def look_from(self, first: Iterable[str]) -> None:
        """Measure every menu that is reached from these flows."""
        self._todo = [(name, Level.NOBODY) for name in first]
        while self._todo:
            self.look_at(*self._todo.pop(), ())

    def _crossing(self, name: str, level: Level) -> Crossing:
        flow = self._flows[name]
        crossing = Crossing()
        for state, away in nearest((flow.start, level), lambda state: self._edges(flow, state)).items():
            if state == _HUMAN:
                crossing.to_human = away
            elif (outcome := flow.steps[state[0]].returns) is not None:
                ended = (outcome, state[1])
                crossing.to_return[ended] = min(away, crossing.to_return.get(ended, inf))
        return crossing

    def _edges(self, flow: CompiledFlow, state: State) -> Iterator[tuple[State, float]]:
        if state == _HUMAN:
            return
        step, level = flow.steps[state[0]], state[1]
        if step.rescues:
            yield _HUMAN, 0
        if step.hands_over_to is not None:
            yield _HUMAN, self._handed[step.hands_over_to, level]
        if step.runs is not None:
            for entered, before in self._entered(step, level).items():
                crossing = self.crossing(step.runs, entered)
                yield _HUMAN, before + crossing.to_human
                for (outcome, after), away in crossing.to_return.items():
                    if outcome in step.from_flow:
                        yield (step.arms[outcome], after), before + away
        for way in step.ways:
            by_caller = way.outcome not in step.from_flow and way.by not in (By.SILENCE, By.MISTAKE)
            if by_caller and (way.at_least is None or level >= way.at_least):
                yield (step.arms[way.outcome], level if way.level is None else way.level), presses(way)

    def _entered(self, step: CompiledStep, level: Level) -> dict[Level, float]:
        """Return at which levels the flow that a step runs is entered, each with the fewest keys until then."""
        entered: dict[Level, float] = {level: 0}
        if step.repeated is not None and step.runs is not None:
            for (outcome, after), away in self.crossing(step.runs, level).to_return.items():
                if outcome == step.repeated.again_on:
                    entered.setdefault(after, away)
        return entered

    def _look_at(self, name: str, level: Level, after: Costs) -> None:
        """Measure every menu of a flow that is followed by these costs, then the flows that it runs."""
        flow = self._flows[name]
        states = tuple(self._explorer.visit(name, level).came_by)
        away = self._away(flow, states, dict(after))
        for state in states:
            step, here = flow.steps[state[0]], state[1]
            if step.stays:
                continue  # who waits in a queue has got to the human, whatever menus are offered meanwhile
            if step.runs is not None:
                exits = {(outcome, then) for outcome in step.arms for then in Level}
                costs = tuple((one, away.get((step.arms[one[0]], one[1]), inf)) for one in sorted(exits))
                for entered in self._entered(step, here):
                    self.look_at(step.runs, entered, costs)
            elif step.hands_over_to is not None:
                self._todo.append((step.hands_over_to, here))
            elif is_menu(step):
                key, keys = (step.place, step.name), away.get(state, inf)
                if keys > self.farthest.get(key, ("", -inf))[1]:
                    self.farthest[key] = (name, keys)

    def _away(self, flow: CompiledFlow, states: Iterable[State], after: Mapping[Exit, float]) -> dict[State, float]:
        """Return how many keys a human is away from each state, by looking back from humans and returns."""
        back: dict[State, list[tuple[State, float]]] = {}
        for state in states:
            for target, cost in self._edges(flow, state):
                back.setdefault(target, []).append((state, cost))
            returns = flow.steps[state[0]].returns
            if returns is not None:
                back.setdefault(_HUMAN, []).append((state, after.get((returns, state[1]), inf)))
        return nearest(_HUMAN, lambda state: iter(back.get(state, ())))


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
