"""Recordings for tests: noise, different for every name and the same on every run. Knows no call."""

from __future__ import annotations

import random
from pathlib import Path

from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.rtp import FRAME_BYTES, SILENCE
from ivr_engine.values.language import Language


def noise(name: str, frames: int) -> bytes:
    """Return `frames` x 20 ms of µ-law noise that only this name has."""
    return random.Random(name).randbytes(frames * FRAME_BYTES)


def english(name: str) -> PromptName:
    """Return an English prompt's name."""
    return PromptName(Language.ENGLISH, name)


def recordings(**sounds: bytes) -> Recordings:
    """Return English prompts by name; a name that begins with `music` is hold music."""
    return Recordings(
        {PromptName(None if name.startswith("music") else Language.ENGLISH, name): s for name, s in sounds.items()}
    )


def write_sounds(folder: Path, count: int, *, frames: tuple[int, int], silent_tail: int = 0) -> list[str]:
    """Write `count` English prompts p0.. of random length and one piece of music; return the prompts' names."""
    lengths = random.Random(f"lengths {count}")
    (folder / "en").mkdir(parents=True)
    (folder / "music").mkdir()
    (folder / "music/hold.ulaw").write_bytes(noise("hold", 250))
    names = [f"p{number}" for number in range(count)]
    for name in names:
        sound = noise(name, lengths.randint(*frames)) + SILENCE * lengths.randint(0, silent_tail)
        (folder / f"en/{name}.ulaw").write_bytes(sound)
    return names
