"""Hold music: soft chords, made by arithmetic, so that nobody's licence is needed.

Knows chords and envelopes. Must not know files. The same bytes on every run.
"""

from __future__ import annotations

import math
from array import array
from typing import Final

from ivr_engine.adapters.voice.ulaw import SAMPLE_RATE, encode, padded

RECIPE: Final = 1
"""Change it with anything below: the file is built anew."""

CHORD_S: Final = 4
_PEAK = 3_500.0  # -19 dBFS, loudness about -30 dBFS: 10 dB below speech, so that an announcement stands out
# MIDI notes: I vi IV V I iii IV I in D major, close together; below 180 Hz a telephone loses them.
_CHORDS = (
    (54, 62, 66, 69),
    (59, 62, 66, 71),
    (55, 62, 67, 71),
    (57, 61, 64, 69),
    (54, 62, 66, 69),
    (57, 61, 66, 69),
    (55, 62, 67, 71),
    (54, 62, 66, 74),
)
_ATTACK_S = 0.6
_RELEASE_S = 1.2
_STRIKE_S = 0.12  # each note a little after the one below it, like a slow strum


def hold_music() -> bytes:
    """Return half a minute of µ-law audio that begins and ends in silence, so that it can be played round."""
    sound: list[float] = [0.0] * (CHORD_S * SAMPLE_RATE * len(_CHORDS))
    for number, chord in enumerate(_CHORDS):
        for place, note in enumerate(chord):
            start = number * CHORD_S * SAMPLE_RATE + round(place * _STRIKE_S * SAMPLE_RATE)
            _add_note(sound, start, 440.0 * 2 ** ((note - 69) / 12))
    loudest = max(max(sound), -min(sound))
    return padded(encode(array("h", [round(sample / loudest * _PEAK) for sample in sound])))


def _add_note(sound: list[float], start: int, frequency: float) -> None:
    """Add one note: a fundamental and a weak octave, swelling and dying away before the next chord ends."""
    end = min(start + CHORD_S * SAMPLE_RATE, len(sound))
    step = 2 * math.pi * frequency / SAMPLE_RATE
    phases = [step * position for position in range(end - start)]
    sound[start:end] = [
        before + swell * (math.sin(phase) + 0.2 * math.sin(2 * phase))
        for before, swell, phase in zip(sound[start:end], _envelope(end - start), phases, strict=True)
    ]


def _envelope(length: int) -> list[float]:
    attack, release = round(_ATTACK_S * SAMPLE_RATE), round(_RELEASE_S * SAMPLE_RATE)
    rise = [position / attack for position in range(attack)]
    fall = [(release - position) / release for position in range(release)]
    return [*rise, *([1.0] * (length - attack - release)), *fall]
