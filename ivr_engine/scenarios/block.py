"""One block of keys in a test, read key by key, so that what nobody asked for is found.

Knows a source with its places. Must not know what the keys mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ivr_engine.flow.findings import NotUnderstoodError, Place, did_you_mean
from ivr_engine.flow.source import Data, Path, Source
from ivr_engine.flow.wording import Text

T = TypeVar("T")


class Block:
    """The keys of one block; `known` are all it may have. Findings are noted in the source."""

    def __init__(self, source: Source, path: Path, known: tuple[str, ...]) -> None:
        self.source = source
        self.path = path
        self.data: dict[str, Data] = {}
        found = self._at(path)
        if not isinstance(found, dict):
            self.finding(
                "T104", (), Text("lines of `key: value` are expected here"), Text("write them indented below the key")
            )
            return
        self.data = found
        for word in self.data:
            if word not in known:
                message = Text("'{word}' has no meaning here", word=word)
                self.finding("T102", (word,), message, did_you_mean(word, known), key=True)

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def read(self, key: str, parse: Callable[[Data], T], default: T) -> T:
        """Return what is written under a key, or the default when it is not there or not understood."""
        if key not in self.data:
            return default
        return self.understood(self.data[key], parse, (key,), default)

    def understood(self, written: Data, parse: Callable[[Data], T], at: Path, default: T) -> T:
        """Return a value as it is parsed; what cannot be understood is a finding at its place."""
        try:
            return parse(written)
        except NotUnderstoodError as error:
            self.finding("T104", at, error.message, error.mend)
            return default

    def needs(self, *keys: str) -> bool:
        """Say whether all these keys are there; each that is not is a finding."""
        missing = [key for key in keys if key not in self.data]
        for key in missing:
            message = Text("`{key}` is missing", key=key)
            self.finding("T103", (), message, Text("add `{key}: ...`", key=key), key=True)
        return not missing

    def items(self, key: str) -> list[Data]:
        """Return the items of a list; one value alone is a list of one."""
        written = self.data.get(key)
        if written is None:
            return []
        return written if isinstance(written, list) else [written]

    def place(self, at: Path, *, key: bool = False) -> Place:
        """Return the place of something within the block."""
        return self.source.place((*self.path, *at), key=key)

    def finding(self, code: str, at: Path, message: Text, mend: Text, *, key: bool = False) -> None:
        """Note a finding at a path within the block."""
        self.source.finding(code, self.place(at, key=key), message, mend)

    def _at(self, path: Path) -> Data:
        data = self.source.data
        for part in path:
            # The path was walked when the source was read: each part fits what it is a part of.
            data = data[part]  # type: ignore[index] # as said above
        return data
