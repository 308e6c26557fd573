"""One live call from its arrival to its end: the only place that catches a hang-up.

Knows the order: record, answer, run the flow, tell the dialplan, and what the caller hears when something of
ours is broken. Must not know AGI, SQL or YAML.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.core import CoreBank
from ivr_engine.calls.operations import BankOperations
from ivr_engine.calls.ports import Arrival, Journal, LiveLine
from ivr_engine.calls.queueing import BACKSTOP_S, AgentQueues, CallQueues
from ivr_engine.channel.conversation import Conversation, Interrupt
from ivr_engine.channel.line import CallerHungUp
from ivr_engine.flow.call import Call, Wanted
from ivr_engine.flow.library import FlowFolder
from ivr_engine.flow.runner import BudgetExceededError, Runner, StepDone
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, Ids
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance

CALLER_HUNG_UP: Final = "caller_hung_up"
ENGINE_FAULT: Final = "engine_fault"
BUDGET_EXCEEDED: Final = "budget_exceeded"
HANDED_TO_DIALPLAN: Final = "handed_to_dialplan"

APOLOGY: Final = "sorry_technical"


@dataclass(frozen=True, slots=True)
class Hotline:
    """What all calls of this engine share."""

    flows: FlowFolder
    bank: CoreBank
    queues: AgentQueues
    journal: Journal
    clock: Clock
    ids: Ids
    first_flow: str
    default_language: Language
    rescue_queue: str
    log: FilteringBoundLogger = field(default_factory=structlog.get_logger)


class CallSession:
    """One call. `run` never raises but for cancellation; whatever happens, the record is closed with a reason."""

    def __init__(self, hotline: Hotline, line: LiveLine, arrival: Arrival) -> None:
        self.call_id = CallId(hotline.ids.new())
        self.keys_taken = 0
        self.milestones: list[tuple[str, str]] = []
        """What the caller has reached, each with its kind."""
        self._hotline = hotline
        self._line = line
        self._arrival = arrival
        self._conversation = Conversation(line)
        self._operations = BankOperations(hotline.bank, self.call_id, hotline.clock, hotline.log, queues=hotline.queues)
        self._queues = CallQueues(hotline.queues, self.call_id, arrival.channel, line, self._conversation)
        self._call = Call(
            self._conversation,
            self._operations,
            self._queues,
            self._operations,
            hotline.default_language,
            caller=arrival.caller or self.call_id,
            keep_alive=self._keep_alive,
        )
        self._steps = 0
        self._log = hotline.log

    async def run(self) -> str:
        """Live the call through and return the reason of its end."""
        library = self._hotline.flows.current
        journal, clock = self._hotline.journal, self._hotline.clock
        journal.call_started(
            self.call_id,
            unique_id=self._arrival.unique_id,
            caller=self._arrival.caller,
            dialled=self._arrival.dialled,
            flow=self._hotline.first_flow,
            flow_hash=library.version,
            at=clock.now(),
        )
        reason = HANDED_TO_DIALPLAN
        runner = Runner(library, self._call, clock, on_step=self._note_step)
        try:
            await self._line.answer()
            journal.call_changed(self.call_id, answered_at=clock.now())
            reason = await self._converse(runner)
            await self._line.mark_done()  # the dialplan hangs up when we let go of the call
        except CallerHungUp:
            reason = CALLER_HUNG_UP
            await self._leave(runner)
        except Exception:  # noqa: BLE001 # a border of the house, logged with its traceback
            # A border of the house: our bug or a broken session must not take other calls along. The dialplan has
            # not been told that we are done, so it puts the caller through to a human.
            self._log.exception("call_session_failed")
        finally:
            self._queues.leave()
            await self._finish_changes(runner)
            runner.close()
            self._conversation.forget_typed_ahead()
            self.keys_taken = self._conversation.keys_taken
            self._note_end(reason)
        return reason

    async def _converse(self, runner: Runner) -> str:
        """Run the flow; when it fails, apologise and put the caller through to a human."""
        try:
            return await runner.run(self._hotline.first_flow)
        except CallerHungUp:
            raise
        except BudgetExceededError as error:
            self._log.warning("call_budget_exceeded", cause=str(error))
            reason = BUDGET_EXCEEDED
        except Exception:  # noqa: BLE001 # a border of the house, logged with its traceback
            self._log.exception("flow_failed")  # a border of the house: the caller still gets a human
            reason = ENGINE_FAULT
        self._conversation.unwatch()
        apology = Utterance(self._call.language, (APOLOGY,))
        await self._conversation.say(apology, interrupt=Interrupt.ANY)
        await self._queues.enter(Wanted(self._hotline.rescue_queue))  # who waits there already keeps the place
        await self._queues.wait()
        return reason

    async def _leave(self, runner: Runner) -> None:
        """Finish what the caller ordered, then do what the flow keeps for a hang-up; the call's end stays the same."""
        self._queues.leave()
        await self._finish_changes(runner)
        try:
            await runner.after_hang_up()
        except Exception:  # noqa: BLE001 # a border of the house, logged with its traceback
            self._log.exception("finally_failed")

    async def _finish_changes(self, runner: Runner) -> None:
        """Wait until what the caller ordered is done or not, though they have hung up, and record which."""
        late = await self._operations.finish()
        if late is not None:
            runner.note_late(late.outcome)
            self._log.info("change_finished_without_caller", operation=late.operation, outcome=late.outcome)

    async def _keep_alive(self) -> None:
        await self._line.renew_backstop(BACKSTOP_S)

    def _note_step(self, step: StepDone) -> None:
        self._hotline.journal.step_done(
            self.call_id,
            self._steps,
            at_ms=step.at_ms,
            flow=step.flow,
            step=step.step,
            kind=step.word,
            outcome=step.outcome,
            took_ms=step.took_ms,
            milestone=step.milestone,
            milestone_kind=step.milestone_kind,
        )
        if step.milestone is not None:
            self.milestones.append((step.milestone, str(step.milestone_kind)))
        self._steps += 1

    def _note_end(self, reason: str) -> None:
        journal = self._hotline.journal
        journal.call_changed(self.call_id, language=self._call.language, customer=self._operations.customer)
        journal.call_ended(self.call_id, at=self._hotline.clock.now(), reason=reason)
        self._log.info("call_ended", reason=reason, steps=self._steps)
