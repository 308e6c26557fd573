"""`pause`: wait until the caller is ready to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Key, LongMilliseconds, Milliseconds
from ivr_engine.flow.nodes.asking import STAYS_SILENT
from ivr_engine.flow.nodes.offering import (
    BACK,
    HELP,
    check_events,
    everywhere,
    everywhere_arms,
    everywhere_events,
    helped,
    press,
    written,
)
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part, Speech
from ivr_engine.flow.step import Action, Arm, By, Step, Way
from ivr_engine.flow.wording import Text

READY: Final = "ready"
WITHIN_MS: Final = 60_000
REMIND_MS: Final = 15_000


class Pause(Step):
    """Wait for a key, and remind the caller of it now and then."""

    WORD: ClassVar[str] = "pause"
    SUMMARY: ClassVar[str] = "Wait until the caller is ready."

    pause: Speech = Field(
        min_length=1, description="What the caller is to do; which key then is to be pressed follows."
    )
    key: Key = Field(default="1", description="The key that says: ready.")
    within: LongMilliseconds = Field(default=WITHIN_MS, description="How long the caller may take.")
    remind: Milliseconds = Field(default=REMIND_MS, description="After how much silence the key is said again.")
    interrupt: Interrupt = Field(default=Interrupt.ANY, description="Which keys stop the prompt.")
    help: Speech | None = Field(default=None, min_length=1, description=HELP)
    back: str | None = Field(default=None, description=BACK)

    @property
    def goes_back_to(self) -> str | None:
        """The question before this one."""
        return self.back

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return ready, the keys that work everywhere, and silence to the end."""
        ready = Way(READY, By.CALLER, Text("press {keys}", keys=written(self.key)), 1)
        return (ready, *everywhere(scope, {self.key}, self.back).values(), STAYS_SILENT)

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Return the arms written here, and those of keys that work everywhere."""
        return everywhere_arms(scope, {self.key}, self.back) | dict(super().arms(scope))

    def compile(self, scope: Scope) -> Action:
        """Say what to do, then wait in slices; a wrong key ends a slice, so that the whole is never longer."""
        speech = scope.speech(self.pause, ("pause",))
        reminder = scope.speech([Part(prompt="when_ready"), press(self.key)], ())
        whole, rest = divmod(self.within, self.remind)
        slices = (*[self.remind] * whole, *([rest] if rest else []))
        check_events(scope, {"help": self.help, "back": self.back}, ())
        heard_again = helped(scope, self.help, everywhere_events(scope, {self.key}, helps=self.help is not None))
        heard_ms = speech.longest_ms + reminder.longest_ms
        longest_ms = speech.longest_ms + len(slices) * reminder.longest_ms + self.within
        scope.lasts(heard_ms, longest_ms + heard_again.longest_ms(heard_ms + self.remind))
        leads = everywhere(scope, {self.key}, self.back)
        options = {key: way.outcome for key, way in leads.items()} | {self.key: READY}
        choices, interrupt = frozenset(options), self.interrupt

        async def act(call: Call) -> str:
            prompt, again = speech(call) + reminder(call), heard_again.begin(call)
            for slice_ms in slices:
                chosen = await again.choose(
                    speech(call) + reminder(call),
                    choices,
                    heard_again.events,
                    first=prompt,
                    interrupt=interrupt,
                    timing=Timing(slice_ms, slice_ms),
                )
                if not isinstance(chosen, NoChoice):
                    return options[chosen]
                await call.try_again()
                prompt = reminder(call)
            return NoChoice.NO_INPUT.value

        return act
