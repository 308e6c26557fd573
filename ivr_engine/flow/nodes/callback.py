"""`callback`: note that a human will call the caller back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.uses import QUEUES
from ivr_engine.flow.values import DIGITS
from ivr_engine.flow.wording import Text

_DEEDS: Final[Mapping[CallbackOutcome, Text]] = {
    CallbackOutcome.REGISTERED: Text("the callback is noted"),
    CallbackOutcome.ALREADY_REGISTERED: Text("this number waits for a callback already"),
    CallbackOutcome.NUMBER_NOT_ALLOWED: Text("nobody may call this number"),
    CallbackOutcome.UNAVAILABLE: Text("no callback can be noted"),
}


class Callback(Step):
    """Note a number for the people of a queue; nobody is called by this, they see it in a list."""

    WORD: ClassVar[str] = "callback"
    SUMMARY: ClassVar[str] = "Note that a human will call the caller back."

    callback: str = Field(description="The queue whose people call back.")
    number: str = Field(description="The number, digits that the caller has confirmed before.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return every way in which the wish ends."""
        del scope
        return tuple(Way(outcome.value, By.WORLD, _DEEDS[outcome]) for outcome in CallbackOutcome)

    @property
    def rescues(self) -> bool:
        """A human will call."""
        return True

    @property
    def silent(self) -> bool:
        """Nothing is said here."""
        return True

    def spends(self, scope: Scope) -> frozenset[str] | None:
        """A stranger is called when the number is wrong: the caller has confirmed it."""
        return frozenset({self.number}) & scope.variables.keys()

    def compile(self, scope: Scope) -> Action:
        """Check the queue and the number; note it, once, and listen meanwhile."""
        if self.callback not in scope.world.queues:
            mend = did_you_mean(self.callback, scope.world.queues)
            scope.finding("E701", ("callback",), Text("there is no queue '{name}'", name=self.callback), mend)
        scope.use(QUEUES, self.callback, ("callback",))
        number, queue = scope.expression(self.number, ("number",), DIGITS), self.callback

        async def act(call: Call) -> str:
            assert number is not None  # noqa: S101 # without a number there was a finding, and nothing runs
            wish = call.callbacks.register(queue, str(number.evaluate(call)))
            if call.gone:
                return (await wish).value
            with call.conversation.hold_off():  # an agent who comes meanwhile waits until it is noted
                return (await call.conversation.listen_while(wish)).value

        return act
