"""Where everything of a picture stands: boxes in layers, labels below their boxes, lines between them.

Knows outlines, layers and columns. Must not know SVG or colours. No line runs through a box: lines go down between the
columns, bend only between the layers, and lead back only at the two sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ivr_engine.flow.pictures import columns
from ivr_engine.flow.pictures.columns import Join
from ivr_engine.flow.pictures.lanes import Ways, ways_back
from ivr_engine.flow.pictures.order import Gap, Layers, Place, in_layers
from ivr_engine.flow.pictures.outline import Arm, Box, Outline
from ivr_engine.flow.pictures.shapes import (
    DETAIL_SIZE,
    LABEL_LINE,
    LABEL_LINES_MAX,
    LABEL_SIZE,
    NAME_SIZE,
    Line,
    Part,
    Rectangle,
    shortened,
    width_of,
)

BOX_HEIGHT: Final = 42.0
BOX_PADDING: Final = 13.0
LABEL_PADDING: Final = 6.0
LABEL_APART: Final = 6.0
LABEL_BELOW: Final = 3.0
LOOP_ROOM: Final = 14.0
GAP_WIDTH: Final = 10.0
BEND_LEAST: Final = 30.0
BEND_MOST: Final = 80.0
BEGIN_ROOM: Final = 34.0


@dataclass(frozen=True, slots=True)
class Block:
    """A box with the labels of its arms below it, as far as its size is known: all of it around the middle."""

    box: Box
    width: float
    box_width: float
    labels: Mapping[Arm, tuple[float, float]]
    loops: bool

    @property
    def height(self) -> float:
        """Of box and labels."""
        tallest = max([height for _, height in self.labels.values()], default=-LABEL_BELOW)
        return BOX_HEIGHT + LABEL_BELOW + tallest

    def ports(self, order: Sequence[Arm]) -> dict[Arm, float]:
        """Return how far right of the middle each arm leaves, when the labels stand in this order."""
        labelled = [arm for arm in order if arm in self.labels]
        row = sum(self.labels[arm][0] for arm in labelled) + LABEL_APART * (len(labelled) - 1)
        ports, left = dict.fromkeys(order, 0.0), -row / 2
        for arm in labelled:
            ports[arm] = left + self.labels[arm][0] / 2
            left += self.labels[arm][0] + LABEL_APART
        return ports


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A box and where it stands."""

    box: Box
    rectangle: Rectangle


@dataclass(frozen=True, slots=True)
class DrawnLabel:
    """What is written where an arm leaves its box; the arm begins at the label's lower edge."""

    arm: Arm
    rectangle: Rectangle
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DrawnArm:
    """An arm and its line, which begins at the box or at its label and ends at the upper edge of the target's box."""

    arm: Arm
    line: Line


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything with its place, from (0, 0) at the upper left; `begin` leads to the first box."""

    outline: Outline
    width: float
    height: float
    boxes: Mapping[str, DrawnBox]
    labels: tuple[DrawnLabel, ...]
    arms: tuple[DrawnArm, ...]
    begin: Line


def laid_out(outline: Outline) -> Layout:
    """Return the layout of an outline; the same outline always gives the same layout."""
    arrows = [(arm.source, arm.target) for arm in outline.arms if arm.source != arm.target]
    layers = in_layers(tuple(outline.boxes), outline.begins, arrows)
    own: dict[str, list[Arm]] = {name: [] for name in outline.boxes}
    for arm in outline.arms:
        own[arm.source].append(arm)
    blocks = {name: _block(box, own[name]) for name, box in outline.boxes.items()}
    widths: dict[Place, float] = {
        place: GAP_WIDTH if isinstance(place, Gap) else blocks[place].width
        for layer in layers.layers
        for place in layer
    }
    first = columns.middles(layers.layers, widths, _joins(layers, own, {}))
    side = _sides(layers, first)
    ports: dict[Arm, float] = {}
    for name, arms in own.items():
        ports |= blocks[name].ports(sorted(arms, key=lambda arm: _from_left(arm, layers, first, side)))
    middle = columns.middles(layers.layers, widths, _joins(layers, own, ports))
    begins = {arm: middle[arm.source] + ports[arm] for arm in outline.arms}
    back = {arm: side[arm.source, arm.target] for arm in outline.arms if (arm.source, arm.target) in side}
    right = max(middle[place] + widths[place] / 2 for place in middle)
    return _Drawing(outline, layers, blocks, middle, begins, ways_back(back, begins, middle, layers, right)).layout()


def _block(box: Box, arms: Sequence[Arm]) -> Block:
    seconds = 0.0 if box.at_s is None else width_of(f"  {box.at_s} s", DETAIL_SIZE)
    named = max(width_of(shortened(box.name), NAME_SIZE), width_of(shortened(box.detail), DETAIL_SIZE) + seconds)
    labels = {}
    for arm in arms:
        if arm.lines:
            lines = shown_lines(arm)
            width = max(width_of(line, LABEL_SIZE) for line in lines) + 2 * LABEL_PADDING
            labels[arm] = (width, len(lines) * LABEL_LINE + 4)
    row = sum(width for width, _ in labels.values()) + LABEL_APART * (len(labels) - 1)
    loops = any(arm.source == arm.target for arm in arms)
    box_width = named + 2 * BOX_PADDING
    return Block(box, max(box_width, row) + (2 * LOOP_ROOM if loops else 0), max(box_width, row), labels, loops)


def shown_lines(arm: Arm) -> tuple[str, ...]:
    """Return the lines of an arm's label as they are drawn; the tooltip has all of them."""
    shown = tuple(map(shortened, arm.lines))
    if len(shown) <= LABEL_LINES_MAX:
        return shown
    return (*shown[: LABEL_LINES_MAX - 1], f"and {len(shown) - LABEL_LINES_MAX + 1} more")


def _joins(layers: Layers, own: Mapping[str, Sequence[Arm]], ports: Mapping[Arm, float]) -> list[Join[Place]]:
    joins = {
        pair: Join(pair[0], pair[1], 0.0, 24.0 if isinstance(pair[1], Gap) else 4.0)
        for pair in layers.down
        if isinstance(pair[0], Gap)
    }
    for arms in own.values():
        for arm in arms:
            if arm.source != arm.target and (arm.source, arm.target) not in layers.back:
                upper, lower = layers.chain(arm.source, arm.target)[:2]
                joins[upper, lower] = Join(upper, lower, ports.get(arm, 0.0), 0.5 if arm.grey else 1.5)
    return list(joins.values())


def _sides(layers: Layers, middle: Mapping[Place, float]) -> dict[tuple[str, str], int]:
    """Return for each arrow that leads back at which side it does: -1 left, 1 right, the nearer one."""
    centre = max(middle.values()) / 2
    return {
        (source, target): -1 if (middle[source] + middle[target]) / 2 < centre else 1
        for source, target in sorted(layers.back)
    }


def _from_left(
    arm: Arm, layers: Layers, middle: Mapping[Place, float], side: Mapping[tuple[str, str], int]
) -> tuple[int, float]:
    """Return where among its box's arms one leaves, so that they cross little on their way."""
    if arm.source == arm.target:
        return (2, 0.0)
    if (arm.source, arm.target) in side:
        return (side[arm.source, arm.target], -layers.layer_of[arm.target])
    return (0, middle[layers.chain(arm.source, arm.target)[1]])


class _Drawing:
    """Puts heights to columns."""

    def __init__(
        self,
        outline: Outline,
        layers: Layers,
        blocks: Mapping[str, Block],
        middle: Mapping[Place, float],
        begins: Mapping[Arm, float],
        ways: Ways,
    ) -> None:
        self._outline, self._layers, self._blocks = outline, layers, blocks
        self._begins, self._ways = {arm: x + ways.left for arm, x in begins.items()}, ways
        self._middle = {place: x + ways.left for place, x in middle.items()}
        self._tops: list[float] = []
        self._bends: list[tuple[float, float]] = []
        """Of the room between two layers the part in which lines bend: where it begins and where it ends."""
        self._give_heights()

    def _give_heights(self) -> None:
        y = BEGIN_ROOM
        steepest = [0.0] * len(self._layers.layers)
        for arm in self._outline.arms:
            if arm.source != arm.target and (arm.source, arm.target) not in self._layers.back:
                here = self._begins[arm]
                for number, place in enumerate(self._layers.chain(arm.source, arm.target)[1:]):
                    layer = self._layers.layer_of[arm.source] + number
                    steepest[layer] = max(steepest[layer], abs(self._middle[place] - here))
                    here = self._middle[place]
        for number, places in enumerate(self._layers.layers):
            y += self._ways.room_above(number)
            self._tops.append(y)
            y += max([self._blocks[place].height for place in places if isinstance(place, str)], default=0.0)
            y += self._ways.room_below(number)
            bend = min(BEND_MOST, BEND_LEAST + steepest[number] * 0.08)
            self._bends.append((y, y + bend))
            y += bend

    def layout(self) -> Layout:
        """Return everything with its place."""
        boxes = {name: DrawnBox(block.box, self._rectangle(name)) for name, block in self._blocks.items()}
        labels = tuple(self._label(arm) for arm in self._outline.arms if arm.lines)
        first = boxes[self._outline.begins[0]].rectangle
        begin = Line((first.middle, 0.0), (Part((first.middle, first.y)),))
        width = self._ways.left + self._ways.inner + self._ways.right
        arms = tuple(DrawnArm(arm, self._line(arm)) for arm in self._outline.arms)
        return Layout(self._outline, width, self._bends[-1][0], boxes, labels, arms, begin)

    def _rectangle(self, name: str) -> Rectangle:
        block, middle = self._blocks[name], self._middle[name]
        return Rectangle(
            middle - block.box_width / 2, self._tops[self._layers.layer_of[name]], block.box_width, BOX_HEIGHT
        )

    def _label(self, arm: Arm) -> DrawnLabel:
        width, height = self._blocks[arm.source].labels[arm]
        y = self._tops[self._layers.layer_of[arm.source]] + BOX_HEIGHT + LABEL_BELOW
        return DrawnLabel(arm, Rectangle(self._begins[arm] - width / 2, y, width, height), shown_lines(arm))

    def _line(self, arm: Arm) -> Line:
        y = self._tops[self._layers.layer_of[arm.source]] + BOX_HEIGHT
        if arm.lines:
            y += LABEL_BELOW + self._blocks[arm.source].labels[arm][1]
        begin = (self._begins[arm], y)
        if arm.source == arm.target:
            return self._loop(arm, begin)
        if (arm.source, arm.target) in self._layers.back:
            return self._back(arm, begin)
        parts: list[Part] = []
        layer, x = self._layers.layer_of[arm.source], begin[0]
        for place in self._layers.chain(arm.source, arm.target)[1:]:
            above, below = self._bends[layer]
            parts += [Part((x, above)), Part((self._middle[place], below), curved=True)]
            layer, x = layer + 1, self._middle[place]
        return Line(begin, (*parts, Part((x, self._tops[layer]))))

    def _loop(self, arm: Arm, begin: tuple[float, float]) -> Line:
        box = self._rectangle(arm.source)
        side, low, high = box.right + LOOP_ROOM - 4, begin[1] + 6, box.y - 8
        enters = box.middle + min(16.0, box.width / 4)
        corners = ((begin[0], low), (side, low), (side, high), (enters, high), (enters, box.y))
        return Line(begin, tuple(map(Part, corners)))

    def _back(self, arm: Arm, begin: tuple[float, float]) -> Line:
        leaves = self._bends[self._layers.layer_of[arm.source]][0] - self._ways.leaves(arm)
        target = self._rectangle(arm.target)
        arrives = target.y - self._ways.arrives(arm)
        x = self._ways.left + self._ways.lane(arm)
        corners = ((begin[0], leaves), (x, leaves), (x, arrives), (target.middle, arrives), (target.middle, target.y))
        return Line(begin, tuple(map(Part, corners)))
