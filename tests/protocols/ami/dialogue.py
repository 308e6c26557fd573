"""Reads the recorded dialogues back as the bytes that were on the wire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "dialogues"
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


@dataclass(frozen=True)
class Dialogue:
    """One recorded connection: who spoke, and what, with line ends as on the wire."""

    turns: tuple[tuple[str, bytes], ...]

    @property
    def received(self) -> bytes:
        """All that Asterisk said."""
        return b"".join(data for who, data in self.turns if who == "<")


def names() -> list[str]:
    """Return every recorded dialogue's name."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def read(name: str) -> Dialogue:
    """Read one dialogue; neighbouring lines of one side are one turn."""
    turns: list[tuple[str, bytes]] = []
    for line in (FOLDER / f"{name}.txt").read_bytes().split(b"\n")[:-1]:
        who, data = line[:1].decode(), _ESCAPED.sub(lambda match: bytes([int(match[1], 16)]), line[1:]) + b"\r\n"
        if turns and turns[-1][0] == who:
            turns[-1] = (who, turns[-1][1] + data)
        else:
            turns.append((who, data))
    return Dialogue(tuple(turns))
