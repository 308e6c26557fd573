"""`collect`: ask for digits that are not secret. `secret`: ask for digits that are."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pydantic import Field

from ivr_engine.channel.conversation import Timing
from ivr_engine.channel.keys import Entry
from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Key, Length, Milliseconds
from ivr_engine.flow.nodes.asking import (
    CANCELLED,
    COLLECTED,
    ENTRY_BETWEEN_KEYS_MS,
    ENTRY_FIRST_KEY_MS,
    STAYS_SILENT,
    TOO_SHORT,
    TRIES,
    Apologies,
    ask,
)
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Speech
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.values import DIGITS, Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.secret import SecretDigits


class Asking(Step):
    """What `collect` and `secret` share."""

    prompt: Speech = Field(min_length=1, description="What the caller hears; skipped when keys are typed ahead.")
    length: Length = Field(description="How many keys: 6, or 6 to 10. The hash key ends an entry early.")
    cancel: Key | None = Field(default=None, description="A key that gives the entry up.")
    tries: int = Field(default=TRIES, ge=1, le=5, description="How often it is asked before giving up.")
    first_key: Milliseconds = Field(default=ENTRY_FIRST_KEY_MS, description="Silence before the first key.")
    between_keys: Milliseconds = Field(default=ENTRY_BETWEEN_KEYS_MS, description="Silence between two keys.")

    @property
    @abstractmethod
    def variable(self) -> str:
        """The variable that receives the keys."""

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Collected, given up, silent, or too short when the tries are used up; only a complete entry is kept."""
        del scope
        name, least = self.variable, self.length[0]
        ways = [Way(COLLECTED, By.CALLER, Text("type {name}", name=name), least, frozenset({name}))]
        if self.cancel is not None:
            ways.append(Way(CANCELLED, By.CALLER, Text("press {keys}", keys=self.cancel), 1))
        ways.append(STAYS_SILENT)
        if least > 1:
            ways.append(Way(TOO_SHORT, By.MISTAKE, Text("type too few keys")))
        return tuple(ways)

    @abstractmethod
    def keep(self, keys: SecretDigits) -> Value | None:
        """Return what is kept of the keys, or None when they are to be asked for again."""

    def compile(self, scope: Scope) -> Action:
        """Ask, and keep the keys only when they are complete."""
        prompt = scope.speech(self.prompt, ("prompt",))
        apologies = Apologies(scope)
        entry = Entry(*self.length, self.cancel)
        once_ms = prompt.longest_ms + self.first_key + self.between_keys * (self.length[1] - 1)
        scope.lasts(prompt.longest_ms, self.tries * once_ms + (self.tries - 1) * apologies.longest_ms)
        timing = Timing(self.first_key, self.between_keys)
        name, tries, keep = self.variable, self.tries, self.keep

        async def act(call: Call) -> str:
            outcome, value = await ask(call, prompt(call), entry, timing, tries, apologies, keep)
            if value is not None:
                call.variables[name] = value
            return outcome

        return act


class Collect(Asking):
    """Ask for digits and keep them in a variable."""

    WORD: ClassVar[str] = "collect"
    SUMMARY: ClassVar[str] = "Ask for digits."

    collect: str = Field(description="The variable that receives the digits.")

    @property
    def variable(self) -> str:
        """The variable that receives the digits."""
        return self.collect

    def keep(self, keys: SecretDigits) -> Value | None:
        """These keys are no secret: keep them as text, and nothing else of them. A star among them is no digit."""
        text = keys.reveal().decode("ascii")
        keys.wipe()
        return text if text.isdigit() else None

    def compile(self, scope: Scope) -> Action:
        """Check that the variable can hold digits."""
        declared = scope.variable(self.collect, ("collect",))
        if declared is not None and declared.type != DIGITS:
            message = Text("'{name}' is {type}, and keys are digits", name=self.collect, type=declared.type)
            scope.finding("E302", ("collect",), message, Text("declare it as `digits`"))
        return super().compile(scope)


class Secret(Asking):
    """Ask for a secret, which can only be handed to an operation that takes it."""

    WORD: ClassVar[str] = "secret"
    SUMMARY: ClassVar[str] = "Ask for a PIN or another secret."

    secret: str = Field(description="The secret variable that receives the digits.")

    @property
    def variable(self) -> str:
        """The variable that receives the secret."""
        return self.secret

    def keep(self, keys: SecretDigits) -> Value | None:
        """Keep the keys as they are: a secret. What a star means in it, the bank says."""
        return keys

    def forgets(self, scope: Scope) -> frozenset[str]:
        """What was there before is gone, whether a new secret is typed or not."""
        del scope
        return frozenset({self.secret})

    def compile(self, scope: Scope) -> Action:
        """Check that the variable is secret; what was there before is overwritten in memory."""
        reads_before = set(scope.reads)
        if scope.variable(self.secret, ("secret",)) is not None:
            scope.secret(self.secret, ("secret",))
        scope.reads.intersection_update(reads_before)  # it is written here, not read
        asking = super().compile(scope)
        name = self.secret

        async def act(call: Call) -> str:
            before = call.variables.pop(name, None)
            if isinstance(before, SecretDigits):
                before.wipe()
            outcome = await asking(call)
            return str(outcome)

        return act
