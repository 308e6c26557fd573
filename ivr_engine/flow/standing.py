"""Where a caller stands in a call that is only thought of: sign-in, language, and choices that have been made.

Knows what a step may read without a caller: facts, and variables with few possible values. Must not know kinds of
steps: a step that only decides is asked itself. What it needs and is not known makes its answer unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from ivr_engine.flow.call import Call
from ivr_engine.flow.model import CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.values import YES_NO, Value, Variable
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.language import Language

if TYPE_CHECKING:
    from ivr_engine.channel.conversation import Conversation
    from ivr_engine.flow.call import Queues
    from ivr_engine.flow.operations import Operations

NOT_KNOWN: Final = (KeyError, AttributeError, TypeError)
"""What a step raises that needs a variable without a value, or somebody to speak to."""


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


@dataclass(frozen=True, slots=True)
class _Signed:
    signed_in: bool
    customer: CustomerNumber | None = None


def decided(step: CompiledStep, standing: Standing, variables: Mapping[str, Variable]) -> tuple[str, Standing] | None:
    """Return how a step that only decides ends here, and what is known then; None when nobody can say."""
    if step.longest_ms or step.runs is not None or not step.ways or any(way.by is not By.STEP for way in step.ways):
        return None
    call = Call(
        cast("Conversation", None),
        cast("Operations", None),
        cast("Queues", None),
        _Signed(standing.level >= Level.SIGNED_IN),
        standing.language,
        variables=dict(standing.known),
    )
    act = step.action(call).__await__()
    try:
        next(act)
    except StopIteration as ended:
        known = frozenset((name, value) for name, value in call.variables.items() if _has_few_values(variables[name]))
        return str(ended.value), Standing(standing.level, call.language, known)
    except NOT_KNOWN:
        return None
    act.close()  # whatever waits decides nothing
    return None


def _has_few_values(variable: Variable) -> bool:
    """Counters are left out: with them there would be no end of places where a caller can stand."""
    return variable.type == YES_NO or bool(variable.type.members)
