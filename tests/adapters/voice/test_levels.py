"""Recordings of any loudness become prompts that can be joined."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

from ivr_engine.adapters.voice.levels import (
    PEAK_DBFS,
    TARGET_DBFS,
    SilentRecordingError,
    loudness_dbfs,
    peak_dbfs,
    shaped,
)
from tests.adapters.voice.measure import active_level_dbfs, tone


def samples(wave: np.ndarray[tuple[int], np.dtype[np.int16]]) -> array[int]:
    return array("h", wave.tolist())


@pytest.mark.parametrize("amplitude", [0.003, 0.05, 0.3, 0.99])
def test_soft_and_loud_recordings_get_the_same_loudness(amplitude: float) -> None:
    result = shaped(samples(tone(440, 0.5, 8_000, amplitude)))
    assert loudness_dbfs(result) == pytest.approx(TARGET_DBFS, abs=0.3)
    measured = active_level_dbfs(np.array(result, np.float64) / 32_768)
    assert measured == pytest.approx(TARGET_DBFS, abs=1)


def test_peaks_are_bent_below_the_limit_and_the_loudness_is_kept() -> None:
    wave = tone(440, 0.5, 8_000, 0.02)
    wave[::400] = 20_000  # clicks 35 dB above the rest
    result = shaped(samples(wave))
    assert peak_dbfs(result) <= PEAK_DBFS + 0.01
    assert loudness_dbfs(result) == pytest.approx(TARGET_DBFS, abs=1)


def test_silence_around_is_cut_and_silence_within_is_kept() -> None:
    quiet = np.zeros(4_000, np.int16)
    word = tone(300, 0.25, 8_000)
    result = shaped(samples(np.concatenate([quiet, word, quiet, word, quiet])))
    assert len(result) == pytest.approx(2 * len(word) + len(quiet), abs=400)


def test_hiss_around_counts_as_silence() -> None:
    hiss = np.random.default_rng(1).normal(0, 10, 8_000).astype(np.int16)
    result = shaped(samples(np.concatenate([hiss, tone(300, 0.25, 8_000), hiss])))
    assert len(result) == pytest.approx(2_000, abs=400)


def test_edges_begin_and_end_at_nought() -> None:
    result = shaped(samples(tone(440, 0.3, 8_000, 0.5)))
    assert result[0] == result[-1] == 0
    assert max(abs(value) for value in result[:8]) < max(result) / 4


def test_very_short_sound_is_shaped() -> None:
    assert len(shaped(samples(tone(1_000, 0.004, 8_000)))) > 0


@pytest.mark.parametrize("length", [0, 1, 8_000])
def test_silence_is_refused(length: int) -> None:
    with pytest.raises(SilentRecordingError, match="silent"):
        shaped(array("h", [0] * length))
    assert loudness_dbfs(array("h", [0] * length)) == peak_dbfs(array("h", [0] * length)) == float("-inf")
