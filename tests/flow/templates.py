"""Finds every template of words for authors by reading the code, so that none can be forgotten."""

from __future__ import annotations

import ast
import pathlib
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.flow.world import PROJECT

SPEAKERS: Final = (
    "ivr_engine/flow",
    "ivr_engine/simulator",
    "ivr_engine/scenarios",
    "ivr_engine/app/commands",
    "ivr_engine/app/comparing.py",
    "ivr_engine/app/placing.py",
    "ivr_engine/app/staging/stage.py",
)
"""Folders and modules whose words are for authors."""
_NAME: Final = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True)
class Made:
    """One call of `Text`: where it stands, its template (None when it is not a literal) and the facts it is given.

    A template may be `filled_later`, by a `Text(text.template, ...)` of the same module, which is not told itself.
    """

    at: str
    template: str | None
    facts: frozenset[str]
    filled_later: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Return the names in braces, of a template that is filled here or later."""
        if self.template is None:
            return frozenset()
        return names_in(self.template) if self.facts else frozenset(_NAME.findall(self.template))


def texts_made() -> list[Made]:
    """Return every call of `Text` in the folders that speak to authors."""
    files = sorted(file for speaker in SPEAKERS for file in _modules(PROJECT / speaker))
    return [made for file in files for made in texts_in(file.read_text(encoding="utf-8"), file)]


def _modules(speaker: pathlib.Path) -> Iterator[pathlib.Path]:
    return iter([speaker]) if speaker.is_file() else speaker.rglob("*.py")


def texts_in(code: str, file: pathlib.Path) -> Iterator[Made]:
    """Find the calls of `Text` in a module."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Text":
            first = node.args[0] if node.args else None
            template = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else None
            facts = frozenset(keyword.arg or "**" for keyword in node.keywords)
            if not (isinstance(first, ast.Attribute) and first.attr == "template"):
                yield Made(f"{file.name}:{node.lineno}", template, facts, ".template" in code)


def names_in(template: str) -> frozenset[str]:
    """Return the names in braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)
