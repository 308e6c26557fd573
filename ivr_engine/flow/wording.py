"""Words for authors that can be said in another language: a template with its facts.

Knows templates, how facts go into them, and the Chinese of `wording_zh.yaml`. Must not know findings, nor what a
template is used for.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache, reduce
from types import MappingProxyType
from typing import Any

import yaml

CHINESE = pathlib.Path(__file__).with_name("wording_zh.yaml")


class Wording(StrEnum):
    """The languages in which authors are spoken to; callers are spoken to in others."""

    ENGLISH = "en"
    CHINESE = "zh"


class Text(str):
    """English words that remember how they were made, so that they can be made again in another language."""

    __slots__ = ("facts", "template")

    template: str
    facts: Mapping[str, object]

    def __new__(cls, template: str, /, **facts: object) -> Text:
        """Fill `{name}` in the template by the fact of that name.

        A fact may be a `Text` itself; a tuple is a list of names, or of `Text`s that follow each other.
        """
        text = super().__new__(cls, template.format(**_said(facts, _english)) if facts else template)
        text.template, text.facts = template, MappingProxyType(facts)
        return text

    def said(self, translate: Callable[[str], str | None]) -> str:
        """Return the words with template and facts translated; what has no translation stays English."""
        template = translate(self.template) or self.template
        return template.format(**_said(self.facts, translate)) if self.facts else template


COMMA = Text(", ")
"""What stands between the names of a list."""
SEQUENCE = Text("{one}, {other}")
"""How whole `Text`s follow each other."""


def _said(facts: Mapping[str, object], translate: Callable[[str], str | None]) -> dict[str, object]:
    return {name: _fact(fact, translate) for name, fact in facts.items()}


def _fact(fact: object, translate: Callable[[str], str | None]) -> object:
    if isinstance(fact, Text):
        return fact.said(translate)
    if isinstance(fact, tuple):
        if fact and all(isinstance(part, Text) for part in fact):
            follow = translate(SEQUENCE.template) or SEQUENCE.template
            return reduce(
                lambda one, other: follow.format(one=one, other=other), (_fact(part, translate) for part in fact)
            )
        return (translate(COMMA) or COMMA).join(map(str, fact))
    return fact


def _english(template: str) -> str | None:
    return template


def say_in(text: str, language: Wording) -> str:
    """Return the words in a language; a plain text stays as it is."""
    return in_chinese(text) if language is Wording.CHINESE else str(text)


def in_chinese(text: str) -> str:
    """Return the words in Chinese where their template is known; a plain text stays as it is."""
    return text.said(chinese_templates().get) if isinstance(text, Text) else text


def chinese_templates() -> Mapping[str, str]:
    """Return the Chinese template of each English one."""
    return MappingProxyType(_chinese()["words"])


def chinese_codes() -> Mapping[str, Mapping[str, str]]:
    """Return the Chinese `title` and `explanation` of each code of findings."""
    return MappingProxyType(_chinese()["codes"])


@cache
def _chinese() -> Mapping[str, Any]:
    return MappingProxyType(dict(yaml.safe_load(CHINESE.read_text(encoding="utf-8"))))
