"""µ-law against sox's own encoder, and packets."""

from __future__ import annotations

import bisect
from array import array

import numpy as np
import pytest

from ivr_engine.adapters.voice.ulaw import PACKET, SILENCE, encode, milliseconds, padded
from tests.adapters.voice.measure import decoded

EVERY_SAMPLE = array("h", range(-32_768, 32_768))


def test_every_sample_is_encoded_by_the_decision_values_of_g711() -> None:
    """G.711 table 2a: each level is the middle between two decision values, the first of which is 1 of 8159."""
    levels = np.unique(np.abs(decoded(bytes(range(256))) * 32_768)).tolist()
    decisions = [4.0]  # 1, in 16-bit units
    for level in levels[1:]:
        decisions.append(2 * level - decisions[-1])
    assert decisions[-1] == 4 * 8_159
    for sample, heard in zip(EVERY_SAMPLE, decoded(encode(EVERY_SAMPLE)).tolist(), strict=True):
        place = min(bisect.bisect_right(decisions, abs(sample)), len(levels) - 1)
        assert heard * 32_768 == (levels[place] if sample >= 0 else -levels[place]), sample


def test_every_byte_survives_decoding_and_encoding() -> None:
    every = bytes(range(256))
    again = encode(array("h", (decoded(every) * 32_768).round().astype(int).tolist()))
    # 0x7f is minus nought: there is no such 16-bit sample.
    assert again == every.replace(b"\x7f", b"\xff")


def test_silence_is_the_byte_of_nought() -> None:
    assert encode(array("h", [0])) == SILENCE


@pytest.mark.parametrize("size", [0, 1, 159, 160, 161])
def test_padded_audio_is_whole_packets_and_ends_in_silence(size: int) -> None:
    audio = padded(b"\x00" * size)
    assert len(audio) % PACKET == 0
    assert len(audio) - size < PACKET
    assert audio == b"\x00" * size + SILENCE * (len(audio) - size)


def test_one_packet_plays_twenty_milliseconds() -> None:
    assert milliseconds(PACKET) == 20
