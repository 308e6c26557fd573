"""The recordings that a caller can hear, as a dictionary from 20 ms of sound to the places where it occurs.

Knows files of raw µ-law and their frames. Must not know RTP, calls or the order in which things are heard.
Works because µ-law files reach a µ-law call bit by bit: every payload is a frame of a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from ivr_engine.testcaller.rtp import FRAME_BYTES, FRAME_MS, SILENCE
from ivr_engine.values.language import Language

MUSIC_FOLDER: Final = "music"
VOICE: Final = "the caller's own voice"
MAX_RECORDING_BYTES: Final = 64 * 1024 * 1024
COMMON_PLACES: Final = 16
"""A frame with more places than this tells nothing about where in a recording it is (pauses between words)."""


class PromptName(NamedTuple):
    """One recording of one language; hold music has no language."""

    language: Language | None
    prompt: str

    def __str__(self) -> str:
        return self.prompt if self.language is None else f"{self.language}/{self.prompt}"


@dataclass(frozen=True, slots=True)
class Recording:
    """Sound known under one name, or under several when their files are the same bytes (homophones).

    `head` is the number of silent frames before the first sound; they are never told from silence before it.
    """

    names: frozenset[PromptName]
    frames: tuple[bytes, ...]
    head: int
    music: bool

    @property
    def length_ms(self) -> int:
        """Return the length in ms, a multiple of 20."""
        return len(self.frames) * FRAME_MS


class Place(NamedTuple):
    """Where a frame occurs: the number of the recording, and of the frame in it."""

    recording: int
    frame: int


class Recordings:
    """All recordings of a hotline, and where each 160-byte frame occurs in them."""

    def __init__(self, sounds: Mapping[PromptName, bytes]) -> None:
        """Index raw µ-law by name; raise `ValueError` for a recording without sound."""
        names: dict[bytes, set[PromptName]] = {}
        for name, sound in sounds.items():
            padded = sound + SILENCE[: -len(sound) % FRAME_BYTES]
            if not padded.strip(b"\xff"):
                raise ValueError(f"{name} is empty or silent and could never be heard")
            names.setdefault(padded, set()).add(name)
        self.all: tuple[Recording, ...] = tuple(_recording(same, sound) for sound, same in names.items())
        self._by_name = {name: recording for recording in self.all for name in recording.names}
        self._places: dict[bytes, tuple[Place, ...]] = {}
        self._starts: dict[bytes, tuple[Place, ...]] = {}
        self._index()

    def _index(self) -> None:
        everywhere: dict[bytes, list[Place]] = {}
        for number, recording in enumerate(self.all):
            for position, frame in enumerate(recording.frames):
                everywhere.setdefault(frame, []).append(Place(number, position))
        for frame, places in everywhere.items():
            if frame == SILENCE:
                continue
            if len(places) <= COMMON_PLACES:
                self._places[frame] = tuple(places)
            else:
                starts = (place for place in places if place.frame == self.all[place.recording].head)
                self._starts[frame] = tuple(starts)

    @classmethod
    def load(cls, folder: Path, *, voice: bytes = b"") -> Recordings:
        """Read `<folder>/<language>/<id>.ulaw` and `<folder>/music/*.ulaw`.

        `voice` is what the caller says, and may hear again; like music it is of no language, and no prompt. An id may
        hold `/`. Raises `ValueError` when there is no recording, or one too large or silent.
        """
        sounds: dict[PromptName, bytes] = {}
        groups: Iterable[tuple[Language | None, Path]] = (
            *((language, folder / language) for language in Language),
            (None, folder / MUSIC_FOLDER),
        )
        for language, group in groups:
            for file in sorted(group.rglob("*.ulaw")):
                if file.stat().st_size > MAX_RECORDING_BYTES:
                    raise ValueError(f"{file.name} is larger than {MAX_RECORDING_BYTES} bytes")
                name = PromptName(language, file.relative_to(group).with_suffix("").as_posix())
                sounds[name] = file.read_bytes()
        if not sounds:
            raise ValueError(f"no .ulaw recordings in {folder}")
        if voice:
            sounds[PromptName(None, VOICE)] = voice
        return cls(sounds)

    def places(self, frame: bytes) -> tuple[Place, ...] | None:
        """Return where a frame with sound occurs, or None when it is unknown or silent.

        Of a common frame, only the places where a recording starts are returned.
        """
        found = self._places.get(frame)
        return self._starts.get(frame) if found is None else found

    def named(self, name: PromptName) -> Recording:
        """Return the recording; raise `KeyError` when there is none of this name."""
        return self._by_name[name]

    def __contains__(self, name: PromptName) -> bool:
        return name in self._by_name

    def homophones(self) -> list[frozenset[PromptName]]:
        """Return the classes of names that share one sound; a test can assert the class only."""
        return [recording.names for recording in self.all if len(recording.names) > 1]


def _recording(names: set[PromptName], sound: bytes) -> Recording:
    frames = tuple(sound[start : start + FRAME_BYTES] for start in range(0, len(sound), FRAME_BYTES))
    head = next(position for position, frame in enumerate(frames) if frame != SILENCE)
    return Recording(frozenset(names), frames, head, all(name.language is None for name in names))
