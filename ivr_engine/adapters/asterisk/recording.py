"""Files into which Asterisk writes what callers say, until the engine has taken them.

Knows the folder, its names, and that Asterisk answers before it has written the last of a file. Must not know what
becomes of a message. Asterisk and the engine alone can read it: the folder lies in Asterisk's run directory.
"""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Final

from ivr_engine.values.ids import Ids

FORMAT: Final = "ulaw"
_SUFFIX: Final = f".{FORMAT}"
WRITTEN_WITHIN_S: Final = 2.0
"""Asterisk sends its answer, then writes what its buffer holds (`res_agi.c`: ast_agi_send before ast_closestream)."""
LOOK_EVERY_S: Final = 0.01
MAX_BYTES: Final = 8_000 * 600


class IncomingRecordings:
    """The folder, as the engine sees it. One engine owns it: start-up removes what a killed one left."""

    def __init__(self, folder: Path, ids: Ids) -> None:
        self._folder = folder.absolute()
        self._ids = ids

    def sweep(self) -> int:
        """Remove what is left over, and return how many; those callers were taken to humans by the dialplan."""
        if not self._folder.is_dir():
            return 0
        left = [path for path in self._folder.iterdir() if path.suffix == _SUFFIX]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def new(self) -> str:
        """Return the path of a file that is not there yet, without its extension."""
        return str(self._folder / self._ids.new())

    async def take(self, path: str, expected_bytes: int | None) -> bytes:
        """Return what was recorded and remove the file; nothing when there is none and none is expected.

        `expected_bytes` is what Asterisk has told; None where it could not tell any more. Raises `OSError`, also when
        Asterisk has recorded something and it is not here: the two do not share the folder.
        """
        file = Path(path + _SUFFIX)
        try:
            await _until_written(file, expected_bytes)
            audio = await asyncio.to_thread(_read, file)
            if expected_bytes and not audio:
                raise FileNotFoundError(errno.ENOENT, "Asterisk records into another folder", path)
            return audio
        finally:
            await asyncio.to_thread(file.unlink, missing_ok=True)


async def _until_written(file: Path, expected_bytes: int | None) -> None:
    """Wait until the file is as long as it should be; without a length, until it has not grown from look to look."""
    before = -1
    for _ in range(round(WRITTEN_WITHIN_S / LOOK_EVERY_S)):
        size = _size(file)
        if (size == before and size > 0) if expected_bytes is None else size >= expected_bytes:
            return
        before = size
        await asyncio.sleep(LOOK_EVERY_S if expected_bytes is not None else 10 * LOOK_EVERY_S)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _read(file: Path) -> bytes:
    """Read a whole file, and never through a link."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return b""
    with os.fdopen(descriptor, "rb") as opened:
        return opened.read(MAX_BYTES)
