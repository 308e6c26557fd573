"""What a caller is to hear: recordings joined without a gap.

Knows names of recordings. Must not know files, formats or how a language forms a number.
"""

from __future__ import annotations

from dataclasses import dataclass

from ivr_engine.values.language import Language


@dataclass(frozen=True, slots=True)
class Utterance:
    """Recordings in the order in which they are heard.

    A prompt is an id of `language`, or `<language>/<id>` where another language speaks for itself.

    `personal` marks a customer's data: such audio is never cached and is gone when the call is.
    """

    language: Language
    prompts: tuple[str, ...]
    personal: bool = False

    def __add__(self, other: Utterance) -> Utterance:
        if other.language is not self.language:
            message = f"one utterance has one language, not {self.language} and {other.language}"
            raise ValueError(message)
        return Utterance(self.language, self.prompts + other.prompts, self.personal or other.personal)
