"""Operations: what a flow may ask the bank, by closed signatures.

Knows names, arguments, outcomes and results. Must not know who carries an operation out; `calls` does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Protocol

from ivr_engine.flow.values import Type, Value, Variable

UNAVAILABLE: Final = "unavailable"
"""The outcome of every operation that asks the bank: it did not answer, and nothing was changed."""
DEADLINE_MS: Final = 4000
"""How long a caller waits for the bank before hearing that it is away."""
UNKNOWN: Final = "unknown"
"""The outcome of every operation that changes something: nobody can say whether it was done."""


class Level(IntEnum):
    """How sure the bank is of who is calling; a higher level includes the lower ones."""

    NOBODY = 0
    SIGNED_IN = 1
    STEPPED_UP = 2


@dataclass(frozen=True, slots=True)
class Signature:
    """What an operation takes and how it can end.

    `outcomes` stand in order of precedence, the usual one first, each with its results. `unavailable` is added, and
    `unknown` where it `changes` something. `needs` is the level that it asks of the caller, `grants` the level that
    holds after an outcome. Of an operation that moves money every argument has to be confirmed by the caller
    beforehand. Only what is `repeatable` may be tried again by itself. What is done `at_once` is done by the engine
    itself: no bank is asked, so none can be away. What is `of_who_waits` can be asked in an in-queue flow only.
    """

    name: str
    arguments: Mapping[str, Type]
    outcomes: Mapping[str, Mapping[str, Variable]]
    summary: str
    needs: Level = Level.NOBODY
    grants: Mapping[str, Level] = field(default_factory=dict)
    changes: bool = False
    moves_money: bool = False
    repeatable: bool = True
    at_once: bool = False
    of_who_waits: bool = False

    def shows(self, outcome: str) -> Level | None:
        """Return the level that a caller must have had when the operation ended so, or None.

        Without the level that it needs an operation is not asked at all, which is told as `unavailable`.
        """
        return None if outcome == UNAVAILABLE or self.needs is Level.NOBODY else self.needs

    @property
    def outcome_names(self) -> tuple[str, ...]:
        """Every outcome, in order of precedence."""
        away = () if self.at_once else (UNAVAILABLE,)
        return (*self.outcomes, *away, *((UNKNOWN,) if self.changes else ()))


@dataclass(frozen=True, slots=True)
class Performed:
    """How an operation ended, and what it gave."""

    outcome: str
    results: Mapping[str, Value] = field(default_factory=dict)


class Operations(Protocol):
    """Carries operations out for one call."""

    async def perform(
        self, name: str, arguments: Mapping[str, Value], *, within_ms: int = DEADLINE_MS, change: int = 0
    ) -> Performed:
        """Carry one operation out; every failure that can be expected is an outcome.

        It takes `within_ms` at most. `change` counts those that change something: the same number with the same
        arguments in one call is the same change, done once however often it is sent.
        """
        ...
