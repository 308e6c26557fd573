"""`collect`: ask for digits, a number, an amount or a date. `secret`: ask for digits that nobody may see."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final, Literal

from pydantic import Field

from ivr_engine.channel.conversation import Interrupt, Timing
from ivr_engine.channel.keys import DIGIT_KEYS, Entry
from ivr_engine.channel.line import TERMINATOR
from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import Key, Length, LongMilliseconds, Milliseconds, Written
from ivr_engine.flow.nodes.asking import (
    CANCELLED,
    COLLECTED,
    ENTRY_BETWEEN_KEYS_MS,
    ENTRY_FIRST_KEY_MS,
    NOT_VALID,
    STAYS_SILENT,
    TOO_SHORT,
    TRIES,
    Apologies,
    Keep,
    Question,
    Refused,
)
from ivr_engine.flow.nodes.checks import is_weak_pin, luhn
from ivr_engine.flow.nodes.offering import written
from ivr_engine.flow.nodes.typed import KINDS_OF_ENTRY, NUMBER_KEYS_MAX, POINT, KindOfEntry, Test, bound, value_of
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Speech
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.values import DIGITS, MONEY, Type, Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.money import Currency
from ivr_engine.values.secret import SecretDigits

NOT_VALID_WORDS: Final = "not_valid"
WEAK_PIN_WORDS: Final = "pin_too_simple"
LENGTH: Final = "How many keys: 6, or 6 to 10. The hash key ends an entry early."


class Asking(Step):
    """What `collect` and `secret` share."""

    prompt: Speech = Field(min_length=1, description="What the caller hears; skipped when keys are typed ahead.")
    length: Length | None = Field(default=None, description=LENGTH)
    cancel: Key | None = Field(default=None, description="A key that gives the entry up.")
    tries: int = Field(default=TRIES, ge=1, le=5, description="How often it is asked before giving up.")
    first_key: Milliseconds = Field(default=ENTRY_FIRST_KEY_MS, description="Silence before the first key.")
    between_keys: Milliseconds = Field(default=ENTRY_BETWEEN_KEYS_MS, description="Silence between two keys.")
    in_all: LongMilliseconds | None = Field(
        default=None, description="When this time is over, it is not asked again. Nobody is cut off while typing."
    )
    interrupt: Interrupt = Field(default=Interrupt.ANY, description="Which keys stop the prompt.")

    @property
    @abstractmethod
    def variable(self) -> str:
        """The variable that receives the keys."""

    @abstractmethod
    def entry(self, scope: Scope) -> Entry:
        """Return which keys are taken, and how many."""

    @abstractmethod
    def refuses(self, scope: Scope) -> str:
        """Return the words after an entry that is complete and not valid, or nothing where there is none such."""

    @abstractmethod
    def keeper(self, scope: Scope) -> Keep:
        """Check what an entry is held against, and return what makes a value of it."""

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Collected, given up, silent, or wrong when the tries are used up; only a whole entry is kept."""
        name, least = self.variable, self.entry(scope).min_keys
        ways = [Way(COLLECTED, By.CALLER, Text("type {name}", name=name), least, frozenset({name}))]
        if self.cancel is not None:
            ways.append(Way(CANCELLED, By.CALLER, Text("press {keys}", keys=written(self.cancel)), 1))
        ways.append(STAYS_SILENT)
        if least > 1:
            ways.append(Way(TOO_SHORT, By.MISTAKE, Text("type too few keys")))
        if self.refuses(scope):
            ways.append(Way(NOT_VALID, By.MISTAKE, Text("type a {name} that is not valid", name=name)))
        return tuple(ways)

    def compile(self, scope: Scope) -> Action:
        """Ask, and keep the keys only when they are complete and valid."""
        if self.cancel == TERMINATOR:
            message = Text("the hash key ends the entry and cannot give it up")
            scope.finding("E232", ("cancel",), message, Text("take another key, for example star"))
        question = Question(
            scope.speech(self.prompt, ("prompt",)),
            self.entry(scope),
            Timing(self.first_key, self.between_keys),
            self.interrupt,
            self.tries,
            self.in_all,
            Apologies(scope, self.refuses(scope)),
            self.keeper(scope),
        )
        scope.lasts(question.prompt.longest_ms, question.longest_ms)
        name = self.variable

        async def act(call: Call) -> str:
            outcome, value = await question.ask(call)
            if value is not None:
                call.variables[name] = value
            return outcome

        return act


class Collect(Asking):
    """Ask for digits, a number, an amount or a date, and keep it in a variable of that type."""

    WORD: ClassVar[str] = "collect"
    SUMMARY: ClassVar[str] = "Ask for digits, a number, an amount or a date."

    collect: str = Field(description="The variable that receives what is typed; its type says what that is.")
    length: Length | None = Field(default=None, description=f"{LENGTH} Only digits must have one.")
    check: Literal["luhn"] | None = Field(
        default=None, description="For digits: luhn, the check digit at the end of card numbers."
    )
    currency: Currency | None = Field(default=None, description="For an amount: in which currency it is typed.")
    least: Written | None = Field(default=None, description="The least number, amount or date that is taken.")
    most: Written | None = Field(default=None, description="The greatest number, amount or date that is taken.")

    @property
    def variable(self) -> str:
        """The variable that receives what is typed."""
        return self.collect

    def entry(self, scope: Scope) -> Entry:
        """Return how many keys the type of the variable takes, unless the flow says it."""
        kind = self._kind(scope)
        length = kind.length if kind.fixed else self.length or kind.length
        return Entry(*(length or (1, 1)), self.cancel, kind.keys)

    def refuses(self, scope: Scope) -> str:
        """Return the words for what is no value of the type, fails its check or is beyond a limit."""
        may_fail = self._kind(scope).may_fail or self.check or self.least is not None or self.most is not None
        return NOT_VALID_WORDS if may_fail else ""

    def keeper(self, scope: Scope) -> Keep:
        """Return what makes a value of the variable's type, if the limits and the check allow it."""
        kind = self._type(scope)
        limits = {"least": self.least, "most": self.most}
        bounds = [bound(scope, name, limit, kind, self.currency) for name, limit in limits.items() if limit is not None]
        tests: list[Test] = [test for test in bounds if test is not None]
        if self.check is not None:
            tests.append(lambda _, value: luhn(str(value)))
        currency, keys_of_kind = self.currency, KINDS_OF_ENTRY[kind].keys

        def keep(call: Call, keys: SecretDigits) -> Value | Refused:
            text = self.keep(keys)
            if not set(text) <= set(keys_of_kind):
                return Refused.NO_DIGITS
            value = value_of(text, kind, currency)
            if value is None or not all(test(call, value) for test in tests):
                return Refused.NOT_VALID
            return value

        return keep

    @staticmethod
    def keep(keys: SecretDigits) -> str:
        """These keys are no secret: return them as text, and keep nothing else of them."""
        text = keys.reveal().decode("ascii")
        keys.wipe()
        return text

    def compile(self, scope: Scope) -> Action:
        """Check that what is written suits the type of the variable."""
        declared = scope.variable(self.collect, ("collect",))
        if declared is not None and declared.type not in KINDS_OF_ENTRY:
            message = Text("'{name}' is {type}, and keys are digits", name=self.collect, type=declared.type)
            mend = Text("declare it as `digits`, `number`, `money` or `date`")
            scope.finding("E302", ("collect",), message, mend)
        elif declared is not None:
            self._check_length(scope, declared.type)
            self._check_rest(scope, declared.type)
        return super().compile(scope)

    def _check_length(self, scope: Scope, kind: Type) -> None:
        if self.length is None:
            if KINDS_OF_ENTRY[kind].length is None:
                scope.finding("E111", (), Text("`length` is missing"), Text("add `length: ...`"), key=True)
        elif KINDS_OF_ENTRY[kind].fixed:
            message = Text("a date is always typed with eight keys: year, month, day")
            scope.finding("E230", ("length",), message, Text("remove `length`"), key=True)
        elif kind != DIGITS and self.length[1] > NUMBER_KEYS_MAX:
            message = Text("a {type} has at most {most} keys", type=kind, most=NUMBER_KEYS_MAX)
            scope.finding("E230", ("length",), message, Text("write a smaller `length`"))

    def _check_rest(self, scope: Scope, kind: Type) -> None:
        ordered = KINDS_OF_ENTRY[kind].ordered
        suits = {"check": kind == DIGITS, "currency": kind == MONEY, "least": ordered, "most": ordered}
        for name, fits in suits.items():
            if getattr(self, name) is not None and not fits:
                message = Text("`{key}` says nothing of {type}", key=name, type=kind)
                scope.finding("E230", (name,), message, Text("remove it, or declare the variable otherwise"), key=True)
        if kind == MONEY and self.currency is None:
            message = Text("the currency of '{name}' is missing", name=self.collect)
            scope.finding("E231", (), message, Text("add for example `currency: CNY`"), key=True)
        if kind == MONEY and self.cancel == POINT:
            message = Text("star is the decimal point of an amount and cannot give it up")
            scope.finding("E232", ("cancel",), message, Text("remove `cancel`, and let `confirm` read the amount back"))

    def _type(self, scope: Scope) -> Type:
        declared = scope.variables.get(self.collect)
        return declared.type if declared is not None and declared.type in KINDS_OF_ENTRY else DIGITS

    def _kind(self, scope: Scope) -> KindOfEntry:
        return KINDS_OF_ENTRY[self._type(scope)]


class Secret(Asking):
    """Ask for a secret, which can only be handed to an operation that takes it."""

    WORD: ClassVar[str] = "secret"
    SUMMARY: ClassVar[str] = "Ask for a PIN or another secret."

    secret: str = Field(description="The secret variable that receives the digits.")
    length: Length = Field(description=LENGTH)
    check: Literal["weak_pin"] | None = Field(
        default=None, description="For a new PIN: weak_pin refuses those that are guessed first."
    )

    @property
    def variable(self) -> str:
        """The variable that receives the secret."""
        return self.secret

    def entry(self, scope: Scope) -> Entry:
        """Return as many keys as the flow says, of any kind."""
        del scope
        return Entry(*self.length, self.cancel, DIGIT_KEYS + POINT)

    def refuses(self, scope: Scope) -> str:
        """Return the words for a PIN that is too simple, where that is asked for."""
        del scope
        return WEAK_PIN_WORDS if self.check is not None else ""

    def keeper(self, scope: Scope) -> Keep:
        """Keep the keys as they are: a secret. What a star means in it, the bank says."""
        del scope
        new = self.check is not None

        def keep(call: Call, keys: SecretDigits) -> Value | Refused:
            del call
            return Refused.NOT_VALID if new and is_weak_pin(keys) else keys

        return keep

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
            with call.conversation.finishing_entries():
                outcome = await asking(call)
            return str(outcome)

        return act
