"""`blind_transfer`: hand the caller on to a telephone outside the queues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Milliseconds
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.leaving import TransferOutcome
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Speech
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.uses import DESTINATIONS
from ivr_engine.flow.wording import Text

RING_MS: Final = 30_000
_DEEDS: Final[Mapping[TransferOutcome, Text]] = {
    TransferOutcome.ANSWERED: Text("the other side has answered and left"),
    TransferOutcome.NO_ANSWER: Text("nobody answers the telephone"),
    TransferOutcome.BUSY: Text("the telephone is busy"),
    TransferOutcome.UNREACHABLE: Text("the telephone cannot be reached"),
}


class BlindTransfer(Step):
    """Hand the caller on, without a word to who answers; the flow goes on when the other side has left."""

    WORD: ClassVar[str] = "blind_transfer"
    SUMMARY: ClassVar[str] = "Hand the caller on to a telephone outside the queues."

    blind_transfer: str = Field(description="The destination, by its name in the setting `destinations`.")
    hold: Speech | None = Field(default=None, description="What is heard before it rings.")
    ring: Milliseconds = Field(default=RING_MS, description="How long it rings, at most 60 s.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return every way in which it ends."""
        del scope
        return tuple(Way(outcome.value, By.WORLD, _DEEDS[outcome]) for outcome in TransferOutcome)

    @property
    def rescues(self) -> bool:
        """A human answers there."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check that there is such a destination; ring it."""
        if self.blind_transfer not in scope.world.destinations:
            message = Text("there is no destination '{name}'", name=self.blind_transfer)
            mend = Text("set it up under `destinations` of the hotline; a flow holds no numbers")
            if scope.world.destinations:
                mend = did_you_mean(self.blind_transfer, scope.world.destinations)
            scope.finding("E707", ("blind_transfer",), message, mend)
        scope.use(DESTINATIONS, self.blind_transfer, ("blind_transfer",))
        speech = scope.speech(self.hold, ("hold",)) if self.hold else None
        destination, ring_ms = self.blind_transfer, self.ring

        async def act(call: Call) -> str:
            if speech is not None:
                await call.conversation.say(speech(call))
            try:
                return (await call.destinations.transfer(destination, ring_ms=ring_ms)).value
            finally:
                call.conversation.forget_typed_ahead()

        return act
