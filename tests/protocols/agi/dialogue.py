r"""Recorded AGI dialogues: how they are written down, and how they are read again.

One line of the wire is one line of the file. `< ` came from Asterisk, `> ` went to it, `# ` is a remark, and
`. eof` is Asterisk closing the stream. Bytes that are no UTF-8 are written as `\xNN`, and a backslash as `\\`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

DIALOGUES = Path(__file__).parent / "dialogues"

_ESCAPE = re.compile(rb"\\(\\|x[0-9a-f]{2})")


@dataclass(frozen=True)
class Step:
    """`who` is "<" (Asterisk), ">" (the engine) or "." (Asterisk closed); `line` has its line feed."""

    who: str
    line: bytes


def written(step: Step) -> str:
    body = step.line.removesuffix(b"\n").replace(b"\\", b"\\\\").decode("utf-8", "backslashreplace")
    return ". eof" if step.who == "." else f"{step.who} {body}".rstrip(" ") if not body else f"{step.who} {body}"


def read(path: Path) -> list[Step]:
    steps: list[Step] = []
    for line in path.read_bytes().split(b"\n"):
        if not line or line.startswith(b"#"):
            continue
        if line == b". eof":
            steps.append(Step(".", b""))
            continue
        body = _ESCAPE.sub(lambda found: _unescaped(found[1]), line[2:])
        steps.append(Step(chr(line[0]), body + b"\n"))
    return steps


def all_dialogues() -> dict[str, list[Step]]:
    return {path.stem: read(path) for path in sorted(DIALOGUES.glob("*.txt"))}


def from_asterisk(steps: list[Step]) -> bytes:
    """All bytes that Asterisk sent."""
    return b"".join(step.line for step in steps if step.who == "<")


def _unescaped(escape: bytes) -> bytes:
    return b"\\" if escape == b"\\" else bytes([int(escape[1:], 16)])
