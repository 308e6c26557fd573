"""`hang_up`: end the call."""

from __future__ import annotations

import re
from typing import ClassVar, Final

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, End, Step, Way
from ivr_engine.flow.wording import Text

_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,40}", re.ASCII)


class HangUp(Step):
    """End the call."""

    WORD: ClassVar[str] = "hang_up"
    SUMMARY: ClassVar[str] = "End the call."

    hang_up: str = Field(description="Why, in one word for the records: completed, no_agents, ...")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Nothing follows."""
        del scope
        return ()

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check the reason's form; end."""
        if not _REASON.fullmatch(self.hang_up):
            message = Text("the reason is one lower-case word, with _ between its parts")
            scope.finding("E112", ("hang_up",), message, Text("write for example `completed`"))
        result = End(self.hang_up)

        async def act(call: Call) -> End:
            del call
            return result

        return act
