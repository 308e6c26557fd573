"""The frame of a step: what every kind has, and what a kind is given when it is compiled.

Knows the common keys (`then`, `when`), the ways in which a step can end, and arms. Must not know any one kind; a new
kind is one new file in `nodes/` and one line in its table. What it says of its ways is all that the proofs know of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.operations import Level
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.source import Path
from ivr_engine.flow.values import Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language


@dataclass(frozen=True, slots=True)
class Enter:
    """The step runs another flow with these inputs; that flow's `return` becomes this step's outcome.

    A step that `stays` is asked again instead, when that flow has returned or the caller was called away from it
    (`Call.returned`), and says itself what follows. What the caller does in that flow, while they wait, uses up nothing
    of the budget, unless it `counts`.
    """

    flow: str
    inputs: dict[str, Value]
    stays: bool = False
    counts: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """The call goes on in another flow with these inputs, and nothing of what ran until now is left."""

    flow: str
    inputs: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Return:
    """The flow gives the call back to the flow that ran it."""

    outcome: str


@dataclass(frozen=True, slots=True)
class End:
    """The call is over; the reason goes into its record."""

    reason: str


Result = str | Enter | HandOver | Return | End
Action = Callable[[Call], Awaitable[Result]]


class Known(Protocol):
    """What a step that only decides sees of a call: variables, the language, and the facts of expressions."""

    variables: dict[str, Value]
    language: Language

    def fact(self, name: str) -> Value:
        """Return a read-only fact (a key of `FACTS`)."""
        ...


@dataclass(frozen=True, slots=True)
class Decides:
    """The action of a step that only decides: by variables and facts alone, so that it can be asked without a call.

    `decide` returns the outcome; it may write variables and the language of what it is given.
    """

    decide: Callable[[Known], str]

    async def __call__(self, call: Call) -> str:
        """Decide in a call."""
        return self.decide(call)


class By(Enum):
    """Who brings an outcome about."""

    STEP = auto()
    """The step itself, always or by what it computes."""
    CALLER = auto()
    """The caller, by keys that mean it."""
    SILENCE = auto()
    """The caller, by doing nothing."""
    MISTAKE = auto()
    """The caller, by keys that mean nothing here."""
    WORLD = auto()
    """The bank, an agent, the clock: whatever is not the caller."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a step can end, and what is true from there on. An outcome may come about in several ways.

    `deed` says in a few words what the caller does, or what the world answers, to get there; `presses` is how many
    keys that takes at least. `writes` are variables that hold a value afterwards, `confirms` those whose values the
    caller has just confirmed. `level` is the sign-in level that holds from here, `at_least` one that is known to be
    reached already. `quiet_ms` is how long a step that may speak takes at most to end so in silence; None where it has
    spoken.
    """

    outcome: str
    by: By = By.STEP
    deed: Text | None = None
    presses: int = 0
    writes: frozenset[str] = frozenset()
    confirms: frozenset[str] = frozenset()
    level: Level | None = None
    at_least: Level | None = None
    quiet_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A flow is run again, `times` in all at most, as long as it ends in `again_on`.

    `counter` is its input that counts 1, 2, 3.
    """

    times: int
    again_on: str
    counter: str | None


@dataclass(frozen=True, slots=True)
class Arm:
    """Where an outcome leads, and where that is written."""

    step: str
    path: Path


class Step(BaseModel, ABC):
    """One step as it is written; a kind adds its own keys, the first of which is its word."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    WORD: ClassVar[str]
    SUMMARY: ClassVar[str]

    then: str | None = Field(default=None, description="The step that follows the usual outcome.")
    when: dict[str, str] = Field(default_factory=dict, description="The step that follows each outcome.")
    milestone: str | None = Field(default=None, description="What the caller has reached after the usual outcome.")

    @abstractmethod
    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return every way in which the step can end, the usual one first; none for a step that ends the flow."""

    def outcomes(self, scope: Scope) -> tuple[str, ...]:
        """Return the outcomes, the usual one first."""
        return tuple(dict.fromkeys(way.outcome for way in self.ways(scope)))

    def usual(self, scope: Scope) -> str | None:
        """Return the outcome that `then` stands for, or None where no outcome is more usual than the others."""
        first = next(iter(self.outcomes(scope)), None)
        return None if first is None or first.startswith("key ") else first

    @abstractmethod
    def compile(self, scope: Scope) -> Action:
        """Check the step's own keys, noting findings in `scope`, and return what it does.

        The action is used only when there was no finding. Of a step that only decides it is `Decides`.
        """

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Return the arms that are written in this step."""
        arms = {outcome: Arm(step, ("when", outcome)) for outcome, step in self.when.items()}
        if self.then is not None:
            usual = self.usual(scope)
            if usual is None:
                message, mend = Text("nothing follows `{word}`", word=self.WORD), Text("remove `then`")
                if self.outcomes(scope):
                    message = Text("a `{word}` has no `then`", word=self.WORD)
                    mend = Text("write each step beside its outcome, under `when`")
                scope.finding("E209", ("then",), message, mend, key=True)
            elif usual in arms:
                message = Text("`then` and `{outcome}` under `when` say the same twice", outcome=usual)
                scope.finding("E209", ("then",), message, Text("remove one of them"), key=True)
            else:
                arms[usual] = Arm(self.then, ("then",))
        return arms

    @property
    def usual_unknown(self) -> tuple[str, ...]:
        """The usual outcome of a step whose outcomes cannot be known, for what it names is wrong or not there.

        With it `then` and `when` are not blamed for a mistake that is told already.
        """
        return () if self.then is None else ("?",)

    def forgets(self, scope: Scope) -> frozenset[str]:
        """Return the variables that hold nothing any more when the step has been, unless it `writes` them."""
        del scope
        return frozenset()

    def needs(self, scope: Scope) -> Level:
        """Return the sign-in level without which the step must not be reached."""
        del scope
        return Level.NOBODY

    def spends(self, scope: Scope) -> frozenset[str] | None:
        """Return, for a step that moves money, the variables whose values the caller must have confirmed; else None."""
        del scope
        return None

    @property
    def rescues(self) -> bool:
        """Whether the caller is handed to a human here, or to what stands for one (a voice mailbox, a callback)."""
        return False

    @property
    def returns(self) -> str | None:
        """For a step that gives the call back to the flow that ran this one: the outcome."""
        return None

    @property
    def silent(self) -> bool:
        """Whether the step neither speaks nor asks nor waits for a human, so that it needs no caller."""
        return False

    @property
    def goes_back_to(self) -> str | None:
        """The question before this one, to which a key for `back` leads, if there is one."""
        return None

    @property
    def runs(self) -> str | None:
        """The flow that this step runs, if it does."""
        return None

    @property
    def secures(self) -> str | None:
        """The flow that an agent can ask for in the talk, if any: after each of its outcomes the talk goes on."""
        return None

    @property
    def hands_over_to(self) -> str | None:
        """The flow in which the call goes on for good after this step, if it does."""
        return None

    @property
    def repeated(self) -> Repeat | None:
        """How often the flow that this step runs is run again, if it is."""
        return None

    @property
    def results_into(self) -> Mapping[str, str]:
        """For a step that runs a flow: which output goes into which variable."""
        return {}
