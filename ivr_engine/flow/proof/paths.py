"""The shortest way to a state, in the caller's terms: which keys, which silences, which answers of the bank.

Knows how visits were explored. Must not know what is wrong with the state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from ivr_engine.flow.proof.exploring import Explorer, State, Visit
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.wording import Text

DEEDS_MAX: Final = 12
"""How many deeds a path shows; the first ones lead most of the way."""


def path_to(explorer: Explorer, visit: Visit, state: State) -> Text | None:
    """Return the deeds that lead from the start of a call to a state, or None when it is reached by itself."""
    ways: list[Way] = []
    while True:
        ways[:0] = within(explorer, visit, state)
        entered = explorer.entered_from.get((visit.flow.name, visit.level))
        if entered is None or explorer.is_beginning(visit):
            return told(ways)
        visit, state = entered


def within(explorer: Explorer, visit: Visit, state: State) -> list[Way]:
    """Return the ways taken from the start of a visit to one of its states, those in flows that it runs included."""
    ways: list[Way] = []
    move = visit.came_by[state]
    while move is not None:
        ways.append(move.way)
        if move.through is not None:
            inner = explorer.visit(move.flow, move.before[1])
            ways.extend(reversed(within(explorer, inner, inner.exits[move.through])))
        move = visit.came_by[move.before]
    ways.reverse()
    return ways


def told(ways: Iterable[Way]) -> Text | None:
    """Return ways as one phrase: what the caller does, and answers of the world."""
    deeds = [way.deed for way in ways if way.deed is not None and way.by is not By.STEP]
    left_out = len(deeds) - DEEDS_MAX
    if left_out > 0:
        deeds = [*deeds[: DEEDS_MAX - 1], Text("and so on"), deeds[-1]]
    return joined(deeds)


def joined(deeds: Sequence[Text]) -> Text | None:
    """Return deeds as one text, or None when there are none."""
    return Text("{deeds}", deeds=tuple(deeds)) if deeds else None
