"""What a caller has said, once it is kept: how it is named, not what was said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECORDED_BYTES_PER_MS: Final = 8
"""Bytes of one recorded millisecond: µ-law, 8 kHz, one byte a sample."""
FRAME_MS: Final = 20
_FRAME_BYTES: Final = FRAME_MS * RECORDED_BYTES_PER_MS
_QUIET: Final = 256
"""Mean amplitude of linear 16-bit audio below which a frame is silence: that of Asterisk (`dsp.c`)."""
_STEP: Final = 16


def _amplitude(code: int) -> int:
    """Return the amplitude of a µ-law sample (ITU-T G.711), 16-bit, in steps of 16 and at most 255 of them."""
    magnitude = ~code & 0x7F
    linear = (((2 * (magnitude & 0x0F) + 33) << (magnitude >> 4)) - 33) << 2
    return min(255, linear // _STEP)


_AMPLITUDES: Final = bytes(_amplitude(code) for code in range(256))


def voiced_ms(audio: bytes, *, enough_ms: int) -> int:
    """Return how much of a recording is not silence, in milliseconds; stops looking when that is `enough_ms`."""
    loud = audio.translate(_AMPLITUDES)
    voiced = 0
    for begin in range(0, len(loud) - _FRAME_BYTES + 1, _FRAME_BYTES):
        if sum(loud[begin : begin + _FRAME_BYTES]) * _STEP >= _QUIET * _FRAME_BYTES:
            voiced += FRAME_MS
            if voiced >= enough_ms:
                break
    return voiced


@dataclass(frozen=True, slots=True)
class Recording:
    """A voice message that is kept: its id in the store, and how long it is."""

    id: str
    milliseconds: int
