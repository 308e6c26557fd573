"""How the speaking machine is to say words that it reads wrongly (`prompts/pronunciation.yaml`).

Knows replacements of words. Must not know any engine. Never used for a bank's own recordings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

import yaml

from ivr_engine.values.language import Language

FILE_NAME: Final = "pronunciation.yaml"


class PronunciationError(ValueError):
    """The pronunciation file is not a list of `word: how to say it` for each language."""


class Pronunciation:
    """Replacements of words, longest word first, by language."""

    def __init__(self, words: Mapping[Language, Mapping[str, str]]) -> None:
        self._words = {language: dict(said) for language, said in words.items() if said}
        self._patterns = {
            language: re.compile("|".join(re.escape(word) for word in sorted(said, key=len, reverse=True)))
            for language, said in self._words.items()
        }

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the file of a prompt folder; no file means no replacements. Raises `PronunciationError`."""
        path = folder / FILE_NAME
        return cls.parse(path.read_text(encoding="utf-8")) if path.exists() else cls({})

    @classmethod
    def parse(cls, content: str) -> Self:
        """Read the content of the file; `PronunciationError` when it is anything else."""
        try:
            found = yaml.safe_load(content) or {}
            words = {Language(language): said or {} for language, said in found.items()}
        except (yaml.YAMLError, AttributeError, ValueError) as error:
            message = f"{FILE_NAME}: {error}"
            raise PronunciationError(message) from error
        for language, said in words.items():
            if not isinstance(said, dict) or not all(
                isinstance(part, str) and part for pair in said.items() for part in pair
            ):
                message = f"{FILE_NAME}: {language} is not a list of `word: how to say it`"
                raise PronunciationError(message)
        return cls(words)

    def spoken(self, language: Language, text: str) -> str:
        """Return the text as it is to be given to the speaking machine."""
        pattern = self._patterns.get(language)
        if pattern is None:
            return text
        return pattern.sub(lambda found: self._words[language][found.group()], text)
