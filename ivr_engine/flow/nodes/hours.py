"""`hours`: look whether it is open now."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.hours import HOURS, Opening, OpeningHours
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, By, Step, Way
from ivr_engine.flow.wording import Text

_DEEDS: Final[Mapping[Opening, Text]] = MappingProxyType(
    {
        Opening.OPEN: Text("call while '{hours}' is open"),
        Opening.CLOSED: Text("call while '{hours}' is closed"),
        Opening.HOLIDAY: Text("call on a holiday of '{hours}'"),
    }
)


class Hours(Step):
    """Look whether it is open now, by hours that stand at the top of the file."""

    WORD: ClassVar[str] = "hours"
    SUMMARY: ClassVar[str] = "Go by opening hours."

    hours: str = Field(description="Which of the opening hours at the top of the file.")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Open, closed, or a day that is closed though it would be open."""
        del scope
        return tuple(Way(at.value, By.WORLD, Text(_DEEDS[at].template, hours=self.hours)) for at in Opening)

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Find the hours; compare them with the clock, in the hotline's time zone."""
        hours = scope.hours.get(self.hours)
        if hours is None:
            message = Text("there are no opening hours '{name}'", name=self.hours)
            scope.finding("E242", ("hours",), message, did_you_mean(self.hours, scope.hours))
            hours = OpeningHours()
        scope.used.add((HOURS, self.hours))
        zone, at = ZoneInfo(scope.world.zone), hours.at

        async def act(call: Call) -> str:
            return at(call.clock.now().astimezone(zone)).value

        return act
