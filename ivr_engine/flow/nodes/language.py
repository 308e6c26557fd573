"""`language`: speak another language from here on."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from ivr_engine.flow.scope import Scope
from ivr_engine.flow.step import Action, Decides, Known, Step, Way
from ivr_engine.flow.wording import Text
from ivr_engine.values.language import Language


class ChooseLanguage(Step):
    """Speak this language from here on, in every flow of the call."""

    WORD: ClassVar[str] = "language"
    SUMMARY: ClassVar[str] = "Speak another language."

    language: Language = Field(description="cmn (Mandarin), yue (Cantonese) or en (English).")

    def ways(self, scope: Scope) -> tuple[Way, ...]:
        """Changing the language has one end."""
        del scope
        return (Way("done"),)

    @property
    def silent(self) -> bool:
        """The caller notices nothing."""
        return True

    def compile(self, scope: Scope) -> Action:
        """Check that the flow is spoken in this language; change the language of the call."""
        if self.language not in scope.languages:
            spoken = ", ".join(scope.languages)
            message = Text(
                "this flow is not spoken in {language}; its languages are: {spoken}",
                language=self.language.value,
                spoken=spoken,
            )
            scope.finding("E112", ("language",), message, Text("add it to `languages`, or choose one of them"))
        language = self.language

        def decide(known: Known) -> str:
            known.language = language
            return "done"

        return Decides(decide)
