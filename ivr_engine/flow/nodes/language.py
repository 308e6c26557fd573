"""`language`: speak another language from here on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ivr_engine.flow.call import Call
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, Step
from ivr_engine.values.language import Language


class ChooseLanguage(Step):
    """Speak this language from here on, in every flow of the call."""

    WORD: ClassVar[str] = "language"
    SUMMARY: ClassVar[str] = "Speak another language."

    language: Language = Field(description="cmn (Mandarin), yue (Cantonese) or en (English).")

    def outcomes(self, scope: Scope) -> tuple[str, ...]:
        """Changing the language has one end."""
        del scope
        return ("done",)

    def compile(self, scope: Scope) -> Action:
        """Change the language of the call."""
        del scope
        language = self.language

        async def act(call: Call) -> str:
            call.language = language
            return "done"

        return act
