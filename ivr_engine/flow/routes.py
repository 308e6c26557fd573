"""By which keys callers get what they call for, and how long that takes those who answer quickly.

Knows compiled flows by the ways in which their steps end. Must not know kinds of steps. A route goes through the flows
that are run and handed over to; it follows what callers do on purpose, and what the bank usually answers, as long as
there is such a way.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ivr_engine.flow.model import CompiledStep, Library
from ivr_engine.flow.operations import Level
from ivr_engine.flow.standing import Standing, decided
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.timing import Task
from ivr_engine.values.language import Language

ANSWERS_AFTER_MS: Final = 2000
"""How long a caller who has heard the question takes for the answer, when nothing is known of them."""
POINTS_MAX: Final = 50_000
"""Places where a caller may stand; beyond that the routes found so far stand."""
KEYS: Final = "keys"
"""The fact of a deed that names the keys themselves."""


@dataclass(frozen=True, slots=True)
class Route:
    """How a caller gets somewhere. `odd` counts silences, wrong keys and unusual answers that are needed for it."""

    odd: int = 0
    presses: int = 0
    ms: int = 0
    keys: tuple[str, ...] = ()

    def then(self, other: Route) -> Route:
        """Return this route, followed by another."""
        return Route(self.odd + other.odd, self.presses + other.presses, self.ms + other.ms, (*self.keys, *other.keys))

    @property
    def seconds(self) -> int:
        """How long it takes, rounded."""
        return round(self.ms / 1000)

    @property
    def cost(self) -> tuple[int, int, int]:
        """By what routes are compared: the one with the fewest oddities, then presses, then milliseconds is taken."""
        return self.odd, self.presses, self.ms

    def __str__(self) -> str:
        return "-".join(self.keys) or "no key"


Point = tuple[str, str, Standing]
"""A flow, a step of it, and what is known there."""
Best = dict[Standing, Route]
"""The best route to each thing that may be known at one place."""


@dataclass(slots=True)
class Routes:
    """Best routes through the flows of a library, from what is known at the start of one; each worked out once.

    Where something is known, such as a choice of the caller, a step that asks for it decides by that; where nothing is
    known, both ways are open. Nobody gets anywhere by a budget that is used up.
    """

    library: Library
    language: Language
    _to_steps: dict[tuple[str, Standing, bool], dict[Point, Route]] = field(default_factory=dict)

    def to_task(self, flow: str, task: Task, standing: Standing | None = None) -> Route | None:
        """Return the best route from a flow's start to a task; None without one.

        The task may be in a flow that is run, or that the call is handed over to.
        """
        start = standing or Standing(Level.NOBODY, self.language)
        routes = self._routes(flow, start, leaves=True).items()
        found = (route for (name, step, _), route in routes if task.ends_in(self.library.flows[name].steps[step]))
        return min(found, key=lambda route: route.cost, default=None)

    def to_return(self, flow: str, outcome: str, standing: Standing) -> Best:
        """Return the best routes from the start of a flow to its return with an outcome, by what is known then."""
        steps = self.library.flows[flow].steps
        best: Best = {}
        for (_, name, here), route in self._routes(flow, standing, leaves=False).items():
            if steps[name].returns == outcome:
                _keep(best, here.on_entering(), route)
        return best

    def _routes(self, flow: str, standing: Standing, *, leaves: bool) -> dict[Point, Route]:
        """Return the best route to every step that is reached, for each thing that may be known there.

        With `leaves` also to the steps of flows from which the call does not come back to this one, be it that the
        caller gets there what they called for.
        """
        if (flow, standing, leaves) in self._to_steps:
            return self._to_steps[flow, standing, leaves]
        best: dict[Point, Route] = {}
        start = (flow, self.library.flows[flow].start, standing)
        todo: list[tuple[tuple[int, int, int], int, Point, Route]] = [((0, 0, 0), 0, start, Route())]
        count = 0  # of equal routes the one found first goes first, which is the one first in the file
        while todo and len(best) < POINTS_MAX:
            _, _, point, route = heapq.heappop(todo)
            if point in best or point[1] not in self.library.flows[point[0]].steps:
                continue
            best[point] = route
            for onward, leg in self._legs(point, leaves=leaves):
                count += 1
                heapq.heappush(todo, (route.then(leg).cost, count, onward, route.then(leg)))
        self._to_steps[flow, standing, leaves] = best
        return best

    def _legs(self, point: Point, *, leaves: bool) -> Iterator[tuple[Point, Route]]:
        name, step, standing = point[0], self.library.flows[point[0]].steps[point[1]], point[2]
        rounds = list(self._rounds(step, standing)) if step.runs in self.library.flows else []
        if leaves:
            for here, leg in _all_of(rounds):
                yield self._start_of(str(step.runs), here), leg
            if step.hands_over_to in self.library.flows:
                yield self._start_of(str(step.hands_over_to), standing.on_entering()), Route()
        sure = decided(step, standing, self.library.flows[name].variables)
        for place, way in enumerate(step.ways):
            target = step.arms.get(way.outcome)
            if target is None or (way.at_least is not None and way.at_least > standing.level):
                continue
            if sure is not None:
                if sure[0] == way.outcome:
                    yield (name, target, sure[1]), Route()
            elif rounds and way.outcome in step.from_flow:
                for then, leg in self._returns(step, rounds, way.outcome).items():
                    kept = replace(standing, level=then.level, language=then.language)
                    yield (name, target, kept.after(way)), leg
            else:
                yield (name, target, standing.after(way)), _leg(step, way, usual=place == 0)

    def _start_of(self, flow: str, standing: Standing) -> Point:
        return flow, self.library.flows[flow].start, standing

    def _rounds(self, step: CompiledStep, standing: Standing) -> Iterator[Best]:
        """Return how the flow that a step runs is entered, each time that it is run."""
        entered: Best = {standing.on_entering(): Route()}
        yield entered
        for _ in range(1, step.repeated.times if step.repeated is not None else 1):
            entered = self._once_more(step, entered, step.repeated.again_on if step.repeated is not None else "")
            yield entered

    def _returns(self, step: CompiledStep, rounds: list[Best], outcome: str) -> Best:
        """Return how a step that runs a flow ends in an outcome; in that for running it again, only the last time."""
        again = step.repeated is not None and outcome == step.repeated.again_on
        best: Best = {}
        for entered in rounds[-1:] if again else rounds:
            for then, route in self._once_more(step, entered, outcome).items():
                _keep(best, then, route)
        return best

    def _once_more(self, step: CompiledStep, entered: Best, outcome: str) -> Best:
        best: Best = {}
        for here, route in entered.items():
            for then, leg in self.to_return(str(step.runs), outcome, here).items():
                _keep(best, then, route.then(leg))
        return best


def _all_of(rounds: list[Best]) -> Iterator[tuple[Standing, Route]]:
    for entered in rounds:
        yield from entered.items()


def _keep(best: Best, standing: Standing, route: Route) -> None:
    """Keep a route when it is the best one so far to this standing."""
    if standing not in best or route.cost < best[standing].cost:
        best[standing] = route


def _leg(step: CompiledStep, way: Way, *, usual: bool) -> Route:
    match way.by:
        case By.CALLER:
            return Route(0, way.presses, step.heard_ms + ANSWERS_AFTER_MS, (keys_of(way),) if way.presses else ())
        case By.SILENCE | By.MISTAKE:
            return Route(1, 0, step.longest_ms)
        case By.WORLD:
            return Route(0 if usual else 1, 0, step.heard_ms)
        case By.STEP:
            return Route(0, 0, step.heard_ms)


def keys_of(way: Way) -> str:
    """Return what a caller presses: `3`, or what they type: `(customer)`."""
    facts = getattr(way.deed, "facts", {})
    if KEYS in facts:
        return str(facts[KEYS])
    return f"({next(iter(facts.values())) if len(facts) == 1 else way.deed})"
