"""`do`: ask the bank to do something."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Milliseconds, Written
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.nodes.lists import check_results
from ivr_engine.flow.operations import DEADLINE_MS, UNAVAILABLE, UNKNOWN, Level, Performed, Signature
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Speaker, Speech
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.uses import OPERATIONS
from ivr_engine.flow.values import QUEUE, SECRET, Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.secret import SecretDigits

Give = Callable[[Call], Value]

FILLER_AFTER_MS: Final = 1500
"""How long a caller hears nothing before the filler is said."""
RETRY_PAUSE_MS: Final = 250
"""How long a bank that was away is left alone before it is asked again."""


@dataclass(frozen=True, slots=True)
class _Asking:
    """How the bank is asked: what, for how long in all, and how often at most."""

    name: str
    within_ms: int
    tries: int


class Operation(Step):
    """Carry out an operation; every outcome that it declares needs an arm."""

    WORD: ClassVar[str] = "do"
    SUMMARY: ClassVar[str] = "Ask the bank to do something."

    do: str = Field(description="The operation.")
    with_: dict[str, Written] = Field(default_factory=dict, alias="with", description="Its arguments.")
    into: dict[str, str] = Field(default_factory=dict, description="Which result goes into which variable.")

    within: Milliseconds = Field(default=DEADLINE_MS, description="How long the caller waits for it, at most 4 s.")
    retry: int = Field(
        default=0, ge=1, le=3, description="How often it is asked again, within the same time, when the bank was away."
    )
    filler: Speech | None = Field(
        default=None, description="What is said once when the answer takes longer than 1.5 s; keys are kept meanwhile."
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return the outcomes that the operation declares, each with its results and the level that it grants."""
        signature = scope.world.operations.get(self.do)
        if signature is None:
            return tuple(Way(outcome, By.WORLD) for outcome in (*self.usual_unknown, *self.when, UNAVAILABLE))
        return tuple(
            Way(
                outcome,
                By.WORLD,
                Text("{operation} ends in {outcome}", operation=self.do, outcome=outcome),
                writes=frozenset(
                    self.into[result] for result in signature.outcomes.get(outcome, {}) if result in self.into
                ),
                level=signature.grants.get(outcome),
                at_least=signature.shows(outcome),
            )
            for outcome in signature.outcome_names
        )

    @property
    def silent(self) -> bool:
        """Only a filler is heard."""
        return self.filler is None

    def needs(self, scope: Scope) -> Level:
        """Return the level that the operation asks of the caller."""
        signature = scope.world.operations.get(self.do)
        return signature.needs if signature is not None else Level.NOBODY

    def spends(self, scope: Scope) -> frozenset[str] | None:
        """Of an operation that moves money, every argument is a variable that the caller has confirmed."""
        signature = scope.world.operations.get(self.do)
        if signature is None or not signature.moves_money:
            return None
        return frozenset(str(written) for written in self.with_.values()) & scope.variables.keys()

    def forgets(self, scope: Scope) -> frozenset[str]:
        """A secret is wiped as soon as the operation that takes it has ended."""
        signature = scope.world.operations.get(self.do)
        takes = signature.arguments if signature is not None else {}
        return frozenset(str(written) for name, written in self.with_.items() if takes.get(name) == SECRET)

    def compile(self, scope: Scope) -> Action:
        """Check names and types against the signature; wipe secrets as soon as the operation has ended."""
        signature = scope.world.operations.get(self.do)
        if signature is None:
            mend = did_you_mean(self.do, scope.world.operations)
            scope.finding("E501", ("do",), Text("there is no operation '{name}'", name=self.do), mend)
            for result, name in self.into.items():
                scope.variable(name, ("into", result))
            return _never
        scope.use(OPERATIONS, self.do, ("do",))
        gives = self._arguments(scope, signature)
        check_results(scope, signature, self.into)
        filler = self._patience(scope, signature)
        secrets = self.forgets(scope)
        asking, into, changes = _Asking(self.do, self.within, 1 + self.retry), dict(self.into), signature.changes
        must_end = changes or not signature.repeatable  # an agent who comes meanwhile waits for it

        async def act(call: Call) -> str:
            arguments = {argument: give(call) for argument, give in gives.items()}
            work = _ask(call, asking, arguments)
            try:
                if call.gone:
                    performed = await work
                else:
                    with call.conversation.hold_off() if must_end else nullcontext():
                        performed = await _listening(call, work, filler)
            finally:
                for secret in secrets:
                    _wipe(call, secret)
            if changes and performed.outcome != UNKNOWN:
                call.tally.changes += 1  # what nobody can say keeps its number: sent again, it is the same change
            for result, value in performed.results.items():
                if result in into:
                    call.variables[into[result]] = value
            return performed.outcome

        return act

    def _patience(self, scope: Scope, signature: Signature) -> Speaker | None:
        """Check how long it is waited for; return what is said meanwhile."""
        if self.within > DEADLINE_MS:
            message = Text("nobody waits so long for the bank")
            scope.finding("E510", ("within",), message, Text("write at most {most} s", most=DEADLINE_MS // 1000))
        if self.retry and not signature.repeatable:
            message = Text("'{operation}' must not be asked for again by itself", operation=self.do)
            scope.finding(
                "E511", ("retry",), message, Text("remove `retry`, and say under `when` what follows"), key=True
            )
        filler = scope.speech(self.filler, ("filler",)) if self.filler else None
        if filler is not None and self.within <= FILLER_AFTER_MS:
            message = Text("the wait is over before this would be said")
            scope.finding("E512", ("filler",), message, Text("remove `filler`, or write a longer `within`"), key=True)
        scope.lasts(0, 0 if signature.at_once else self.within + (filler.longest_ms if filler is not None else 0))
        return filler

    def _arguments(self, scope: Scope, signature: Signature) -> dict[str, Give]:
        gives: dict[str, Give] = {}
        for argument, written in self.with_.items():
            at = ("with", argument)
            if argument not in signature.arguments:
                message = Text(
                    "'{operation}' has no argument '{name}'; it takes: {takes}",
                    operation=self.do,
                    name=argument,
                    takes=", ".join(signature.arguments) or Text("none"),
                )
                scope.finding("E502", at, message, did_you_mean(argument, signature.arguments), key=True)
                continue
            expected = signature.arguments[argument]
            if expected == SECRET:
                secret = scope.secret(written, at)
                if secret is not None:
                    gives[argument] = _from_variable(secret)
                continue
            if expected == QUEUE:
                queue = scope.queue(written, at)
                if queue is not None:
                    gives[argument] = _named(queue)
                continue
            compiled = scope.expression(written, at, expected)
            if compiled is not None:
                if signature.moves_money and compiled.variable is None:
                    message = Text("'{value}' cannot have been confirmed by the caller", value=written)
                    mend = Text("`set` a variable to it, read it out in a `confirm` step, and name that variable here")
                    scope.finding("E803", at, message, mend)
                gives[argument] = compiled.evaluate
        for argument in signature.arguments:
            if argument not in self.with_:
                message = Text("'{operation}' needs the argument '{name}'", operation=self.do, name=argument)
                scope.finding("E503", ("do",), message, Text("add `{name}: ...` under `with`", name=argument))
        return gives


async def _ask(call: Call, asking: _Asking, arguments: dict[str, Value]) -> Performed:
    """Ask the bank, and again when it was away and there is time left."""
    due = call.clock.monotonic() + asking.within_ms / 1000
    left, within_ms = asking.tries, asking.within_ms
    while True:
        performed = await call.operations.perform(
            asking.name, arguments, within_ms=within_ms, change=call.tally.changes
        )
        left -= 1
        within_ms = round((due - call.clock.monotonic()) * 1000) - RETRY_PAUSE_MS
        if performed.outcome != UNAVAILABLE or left == 0 or within_ms <= 0:
            return performed
        await asyncio.sleep(RETRY_PAUSE_MS / 1000)


async def _listening(call: Call, work: Coroutine[Any, Any, Performed], filler: Speaker | None) -> Performed:
    if filler is None:
        return await call.conversation.listen_while(work)
    return await _with_filler(call, work, filler)


async def _with_filler(call: Call, work: Coroutine[Any, Any, Performed], filler: Speaker) -> Performed:
    """Do the work and say the filler when it takes long; no key is lost, and a hang-up cancels the work."""
    task = asyncio.create_task(work)
    try:
        await call.conversation.listen_while(_ended(task, FILLER_AFTER_MS / 1000))
        if not task.done():
            await call.conversation.say(filler(call))
            await call.conversation.listen_while(_ended(task, None))
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})
        if not task.cancelled():
            task.exception()  # seen, so that asyncio does not report it as forgotten
    return task.result()


async def _ended(task: asyncio.Task[Performed], within_s: float | None) -> None:
    await asyncio.wait({task}, timeout=within_s)


def _from_variable(name: str) -> Give:
    return lambda call: call.variables[name]


def _named(name: str) -> Give:
    return lambda _: name


def _wipe(call: Call, name: str) -> None:
    value = call.variables.pop(name, None)
    if isinstance(value, SecretDigits):
        value.wipe()


async def _never(call: Call) -> str:
    del call
    raise AssertionError("a flow with findings never runs")
