"""The voice of a caller who speaks: a hum as loud as speech, which is known again when it is played back.

Knows bytes of µ-law. Must not know calls.
"""

from __future__ import annotations

from typing import Final

from ivr_engine.testcaller.rtp import FRAME_BYTES, FRAME_MS

VOICE_MS: Final = 60_000
_WAVE: Final = bytes([0x9E, 0x98, 0x96, 0x98, 0x9E, 0x1E, 0x18, 0x16, 0x18, 0x1E])


def speech(milliseconds: int) -> bytes:
    """Return so many milliseconds of the voice, in whole frames; no two frames of `VOICE_MS` are alike."""
    return b"".join(_frame(number % (VOICE_MS // FRAME_MS)) for number in range(milliseconds // FRAME_MS))


def _frame(number: int) -> bytes:
    marks = bytes(0x90 | number >> shift & 0x0F for shift in (0, 4, 8))
    return marks + (_WAVE * (FRAME_BYTES // len(_WAVE)))[len(marks) :]
