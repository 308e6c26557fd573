"""Telephone audio: 8,000 samples a second, one byte each (µ-law, ITU-T G.711), in packets of 20 ms.

Knows the encoding and the packet. Must not know prompts or files.
"""

from __future__ import annotations

from array import array
from functools import cache
from typing import Final

SAMPLE_RATE: Final = 8_000
PACKET: Final = 160
"""Bytes in the 20 ms that one RTP packet carries; a file whose length is a multiple of it ends with a full packet."""

SILENCE: Final = b"\xff"
SAMPLES_PER_MS: Final = SAMPLE_RATE // 1_000

_BIAS = 33  # G.711 table 2a, in 14-bit units
_LARGEST = 8_158
_SMALLEST_16_BIT = -32_768


def encode(samples: array[int]) -> bytes:
    """Return signed 16-bit samples as µ-law bytes; what is beyond the scale is the loudest step."""
    return bytes(map(_table().__getitem__, samples))  # a negative sample indexes the table from its end


def decode(audio: bytes) -> array[int]:
    """Return µ-law bytes as signed 16-bit samples."""
    return array("h", map(_samples().__getitem__, audio))


def padded(audio: bytes) -> bytes:
    """Return the audio with silence up to a whole number of packets."""
    return audio + SILENCE * (-len(audio) % PACKET)


def milliseconds(size: int) -> int:
    """Return how long a file of that many bytes plays."""
    return size // SAMPLES_PER_MS


@cache
def _table() -> bytes:
    """Return the byte of every sample: 0 to 32,767, then -32,768 to -1."""
    return bytes(_encoded(sample) for sample in (*range(-_SMALLEST_16_BIT), *range(_SMALLEST_16_BIT, 0)))


@cache
def _samples() -> tuple[int, ...]:
    """Return the sample of every byte (G.711 table 2b)."""
    return tuple(_decoded(code) for code in range(256))


def _decoded(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((2 * (code & 0x0F) + _BIAS) << (code >> 4 & 0x07)) - _BIAS) << 2
    return -magnitude if code & 0x80 else magnitude


def _encoded(sample: int) -> int:
    """Encode one sample: sign, number of the segment, step in the segment, all bits inverted."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample) >> 2, _LARGEST) + _BIAS  # 16 to 14 bits
    segment = magnitude.bit_length() - 6
    step = magnitude >> segment + 1 & 0x0F
    return ~(sign | segment << 4 | step) & 0xFF
