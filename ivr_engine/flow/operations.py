"""Operations: what a flow may ask the bank, by closed signatures.

Knows names, arguments, outcomes and results. Must not know who carries an operation out; `calls` does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ivr_engine.flow.values import Type, Value, Variable

UNAVAILABLE = "unavailable"
"""The outcome that every operation has: the bank did not answer, and nothing was changed."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What an operation takes and how it can end.

    `outcomes` stand in order of precedence, the usual one first, each with its results. `unavailable` is added.
    """

    name: str
    arguments: Mapping[str, Type]
    outcomes: Mapping[str, Mapping[str, Variable]]
    summary: str
    needs_sign_in: bool = False

    @property
    def outcome_names(self) -> tuple[str, ...]:
        """Every outcome, in order of precedence."""
        return (*self.outcomes, UNAVAILABLE)


@dataclass(frozen=True, slots=True)
class Performed:
    """How an operation ended, and what it gave."""

    outcome: str
    results: Mapping[str, Value] = field(default_factory=dict)


class Operations(Protocol):
    """Carries operations out for one call."""

    async def perform(self, name: str, arguments: Mapping[str, Value]) -> Performed:
        """Carry one operation out; every failure that can be expected is an outcome."""
        ...
