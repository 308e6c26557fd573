"""Makes recordings fit to be joined: no silence around, one loudness, no clicks at the edges.

Knows samples (16 bit, 8,000 a second). Must not know files, texts or languages.
"""

from __future__ import annotations

import math
from array import array
from operator import mul
from typing import Final

from ivr_engine.adapters.voice.ulaw import SAMPLES_PER_MS

FULL_SCALE: Final = 32_768
TARGET_DBFS: Final = -20.0
"""Loudness of the spoken parts (RMS), about -17 dBm0: what telephone exchanges play announcements at."""

PEAK_DBFS: Final = -3.0
"""No sample is louder. µ-law clips 3 dB higher, so that decoders of any kind stay clean."""

_KNEE_DBFS = -9.0  # from here on, peaks are bent instead of cut
_WINDOW = 10 * SAMPLES_PER_MS
_SILENCE_BELOW_PEAK_DB = 40.0
_SILENCE_DBFS = -60.0
_ACTIVE_BELOW_PEAK_DB = 25.0
_LEAD_WINDOWS = 1
_TRAIL_WINDOWS = 2
_FADE_IN = 5 * SAMPLES_PER_MS
_FADE_OUT = 15 * SAMPLES_PER_MS
_ROUNDS = 4


class SilentRecordingError(ValueError):
    """There is nothing to hear."""


def shaped(samples: array[int]) -> array[int]:
    """Return the samples trimmed, at the target loudness and faded; `SilentRecordingError` when silent."""
    trimmed = _trimmed(samples)
    return _faded(_levelled(trimmed))


def loudness_dbfs(samples: array[int]) -> float:
    """Return the RMS of the spoken parts in dB of full scale; -inf when silent."""
    powers = _powers(samples)
    loudest = max(powers, default=0.0)
    if loudest == 0.0:
        return -math.inf
    floor = loudest / _power_ratio(_ACTIVE_BELOW_PEAK_DB)
    active = [power for power in powers if power >= floor]
    return 10 * math.log10(sum(active) / len(active) / FULL_SCALE**2)


def peak_dbfs(samples: array[int]) -> float:
    """Return the loudest sample in dB of full scale; -inf when silent."""
    peak = max(max(samples, default=0), -min(samples, default=0))
    return 20 * math.log10(peak / FULL_SCALE) if peak else -math.inf


def _powers(samples: array[int]) -> list[float]:
    """Return the mean square of every 10 ms; a last, shorter window counts as if full of silence."""
    windows = (samples[start : start + _WINDOW] for start in range(0, len(samples), _WINDOW))
    return [sum(map(mul, window, window)) / _WINDOW for window in windows]


def _trimmed(samples: array[int]) -> array[int]:
    powers = _powers(samples)
    loudest = max(powers, default=0.0)
    silence = FULL_SCALE**2 / _power_ratio(-_SILENCE_DBFS)
    floor = max(loudest / _power_ratio(_SILENCE_BELOW_PEAK_DB), silence)
    heard = [number for number, power in enumerate(powers) if power > floor]
    if not heard:
        raise SilentRecordingError("the recording is silent")
    start = max(heard[0] - _LEAD_WINDOWS, 0) * _WINDOW
    end = (heard[-1] + 1 + _TRAIL_WINDOWS) * _WINDOW
    return samples[start:end]


def _levelled(samples: array[int]) -> array[int]:
    """Return the samples at the target loudness; bent peaks cost loudness, which further rounds give back."""
    gain = 1.0
    result = samples
    for _ in range(_ROUNDS):
        difference = TARGET_DBFS - loudness_dbfs(result)
        if abs(difference) < 0.2:
            break
        gain *= 10 ** (difference / 20)
        result = _amplified(samples, gain)
    return result


def _amplified(samples: array[int], gain: float) -> array[int]:
    knee = FULL_SCALE * 10 ** (_KNEE_DBFS / 20)
    room = FULL_SCALE * 10 ** (PEAK_DBFS / 20) - knee

    def bent(value: float) -> int:
        over = abs(value) - knee
        if over <= 0:
            return round(value)
        return int(math.copysign(knee + room * math.tanh(over / room), value))

    return array("h", [bent(sample * gain) for sample in samples])


def _faded(samples: array[int]) -> array[int]:
    result = array("h", samples)
    fade_in = min(_FADE_IN, len(result) // 2)
    fade_out = min(_FADE_OUT, len(result) // 2)
    for position in range(fade_in):
        result[position] = result[position] * position // fade_in
    for position in range(fade_out):
        result[-1 - position] = result[-1 - position] * position // fade_out
    return result


def _power_ratio(decibels: float) -> float:
    return float(10 ** (decibels / 10))
