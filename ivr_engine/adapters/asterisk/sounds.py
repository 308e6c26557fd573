"""From an utterance to the one file that Asterisk plays.

Knows that recordings are raw 8 kHz µ-law, `<prompts>/<language>/<id>.ulaw`, each a whole number of 20 ms
frames, so that joining is appending bytes: no gap, no lost key between two recordings, and no amount in
Asterisk's logs or events, which name the files that are played. Must not know who hears them.

A joined file lives in a folder in memory. Static ones are named by what they hold, are kept and found again.
Personal ones get a name that cannot be guessed, belong to one call and go with it; a single personal
recording is copied as well, since its own name would say what the customer heard. One engine owns one
`joined` folder: start-up sweeps what a killed one left.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
from collections import OrderedDict
from pathlib import Path
from typing import Final

from ivr_engine.values.ids import Ids
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance

BYTES_PER_MS: Final = 8
"""Bytes, which are samples, of one millisecond of 8 kHz µ-law."""

FRAME_BYTES: Final = 160
"""Bytes of one RTP packet of 20 ms; a shorter last one upsets Asterisk's time stamps at the joint."""

MAX_RECORDING_BYTES: Final = 8_000 * 300
"""Bytes of one recording: five minutes."""

MAX_CACHED_RECORDING_BYTES: Final = 32 * 1024 * 1024
"""Bytes of recordings kept in memory: more than an hour of audio."""

MAX_PROMPTS: Final = 200
"""Recordings in one utterance."""

MAX_JOINED_FILES: Final = 2_000
"""Static joined files kept; the one unused for longest goes first."""

MAX_PERSONAL_FILES: Final = 50
"""Joined files of one call; the oldest goes first."""

_PROMPT_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}(/[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}){0,3}", re.ASCII)
_STATIC_NAME = "static-{digest}"
_PERSONAL_NAME = "call-{random}"
ENDING: Final = ".ulaw"
_OURS = re.compile(r"(static-[0-9a-f]{64}|call-[0-9A-Z]{26})\.ulaw(\.part)?", re.ASCII)


class SoundError(Exception):
    """An utterance cannot be played; the message names the language and the recording."""


class SoundFolder:
    """The recordings, and the files joined from them.

    `prompts` is read only and does not change while the engine runs. `joined` is made if need be (mode 2750)
    and swept; its files have mode 0640, so Asterisk reads them by its group. Raises `OSError` when the folder
    cannot be written.
    """

    def __init__(
        self,
        prompts: Path,
        joined: Path,
        *,
        ids: Ids,
        max_cached_bytes: int = MAX_CACHED_RECORDING_BYTES,
        max_joined_files: int = MAX_JOINED_FILES,
    ) -> None:
        self._prompts = prompts.resolve()
        self._ids = ids
        self._max_cached_bytes = max_cached_bytes
        self._max_joined_files = max_joined_files
        self._recordings: OrderedDict[tuple[Language, str], bytes] = OrderedDict()
        self._cached_bytes = 0
        self._sizes: dict[tuple[Language, str], int] = {}
        self._static: OrderedDict[tuple[Language, tuple[str, ...]], str] = OrderedDict()
        self._singles: dict[tuple[Language, str], str] = {}
        self._personal: dict[str, OrderedDict[tuple[Language, tuple[str, ...]], str]] = {}
        joined.mkdir(mode=0o750, parents=True, exist_ok=True)
        self._joined = joined.resolve()
        # Files get the folder's group, which is Asterisk's where it runs as another user.
        self._joined.chmod(0o2750)
        self._sweep()

    def path_for(self, utterance: Utterance, session_key: str) -> str:
        """Return the absolute path, without extension, of one file that holds the whole utterance.

        `session_key` names the call that owns a personal file until `forget`. Raises `SoundError`.
        """
        prompts = utterance.prompts
        if not prompts:
            raise SoundError("an utterance without recordings cannot be played")
        if len(prompts) > MAX_PROMPTS:
            message = f"an utterance has at most {MAX_PROMPTS} recordings, this one has {len(prompts)}"
            raise SoundError(message)
        if utterance.personal:
            return self._personal_path(utterance, session_key)
        return self._single_path(utterance) if len(prompts) == 1 else self._static_path(utterance)

    def path_for_audio(self, audio: bytes, session_key: str) -> str:
        """Return the path of a file that holds what a caller has said; it goes with the call, as read-outs do."""
        files = self._personal.setdefault(session_key, OrderedDict())
        name = self._ids.new()
        stem = f"{self._joined}/{_PERSONAL_NAME.format(random=name)}"
        _write(stem, audio)
        files[Language.MANDARIN, (name,)] = stem  # of no language; the name is its own
        return stem

    def duration_ms(self, utterance: Utterance) -> int:
        """Return how long an utterance lasts, in milliseconds; raises `SoundError`."""
        return sum(self._size(utterance.language, prompt) for prompt in utterance.prompts) // BYTES_PER_MS

    def forget(self, session_key: str) -> None:
        """Remove every personal file of a call; harmless when it has none."""
        for stem in self._personal.pop(session_key, {}).values():
            _remove(stem)

    def _single_path(self, utterance: Utterance) -> str:
        key = (utterance.language, utterance.prompts[0])
        stem = self._singles.get(key)
        if stem is None:
            self._size(*key)
            stem = self._singles[key] = str(self._path(*key).with_suffix(""))
        return stem

    def _static_path(self, utterance: Utterance) -> str:
        key = (utterance.language, utterance.prompts)
        stem = self._static.get(key)
        if stem is not None:
            self._static.move_to_end(key)
            return stem
        audio = self._join(utterance)
        stem = f"{self._joined}/{_STATIC_NAME.format(digest=hashlib.sha256(audio).hexdigest())}"
        if stem not in self._static.values():  # two utterances can sound alike (homophones)
            _write(stem, audio)
        self._static[key] = stem
        while len(self._static) > self._max_joined_files:
            _, oldest = self._static.popitem(last=False)
            if oldest not in self._static.values():
                _remove(oldest)
        return stem

    def _personal_path(self, utterance: Utterance, session_key: str) -> str:
        files = self._personal.setdefault(session_key, OrderedDict())
        key = (utterance.language, utterance.prompts)
        stem = files.get(key)
        if stem is None:
            audio = self._join(utterance)
            stem = f"{self._joined}/{_PERSONAL_NAME.format(random=self._ids.new())}"
            _write(stem, audio)
            files[key] = stem
            if len(files) > MAX_PERSONAL_FILES:
                _, oldest = files.popitem(last=False)
                _remove(oldest)
        return stem

    def _join(self, utterance: Utterance) -> bytes:
        return b"".join([self._recording(utterance.language, prompt) for prompt in utterance.prompts])

    def _recording(self, language: Language, prompt: str) -> bytes:
        key = (language, prompt)
        audio = self._recordings.get(key)
        if audio is not None:
            self._recordings.move_to_end(key)
            return audio
        self._size(language, prompt)
        audio = self._path(language, prompt).read_bytes()
        self._recordings[key] = audio
        self._cached_bytes += len(audio)
        while self._cached_bytes > self._max_cached_bytes:
            _, dropped = self._recordings.popitem(last=False)
            self._cached_bytes -= len(dropped)
        return audio

    def _size(self, language: Language, prompt: str) -> int:
        """Return a recording's bytes; the memory of sizes is bounded by the recordings that exist."""
        key = (language, prompt)
        size = self._sizes.get(key)
        if size is None:
            size = self._checked_size(language, prompt)
            self._sizes[key] = size
        return size

    def _checked_size(self, language: Language, prompt: str) -> int:
        try:
            size = self._path(language, prompt).stat().st_size
        except OSError:
            message = f"there is no recording {prompt!r} in {language.value}"
            raise SoundError(message) from None
        if size == 0 or size % FRAME_BYTES:
            message = (
                f"recording {prompt!r} in {language.value} has {size} bytes,"
                f" which is not a whole number of {FRAME_BYTES}-byte frames: pad it with silence (0xFF)"
            )
            raise SoundError(message)
        if size > MAX_RECORDING_BYTES:
            message = f"recording {prompt!r} in {language.value} is longer than {MAX_RECORDING_BYTES} bytes"
            raise SoundError(message)
        return size

    def _path(self, language: Language, prompt: str) -> Path:
        if not _PROMPT_ID.fullmatch(prompt) or ".." in prompt:
            message = f"{prompt[:80]!r} in {language.value} is not the id of a recording"
            raise SoundError(message)
        # `yue/choose_language` in a Mandarin utterance: another language speaks for itself (values/utterance.py).
        return self._prompts / f"{prompt if '/' in prompt else f'{language.value}/{prompt}'}.ulaw"

    def _sweep(self) -> None:
        for path in self._joined.iterdir():
            if _OURS.fullmatch(path.name):
                path.unlink(missing_ok=True)


def _write(stem: str, audio: bytes) -> None:
    """Make a file whole or not at all, before anybody is told its name; 0640 whatever the umask says."""
    path = stem + ENDING
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o640)
    written = 0
    try:
        os.fchmod(descriptor, 0o640)
        written = os.write(descriptor, audio)
    finally:
        os.close(descriptor)
        if written != len(audio):
            _remove(stem)
    if written != len(audio):
        raise OSError(errno.ENOSPC, "the folder for joined recordings is full", path)


def _remove(stem: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(stem + ENDING)  # noqa: PTH108 # plain paths: this runs for every read-out of every call
