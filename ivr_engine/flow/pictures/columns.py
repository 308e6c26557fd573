"""Where the places of each layer stand from left to right: as straight below each other as their widths allow.

Knows widths and what is joined to what. Must not know steps, nor heights.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

P = TypeVar("P")

SWEEPS: Final = 40
APART: Final = 26.0
"""Free space between neighbours, in units of the picture."""


@dataclass(frozen=True, slots=True)
class Join(Generic[P]):
    """An upper and a lower place that want to stand below each other, and how much.

    `offset` is how far right of the upper place's middle the joining line leaves it.
    """

    upper: P
    lower: P
    offset: float
    weight: float


def middles(layers: Sequence[Sequence[P]], widths: Mapping[P, float], joins: Sequence[Join[P]]) -> dict[P, float]:
    """Return the middle of each place, the leftmost edge being at 0."""
    at: dict[P, float] = {}
    for layer in layers:
        right = 0.0
        for place in layer:
            at[place] = right + widths[place] / 2
            right += widths[place] + APART
        shift = right / 2
        for place in layer:
            at[place] -= shift
    above: dict[P, list[tuple[P, float, float]]] = {}
    below: dict[P, list[tuple[P, float, float]]] = {}
    for join in joins:
        above.setdefault(join.lower, []).append((join.upper, join.offset, join.weight))
        below.setdefault(join.upper, []).append((join.lower, -join.offset, join.weight))
    for sweep in range(SWEEPS):
        downwards = sweep % 2 == 0
        for layer in layers if downwards else list(reversed(layers)):
            wishes = []
            for place in layer:
                pulls = [*above.get(place, ()), *below.get(place, ())]
                if sweep < SWEEPS // 2:
                    pulls = (above if downwards else below).get(place, pulls)
                weight = sum(pull[2] for pull in pulls)
                wish = sum((at[one] + offset) * pull for one, offset, pull in pulls) / weight if weight else at[place]
                wishes.append((wish, weight or 0.1))
            at.update(zip(layer, _apart(layer, wishes, widths), strict=True))
    left = min(at[place] - widths[place] / 2 for place in at)
    return {place: middle - left for place, middle in at.items()}


def _apart(layer: Sequence[P], wishes: Sequence[tuple[float, float]], widths: Mapping[P, float]) -> list[float]:
    """Return middles in this order that do not overlap, with the least squares of distance from what is wished."""
    offsets = [0.0]
    for left, right in itertools.pairwise(layer):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + APART)
    pools: list[tuple[float, float, int]] = []  # mean, weight, count: neighbours that push each other move as one
    for (wish, weight), offset in zip(wishes, offsets, strict=True):
        mean, heavy, count = wish - offset, weight, 1
        while pools and pools[-1][0] >= mean:
            other, other_weight, other_count = pools.pop()
            mean = (mean * heavy + other * other_weight) / (heavy + other_weight)
            heavy, count = heavy + other_weight, count + other_count
        pools.append((mean, heavy, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(means, offsets, strict=True)]
