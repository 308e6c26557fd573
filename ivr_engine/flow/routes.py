"""By which keys callers get what they call for, and how long that takes those who answer quickly.

Knows compiled flows by the ways in which their steps end. Must not know kinds of steps. A route goes through the flows
that are run; it follows what callers do on purpose, and what the bank usually answers, as long as there is such a way.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from ivr_engine.flow.model import CompiledFlow, CompiledStep, Library
from ivr_engine.flow.operations import Level
from ivr_engine.flow.standing import Standing, decided
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.timing import Task
from ivr_engine.values.language import Language

ANSWERS_AFTER_MS: Final = 2000
"""How long a caller who has heard the question takes for the answer, when nothing is known of them."""
POINTS_MAX: Final = 50_000
"""Places where a caller may stand within one flow; beyond that the routes found so far stand."""
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


Point = tuple[str, Standing]


@dataclass(slots=True)
class Routes:
    """The best routes through the flows of a library, each worked out once.

    A caller begins a call unknown, in its `language`. What steps decide by what is known there is decided like in a
    call; where that is not known, callers may go either way.
    """

    library: Library
    language: Language
    _to_steps: dict[Point, dict[Point, Route]] = field(default_factory=dict)

    def to_task(self, flow: str, task: Task, standing: Standing | None = None) -> Route | None:
        """Return the best route from a flow's start to a task, in it or in a flow that it runs; None without one."""
        found: list[Route] = []
        for (name, here), route in self._routes(flow, standing or Standing(Level.NOBODY, self.language)).items():
            step = self.library.flows[flow].steps[name]
            if task.ends_in(step):
                found.append(route)
            elif step.runs is not None and step.runs in self.library.flows:
                inner = self.to_task(step.runs, task, here.on_entering())
                found += [route.then(inner)] if inner is not None else []
        return min(found, key=lambda route: route.cost, default=None)

    def to_return(self, flow: str, outcome: str, standing: Standing) -> dict[Standing, Route]:
        """Return the best routes from the start of a flow to its return with an outcome, by what is known then."""
        steps = self.library.flows[flow].steps
        best: dict[Standing, Route] = {}
        for (name, here), route in self._routes(flow, standing).items():
            then = here.on_entering()
            if steps[name].returns == outcome and (then not in best or route.cost < best[then].cost):
                best[then] = route
        return best

    def _routes(self, flow: str, standing: Standing) -> dict[Point, Route]:
        """Return the best route to every step that is reached, for each thing that may be known there."""
        if (flow, standing) in self._to_steps:
            return self._to_steps[flow, standing]
        drawn = self.library.flows[flow]
        best: dict[Point, Route] = {}
        todo: list[tuple[tuple[int, int, int], int, Point, Route]] = [((0, 0, 0), 0, (drawn.start, standing), Route())]
        count = 0  # of equal routes the one found first goes first, which is the one first in the file
        while todo and len(best) < POINTS_MAX:
            _, _, point, route = heapq.heappop(todo)
            if point in best or point[0] not in drawn.steps:
                continue
            best[point] = route
            for onward, leg in self._legs(drawn, point):
                count += 1
                heapq.heappush(todo, (route.then(leg).cost, count, onward, route.then(leg)))
        self._to_steps[flow, standing] = best
        return best

    def _legs(self, flow: CompiledFlow, point: Point) -> Iterator[tuple[Point, Route]]:
        step, standing = flow.steps[point[0]], point[1]
        sure = decided(step, standing, flow.variables)
        for place, way in enumerate(step.ways):
            target = step.arms.get(way.outcome)
            if target is None or (way.at_least is not None and way.at_least > standing.level):
                continue
            if sure is not None:
                if sure[0] == way.outcome:
                    yield (target, sure[1]), Route()
            elif step.runs in self.library.flows:
                inner = self.to_return(str(step.runs), way.outcome, standing.on_entering())
                for then, leg in inner.items():
                    kept = replace(standing, level=then.level, language=then.language)
                    yield (target, kept.after(way)), leg
            else:
                yield (target, standing.after(way)), _leg(step, way, usual=place == 0)


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
