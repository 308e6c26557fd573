"""Words for authors that can be said in another language: a template with its facts.

Knows templates and how facts go into them. Must not know findings, nor any language but the English of the templates
(`wording_zh.yaml` holds the Chinese ones, by template).
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import yaml

CHINESE = pathlib.Path(__file__).with_name("wording_zh.yaml")


class Text(str):
    """English words that remember how they were made, so that they can be made again in another language."""

    __slots__ = ("facts", "template")

    template: str
    facts: Mapping[str, object]

    def __new__(cls, template: str, **facts: object) -> Text:
        """Fill `{name}` in the template by the fact of that name; a fact may be a `Text` itself."""
        text = super().__new__(cls, template.format(**facts) if facts else template)
        text.template, text.facts = template, MappingProxyType(facts)
        return text

    def said(self, translate: Callable[[str], str | None]) -> str:
        """Return the words with template and facts translated; what has no translation stays English."""
        template = translate(self.template) or self.template
        if not self.facts:
            return template
        facts = {name: fact.said(translate) if isinstance(fact, Text) else fact for name, fact in self.facts.items()}
        return template.format(**facts)


def in_chinese(text: str) -> str:
    """Return the words in Chinese where their template is known; a plain text stays as it is."""
    return text.said(chinese_templates().get) if isinstance(text, Text) else text


@cache
def chinese_templates() -> Mapping[str, str]:
    """Return the Chinese template of each English one."""
    return MappingProxyType(dict(yaml.safe_load(CHINESE.read_text(encoding="utf-8")) or {}))
