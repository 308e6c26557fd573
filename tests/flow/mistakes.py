"""Reads `mistakes*.txt`: for every code, small broken flows that raise it and nothing else."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.flow.world import flow

_HEAD: Final = re.compile(r"([EW]\d+) (\d+:\d+) \| (.+) \| (.+)")


@dataclass(frozen=True)
class Mistake:
    """A broken flow `a` (with others beside it), the only finding in it, and words of its message and of its mend."""

    code: str
    at: str
    message: str
    mend: str
    files: Mapping[str, str]


def mistakes() -> dict[str, Mistake]:
    """Return every mistake by its name."""
    found = [
        _mistake(section)
        for file in sorted(pathlib.Path(__file__).parent.glob("mistakes*.txt"))
        for section in re.split(r"^==== ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    ]
    assert len(dict(found)) == len(found), "two mistakes have the same name"
    return {**dict(found), **_UNWRITABLE}


def _mistake(section: str) -> tuple[str, Mistake]:
    name, head, text = section.split("\n", 2)
    parsed = _HEAD.fullmatch(head)
    assert parsed is not None, head
    first, *others = re.split(r"^---- ", text, flags=re.MULTILINE)
    files = {"a": first}
    for other in others:
        file, content = other.split("\n", 1)
        files[file] = content
    code, at, message, mend = parsed.groups()
    return name, Mistake(code, at, message, mend, files)


def _nested(number: int) -> str:
    """Return a flow that runs the next one, up to the ninth."""
    if number == 9:
        return flow("begin: {return: good}", top="outcomes: [good]\n")
    steps = f"begin: {{run: f{number + 1}, when: {{good: back}}}}\nback: {{return: good}}"
    return flow(steps, top="outcomes: [good]\n")


_TOO_LARGE: Final = "# " + "x" * 1_000_000
_DEEP: Final = "ivr: 1\ntitle: " + "[" * 100_000
_UNWRITABLE: Final[Mapping[str, Mistake]] = {
    "too large": Mistake("E101", "1:1", "larger", "split", {"a": _TOO_LARGE}),
    "invisible character": Mistake("E101", "2:9", "U+0007", "delete", {"a": "ivr: 1\ntitle: A\x07\n"}),
    "nested too deep": Mistake("E103", "2:27", "nested more than 20", "brackets", {"a": _DEEP}),
    "flows nested too deep": Mistake(
        "E606",
        "7:3",
        "more than 8 deep",
        "in between",
        {"a": _nested(1), **{f"f{n}": _nested(n) for n in range(2, 10)}},
    ),
}
