"""`split`: send a part of the callers one way, always the same ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Annotated, ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, Step, Way
from ivr_engine.flow.wording import Text

WHOLE: Final = 100
Percent = Annotated[int, Field(ge=0, le=WHOLE)]


class Split(Step):
    """Send a part of the callers one way; who has gone one way goes there in every call."""

    WORD: ClassVar[str] = "split"
    SUMMARY: ClassVar[str] = "Send a part of the callers one way."

    split: dict[str, Percent] = Field(
        min_length=1,
        description="Names with percentages, 100 in all. A customer who has signed in, or else a caller's number, goes "
        "the same way in every call; a split with the same names elsewhere parts them alike.",
    )

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Return one way for each name."""
        del scope
        return tuple(
            Way(name, deed=Text("be of the {percent} % for '{name}'", percent=percent, name=name))
            for name, percent in self.split.items()
        )

    def usual(self, scope: Scope) -> str | None:
        """No part is more usual than another."""
        del scope
        return None

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check that the parts make a whole; find the part of whoever calls."""
        total = sum(self.split.values())
        if total != WHOLE:
            message = Text("the parts add up to {total} %", total=total)
            scope.finding("E243", ("split",), message, Text("write percentages that add up to 100"), key=True)
        parts = dict(self.split)

        async def act(call: Call) -> str:
            signed_in = call.identity.customer if call.identity.signed_in else None
            return part_of(parts, signed_in or call.caller)

        return act


def part_of(parts: Mapping[str, int], who: str) -> str:
    """Return the part that somebody belongs to: of these names always the same, in whichever engine.

    When percentages change, only as many change their part as have to: a part grows at its upper end.
    """
    names = "\0".join(parts)
    place = int.from_bytes(hashlib.sha256(f"{names}\0{who}".encode()).digest()[:8]) % WHOLE
    for name, percent in parts.items():
        place -= percent
        if place < 0:
            return name
    raise AssertionError("a split whose parts are no whole never runs")
