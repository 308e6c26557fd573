"""Run a flow for one call, from any step on.

Knows the stack of flows, outcomes and arms, and the budget of steps. Must not know kinds of steps, or who listens to
the trace. A step begins from (flow, step, variables) alone, so a call can go on in another engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from ivr_engine.flow.call import Call
from ivr_engine.flow.model import FLOWS_DEEP_MAX, CompiledFlow, CompiledStep, Library
from ivr_engine.flow.step import End, Enter, HandOver, Return
from ivr_engine.flow.values import Encoded, Value, decode, encode
from ivr_engine.values.clock import Clock
from ivr_engine.values.secret import SecretDigits

STEPS_PER_CALL_MAX: Final = 500
KEEP_ALIVE_EVERY_S: Final = 30.0


class BudgetExceededError(Exception):
    """The call took more steps than a call may; the caller is put through to a human."""


@dataclass(slots=True)
class Frame:
    """One flow of the stack: which, where it stands, and its variables.

    `asked_at` is the step that got the oldest secret which the flow holds now. `rounds` is how often the step where it
    stands has run its flow.
    """

    flow: CompiledFlow
    step: str
    variables: dict[str, Value] = field(default_factory=dict)
    asked_at: str | None = None
    rounds: int = 0

    def go_to(self, step: str) -> None:
        """Stand at another step, or at the same one anew."""
        self.step, self.rounds = step, 0


@dataclass(frozen=True, slots=True)
class StepDone:
    """One line of the trace. Times in milliseconds since the call began; values never appear here."""

    flow: str
    step: str
    word: str
    outcome: str
    at_ms: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class StackEntry:
    """A frame written down; secrets are left out. `rounds` is how often its step has run its flow."""

    flow: str
    step: str
    variables: Mapping[str, Encoded]
    rounds: int = 0


class Runner:
    """Runs the flows of one library for one call."""

    def __init__(
        self,
        library: Library,
        call: Call,
        clock: Clock,
        *,
        on_step: Callable[[StepDone], None],
    ) -> None:
        self._library = library
        self._call = call
        self._clock = call.clock = clock
        self._on_step = on_step
        self._began = self._step_began = self._kept_alive = clock.monotonic()
        self._stack: list[Frame] = []
        self._steps_left = STEPS_PER_CALL_MAX

    async def run(self, flow: str) -> str:
        """Run from the start of a flow to the end of the call; return the reason of the end.

        Raises `BudgetExceededError`, and whatever a step raises (`CallerHungUp` above all).
        """
        compiled = self._library.flows[flow]
        if compiled.interface.inputs or compiled.interface.outcomes:
            message = f"flow '{flow}' has inputs or outcomes: it can be run by another flow, but cannot begin a call"
            raise ValueError(message)
        self._push(Frame(compiled, compiled.start))
        return await self._run()

    async def resume(self, stack: tuple[StackEntry, ...]) -> str:
        """Go on from a stack that `position()` wrote; raise `ValueError` when it does not fit the library any more."""
        frames = [self._frame(entry) for entry in stack]
        for frame, above in pairwise(frames):
            if frame.flow.steps[frame.step].runs != above.flow.name:
                message = f"step {frame.flow.name}:{frame.step} does not run {above.flow.name} any more"
                raise ValueError(message)
        if not frames:
            raise ValueError("a call stands in at least one flow")
        if missing := frames[-1].flow.steps[frames[-1].step].reads - frames[-1].variables.keys():
            message = f"step {frames[-1].flow.name}:{frames[-1].step} reads what was not stored: {sorted(missing)}"
            raise ValueError(message)
        for frame in frames:
            self._push(frame)
        return await self._run()

    def position(self) -> tuple[StackEntry, ...]:
        """Write down where the call stands, without secrets; from `on_step`, the step that comes next.

        A flow that holds a secret is written down at the step that asked for it: the caller is asked once more, and
        what that flow runs now is run anew.
        """
        entries: list[StackEntry] = []
        for frame in self._stack:
            open_values = {n: encode(v) for n, v in frame.variables.items() if not isinstance(v, SecretDigits)}
            if frame.asked_at is not None:
                entries.append(StackEntry(frame.flow.name, frame.asked_at, open_values))
                break
            entries.append(StackEntry(frame.flow.name, frame.step, open_values, frame.rounds))
        return tuple(entries)

    def note_late(self, outcome: str) -> None:
        """Add to the trace how the step ended in which the caller hung up, when it was finished without them."""
        if self._stack:
            frame = self._stack[-1]
            self._trace(frame.flow, frame.flow.steps[frame.step], outcome, self._step_began)

    def close(self) -> None:
        """Overwrite every secret that the flows still hold."""
        for frame in self._stack:
            _wipe(frame)

    async def _run(self) -> str:
        while True:
            frame = self._stack[-1]
            step = frame.flow.steps[frame.step]
            if self._steps_left == 0:
                message = f"more than {STEPS_PER_CALL_MAX} steps; the last was {frame.flow.name}:{step.name}"
                raise BudgetExceededError(message)
            self._steps_left -= 1
            began = self._step_began = self._clock.monotonic()
            if began - self._kept_alive > KEEP_ALIVE_EVERY_S:
                self._kept_alive = began
                await self._call.keep_alive()
            result = await step.action(self._call)
            self._note_secrets(frame)
            if isinstance(result, End):
                self._trace(frame.flow, step, result.reason, began)
                return result.reason
            if isinstance(result, Enter):
                self._enter(frame, step, result)
                outcome = "entered"
            elif isinstance(result, HandOver):
                self.close()
                self._stack.clear()
                compiled = self._library.flows[result.flow]
                self._push(Frame(compiled, compiled.start, result.inputs))
                outcome = "handed_over"
            elif isinstance(result, Return):
                self._pop(result.outcome)
                outcome = result.outcome
            else:
                frame.go_to(step.arms[result])
                outcome = result
            self._trace(frame.flow, step, outcome, began)

    def _frame(self, entry: StackEntry) -> Frame:
        compiled = self._library.flows.get(entry.flow)
        if (
            compiled is None
            or entry.step not in compiled.steps
            or not entry.variables.keys() <= compiled.variables.keys()
        ):
            message = f"the flows have no step {entry.flow}:{entry.step} with these variables any more"
            raise ValueError(message)
        variables = {name: decode(value, compiled.variables[name].type) for name, value in entry.variables.items()}
        return Frame(compiled, entry.step, variables, rounds=entry.rounds)

    @staticmethod
    def _note_secrets(frame: Frame) -> None:
        holds = any(isinstance(value, SecretDigits) for value in frame.variables.values())
        frame.asked_at = (frame.asked_at or frame.step) if holds else None

    def _enter(self, frame: Frame, step: CompiledStep, enter: Enter) -> None:
        frame.rounds += 1
        inputs = enter.inputs
        if step.repeats is not None and step.repeats.counter is not None:
            inputs = {**inputs, step.repeats.counter: frame.rounds}
        compiled = self._library.flows[enter.flow]
        self._push(Frame(compiled, compiled.start, inputs))

    def _push(self, frame: Frame) -> None:
        if len(self._stack) == FLOWS_DEEP_MAX:
            message = f"flows run each other more than {FLOWS_DEEP_MAX} deep"
            raise BudgetExceededError(message)
        self._stack.append(frame)
        self._call.variables = frame.variables

    def _pop(self, outcome: str) -> None:
        ended = self._stack.pop()
        frame = self._stack[-1]
        step = frame.flow.steps[frame.step]
        for output, name in step.results_into.items():
            if output in ended.variables:
                frame.variables[name] = ended.variables[output]
        _wipe(ended)
        self._call.variables = frame.variables
        again = step.repeats is not None and outcome == step.repeats.again_on and frame.rounds < step.repeats.times
        if not again:
            frame.go_to(step.arms[outcome])

    def _trace(self, flow: CompiledFlow, step: CompiledStep, outcome: str, began: float) -> None:
        at_ms = round((began - self._began) * 1000)
        took_ms = round((self._clock.monotonic() - began) * 1000)
        self._on_step(StepDone(flow.name, step.name, step.word, outcome, at_ms, took_ms))


def _wipe(frame: Frame) -> None:
    for value in frame.variables.values():
        if isinstance(value, SecretDigits):
            value.wipe()
