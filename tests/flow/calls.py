"""One call through flows in virtual time: who calls, which bank answers, what was heard and what is left in memory."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import structlog

from ivr_engine.banking.pin_policy import PinFailures
from ivr_engine.calls.operations import BankOperations
from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import ALL_KEYS, WAKE, CallerHungUp, Dialled, Played
from ivr_engine.flow.call import Call, QueueOutcome, Queues, Tally
from ivr_engine.flow.impact import names_used
from ivr_engine.flow.model import Library
from ivr_engine.flow.operations import DEADLINE_MS, Performed
from ivr_engine.flow.runner import BudgetExceededError, Runner, StackEntry, StepDone
from ivr_engine.flow.uses import QUEUES, SKILLS
from ivr_engine.flow.values import Value
from ivr_engine.scenarios.model import Busy
from ivr_engine.simulator.agents import StagedQueues
from ivr_engine.simulator.bank import MemoryBank, sample_bank
from ivr_engine.simulator.leaving import LeftBehind
from ivr_engine.simulator.line import Deed, Heard, ScriptedLine
from ivr_engine.simulator.office import MemoryOffice, ports_of
from ivr_engine.simulator.play import PlayedQueues
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance
from tests.flow.world import shipped

HUNG_UP: Final = "caller hung up"
CALL: Final = CallId("call")


@dataclass(slots=True)
class LeavingLine(ScriptedLine):
    """A scripted caller who hangs up at a moment of the call, whatever is going on."""

    leaves_at_s: float = float("inf")
    played: list[Utterance] = field(default_factory=list)

    async def play(self, what: Utterance, *, stop_on: str = ALL_KEYS, from_ms: int = 0) -> Played:
        self.played.append(what)
        # Named in full: a dataclass with slots is not the class that a bare super() would find.
        return await ScriptedLine.play(self, what, stop_on=stop_on, from_ms=from_ms)

    async def _next_key(self, until: float, *, woken: bool = False) -> tuple[str | None, float]:
        if self.leaves_at_s <= until and not (self._due and self._due[0][0] <= self.leaves_at_s):
            if await self._sleep_until(self.leaves_at_s, woken=woken):
                return WAKE, asyncio.get_running_loop().time()
            self.hung_up_by = "caller"
            raise CallerHungUp
        return await ScriptedLine._next_key(self, until, woken=woken)

    async def rejoin(self, channel: str) -> Dialled:
        """The agent talks on for a while."""
        return await self.dial(channel, ring_s=1)

    async def consult(self, endpoint: str, *, ring_s: int, number: str) -> Dialled:
        del number
        return await self.dial(endpoint, ring_s=ring_s)

    async def renew_backstop(self, seconds: int) -> None:
        del seconds
        self._check()

    async def mark_done(self) -> None:
        self._check()

    async def mark_agent_spoke(self, *, spoke: bool) -> None:
        del spoke
        self._check()


@dataclass(slots=True)
class ForcedOperations:
    """The bank's operations, some of which end in an outcome that the bank of a test cannot bring about, or late."""

    real: BankOperations
    forced: Mapping[str, str]
    slow: Mapping[str, float] = field(default_factory=dict)

    async def perform(
        self, name: str, arguments: Mapping[str, Value], *, within_ms: int = DEADLINE_MS, change: int = 0
    ) -> Performed:
        await asyncio.sleep(self.slow.get(name, 0.0))
        if name in self.forced:
            return Performed(self.forced[name])
        return await self.real.perform(name, arguments, within_ms=within_ms, change=change)


@dataclass(frozen=True, slots=True)
class Story:
    """What happens in one call: the caller's deeds, the bank, the agents."""

    deeds: Sequence[Deed] = ()
    bank: Callable[[VirtualClock], MemoryBank] = sample_bank
    agents: QueueOutcome | Busy = QueueOutcome.ANSWERED
    forced: Mapping[str, str] = field(default_factory=dict)
    leaves_at_s: float = float("inf")
    language: Language = Language.ENGLISH
    caller: str = "13800000000"
    slow: Mapping[str, float] = field(default_factory=dict)
    office_away: bool = False
    left: Callable[[], LeftBehind] = LeftBehind
    asks_secret: bool = False


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where a call stands between two steps, and what else another engine is given to go on from there."""

    stack: tuple[StackEntry, ...]
    language: Language
    keys_taken: int
    customer: CustomerNumber | None
    failures: Mapping[CustomerNumber, PinFailures]
    attempts: Mapping[CallId, int]


@dataclass(slots=True)
class Told:
    """What became of a call; `boundaries[n]` is where it stood after `trace[n]`."""

    reason: str
    seconds: float
    trace: list[StepDone]
    heard: list[Heard]
    played: list[Utterance]
    boundaries: list[Boundary]
    queues: list[str]
    asked: dict[str, int]
    secrets_left: int
    tasks_left: int
    variables: dict[str, Value]
    tally: Tally
    office: MemoryOffice
    told_to_agent: list[Utterance] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """Every prompt that was heard, whole or in part."""
        return [heard.prompt for heard in self.heard]

    @property
    def arms(self) -> set[tuple[str, str, str]]:
        """Every (flow, step, outcome) that was taken."""
        return {(step.flow, step.step, step.outcome) for step in self.trace}


def tell(
    story: Story, *, library: Library | None = None, flow: str = "hotline", go_on_from: Boundary | None = None
) -> Told:
    """Make the call, in virtual time; go on from where another engine left it when that is given."""

    async def main(clock: VirtualClock) -> Told:
        gc.freeze()  # what was there before the call is not looked at when secrets are counted
        line = LeavingLine(story.deeds, leaves_at_s=story.leaves_at_s)
        bank = story.bank(clock)
        conversation = Conversation(line)
        used = library or shipped()
        names = names_used(used, QUEUES), names_used(used, SKILLS)
        staged = StagedQueues(*names, story.agents, clock, structlog.get_logger())
        ports = ports_of(
            bank, CALL, clock, used.messages, speaks=lambda: call.language, caller=story.caller, queues=staged
        )
        operations = ports.operations
        ports.office.away = story.office_away
        left_behind = story.left()
        played = PlayedQueues(conversation, QueueOutcome.ANSWERED, asks_secret=story.asks_secret)
        queues: Queues = played
        if isinstance(story.agents, Busy):
            queues = staged.of_call(CALL, line, line.wake, conversation)
            line.agent_asks = staged.ask_secret if story.asks_secret else None
        else:
            played.outcome = story.agents
        forced = ForcedOperations(operations, story.forced, story.slow)
        call = Call(
            conversation,
            forced,
            queues,
            operations,
            story.language,
            ports.back_office,
            caller=story.caller,
            voice_messages=left_behind,
            callbacks=left_behind,
            destinations=left_behind,
        )
        trace: list[StepDone] = []
        boundaries: list[Boundary] = []

        def on_step(step: StepDone) -> None:
            trace.append(step)
            failures, attempts = dict(bank._failures), dict(bank._attempts)
            taken, customer = conversation.keys_taken, operations.customer
            boundaries.append(Boundary(runner.position(), call.language, taken, customer, failures, attempts))

        runner = Runner(used, call, clock, on_step=on_step)
        try:
            await line.answer()
            if go_on_from is None:
                reason = await runner.run(flow)
            else:
                call.language = go_on_from.language
                operations._customer, operations._signed_in_until = go_on_from.customer, float("inf")
                bank._failures.update(go_on_from.failures)
                bank._attempts.update(go_on_from.attempts)
                reason = await runner.resume(go_on_from.stack)
        except CallerHungUp:
            reason = HUNG_UP
            late = await operations.finish()
            if late is not None:
                runner.note_late(late.outcome)
            with contextlib.suppress(TimeoutError, BudgetExceededError):
                await runner.after_hang_up()
        assert await operations.finish() is None
        await staged.close()
        assert staged.state.callers.get(CALL) is None
        variables = dict(call.variables)
        runner.close()
        conversation.forget_typed_ahead()
        left = [found for found in gc.get_objects() if type(found) is SecretDigits]
        gc.unfreeze()
        return Told(
            reason,
            clock.monotonic(),
            trace,
            line.heard,
            line.played,
            boundaries,
            played.asked,
            bank.asked,
            sum(len(secret) > 0 and not bank.holds(secret) for secret in left),
            len(asyncio.all_tasks()) - 1,
            variables,
            call.tally,
            ports.office,
            played.told,
        )

    return run_virtual(main)


def leaving_at(story: Story, seconds: float) -> Story:
    """Return the same story, told until the caller hangs up."""
    return replace(story, leaves_at_s=seconds)
