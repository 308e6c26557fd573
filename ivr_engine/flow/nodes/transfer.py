"""`blind_transfer` and `attended_transfer`: hand the caller on to a telephone outside the queues."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Milliseconds
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.leaving import CONSULT_TRIES, DECLINE_KEY, TAKE_KEY, TransferOutcome
from ivr_engine.flow.nodes.offering import press
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part, Speaker, Speech
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.uses import DESTINATIONS
from ivr_engine.flow.wording import Text
from ivr_engine.values.utterance import Utterance

RING_MS: Final = 30_000
_DEEDS: Final[Mapping[TransferOutcome, Text]] = {
    TransferOutcome.ANSWERED: Text("the other side has answered and left"),
    TransferOutcome.DECLINED: Text("the other side does not take the call"),
    TransferOutcome.NO_ANSWER: Text("nobody answers the telephone"),
    TransferOutcome.BUSY: Text("the telephone is busy"),
    TransferOutcome.UNREACHABLE: Text("the telephone cannot be reached"),
}


class _Transfer(Step):
    """What both kinds have: whom to ring, how long, and how it can end."""

    hold: Speech | None = Field(default=None, description="What is heard before it rings.")
    ring: Milliseconds = Field(default=RING_MS, description="How long it rings, at most 60 s.")

    @property
    def destination(self) -> str:
        """The name that stands behind the step's word."""
        return str(getattr(self, self.WORD))

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return every way in which it ends."""
        del scope
        ends = [outcome for outcome in TransferOutcome if outcome in self.ends()]
        return tuple(Way(outcome.value, By.WORLD, _DEEDS[outcome]) for outcome in ends)

    def ends(self) -> frozenset[TransferOutcome]:
        """Return how it can end: who is not asked cannot decline."""
        return frozenset(TransferOutcome) - {TransferOutcome.DECLINED}

    @property
    def rescues(self) -> bool:
        """A human answers there."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check that there is such a destination; ring it."""
        word, destination, ring_ms = self.WORD, self.destination, self.ring
        if destination not in scope.world.destinations:
            message = Text("there is no destination '{name}'", name=destination)
            mend = Text("set it up under `destinations` of the hotline; a flow holds no numbers")
            if scope.world.destinations:
                mend = did_you_mean(destination, scope.world.destinations)
            scope.finding("E707", (word,), message, mend)
        scope.use(DESTINATIONS, destination, (word,))
        speech = scope.speech(self.hold, ("hold",)) if self.hold else None
        announce = self.announcement(scope)

        async def act(call: Call) -> str:
            if speech is not None:
                await call.conversation.say(speech(call))
            try:
                told = announce(call) if announce is not None else None
                return (await call.destinations.transfer(destination, ring_ms=ring_ms, announce=told)).value
            finally:
                call.conversation.forget_typed_ahead()

        return act

    def announcement(self, scope: Scope) -> Callable[[Call], Utterance] | None:
        """Return what the other side is told and asked before both are joined; None where nobody is asked."""
        del scope
        return None


class BlindTransfer(_Transfer):
    """Hand the caller on, without a word to who answers; the flow goes on when the other side has left."""

    WORD: ClassVar[str] = "blind_transfer"
    SUMMARY: ClassVar[str] = "Hand the caller on to a telephone outside the queues."

    blind_transfer: str = Field(description="The destination, by its name in the setting `destinations`.")


class AttendedTransfer(_Transfer):
    """Hand the caller on to who hears what it is about, and takes the call by a key; until then there is music."""

    WORD: ClassVar[str] = "attended_transfer"
    SUMMARY: ClassVar[str] = "Hand the caller on to somebody who is told first, and takes the call or declines it."

    attended_transfer: str = Field(description="The destination, by its name in the setting `destinations`.")
    announce: Speech = Field(
        min_length=1,
        description="What the other side alone hears before both are joined; it is asked then to press 1 or 2.",
    )

    def ends(self) -> frozenset[TransferOutcome]:
        """Return how it can end: in every way that there is."""
        return frozenset(TransferOutcome)

    def announcement(self, scope: Scope) -> Speaker:
        """Check what the other side is told; the keys are said behind it."""
        told = scope.speech(self.announce, ("announce",))
        asked = scope.speech(
            [Part(prompt="take_call"), press(TAKE_KEY), Part(prompt="decline_call"), press(DECLINE_KEY)], ()
        )
        longest_ms = CONSULT_TRIES * (told.longest_ms + asked.longest_ms)
        return Speaker(lambda call: told(call) + asked(call), longest_ms)
