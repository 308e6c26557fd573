"""Run a flow for one call, from any step on.

Knows the stack of flows, outcomes and arms, and the budget of steps. Must not know kinds of steps, or who listens to
the trace. A step begins from (flow, step, variables) and the steps that the caller has been to, all of which is written
down, so a call can go on in another engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Final, NamedTuple

from ivr_engine.channel.line import CalledAway
from ivr_engine.flow.call import CALLED_AWAY, Call, Shown, Tally
from ivr_engine.flow.model import FLOWS_DEEP_MAX, Budget, CompiledFlow, CompiledStep, Library
from ivr_engine.flow.step import By, End, Enter, HandOver, Return
from ivr_engine.flow.values import Encoded, Value, decode, encode
from ivr_engine.values.clock import Clock
from ivr_engine.values.secret import SecretDigits

GRACE_STEPS: Final = 50
"""How many steps a call may still take when its budget is used up and the flow has a way for that."""
FINALLY_MAX_S: Final = 5.0
"""How long the steps after a hang-up may take."""
KEEP_ALIVE_EVERY_S: Final = 30.0
INTERRUPTED: Final = "interrupted"
"""How a step ended, in the trace, from which the caller was called away."""


class BudgetExceededError(Exception):
    """The call took more than a call may; the caller is put through to a human."""


@dataclass(slots=True)
class Frame:
    """One flow of the stack: which, where it stands, and its variables.

    `asked_at` is the step that got the oldest secret which the flow holds now. `rounds` is how often the step where it
    stands has run its flow. `returned` is how the flow ended that was run by a step which stays.
    """

    flow: CompiledFlow
    step: str
    variables: dict[str, Value] = field(default_factory=dict)
    asked_at: str | None = None
    rounds: int = 0
    returned: str | None = None

    def go_to(self, step: str) -> None:
        """Stand at another step, or at the same one anew."""
        self.step, self.rounds = step, 0


class StepDone(NamedTuple):
    """One line of the trace. Times in milliseconds since the call began; values never appear here.

    `milestone` is what the caller has reached by it, if anything.
    """

    flow: str
    step: str
    word: str
    outcome: str
    at_ms: int
    took_ms: int
    milestone: str | None = None
    milestone_kind: str | None = None


@dataclass(frozen=True, slots=True)
class StackEntry:
    """A frame written down; secrets are left out. `rounds` is how often its step has run its flow.

    Of the whole call, the first frame has `been_to`, the steps that say something else the next time, `tally`, and
    `screen`, what the agent will see.
    """

    flow: str
    step: str
    variables: Mapping[str, Encoded]
    rounds: int = 0
    been_to: list[str] = field(default_factory=list)
    tally: Mapping[str, int] = field(default_factory=dict)
    screen: Mapping[str, Shown] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Staying:
    """The step that stays while the flows above it run, and what was counted over the call when they began.

    In flows that `count` the caller is not waiting: nobody calls them away, and the budget is used up as ever.
    """

    frame: Frame
    tally: Tally
    counts: bool


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
        self._budget = Budget()
        self._staying: Staying | None = None
        self._over = False

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
        self._call.visits.been_to.update(stack[0].been_to)
        self._call.tally = Tally(**stack[0].tally)
        self._call.screen.update(stack[0].screen)
        return await self._run()

    def position(self) -> tuple[StackEntry, ...]:
        """Write down where the call stands, without secrets; from `on_step`, the step that comes next.

        A flow that holds a secret is written down at the step that asked for it: the caller is asked once more, and
        what that flow runs now is run anew. What runs while a step stays is not written down: the call stands there.
        """
        entries: list[StackEntry] = []
        for frame in self._stack:
            open_values = {n: encode(v) for n, v in frame.variables.items() if not isinstance(v, SecretDigits)}
            if frame.asked_at is not None:
                entries.append(StackEntry(frame.flow.name, frame.asked_at, open_values))
                break
            entries.append(StackEntry(frame.flow.name, frame.step, open_values, frame.rounds))
            if self._staying is not None and frame is self._staying.frame:
                break
        if entries:
            been_to = sorted(self._call.visits.been_to)
            entries[0] = replace(
                entries[0], been_to=been_to, tally=asdict(self._counted()), screen=dict(self._call.screen)
            )
        return tuple(entries)

    async def after_hang_up(self) -> None:
        """Run what the first flow keeps for a caller who has hung up, for at most 5 seconds; nothing comes of it.

        Raises `TimeoutError`, and whatever a step raises.
        """
        self._call.queues.leave()
        step = self._stack[0].flow.finally_ if self._stack else None
        if step is None or self._over:
            return
        self._call.gone = True
        self._back_to_first(step)
        async with asyncio.timeout(FINALLY_MAX_S):
            await self._run()

    def note_late(self, outcome: str) -> None:
        """Add to the trace how the step ended in which the caller hung up, when it was finished without them."""
        if self._stack:
            frame = self._stack[-1]
            step = frame.flow.steps[frame.step]
            reached = step.milestone if outcome == step.usual else None
            self._trace(frame.flow, step, outcome, self._step_began, (frame.flow, reached))

    def close(self) -> None:
        """Overwrite every secret that the flows still hold."""
        for frame in self._stack:
            _wipe(frame)

    async def _run(self) -> str:
        while True:
            frame = self._stack[-1]
            step = frame.flow.steps[frame.step]
            if self._is_led_elsewhere(frame, step):
                continue
            began = self._step_began = self._clock.monotonic()
            if began - self._kept_alive > KEEP_ALIVE_EVERY_S and not self._call.gone:
                self._kept_alive = began
                await self._call.keep_alive()
            self._call.visits.come_to(f"{frame.flow.name}:{step.name}")
            self._call.returned, frame.returned = frame.returned, None
            try:
                result = await step.action(self._call)
            except CalledAway:
                self._trace(frame.flow, step, INTERRUPTED, began, (frame.flow, None))
                self._come_back(CALLED_AWAY)
                continue
            self._call.visits.leave()
            self._note_secrets(frame)
            if isinstance(result, End):
                self._over = True
                self._trace(frame.flow, step, result.reason, began, (frame.flow, step.milestone))
                return result.reason
            reached = (frame.flow, step.milestone)
            if isinstance(result, Enter):
                self._enter(frame, step, result)
                outcome, reached = "entered", (frame.flow, None)
            elif isinstance(result, HandOver):
                self.close()
                self._stack.clear()
                compiled = self._library.flows[result.flow]
                self._push(Frame(compiled, compiled.start, result.inputs))
                outcome = "handed_over"
            elif isinstance(result, Return):
                reached = self._pop(result.outcome)
                outcome = result.outcome
            else:
                self._count_wrong_entry(step, result)
                frame.go_to(step.arms[result])
                outcome = result
                if outcome != step.usual:
                    reached = (frame.flow, None)
            self._trace(frame.flow, step, outcome, began, reached)

    def _is_led_elsewhere(self, frame: Frame, step: CompiledStep) -> bool:
        """Say whether the call goes on at another step than the next: it is called back, or its budget is used up."""
        if self._staying is not None and not self._staying.counts:
            if self._call.queues.has_news:
                self._come_back(CALLED_AWAY)
                return True
        elif frame.returned is None:
            used_up = self._used_up()
            if used_up is not None:
                self._leave_budget(f"{used_up}; the last step was {frame.flow.name}:{step.name}")
                return True
            self._call.tally.steps += 1
        return False

    def _count_wrong_entry(self, step: CompiledStep, outcome: str) -> None:
        """Count the last try of a question; those before it were counted when it was asked again."""
        by = step.wrong.get(outcome)
        if by is not None:
            self._call.tally.no_input += by is By.SILENCE
            self._call.tally.no_match += by is By.MISTAKE

    def _used_up(self) -> str | None:
        """Say which part of the budget is used up, if one is."""
        tally, budget = self._call.tally, self._budget
        if tally.steps >= budget.steps + GRACE_STEPS * tally.exceeded:
            return f"more than {budget.steps} steps"
        if budget.wrong_entries is not None and tally.wrong_entries >= budget.wrong_entries and not tally.exceeded:
            return f"{tally.no_input} silences and {tally.no_match} wrong entries"
        return None

    def _leave_budget(self, why: str) -> None:
        """Lead the caller, once, to the step that the first flow has for this, or raise `BudgetExceededError`."""
        step = self._stack[0].flow.budget_exceeded
        if step is None or self._call.tally.exceeded or self._call.gone:
            raise BudgetExceededError(why)
        self._call.tally.exceeded = 1
        self._back_to_first(step)

    def _back_to_first(self, step: str) -> None:
        """Leave all flows but the first, forget every secret, and stand at a step of the first."""
        self.close()
        self._staying = None
        first = self._stack[0]
        first.returned = None
        del self._stack[1:]
        for name in [name for name, value in first.variables.items() if isinstance(value, SecretDigits)]:
            del first.variables[name]
        first.asked_at = None
        first.go_to(step)
        self._call.variables = first.variables

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
        for value in frame.variables.values():
            if isinstance(value, SecretDigits):
                frame.asked_at = frame.asked_at or frame.step
                return
        frame.asked_at = None

    def _counted(self) -> Tally:
        """Return what is counted over the call: of what is done while a step stays, only changes.

        Who waits for a human, and hears now and then how long still, has not gone astray, however long that takes.
        """
        if self._staying is None or self._staying.counts:
            return self._call.tally
        return replace(self._staying.tally, changes=self._call.tally.changes)

    def _come_back(self, outcome: str) -> None:
        """Leave all flows above the step that stays, forget their secrets, and let it be asked again."""
        if self._staying is None:
            raise AssertionError("nobody is called away where no step stays")
        frame, self._call.tally, self._staying = self._staying.frame, self._counted(), None
        while self._stack[-1] is not frame:
            _wipe(self._stack.pop())
        frame.returned = outcome
        self._call.variables = frame.variables

    def _enter(self, frame: Frame, step: CompiledStep, enter: Enter) -> None:
        if enter.stays:
            self._staying = Staying(frame, replace(self._call.tally), enter.counts)
        else:
            frame.rounds += 1
        inputs = enter.inputs
        if step.repeated is not None and step.repeated.counter is not None:
            inputs = {**inputs, step.repeated.counter: frame.rounds}
        compiled = self._library.flows[enter.flow]
        self._push(Frame(compiled, compiled.start, inputs))

    def _push(self, frame: Frame) -> None:
        if not self._stack:
            self._budget = frame.flow.budget or self._budget
        if len(self._stack) == FLOWS_DEEP_MAX:
            message = f"flows run each other more than {FLOWS_DEEP_MAX} deep"
            raise BudgetExceededError(message)
        self._stack.append(frame)
        self._call.variables = frame.variables

    def _pop(self, outcome: str) -> tuple[CompiledFlow, str | None]:
        """Go back to the flow below; return what its step has reached by that."""
        if self._staying is not None and self._staying.frame is self._stack[-2]:
            self._come_back(outcome)
            return self._stack[-1].flow, None
        ended = self._stack.pop()
        frame = self._stack[-1]
        step = frame.flow.steps[frame.step]
        for output, name in step.results_into.items():
            if output in ended.variables:
                frame.variables[name] = ended.variables[output]
        _wipe(ended)
        self._call.variables = frame.variables
        if step.repeated is not None and outcome == step.repeated.again_on and frame.rounds < step.repeated.times:
            return frame.flow, None
        frame.go_to(step.arms[outcome])
        return frame.flow, step.milestone if outcome == step.usual else None

    def _trace(
        self,
        flow: CompiledFlow,
        step: CompiledStep,
        outcome: str,
        began: float,
        reached: tuple[CompiledFlow, str | None],
    ) -> None:
        at_ms = round((began - self._began) * 1000)
        took_ms = round((self._clock.monotonic() - began) * 1000)
        declares, milestone = reached
        kind = declares.milestones[milestone].value if milestone is not None else None
        self._on_step(StepDone(flow.name, step.name, step.word, outcome, at_ms, took_ms, milestone, kind))


def _wipe(frame: Frame) -> None:
    for value in frame.variables.values():
        if isinstance(value, SecretDigits):
            value.wipe()
