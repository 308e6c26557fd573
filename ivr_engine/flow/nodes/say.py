"""`say`: speak to the caller."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr_engine.channel.conversation import Interrupt
from ivr_engine.flow.call import Call
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Speech
from ivr_engine.flow.step import Action, Step, Way


class Say(Step):
    """Speak prompts and read-outs, in order and without a gap."""

    WORD: ClassVar[str] = "say"
    SUMMARY: ClassVar[str] = "Speak to the caller."

    say: Speech = Field(min_length=1, description="Prompts and read-outs in the order in which they are heard.")
    interrupt: Literal[Interrupt.NONE, Interrupt.ANY] = Field(
        default=Interrupt.ANY, description="Which keys stop it: none or any."
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Speaking has one end."""
        del scope
        return (Way("said"),)

    def compile(self, scope: Scope) -> Action:
        """Play the parts; skipped when keys are typed ahead, unless nothing may interrupt."""
        speech = scope.speech(self.say, ("say",))
        scope.lasts(speech.longest_ms, speech.longest_ms)
        interrupt = self.interrupt

        async def act(call: Call) -> str:
            await call.conversation.say(speech(call), interrupt=interrupt)
            return "said"

        return act
