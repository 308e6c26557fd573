"""`queue`: put the caller through to a human. `hang_up`: end the call."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call, QueueOutcome
from ivr_engine.flow.fields import LongMilliseconds
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Speech
from ivr_engine.flow.step import Action, By, End, Step, Way
from ivr_engine.flow.uses import QUEUES
from ivr_engine.flow.wording import Text

_QUEUE_DEEDS: Final[Mapping[QueueOutcome, Text]] = {
    QueueOutcome.ANSWERED: Text("an agent has answered and left"),
    QueueOutcome.NO_AGENTS: Text("no agent is signed in"),
    QueueOutcome.FULL: Text("the queue is full"),
    QueueOutcome.TIMED_OUT: Text("nobody answers in time"),
}
_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)


class Queue(Step):
    """Put the caller through to a human; the flow goes on when the agent has left."""

    WORD: ClassVar[str] = "queue"
    SUMMARY: ClassVar[str] = "Put the caller through to a human."

    queue: str = Field(description="The queue.")
    hold: Speech | None = Field(default=None, description="What is heard before the music.")
    most: LongMilliseconds | None = Field(
        default=None, description="How long the caller waits at most, up to 10 min; the queue has a limit of its own."
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return every way in which waiting ends."""
        del scope
        return tuple(Way(outcome.value, By.WORLD, _QUEUE_DEEDS[outcome]) for outcome in QueueOutcome)

    @property
    def rescues(self) -> bool:
        """A human is what it is for."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check the queue's name; wait."""
        if self.queue not in scope.world.queues:
            mend = did_you_mean(self.queue, scope.world.queues)
            scope.finding("E701", ("queue",), Text("there is no queue '{name}'", name=self.queue), mend)
        scope.use(QUEUES, self.queue, ("queue",))
        speech = scope.speech(self.hold, ("hold",)) if self.hold else None
        queue, most = self.queue, self.most

        async def act(call: Call) -> str:
            # Nothing is asked here: a key from before would skip what is said, and answer a later question.
            call.conversation.forget_typed_ahead()
            outcome = await call.queues.wait(queue, speech(call) if speech is not None else None, most_ms=most)
            return outcome.value

        return act


class HangUp(Step):
    """End the call."""

    WORD: ClassVar[str] = "hang_up"
    SUMMARY: ClassVar[str] = "End the call."

    hang_up: str = Field(description="Why, in one word for the records: completed, no_agents, ...")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Nothing follows."""
        del scope
        return ()

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check the reason's form; end."""
        if not _REASON.fullmatch(self.hang_up):
            message = Text("the reason is one lower-case word, with _ between its parts")
            scope.finding("E112", ("hang_up",), message, Text("write for example `completed`"))
        result = End(self.hang_up)

        async def act(call: Call) -> End:
            del call
            return result

        return act
