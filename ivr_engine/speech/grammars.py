"""Which grammar speaks which language. Knows the three grammars; must not know catalogues or audio."""

from __future__ import annotations

from ivr_engine.speech.cmn import mandarin
from ivr_engine.speech.en import english
from ivr_engine.speech.grammar import Grammar
from ivr_engine.speech.yue import cantonese
from ivr_engine.values.language import Language


def grammar_for(language: Language) -> Grammar:
    """Return the grammar of a language."""
    match language:
        case Language.MANDARIN:
            return mandarin()
        case Language.CANTONESE:
            return cantonese()
        case Language.ENGLISH:
            return english()


def required_prompts(language: Language) -> frozenset[str]:
    """Return every id that a read-out of this language can produce; all of them need a recording."""
    return grammar_for(language).vocabulary()
