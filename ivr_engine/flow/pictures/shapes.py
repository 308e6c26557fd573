"""Sizes and shapes of a picture: how wide words are, rectangles, lines made of straight and curved parts.

Knows geometry, in units of the picture (one is a pixel at its natural size). Must not know steps.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

NAME_SIZE: Final = 13.0
DETAIL_SIZE: Final = 11.0
LABEL_SIZE: Final = 10.5
LABEL_LINE: Final = 13.0
SHOWN_MAX: Final = 30
"""How many characters of a name are drawn; the whole of it is in the tooltip."""
LABEL_LINES_MAX: Final = 4

_NARROW: Final = frozenset("iljtfrI .,:;'|!()[]-1")
_WIDE: Final = frozenset("mwMW@%")

Point = tuple[float, float]


def width_of(text: str, size: float) -> float:
    """Return about how wide a text is drawn, in a wide font: rather too much than too little."""
    ems = 0.0
    for character in text:
        if unicodedata.east_asian_width(character) in "WF":
            ems += 1.05
        elif character in _NARROW:
            ems += 0.42
        else:
            ems += 0.98 if character in _WIDE else 0.72 if character.isupper() else 0.63
    return ems * size


def shortened(text: str) -> str:
    """Return a text as it is drawn."""
    return text if len(text) <= SHOWN_MAX else f"{text[: SHOWN_MAX - 1]}…"


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle by its left upper corner and its size."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The middle between left and right."""
        return self.x + self.width / 2

    def overlaps(self, other: Rectangle) -> bool:
        """Whether the two have an area in common."""
        return self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom

    def holds(self, point: Point) -> bool:
        """Whether a point lies inside, not merely on an edge."""
        return self.x < point[0] < self.right and self.y < point[1] < self.bottom


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a line up to `to`: straight, or curved with upright tangents at both ends."""

    to: Point
    curved: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line from a point through its parts; corners between straight parts are drawn round."""

    begin: Point
    parts: tuple[Part, ...]

    @property
    def end(self) -> Point:
        """Where the arrow's head is."""
        return self.parts[-1].to

    def points(self, each: int = 12) -> Iterator[Point]:
        """Return points along the line, `each` in every part, for measuring."""
        here = self.begin
        yield here
        for part in self.parts:
            for step in range(1, each + 1):
                share = step / each
                if part.curved:
                    one, two = bends(here, part.to)
                    yield _on_curve(here, one, two, part.to, share)
                else:
                    yield (here[0] + (part.to[0] - here[0]) * share, here[1] + (part.to[1] - here[1]) * share)
            here = part.to


def bends(begin: Point, end: Point) -> tuple[Point, Point]:
    """Return the two points that bend a curve whose ends are upright."""
    middle = (begin[1] + end[1]) / 2
    return (begin[0], middle), (end[0], middle)


def _on_curve(begin: Point, one: Point, two: Point, end: Point, share: float) -> Point:
    rest = 1 - share
    parts = (rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3)
    points = (begin, one, two, end)
    return (
        sum(part * point[0] for part, point in zip(parts, points, strict=True)),
        sum(part * point[1] for part, point in zip(parts, points, strict=True)),
    )
