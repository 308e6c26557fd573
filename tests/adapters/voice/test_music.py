"""Hold music is soft, seamless and always the same."""

from __future__ import annotations

import numpy as np
import pytest

from ivr_engine.adapters.voice.music import hold_music
from ivr_engine.adapters.voice.ulaw import PACKET, milliseconds
from tests.adapters.voice.measure import active_level_dbfs, decoded


@pytest.fixture(scope="module")
def audio() -> bytes:
    return hold_music()


def test_music_lasts_half_a_minute_in_whole_packets(audio: bytes) -> None:
    assert milliseconds(len(audio)) == pytest.approx(30_000, abs=4_000)
    assert len(audio) % PACKET == 0


def test_music_is_heard_but_softer_than_speech(audio: bytes) -> None:
    assert active_level_dbfs(decoded(audio)) == pytest.approx(-30, abs=2)


def test_music_never_stops_for_longer_than_a_breath_and_joins_without_a_click(audio: bytes) -> None:
    samples = decoded(audio)
    loudness = np.sqrt((samples.reshape(-1, 800) ** 2).mean(axis=1))
    quiet = "".join("q" if value < 0.002 else "m" for value in loudness)
    assert "q" * 8 not in quiet * 2
    assert np.abs(np.diff(np.concatenate([samples, samples]))).max() < 0.1


def test_music_is_the_same_every_time(audio: bytes) -> None:
    assert hold_music() == audio
