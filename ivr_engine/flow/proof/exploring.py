"""Everything that can happen in a call, as far as levels of sign-in matter: which states are reached, and how.

A *visit* is one flow entered at one level. Within a visit a *state* is a step and the level at which it is reached.
States are found breadth first, so the way back through `came_by` is a shortest one, and that is what authors are shown.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ivr_engine.flow.call import CALLED_AWAY
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.step import Way

State = tuple[str, Level]
"""A step's name, and the level at which it is reached."""
Exit = tuple[str, Level]
"""The outcome with which a flow returns, and the level that holds then."""


@dataclass(frozen=True, slots=True)
class Move:
    """How a state is reached: from which, by which way of its step; through which exit of a flow that it runs."""

    before: State
    way: Way
    through: Exit | None = None
    flow: str = ""


@dataclass(slots=True)
class Visit:
    """One flow entered at one level: its states, how each is reached first, and how the flow can return."""

    flow: CompiledFlow
    level: Level
    came_by: dict[State, Move | None] = field(default_factory=dict)
    exits: dict[Exit, State] = field(default_factory=dict)

    def states(self) -> Iterator[tuple[CompiledStep, Level]]:
        """Return every state that is reached, in the order in which it was found."""
        for name, level in self.came_by:
            yield self.flow.steps[name], level


class Explorer:
    """Explores flows that are sound each by itself and do not run in circles; each visit is made once."""

    def __init__(self, flows: Mapping[str, CompiledFlow], first_flow: str = "") -> None:
        self.flows = flows
        self.visits: dict[tuple[str, Level], Visit] = {}
        self.entered_from: dict[tuple[str, Level], tuple[Visit, State]] = {}
        """For a visit that another flow makes: from where it was made first."""
        steps = [step for flow in flows.values() for step in flow.steps.values()]
        entered = {name for step in steps for name in (*step.inner, step.hands_over_to)}
        self.first = tuple(name for name in flows if name == first_flow or name not in entered | self._modules(flows))
        """The flows with which a call can begin: the hotline's, and those that nobody runs or hands over to."""
        for name in self.first:
            self.visit(name, Level.NOBODY)
        for name in flows:
            if all((name, level) not in self.visits for level in Level):
                # Nobody gets to it yet: nothing is known of the level, so nothing is asked of it.
                self.visit(name, Level.STEPPED_UP)

    @staticmethod
    def _modules(flows: Mapping[str, CompiledFlow]) -> set[str]:
        return {name for name, flow in flows.items() if flow.interface.outcomes}

    def is_beginning(self, visit: Visit) -> bool:
        """Say whether a call can begin with this visit."""
        return visit.level is Level.NOBODY and visit.flow.name in self.first

    def visit(self, flow: str, level: Level) -> Visit:
        """Return what happens in a flow that is entered at this level."""
        known = self.visits.get((flow, level))
        if known is not None:
            return known
        visit = self.visits[(flow, level)] = Visit(self.flows[flow], level)
        # A call may come to the other entries from anywhere: nothing is known of the level there.
        entries: list[State] = [(visit.flow.start, level), *((step, Level.NOBODY) for step in visit.flow.entries[1:])]
        visit.came_by.update(dict.fromkeys(entries))
        todo = deque(entries)
        while todo:
            state = todo.popleft()
            for after, move in self._moves(visit, state):
                if after not in visit.came_by:
                    visit.came_by[after] = move
                    todo.append(after)
        return visit

    def _moves(self, visit: Visit, state: State) -> Iterator[tuple[State, Move]]:
        name, level = state
        step = visit.flow.steps[name]
        if step.returns is not None:
            visit.exits.setdefault((step.returns, level), state)
            return
        if step.hands_over_to is not None:
            self._enter(step.hands_over_to, visit, state)
            return
        exits = self._exits(visit, step, state)
        for way in step.ways:
            target = step.arms[way.outcome]
            if way.outcome in step.from_flow:
                for outcome, after in exits:
                    if outcome == way.outcome:
                        yield (target, after), Move(state, way, (outcome, after), str(step.runs))
            elif step.stays:
                for after in self._levels_within(visit, step, state):
                    yield (target, after), Move(state, way)
            elif way.at_least is None or level >= way.at_least:
                yield (target, level if way.level is None else way.level), Move(state, way)
        yield from self._waits_on(step, state, exits)
        if step.secures is not None:
            yield from self._talks_on(visit, step, state, step.secures)

    @staticmethod
    def _waits_on(step: CompiledStep, state: State, exits: tuple[Exit, ...]) -> Iterator[tuple[State, Move]]:
        """Return where a step that stays is asked again: at itself, at the level that holds when its flow returns."""
        for outcome, after in exits if step.stays else ():
            if outcome not in step.arms:
                yield (step.name, after), Move(state, Way(outcome), (outcome, after), str(step.runs))

    def _talks_on(self, visit: Visit, step: CompiledStep, state: State, secures: str) -> Iterator[tuple[State, Move]]:
        """Return where the talk goes on after the flow that an agent has asked for: at the step, whatever its end.

        The talk may begin at every level at which the caller can be called away from what runs meanwhile.
        """
        for level in self._levels_within(visit, step, state) if step.stays else ():
            yield (step.name, level), Move(state, Way(CALLED_AWAY))
        for outcome, after in self._enter(secures, visit, state).exits:
            yield (step.name, after), Move(state, Way(outcome), (outcome, after), secures)

    def _exits(self, visit: Visit, step: CompiledStep, state: State) -> tuple[Exit, ...]:
        """Return how the flow that this step runs, if it does, can return."""
        if step.runs is None:
            return ()
        exits = dict.fromkeys(self._enter(step.runs, visit, state).exits)
        if step.repeated is not None:
            # Run again, it is entered at the level with which it returned.
            for outcome, level in tuple(exits):
                if outcome == step.repeated.again_on and level != state[1]:
                    exits.update(dict.fromkeys(self._enter(step.runs, visit, (state[0], level)).exits))
        return tuple(exits)

    def _levels_within(self, visit: Visit, step: CompiledStep, state: State) -> tuple[Level, ...]:
        """Return every level that may hold when the caller is called away from the flow that a step runs meanwhile."""
        levels, seen = {state[1]: None}, set[tuple[str, Level]]()
        todo = [self._enter(step.runs or "", visit, state)]
        while todo:
            inner = todo.pop()
            if (inner.flow.name, inner.level) in seen:
                continue
            seen.add((inner.flow.name, inner.level))
            for inside, level in inner.states():
                levels[level] = None
                if inside.runs is not None:
                    todo.append(self._enter(inside.runs, inner, (inside.name, level)))
        return tuple(levels)

    def _enter(self, flow: str, visit: Visit, state: State) -> Visit:
        key = (flow, state[1])
        if key not in self.visits:
            self.entered_from[key] = (visit, state)
        return self.visit(*key)
