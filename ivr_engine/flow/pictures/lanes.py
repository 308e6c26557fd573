"""How arms lead back to where a caller has been: out of a layer, along a side of the picture, into a layer above.

Knows which arms lead back, at which side, and where they begin. Must not know heights. Arms to the same box share their
lane and their tracks, for they say the same; others never lie on each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from ivr_engine.flow.pictures.order import Layers, Place
from ivr_engine.flow.pictures.outline import Arm

TRACK: Final = 7.0
"""Between two parallel lines across the picture."""
LANE: Final = 9.0
"""Between two parallel lines along a side."""
MARGIN: Final = 20.0
ARRIVE_ROOM: Final = 18.0
"""Above a layer, before the first track: for arrows' heads and for loops."""
LEAVE_ROOM: Final = 12.0

Span = tuple[float, float]
K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class Ways:
    """Tracks and lanes. Room and places are in units of the picture; `left` and `right` are the widths of the sides."""

    inner: float
    left: float
    right: float
    lane_x: Mapping[tuple[str, int], float]
    leave_track: Mapping[tuple[int, str, int], int]
    arrive_track: Mapping[tuple[str, int], int]
    leave_tracks: Mapping[int, int]
    arrive_tracks: Mapping[int, int]
    side: Mapping[Arm, int]
    layer_of: Mapping[str, int]

    def room_above(self, layer: int) -> float:
        """Return the height that a layer needs above it."""
        return ARRIVE_ROOM + TRACK * self.arrive_tracks.get(layer, 0)

    def room_below(self, layer: int) -> float:
        """Return the height that a layer needs below it."""
        return LEAVE_ROOM + TRACK * self.leave_tracks.get(layer, 0)

    def leaves(self, arm: Arm) -> float:
        """Return how far above the end of the room below its layer the arm turns to the side."""
        return TRACK * self.leave_track[self.layer_of[arm.source], arm.target, self.side[arm]]

    def arrives(self, arm: Arm) -> float:
        """Return how far above its target's box the arm turns towards it."""
        return ARRIVE_ROOM + TRACK * self.arrive_track[arm.target, self.side[arm]]

    def lane(self, arm: Arm) -> float:
        """Return where the arm goes along the side, the leftmost column being at 0."""
        return self.lane_x[arm.target, self.side[arm]]


def ways_back(
    side: Mapping[Arm, int], begins: Mapping[Arm, float], middle: Mapping[Place, float], layers: Layers, inner: float
) -> Ways:
    """Give a track or a lane to every arm that leads back (`side`: -1 left, 1 right); `inner` is all columns' width."""
    leaving: dict[tuple[int, str, int], list[float]] = {}
    along: dict[tuple[str, int], list[float]] = {}
    for arm, way in side.items():
        layer = layers.layer_of[arm.source]
        leaving.setdefault((layer, arm.target, way), [0.0 if way < 0 else inner]).append(begins[arm])
        along.setdefault((arm.target, way), [layers.layer_of[arm.target] - 0.5]).append(layer + 0.5)
    leave_track: dict[tuple[int, str, int], int] = {}
    leave_tracks: dict[int, int] = {}
    for layer in sorted({key[0] for key in leaving}):
        spans = {key: (min(ends), max(ends)) for key, ends in leaving.items() if key[0] == layer}
        tracks = _without_overlap(spans)
        leave_track |= tracks
        leave_tracks[layer] = 1 + max(tracks.values())
    arrive_track: dict[tuple[str, int], int] = {}
    arrive_tracks: dict[int, int] = {}
    for layer in sorted({layers.layer_of[target] for target, _ in along}):
        reach = {
            (target, way): (0.0, middle[target]) if way < 0 else (middle[target], inner)
            for target, way in along
            if layers.layer_of[target] == layer
        }
        tracks_in = _without_overlap(reach)
        arrive_track |= tracks_in
        arrive_tracks[layer] = 1 + max(tracks_in.values())
    lane_x: dict[tuple[str, int], float] = {}
    widths = {-1: MARGIN, 1: MARGIN}
    for way in (-1, 1):
        lanes = _without_overlap({key: (min(ends), max(ends)) for key, ends in along.items() if key[1] == way})
        for key, lane in lanes.items():
            out = MARGIN + LANE * lane
            lane_x[key] = -out if way < 0 else inner + out
            widths[way] = max(widths[way], out + MARGIN)
    return Ways(
        inner,
        widths[-1],
        widths[1],
        lane_x,
        leave_track,
        arrive_track,
        leave_tracks,
        arrive_tracks,
        side,
        layers.layer_of,
    )


def _without_overlap(spans: Mapping[K, Span]) -> dict[K, int]:
    """Give each span the lowest number at which it meets no other, the short ones first."""
    given: dict[K, int] = {}
    taken: list[list[Span]] = []
    for key, (begin, end) in sorted(spans.items(), key=lambda item: item[1][1] - item[1][0]):
        number = next(
            (n for n, others in enumerate(taken) if all(end < low or high < begin for low, high in others)), len(taken)
        )
        if number == len(taken):
            taken.append([])
        taken[number].append((begin, end))
        given[key] = number
    return given
