"""`confirm`: read back what is going to be done, and ask whether it is right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Key, Milliseconds
from ivr_engine.flow.nodes.asking import FIRST_KEY_MS, NO_CHOICE, TRIES, Apologies
from ivr_engine.flow.nodes.offering import (
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
from ivr_engine.flow.speaking import Part, Speech, read_out
from ivr_engine.flow.step import Action, Arm, By, Step, Way
from ivr_engine.flow.wording import Text

CONFIRMED = "confirmed"
DECLINED = "declined"


class Confirm(Step):
    """Read values back and ask yes or no. Only who has heard them to their end can say yes."""

    WORD: ClassVar[str] = "confirm"
    SUMMARY: ClassVar[str] = "Read values back and ask whether they are right."

    confirm: Speech = Field(
        min_length=1, description="What is read back; which key says yes and which no is said after it."
    )
    yes: Key = Field(default="1", description="The key that says yes; it counts when all has been read back.")
    no: Key = Field(default="2", description="The key that says no; it counts at any time.")
    tries: int = Field(default=TRIES, ge=1, le=5, description="How often it is read back before giving up.")
    first_key: Milliseconds = Field(default=FIRST_KEY_MS, description="Silence before the key.")
    help: Speech | None = Field(default=None, min_length=1, description=HELP)

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return yes, which confirms what was read out, no, and the ways of saying neither."""
        yes = Way(
            CONFIRMED,
            By.CALLER,
            Text("hear it to the end and press {keys}", keys=written(self.yes)),
            1,
            confirms=read_out(self.confirm, scope),
        )
        no = Way(DECLINED, By.CALLER, Text("press {keys}", keys=written(self.no)), 1)
        return (yes, no, *everywhere(scope, self._own).values(), *NO_CHOICE)

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Return the arms written here, and those of keys that work everywhere."""
        return everywhere_arms(scope, self._own) | dict(super().arms(scope))

    def compile(self, scope: Scope) -> Action:
        """Read back until the caller has said yes or no, or the tries are used up."""
        if self.yes == self.no:
            message = Text("'{key}' says yes and no", key=written(self.yes))
            scope.finding("E223", ("no",), message, Text("take two keys"))
        values = scope.speech(self.confirm, ("confirm",))
        listen = scope.speech([Part(prompt="please_listen")], ())
        keys = [Part(prompt="confirm_yes"), press(self.yes), Part(prompt="confirm_no"), press(self.no)]
        question = scope.speech(keys, ())
        apologies = Apologies(scope)
        once_ms = values.longest_ms + question.longest_ms + self.first_key
        listened_ms = listen.longest_ms + values.longest_ms  # once more, for who says yes before the end
        longest_ms = self.tries * once_ms + (self.tries - 1) * apologies.longest_ms + listened_ms
        check_events(scope, {"help": self.help}, ())
        heard_again = helped(scope, self.help, everywhere_events(scope, self._own, helps=self.help is not None))
        scope.lasts(values.longest_ms, longest_ms + heard_again.longest_ms(once_ms))
        taken = {key: way.outcome for key, way in everywhere(scope, self._own).items()}
        options = {**taken, self.no: DECLINED, self.yes: CONFIRMED}
        choices, yes, tries, timing = frozenset(options), self.yes, self.tries, Timing(self.first_key, self.first_key)

        async def act(call: Call) -> str:
            what, left, none = values(call), tries, NoChoice.NO_INPUT
            stops, again = choices, heard_again.begin(call)
            while True:
                events = again.keys(heard_again.events)
                taken_now = "".join(sorted(stops | events.keys()))
                key: str | NoChoice | None = await call.conversation.read_back(what, stop_on=taken_now)
                if key == yes:
                    # Said too early: nothing is confirmed. The next time this key does not even stop the words.
                    stops = choices - {yes}
                    await call.keep_alive()
                    what = listen(call) + values(call)
                    continue
                if key is None:
                    key = await call.conversation.choose(
                        question(call), choices | events.keys(), interrupt=Interrupt.VALID, timing=timing
                    )
                if not isinstance(key, NoChoice) and key in events:
                    what = await again.said(events[key], values(call))
                    continue
                if not isinstance(key, NoChoice):
                    return options[key]
                none, left = key, left - 1
                if left == 0:
                    return none.value
                await call.try_again()
                what = apologies(call, none.value) + values(call)

        return act

    @property
    def _own(self) -> frozenset[str]:
        return frozenset({self.yes, self.no})
