"""What callers have said, as files: one for each voice message, which only the engine's own user can read.

Knows files, permissions and how many bytes there may be in all. Must not know tables or calls. The folder has mode
0700, each file 0600. The engine does not encrypt them: the library for that is not among those that are locked, and own
cryptography would be none; so the disk under the state folder has to be encrypted.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import wave
from pathlib import Path
from typing import Final

from ivr_engine.adapters.voice import ulaw

LONGEST_BYTES: Final = 8_000 * 300
"""Bytes of the longest message (`flow.fields.MESSAGE_MS_MAX`)."""
DISK_RESERVE_BYTES: Final = 200_000_000
"""Bytes of the disk that messages never take: the database and the logs need them."""
_SUFFIX: Final = ".ulaw"
_ID: Final = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)


class MessageFiles:
    """The folder of messages. Its methods block: call them in a thread. They raise `OSError`."""

    def __init__(self, folder: Path, *, most_bytes: int, reserve_bytes: int = DISK_RESERVE_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._reserve_bytes = reserve_bytes

    def has_room(self) -> bool:
        """Say whether the longest message can be written: there is room for it by rule and on the disk."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        used = sum(entry.stat().st_size for entry in os.scandir(self._folder) if entry.name.endswith(_SUFFIX))
        free = shutil.disk_usage(self._folder).free
        writable = os.access(self._folder, os.W_OK | os.X_OK)
        return writable and used + LONGEST_BYTES <= self._most_bytes and free - LONGEST_BYTES >= self._reserve_bytes

    def write(self, message: str, audio: bytes) -> None:
        """Write a message whole and to the disk, or not at all."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(message)
        temporary = path.with_suffix(".new")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(audio)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise

    def read(self, message: str) -> bytes:
        """Return what was said; `FileNotFoundError` when it is not there any more."""
        return self._path(message).read_bytes()

    def remove(self, message: str) -> None:
        """Remove what was said; harmless when repeated."""
        self._path(message).unlink(missing_ok=True)

    def export(self, message: str, to: Path) -> None:
        """Write what was said as a WAV file, 16-bit, that any player plays; `FileExistsError` when it is there."""
        audio = self.read(message)
        descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file, contextlib.closing(wave.open(file, "wb")) as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(ulaw.SAMPLE_RATE)
            sound.writeframes(ulaw.decode(audio).tobytes())

    def _path(self, message: str) -> Path:
        if not _ID.fullmatch(message):
            raise FileNotFoundError(message)
        return self._folder / f"{message}{_SUFFIX}"
