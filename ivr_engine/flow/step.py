"""The frame of a step: what every kind has, and what a kind is given when it is compiled.

Knows the common keys (`then`, `when`), outcomes and arms. Must not know any one kind; a new kind is one new file in
`nodes/` and one line in its table.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.source import Path
from ivr_engine.flow.values import Value


@dataclass(frozen=True, slots=True)
class Enter:
    """The step runs another flow with these inputs; that flow's `return` becomes this step's outcome."""

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


Result = str | Enter | Return | End
Action = Callable[[Call], Awaitable[Result]]


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

    @abstractmethod
    def outcomes(self, scope: Scope) -> tuple[str, ...]:
        """Return every way in which the step can end, the usual one first; none for a step that ends the flow."""

    @abstractmethod
    def compile(self, scope: Scope) -> Action:
        """Check the step's own keys, noting findings in `scope`, and return what it does.

        The action is used only when there was no finding.
        """

    def arms(self, scope: Scope) -> Mapping[str, Arm]:
        """Return the arms that are written in this step."""
        arms = {outcome: Arm(step, ("when", outcome)) for outcome, step in self.when.items()}
        if self.then is not None:
            usual = self.outcomes(scope)[:1]
            if not usual:
                scope.finding("E209", ("then",), f"nothing follows `{self.WORD}`", "remove `then`", key=True)
            elif usual[0] in arms:
                message = f"`then` and `{usual[0]}` under `when` say the same twice"
                scope.finding("E209", ("then",), message, "remove one of them", key=True)
            else:
                arms[usual[0]] = Arm(self.then, ("then",))
        return arms

    def writes(self, scope: Scope) -> Mapping[str, frozenset[str]]:
        """Return the variables that hold a value after each outcome."""
        del scope
        return {}

    def forgets(self, scope: Scope) -> frozenset[str]:
        """Return the variables that hold nothing any more when the step has been, unless it `writes` them."""
        del scope
        return frozenset()

    @property
    def runs(self) -> str | None:
        """The flow that this step runs, if it does."""
        return None

    @property
    def results_into(self) -> Mapping[str, str]:
        """For a step that runs a flow: which output goes into which variable."""
        return {}
