"""Findings: an author's mistakes, with their place, their meaning and a mend.

Knows how one is told. Must not know what codes there are (`codes`), how files are read or shown in a browser. Words are
for bank clerks, not programmers, in English and in Chinese (`wording_zh.yaml`).
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ivr_engine.flow.wording import Text, Wording, in_chinese

SHOWN_NAMES_MAX: Final = 20
"""How many known names a mend lists."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake: where, which kind (a code of `codes.CODES`), what is wrong here, and how to mend it.

    `end_column` is the column after the last character of what is wrong, where that is known.
    """

    place: Place
    code: str
    message: Text
    mend: Text
    source_line: str = ""
    end_column: int | None = None
    path: Text | None = None
    """What the caller does, and what the world answers, to get there; None where that does not matter."""

    def render(self, language: Wording = Wording.ENGLISH) -> str:
        """Return the finding as `file:line:column CODE message`, the source line and the mend."""
        chinese = language is Wording.CHINESE
        lines = [f"{self.place}  {self.code}  {in_chinese(self.message) if chinese else self.message}"]
        if self.source_line:
            number = str(self.place.line)
            lines.append(f"  {number:>4} | {self.source_line}")
            lines.append(f"       | {_blank(self.source_line[: self.place.column - 1])}^")
        if self.path is not None:
            to_get_here = f"走到这里：{in_chinese(self.path)}" if chinese else f"to get here: {self.path}"
            lines.append(f"  {to_get_here}")
        lines.append(self._mend_in_chinese() if chinese else f"  mend: {self.mend}; more: ivr explain {self.code}")
        return "\n".join(map(_printable, lines))

    def _mend_in_chinese(self) -> str:
        mend = in_chinese(self.mend)
        full_stop = "" if mend.endswith(("？", "。")) else "。"
        return f"  修改方法：{mend}{full_stop}详见：ivr explain {self.code}"


class NotUnderstoodError(ValueError):
    """A written value that is not what is expected: what is, and how to write it."""

    def __init__(self, message: Text, mend: Text) -> None:
        super().__init__(message)
        self.message = message  # as it is: `str()` of it would no longer know how it was made
        self.mend = mend


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings by file, line and column; a prompt that lacks a language is one mistake, wherever it is said."""
    told: dict[tuple[str, ...], Finding] = {}
    for finding in sorted(findings):
        same = () if finding.code == "E402" else (str(finding.place),)
        told.setdefault((finding.code, finding.message, *same), finding)
    return tuple(told.values())


def _blank(text: str) -> str:
    """Return white space as wide as `text` on a terminal."""
    return "".join("\t" if character == "\t" else " " * _columns(character) for character in text)


def _columns(character: str) -> int:
    """Return how many columns of a terminal a character takes: a Chinese one two, a mark on the one before it none."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _printable(line: str) -> str:
    """Return the line without characters that would change the terminal that shows it."""
    return "".join(c if c.isprintable() or c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in line)


def suggest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that looks most like `word`, or None."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> Text:
    """Return a mend that names the nearest known word, or lists them all."""
    names = sorted(known)
    near = suggest(word, names)
    if near is not None:
        return Text("did you mean '{name}'?", name=near)
    if names:
        return Text("use one of: {names}", names=tuple(names[:SHOWN_NAMES_MAX]))
    return Text("there is none to choose from yet")
