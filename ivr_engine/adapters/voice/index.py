"""What has been built: one small JSON file beside the audio.

Knows the file's form and how files are replaced whole. Must not know how audio is made.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ivr_engine.values.language import Language

FILE_NAME: Final = "index.json"
FORM: Final = 1


@dataclass(frozen=True, slots=True)
class Built:
    """One audio file: `hash` of all it was made from, how long it plays, and the hash of its bytes."""

    hash: str
    ms: int
    audio: str


Index = dict[str, dict[str, Built]]
"""Folder (a language, or `music`) -> id -> what was built."""


def read_index(out: Path) -> Index:
    """Return the index of a folder; empty when there is none, or none of this form: then all is built anew."""
    try:
        found = json.loads((out / FILE_NAME).read_text(encoding="utf-8"))
        if found["form"] != FORM:
            return {}
        return {
            folder: {identifier: Built(**entry) for identifier, entry in entries.items()}
            for folder, entries in found["audio"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_index(out: Path, index: Index) -> None:
    """Write the index and the homophones, whole or not at all."""
    audio = {
        folder: {identifier: asdict(entry) for identifier, entry in sorted(entries.items())}
        for folder, entries in sorted(index.items())
    }
    alike = {language.value: homophones(index.get(language.value, {})) for language in Language}
    content = {"form": FORM, "audio": audio, "homophones": alike}
    write_whole(out / FILE_NAME, json.dumps(content, indent=1, ensure_ascii=False).encode() + b"\n")


def homophones(entries: Mapping[str, Built]) -> tuple[tuple[str, ...], ...]:
    """Return the ids of one language whose audio is the same to the byte; a listener cannot tell them apart."""
    by_audio: dict[str, list[str]] = {}
    for identifier in sorted(entries):
        by_audio.setdefault(entries[identifier].audio, []).append(identifier)
    return tuple(tuple(alike) for alike in by_audio.values() if len(alike) > 1)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file so that readers see the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.chmod(0o644)  # mkstemp makes it private; Asterisk runs as another user
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
