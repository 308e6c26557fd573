"""`queue`: put the caller through to a human."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, Final, cast

from pydantic import BeforeValidator, Field

from ivr_engine.flow.call import CALLED_AWAY, Call, QueueOutcome, Wanted
from ivr_engine.flow.fields import LongMilliseconds
from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.nodes.modules import interface_named
from ivr_engine.flow.scope import Interface, Scope
from ivr_engine.flow.speaking import Part, Speech
from ivr_engine.flow.step import Action, By, Enter, Step, Way
from ivr_engine.flow.uses import SKILLS
from ivr_engine.flow.values import NUMBER
from ivr_engine.flow.wording import Text

PRIORITY_MAX: Final = 9
EVERY_MS: Final = 30_000
SECURE_DONE: Final = "secure_done"
SECURE_NOT_DONE: Final = "secure_not_done"
"""What an agent who has asked for a secret is told when the caller is back: it went well, or it did not."""

_DEEDS: Final[Mapping[QueueOutcome, Text]] = {
    QueueOutcome.ANSWERED: Text("an agent has answered and left"),
    QueueOutcome.NO_AGENTS: Text("no agent is signed in"),
    QueueOutcome.FULL: Text("the queue is full"),
    QueueOutcome.TIMED_OUT: Text("nobody answers in time"),
}


def _priority(written: Any) -> Any:  # noqa: ANN401 # whatever the author wrote
    if type(written) is int and not 0 <= written <= PRIORITY_MAX:
        message = Text("a priority is 0 to {most}", most=PRIORITY_MAX)
        raise NotUnderstoodError(message, Text("write 0 for most callers, and more for some"))
    return written


Priority = Annotated[
    int | str,
    BeforeValidator(_priority, json_schema_input_type=Annotated[int, Field(ge=0, le=PRIORITY_MAX)] | str),
]


class Queue(Step):
    """Put the caller through to a human; the flow goes on when the agent has left.

    While the caller waits, an in-queue flow may run, again and again. The step stays with the caller: it is asked again
    whenever that flow has returned, or an agent has called the caller away from it.
    """

    WORD: ClassVar[str] = "queue"
    SUMMARY: ClassVar[str] = "Put the caller through to a human."

    queue: str = Field(description="The queue.")
    hold: Speech | None = Field(default=None, description="What is heard before the music.")
    meanwhile: str | None = Field(
        default=None,
        description="A flow that runs while the caller waits; its usual outcome means: wait on, others leave.",
    )
    every: LongMilliseconds = Field(
        default=EVERY_MS, description="How long there is music before that flow runs again; a key ends it at once."
    )
    most: LongMilliseconds | None = Field(
        default=None, description="How long the caller waits at most, up to 10 min; the queue has a limit of its own."
    )
    priority: Priority = Field(
        default=0, description="0 to 9, or an expression: who has more is served first, then who came first."
    )
    skills: list[str] = Field(default_factory=list, description="What an agent must know to be rung for this caller.")
    relax: LongMilliseconds | None = Field(
        default=None, description="After this wait any agent of the queue may be rung, whatever they know."
    )
    secure: str | None = Field(
        default=None,
        description="A flow that runs when the agent presses *7 in the talk; then the caller goes back to the agent.",
    )
    whisper: Speech | None = Field(
        default=None, description="What the agent alone hears before both are joined; the caller hears nothing of it."
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return every way in which waiting ends, those of the in-queue flow last."""
        own = tuple(Way(outcome.value, By.WORLD, _DEEDS[outcome]) for outcome in QueueOutcome)
        if self.meanwhile is None:
            return own
        interface = scope.interfaces.get(self.meanwhile)
        others = interface.outcomes[1:] if interface is not None else tuple(self.when)
        return (*own, *(Way(outcome) for outcome in others if outcome not in _OWN))

    @property
    def rescues(self) -> bool:
        """A human is what it is for."""
        return True

    @property
    def runs(self) -> str | None:
        """The in-queue flow."""
        return self.meanwhile

    @property
    def secures(self) -> str | None:
        """The flow that the agent can ask for."""
        return self.secure

    def compile(self, scope: Scope) -> Action:
        """Check the names; wait."""
        scope.queue(self.queue, ("queue",))
        self._check_skills(scope)
        usual = self._check_meanwhile(scope)
        secured = self._check_secure(scope)
        words = (SECURE_DONE, SECURE_NOT_DONE) if self.secure is not None else ()
        told = [scope.speech([Part(prompt=prompt)], ()) for prompt in words]
        wanted = self._wanted(scope)
        flow, secure, every = self.meanwhile, self.secure, self.every

        async def act(call: Call) -> str | Enter:
            pause_ms = None if flow is None else every
            if call.queues.holds_agent:
                call.queues.came_back(told[call.returned != secured](call))
            elif call.returned is None:
                await call.queues.enter(wanted(call))
                pause_ms = None if flow is None else 0
            elif call.returned not in (usual, CALLED_AWAY):
                call.queues.leave()
                return call.returned
            outcome = await call.queues.wait(pause_ms)
            if outcome is not None:
                return outcome.value
            asked = call.queues.holds_agent
            return Enter((secure if asked else flow) or "", {}, stays=True, counts=asked)

        return act

    def _wanted(self, scope: Scope) -> Callable[[Call], Wanted]:
        """Return what says for whom a caller waits, as it is when they begin to."""
        hold = scope.speech(self.hold, ("hold",)) if self.hold else None
        whisper = scope.speech(self.whisper, ("whisper",)) if self.whisper else None
        priority = scope.expression(self.priority, ("priority",), NUMBER)
        queue, most_ms, skills, relax_ms = self.queue, self.most, frozenset(self.skills), self.relax
        secure = self.secure is not None

        def wanted(call: Call) -> Wanted:
            weight = cast("int", priority.evaluate(call)) if priority is not None else 0
            return Wanted(
                queue,
                hold(call) if hold is not None else None,
                most_ms,
                min(max(weight, 0), PRIORITY_MAX),
                skills,
                relax_ms,
                whisper(call) if whisper is not None else None,
                secure,
            )

        return wanted

    def _check_skills(self, scope: Scope) -> None:
        for index, skill in enumerate(self.skills):
            if skill not in scope.world.skills:
                message = Text("no agent has the skill '{name}'", name=skill)
                scope.finding("E705", ("skills", index), message, did_you_mean(skill, scope.world.skills))
            scope.use(SKILLS, skill, ("skills", index))
        if self.relax is not None and not self.skills:
            self._lonely(scope, "relax", "skills")

    def _check_meanwhile(self, scope: Scope) -> str | None:
        """Check the in-queue flow; return the outcome after which the caller waits on."""
        if self.meanwhile is None:
            if "every" in self.model_fields_set:
                self._lonely(scope, "every", "meanwhile")
            return None
        interface = interface_named(scope, "meanwhile", self.meanwhile)
        return self._check_interface(scope, interface, self.meanwhile) if interface is not None else None

    def _check_secure(self, scope: Scope) -> str | None:
        """Check the flow that the agent can ask for; return the outcome after which they are told that it went well."""
        interface = interface_named(scope, "secure", self.secure) if self.secure is not None else None
        if interface is None:
            return None
        message = mend = None
        if not interface.outcomes:
            message = Text("'{flow}' does not come back to the agent who has asked for it", flow=self.secure)
            mend = Text("declare `outcomes` in it, the first of which means that it went well")
        elif interface.inputs:
            message = Text("'{flow}' has inputs, and a flow that an agent asks for is given none", flow=self.secure)
            mend = Text("let it find out itself what it needs")
        if message is not None and mend is not None:
            scope.finding("E702", ("secure",), message, mend)
        return next(iter(interface.outcomes), None)

    def _check_interface(self, scope: Scope, interface: Interface, flow: str) -> str | None:
        message = mend = None
        taken = [outcome for outcome in interface.outcomes[1:] if outcome in _OWN]
        if not interface.outcomes:
            message = Text("'{flow}' says with no outcome that the caller waits on", flow=flow)
            mend = Text("declare `outcomes` in it, the first of which means that the caller waits on")
        elif interface.inputs:
            message = Text("'{flow}' has inputs, and a flow that runs while a caller waits is given none", flow=flow)
            mend = Text("let it find out itself what it needs")
        elif taken:
            message = Text("'{outcome}' of '{flow}' is an outcome of the queue itself", outcome=taken[0], flow=flow)
            mend = Text("call it otherwise, for example `left_by_key`")
        if message is not None and mend is not None:
            scope.finding("E702", ("meanwhile",), message, mend)
        return next(iter(interface.outcomes), None)

    @staticmethod
    def _lonely(scope: Scope, key: str, other: str) -> None:
        message = Text("`{key}` means nothing without `{other}`", key=key, other=other)
        mend = Text("write `{other}` as well, or remove `{key}`", key=key, other=other)
        scope.finding("E706", (key,), message, mend, key=True)


_OWN: Final = frozenset(outcome.value for outcome in QueueOutcome)
