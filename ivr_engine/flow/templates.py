"""Texts with placeholders: `You have {amount:money}.` Each says how its value is written.

Knows placeholders and how they are filled. Must not know where a text stands, nor where values come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time
from types import MappingProxyType
from typing import Final, cast

from ivr_engine.flow.findings import NotUnderstoodError, did_you_mean
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, TEXT, TIME, Type, Value
from ivr_engine.flow.wording import Text
from ivr_engine.speech import writing
from ivr_engine.values.language import Language
from ivr_engine.values.money import Money

_BRACES: Final = re.compile(r"\{([^{}]*)\}|[{}]")
_PLACEHOLDER: Final = re.compile(r"([a-z][a-z0-9_]*):([a-z]+)", re.ASCII)

FORMS: Final[Mapping[str, Type]] = MappingProxyType(
    {
        "money": MONEY,
        "digits": DIGITS,
        "masked": DIGITS,
        "number": NUMBER,
        "date": DATE,
        "time": TIME,
        "text": TEXT,
    }
)
"""How a value may be written, and the type that it must have."""

_WRITERS: Final[Mapping[str, Callable[[Language, Value], str]]] = MappingProxyType(
    {
        "money": lambda language, value: writing.money(language, cast("Money", value)),
        "digits": lambda _, value: str(value),
        "masked": lambda language, value: writing.masked(language, str(value)),
        "number": lambda _, value: str(value),
        "date": lambda language, value: writing.date(language, cast("date", value)),
        "time": lambda _, value: writing.time(cast("time", value)),
        "text": lambda _, value: str(value),
    }
)


@dataclass(frozen=True, slots=True)
class Placeholder:
    """Where a value goes, and how it is written (a key of `FORMS`)."""

    name: str
    form: str


@dataclass(frozen=True, slots=True)
class Template:
    """A text taken apart at its placeholders."""

    pieces: tuple[str | Placeholder, ...]

    @property
    def placeholders(self) -> Mapping[str, str]:
        """Each placeholder's form by its name."""
        return {piece.name: piece.form for piece in self.pieces if isinstance(piece, Placeholder)}

    def filled(self, language: Language, values: Mapping[str, Value]) -> str:
        """Return the text with values written in a language; `KeyError` when one is missing."""
        return "".join(
            piece if isinstance(piece, str) else _WRITERS[piece.form](language, values[piece.name])
            for piece in self.pieces
        )


class BrokenTemplateError(NotUnderstoodError):
    """A text whose braces cannot be understood; `at` counts characters from 0."""

    def __init__(self, at: int, message: Text, mend: Text) -> None:
        super().__init__(message, mend)
        self.at = at


def take_apart(text: str) -> Template:
    """Read a text; raise `BrokenTemplateError` for the first brace that is no placeholder."""
    pieces: list[str | Placeholder] = []
    forms: dict[str, str] = {}
    end = 0
    for found in _BRACES.finditer(text):
        inner = _PLACEHOLDER.fullmatch(found.group(1) or "")
        if inner is None:
            message = Text("'{written}' is no placeholder", written=found.group(0))
            mend = Text("write its name and how it is written: `{amount:money}`")
            raise BrokenTemplateError(found.start(), message, mend)
        name, form = inner.groups()
        if form not in FORMS:
            message = Text("nothing is written as '{form}'", form=form)
            raise BrokenTemplateError(found.start(), message, did_you_mean(form, FORMS))
        if forms.setdefault(name, form) != form:
            message = Text("'{name}' is written as {form} and as {other}", name=name, form=forms[name], other=form)
            raise BrokenTemplateError(found.start(), message, Text("give one of them another name"))
        pieces += [text[end : found.start()], Placeholder(name, form)]
        end = found.end()
    pieces.append(text[end:])
    return Template(tuple(piece for piece in pieces if piece != ""))
