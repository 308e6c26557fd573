"""The search for the highest rate that a server holds.

Knows how rates are chosen. Must not know calls: whoever asks tries a rate and says whether it was held.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

STEP_UP: Final = 1.25
STEP_DOWN: Final = 0.7
RATE_MIN: Final = 4
RATE_MAX: Final = 1000
"""Calls a second; no search leaves these bounds."""


@dataclass(frozen=True, slots=True)
class Found:
    """The highest rate held (0 when none was), the lowest refused above it (None when none was), and how many tries."""

    held: int
    refused: int | None
    tries: int


async def highest_rate(
    holds: Callable[[int], Awaitable[bool]], *, start: int, closeness: float, tries_max: int
) -> Found:
    """Go up or down from `start` until the limit lies between two rates, then halve the distance.

    Ends when the refused rate is at most `closeness` times the held one, or the tries are used up. Rates are calls a
    second, whole numbers.
    """
    held, refused, rate, tries = 0, None, _within(start), 0
    while tries < tries_max:
        tries += 1
        if await holds(rate):
            held = rate
        else:
            refused = rate
        following = _next(held, refused, rate, closeness)
        if following is None:
            break
        rate = following
    return Found(held, refused, tries)


def _next(held: int, refused: int | None, rate: int, closeness: float) -> int | None:
    if refused is None:
        up = _within(rate * STEP_UP)
        return up if up > held else None
    if held == 0:
        down = _within(rate * STEP_DOWN)
        return down if down < refused else None
    between = round(math.sqrt(held * refused))
    return between if refused / held > closeness and held < between < refused else None


def _within(rate: float) -> int:
    return max(RATE_MIN, min(RATE_MAX, round(rate)))
