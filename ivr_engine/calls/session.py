"""One live call from its arrival to its end: the only place that catches a hang-up.

Knows the order: record, answer, run the flow, tell the dialplan, and what the caller hears when something of
ours is broken. Must not know AGI, SQL or YAML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.banking.core import CoreBank
from ivr_engine.calls.around import Around
from ivr_engine.calls.back_office import CallBackOffice, as_json
from ivr_engine.calls.desk import Desk
from ivr_engine.calls.leaving import CallLeaving, LeavingSettings
from ivr_engine.calls.operations import BankOperations
from ivr_engine.calls.ports import Arrival, Endings, Journal, LiveLine
from ivr_engine.calls.queueing import BACKSTOP_S, AgentQueues, CallQueues
from ivr_engine.channel.conversation import Conversation, Interrupt
from ivr_engine.channel.line import CallerHungUp
from ivr_engine.flow.call import Call, Shown, Wanted
from ivr_engine.flow.library import FlowFolder
from ivr_engine.flow.runner import BudgetExceededError, Runner, StepDone
from ivr_engine.flow.scope import ZONE
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
    desk: Desk
    queues: AgentQueues
    journal: Journal
    endings: Endings
    clock: Clock
    ids: Ids
    first_flow: str
    default_language: Language
    rescue_queue: str
    zone: str = ZONE
    leaving: LeavingSettings | None = None
    """Where messages and callbacks are kept, and whom callers may be handed to; None: nowhere, and nobody."""
    around: Around = field(default_factory=Around)
    """What stands between a flow and the ports of its call."""
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
        self._operations = BankOperations(
            hotline.bank,
            self.call_id,
            hotline.clock,
            hotline.desk,
            speaks=lambda: self._call.language,
            log=hotline.log,
            caller=arrival.caller,
            zone=hotline.zone,
            keep_answer=self._keep_answer,
            queues=hotline.queues,
        )
        back_office = CallBackOffice(
            hotline.bank,
            self.call_id,
            hotline.clock,
            hotline.desk,
            self._operations,
            show=self._show,
            log=hotline.log,
        )
        self._queues = CallQueues(hotline.queues, self.call_id, arrival.channel, line, self._conversation)
        around = hotline.around
        self._asked = around.operations(self._operations)
        self._call = Call(
            self._conversation,
            self._asked,
            around.queues(self._queues),
            self._operations,
            hotline.default_language,
            around.back_office(back_office),
            caller=arrival.caller or self.call_id,
            keep_alive=self._keep_alive,
        )
        if hotline.leaving is not None:
            leaving = CallLeaving(
                hotline.leaving,
                self.call_id,
                arrival.caller,
                arrival.channel,
                line,
                self._queues,
                self._operations,
                hotline.clock,
                gone=lambda: self._call.gone,
                log=hotline.log,
            )
            left = around.leaving(leaving)
            self._call.voice_messages = self._call.callbacks = self._call.destinations = left
        self._steps = 0
        self._log = hotline.log

    async def run(self) -> str:
        """Live the call through and return the reason of its end."""
        library = self._hotline.flows.current
        journal, clock = self._hotline.journal, self._hotline.clock
        self._hotline.endings.line_began(self.call_id, self._arrival.unique_id)
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
        while await self._queues.wait() is None:
            pass  # an agent asked for what cannot be done any more: both go on talking
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
        late = await self._asked.finish()
        if late is not None:
            runner.note_late(late.outcome)
            self._log.info("change_finished_without_caller", operation=late.operation, outcome=late.outcome)

    def _keep_answer(self, question: str, answer: int) -> None:
        self._hotline.journal.answer_kept(self.call_id, question, answer, at=self._hotline.clock.now())

    async def _keep_alive(self) -> None:
        await self._line.renew_backstop(BACKSTOP_S)

    def _show(self, screen: Mapping[str, Shown]) -> None:
        """Keep what an agent will see, and name it to whoever offers the call."""
        self._queues.screen = tuple(screen)
        self._hotline.journal.screen_shown(
            self.call_id, customer=self._operations.customer, data=as_json(screen), at=self._hotline.clock.now()
        )

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
        hotline = self._hotline
        hotline.journal.call_changed(self.call_id, language=self._call.language, customer=self._operations.customer)
        hotline.endings.call_ended(self.call_id, at=hotline.clock.now(), reason=reason)
        self._log.info("call_ended", reason=reason, steps=self._steps)
