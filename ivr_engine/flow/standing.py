"""Where a caller stands in a call that is only thought of: sign-in, language, and choices that have been made.

Knows what a step may read without a caller: facts, and variables with few possible values. Must not know kinds of
steps: a step that only decides is asked itself. What it needs and is not known makes its answer unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ivr_engine.flow.call import SIGNED_IN, STEPPED_UP
from ivr_engine.flow.model import CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.step import Decides, Way
from ivr_engine.flow.values import YES_NO, Value, Variable
from ivr_engine.values.language import Language


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known at one point of a call; `known` are variables of the flow that runs, with their values."""

    level: Level
    language: Language
    known: frozenset[tuple[str, Value]] = frozenset()

    def on_entering(self) -> Standing:
        """Return what is known at the start of a flow that is run from here: nothing of its variables."""
        return replace(self, known=frozenset())

    def after(self, way: Way) -> Standing:
        """Return what is known when a step has ended in this way."""
        known = frozenset(pair for pair in self.known if pair[0] not in way.writes)
        return replace(self, level=self.level if way.level is None else way.level, known=known)


class NotKnownError(Exception):
    """A step that decides reads a variable whose value nobody knows here."""


class _Variables(dict[str, Value]):
    """Variables with what is known of them."""

    def __missing__(self, name: str) -> Value:
        raise NotKnownError(name)


@dataclass(slots=True)
class _ThoughtOf:
    """A call of which only this is known."""

    level: Level
    language: Language
    variables: dict[str, Value]

    def fact(self, name: str) -> Value:
        if name == STEPPED_UP:
            return self.level >= Level.STEPPED_UP
        return self.level >= Level.SIGNED_IN if name == SIGNED_IN else self.language.value


def decided(step: CompiledStep, standing: Standing, variables: Mapping[str, Variable]) -> tuple[str, Standing] | None:
    """Return how a step that only decides ends here, and what is known then; None when nobody can say."""
    if not isinstance(step.action, Decides):
        return None
    call = _ThoughtOf(standing.level, standing.language, _Variables(standing.known))
    try:
        outcome = step.action.decide(call)
    except NotKnownError:
        return None
    known = frozenset((name, value) for name, value in call.variables.items() if _has_few_values(variables[name]))
    return outcome, Standing(standing.level, call.language, known)


def _has_few_values(variable: Variable) -> bool:
    """Counters are left out: with them there would be no end of places where a caller can stand."""
    return variable.type == YES_NO or bool(variable.type.members)
