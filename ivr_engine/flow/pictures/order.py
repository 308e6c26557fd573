"""In which layer each box stands, and in which order within it, so that few arms cross.

Knows arrows between names. Must not know sizes, coordinates or steps. The same arrows always give the same order.

Arrows that lead back to where a caller has been are left out; the others go down. An arrow past several layers goes
through a gap in each; arrows to the same box share their gaps, for they say the same from there on.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, insort
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

SWEEPS: Final = 24
"""How often the layers are put in order, down and up in turn; the order with the fewest crossings stands."""


_NOWHERE: Final = ""
"""From where the names that begin are come to; no name is empty."""


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """A place in a layer through which the arrows to `target` pass."""

    target: str
    layer: int


Place = str | Gap
Arrow = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers from the top, each from left to right; what leads down, part by part, and what leads back."""

    layers: tuple[tuple[Place, ...], ...]
    down: tuple[tuple[Place, Place], ...]
    back: frozenset[Arrow]
    layer_of: Mapping[str, int]

    def chain(self, source: str, target: str) -> tuple[Place, ...]:
        """Return the places that an arrow passes on its way down, both ends included."""
        between = range(self.layer_of[source] + 1, self.layer_of[target])
        return (source, *(Gap(target, layer) for layer in between), target)


def in_layers(names: Sequence[str], begins: Sequence[str], arrows: Sequence[Arrow]) -> Layers:
    """Put names in layers and in order. Every name must be reached from one of those that begin."""
    targets: dict[str, list[str]] = {name: [] for name in names}
    for source, target in arrows:
        if target not in targets[source]:
            targets[source].append(target)
    back, finished = _back_arrows(_NOWHERE, {**targets, _NOWHERE: begins})
    finished.remove(_NOWHERE)
    layer_of = dict.fromkeys(names, 0)
    for source in reversed(finished):
        for target in targets[source]:
            if (source, target) not in back:
                layer_of[target] = max(layer_of[target], layer_of[source] + 1)
    down: dict[tuple[Place, Place], None] = {}
    for source in reversed(finished):
        for target in targets[source]:
            if (source, target) in back:
                continue
            chain: list[Place] = [
                source,
                *(Gap(target, n) for n in range(layer_of[source] + 1, layer_of[target])),
                target,
            ]
            down.update(dict.fromkeys(itertools.pairwise(chain)))
    layers: list[list[Place]] = [[] for _ in range(max(layer_of.values()) + 1)]
    for place in dict.fromkeys(place for pair in (*zip(begins, begins, strict=True), *down) for place in pair):
        layers[place.layer if isinstance(place, Gap) else layer_of[place]].append(place)
    ordered = _with_few_crossings(layers, list(down))
    return Layers(tuple(map(tuple, ordered)), tuple(down), frozenset(back), layer_of)


def _back_arrows(start: str, targets: Mapping[str, Sequence[str]]) -> tuple[set[Arrow], list[str]]:
    """Walk in depth, in the order of the file; return arrows that close a circle, and names as they are finished."""
    back: set[Arrow] = set()
    finished: list[str] = []
    open_, seen = {start}, {start}
    walk: list[tuple[str, Iterator[str]]] = [(start, iter(targets[start]))]
    while walk:
        here, rest = walk[-1]
        target = next(rest, None)
        if target is None:
            walk.pop()
            open_.discard(here)
            finished.append(here)
        elif target in open_:
            back.add((here, target))
        elif target not in seen:
            seen.add(target)
            open_.add(target)
            walk.append((target, iter(targets[target])))
    return back, finished


def _with_few_crossings(layers: list[list[Place]], down: list[tuple[Place, Place]]) -> list[list[Place]]:
    above: dict[Place, list[Place]] = {}
    below: dict[Place, list[Place]] = {}
    for upper, lower in down:
        below.setdefault(upper, []).append(lower)
        above.setdefault(lower, []).append(upper)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, below)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        numbers = range(1, len(layers)) if downwards else range(len(layers) - 2, -1, -1)
        for number in numbers:
            beside = layers[number - 1 if downwards else number + 1]
            _sort_by_barycentre(layers[number], beside, above if downwards else below)
        now = _crossings(layers, below)
        if now < fewest:
            best, fewest = [list(layer) for layer in layers], now
    return best


def _sort_by_barycentre(layer: list[Place], beside: list[Place], neighbours: Mapping[Place, list[Place]]) -> None:
    at = {place: index for index, place in enumerate(beside)}
    middle = {}
    for index, place in enumerate(layer):
        near = [at[one] for one in neighbours.get(place, ())]
        middle[place] = sum(near) / len(near) if near else float(index) * len(beside) / len(layer)
    layer.sort(key=lambda place: middle[place])


def _crossings(layers: Sequence[Sequence[Place]], below: Mapping[Place, Sequence[Place]]) -> int:
    count = 0
    for upper, lower in itertools.pairwise(layers):
        at = {place: index for index, place in enumerate(lower)}
        passed: list[int] = []
        for place in upper:
            ends = sorted(at[one] for one in below.get(place, ()))
            count += sum(len(passed) - bisect_left(passed, end + 1) for end in ends)
            for end in ends:
                insort(passed, end)
    return count
