"""How long callers take at most: the longest way to what they call for, and to each return of a flow.

Knows compiled flows and how long their steps last at most. Must not know kinds of steps.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from ivr_engine.flow.graphs import strong_parts
from ivr_engine.flow.model import CompiledFlow, CompiledStep, Library, flows_from
from ivr_engine.flow.uses import OPERATIONS

TRIALS_MAX: Final = 30_000
"""How many beginnings of ways are tried; beyond that the longest one found stands, and is told as `at least`."""

HAND_OVERS_MAX: Final = 500
"""How many ways of handing over in circles are followed; beyond that likewise."""

Edges = Mapping[str, Sequence[tuple[str, int]]]
"""Step -> (next step, longest time in between in milliseconds)."""


@dataclass(frozen=True, slots=True)
class LongWay:
    """The longest way that repeats no step: its steps, milliseconds up to each of them, and in all.

    `exact` is False when there were too many ways to try them all.
    """

    steps: tuple[str, ...]
    at_ms: tuple[int, ...]
    ms: int
    exact: bool

    @property
    def seconds(self) -> int:
        """The whole time in seconds, rounded."""
        return round(self.ms / 1000)


@dataclass(frozen=True, slots=True, order=True)
class Task:
    """What callers call for: a human, or an operation of the bank."""

    sort: str
    name: str

    def ends_in(self, step: CompiledStep) -> bool:
        """Whether the step is where the caller has got what they called for."""
        if self.sort == OPERATIONS:
            return any((use.sort, use.name) == (self.sort, self.name) for use in step.uses)
        return step.rescues


HUMAN: Final = Task("people", "a human")


def tasks_of(library: Library, flow: str) -> tuple[Task, ...]:
    """Return the tasks of a flow and of those in which its calls go on, a human first.

    What the engine does itself, and at once, is nothing that anybody calls for.
    """
    found: set[Task] = set()
    for name in flows_from(library, flow):
        for step in library.flows[name].steps.values():
            found.update({HUMAN} if step.rescues else ())
            found.update(Task(OPERATIONS, use.name) for use in step.uses if use.sort == OPERATIONS and step.longest_ms)
    return tuple(sorted(found, key=lambda task: (task != HUMAN, task)))


@dataclass(slots=True)
class Timing:
    """Longest ways through the flows of a library, each worked out once. A budget that is used up is no way."""

    library: Library
    _to_task: dict[tuple[str, Task, frozenset[str]], LongWay | None] = field(default_factory=dict)
    _to_return: dict[tuple[str, str, Task], LongWay | None] = field(default_factory=dict)
    _leads_to: dict[str, frozenset[str]] = field(default_factory=dict)
    _handed_over: int = 0

    def to_task(self, flow: str, task: Task) -> LongWay | None:
        """Return the longest way from a flow's start to a task, in it or in a flow where the call goes on, or None.

        The way ends where the caller has got what they called for the first time.
        """
        return self._way_to_task(flow, task, frozenset())

    def to_return(self, flow: str, outcome: str, without: Task) -> LongWay | None:
        """Return the longest way from a flow's start to its return with an outcome, on which a task is not reached."""
        key = (flow, outcome, without)
        if key not in self._to_return:
            drawn = self.library.flows[flow]
            goals = {step.name: step.longest_ms for step in drawn.steps.values() if step.returns == outcome}
            self._to_return[key] = longest_way(self._edges(drawn, without), drawn.start, goals)
        return self._to_return[key]

    def _way_to_task(self, flow: str, task: Task, been_in: frozenset[str]) -> LongWay | None:
        """Return the longest way to a task that enters no flow a second time by handing over."""
        if flow in been_in:
            return None
        if flow not in self._leads_to:
            self._leads_to[flow] = frozenset(flows_from(self.library, flow))
        key = (flow, task, been_in & self._leads_to[flow])
        if key not in self._to_task:
            self._handed_over += bool(key[2])
            if key[2] and self._handed_over > HAND_OVERS_MAX:
                return None
            drawn = self.library.flows[flow]
            goals: dict[str, int] = {}
            exact = True
            for step in drawn.steps.values():
                beyond = self._beyond(step, task, been_in | {flow})
                if task.ends_in(step):
                    goals[step.name] = 0
                elif beyond is not None:
                    goals[step.name] = beyond.ms
                    exact = exact and beyond.exact
            found = longest_way(self._edges(drawn, task), drawn.start, goals)
            exact = exact and self._handed_over <= HAND_OVERS_MAX
            self._to_task[key] = found and replace(found, exact=found.exact and exact)
        return self._to_task[key]

    def _beyond(self, step: CompiledStep, task: Task, been_in: frozenset[str]) -> LongWay | None:
        """Return the longest way to a task in the flow that a step runs, for the last time, or hands over to."""
        name = step.runs or step.hands_over_to
        if name is None or name not in self.library.flows:
            return None
        inner = self._way_to_task(name, task, been_in)
        return inner and replace(inner, ms=step.longest_ms + self._again_ms(step, task) + inner.ms)

    def _edges(self, flow: CompiledFlow, without: Task) -> dict[str, list[tuple[str, int]]]:
        edges: dict[str, list[tuple[str, int]]] = {}
        for step in flow.steps.values():
            longest: dict[str, int] = {}
            for outcome, target in () if without.ends_in(step) else step.arms.items():
                lasts = self._lasts_ms(step, outcome, without)
                if lasts is not None and target in flow.steps:
                    longest[target] = max(lasts, longest.get(target, 0))
            edges[step.name] = list(longest.items())
        return edges

    def _lasts_ms(self, step: CompiledStep, outcome: str, without: Task) -> int | None:
        """Return how long a step takes at most to end so; None when the flow that it runs never does."""
        if step.runs is None or outcome not in step.from_flow:
            return step.longest_ms
        inner = self.to_return(step.runs, outcome, without)
        return step.longest_ms + self._again_ms(step, without) + inner.ms if inner is not None else None

    def _again_ms(self, step: CompiledStep, without: Task) -> int:
        """Return how long the runs before the last one take at most, of a step that runs its flow again and again."""
        if step.runs is None or step.repeated is None:
            return 0
        again = self.to_return(step.runs, step.repeated.again_on, without)
        return again.ms * (step.repeated.times - 1) if again is not None else 0


def longest_way(edges: Edges, start: str, goals: Mapping[str, int]) -> LongWay | None:
    """Return the longest way from `start` to a goal that repeats no step; a goal adds its own milliseconds.

    Tries all ways, the promising ones first, and leaves out those that cannot beat the longest one known.
    """
    useful = _leading_to(edges, goals)
    if start not in useful:
        return None
    most = {
        step: max([ms for target, ms in edges[step] if target in useful], default=0) + goals.get(step, 0)
        for step in useful
    }
    bound = _Bound(edges, useful, most)
    best: tuple[int, tuple[str, ...]] = (-1, ())
    way, at = [start], [0]
    visited = {start}
    todo = [bound.promising(start)]
    bound.enter(start)
    trials = 0
    while todo:
        here = way[-1]
        if len(todo) == len(way) and here in goals and at[-1] + goals[here] > best[0]:
            best = (at[-1] + goals[here], tuple(way))
        trials += 1
        step = next(todo[-1], None) if trials <= TRIALS_MAX or best[0] < 0 else None
        if step is None:
            todo.pop()
            visited.discard(here)
            bound.leave(here)
            way.pop()
            at.pop()
            continue
        target, ms = step
        if target in visited or at[-1] + ms + bound.beyond(target) <= best[0]:
            continue
        way.append(target)
        at.append(at[-1] + ms)
        visited.add(target)
        bound.enter(target)
        todo.append(bound.promising(target))
    if best[0] < 0:
        return None
    return LongWay(best[1], _times(edges, best[1]), best[0], trials <= TRIALS_MAX)


def _times(edges: Edges, steps: Sequence[str]) -> tuple[int, ...]:
    at = [0]
    for here, there in itertools.pairwise(steps):
        at.append(at[-1] + dict(edges[here])[there])
    return tuple(at)


def _leading_to(edges: Edges, goals: Mapping[str, int]) -> frozenset[str]:
    """Return the steps from which a goal can be reached."""
    before: dict[str, list[str]] = {}
    for step, targets in edges.items():
        for target, _ in targets:
            before.setdefault(target, []).append(step)
    found, todo = set(goals), list(goals)
    while todo:
        for step in before.get(todo.pop(), ()):
            if step not in found:
                found.add(step)
                todo.append(step)
    return frozenset(found)


class _Bound:
    """How much time a way can gain at most from a step on: by what is left of its circle, and by what follows."""

    def __init__(self, edges: Edges, useful: frozenset[str], most: Mapping[str, int]) -> None:
        self._most = most
        self._next = {step: [pair for pair in edges[step] if pair[0] in useful] for step in useful}
        self._circle = circles({step: [target for target, _ in self._next[step]] for step in useful})
        self._left: dict[int, int] = {}
        for step in useful:
            self._left[self._circle[step]] = self._left.get(self._circle[step], 0) + most[step]
        self._after: dict[int, int] = {}
        whole = dict(self._left)
        for circle in sorted(self._left):  # a circle has a greater number than all that follow it
            inside = [step for step in useful if self._circle[step] == circle]
            followers = {self._circle[target] for step in inside for target, _ in self._next[step]} - {circle}
            self._after[circle] = max([whole[one] + self._after[one] for one in followers], default=0)

    def enter(self, step: str) -> None:
        """Take a step out of what is left."""
        self._left[self._circle[step]] -= self._most[step]

    def leave(self, step: str) -> None:
        """Put it back."""
        self._left[self._circle[step]] += self._most[step]

    def beyond(self, step: str) -> int:
        """Return the most milliseconds that any way from this step on can take."""
        circle = self._circle[step]
        return self._left[circle] + self._after[circle]

    def promising(self, step: str) -> Iterator[tuple[str, int]]:
        """Return what may follow a step, the longest first."""
        return iter(sorted(self._next[step], key=lambda pair: -(pair[1] + self.beyond(pair[0]))))


def circles(edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return for each step the number of its circle: steps that lead to each other share it.

    A circle's number is greater than those of all circles that it leads to.
    """
    return {step: number for number, part in enumerate(strong_parts(edges)) for step in part}
