from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.testcaller.rtp import (
    PCMU,
    SILENCE,
    TELEPHONE_EVENT,
    RtpError,
    RtpPacket,
    SpeakingStream,
    Tone,
    build_rtp,
    parse_key_event,
    parse_rtp,
)


def sent(stream: SpeakingStream, ticks: int) -> list[RtpPacket]:
    return [parse_rtp(datagram) for _ in range(ticks) for datagram in stream.tick()]


@given(st.integers(0, 127), st.booleans(), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.binary(max_size=200))
def test_packet_survives_writing_and_reading(
    payload_type: int, marker: bool, sequence: int, timestamp: int, payload: bytes
) -> None:
    packet = RtpPacket(payload_type, marker, sequence, timestamp, 99, payload)
    assert parse_rtp(build_rtp(packet)) == packet


@given(st.binary(max_size=300))
def test_any_bytes_are_a_packet_or_an_rtp_error(datagram: bytes) -> None:
    try:
        parse_rtp(datagram)
    except RtpError:
        return


def test_contributing_sources_extension_and_padding_are_skipped() -> None:
    header = bytes([0x80 | 0x20 | 0x10 | 1, 0]) + bytes(10)
    extension = b"\xbe\xde\x00\x01" + bytes(4)
    assert parse_rtp(header + bytes(4) + extension + b"sound" + b"\x00\x00\x03").payload == b"sound"


def test_stream_without_keys_is_steady_silence() -> None:
    packets = sent(SpeakingStream(source=1, sequence=65534, timestamp=2**32 - 200), 4)
    assert [packet.sequence for packet in packets] == [65535, 0, 1, 2]
    assert [packet.timestamp for packet in packets] == [2**32 - 40, 120, 280, 440]
    assert [packet.marker for packet in packets] == [True, False, False, False]
    assert {packet.payload for packet in packets} == {SILENCE}
    assert {packet.payload_type for packet in packets} == {PCMU}


def test_key_is_80_ms_of_growing_event_and_three_end_packets_with_one_timestamp() -> None:
    stream = SpeakingStream(source=1)
    sent(stream, 3)
    stream.press("7", every_ms=160)
    packets = sent(stream, 8)
    events = [packet for packet in packets if packet.payload_type == TELEPHONE_EVENT]
    assert [parse_key_event(packet.payload) for packet in events] == [
        ("7", False, 20.0),
        ("7", False, 40.0),
        ("7", False, 60.0),
        ("7", True, 80.0),
        ("7", True, 80.0),
        ("7", True, 80.0),
    ]
    assert {packet.timestamp for packet in events} == {640}
    assert [packet.marker for packet in events] == [True] + [False] * 5
    assert [packet.sequence for packet in packets] == list(range(4, 12))
    assert [packet.timestamp for packet in packets if packet.payload_type == PCMU] == [640 + 6 * 160, 640 + 7 * 160]
    assert stream.idle


def test_keys_follow_each_other_at_the_chosen_distance_and_order() -> None:
    stream = SpeakingStream(source=1)
    for key in "19#":
        stream.press(key, every_ms=200, tone=Tone(tone_ms=60))
    starts = [
        (tick, parse_key_event(packet.payload).key)
        for tick in range(40)
        for packet in sent(stream, 1)
        if packet.marker and packet.payload_type == TELEPHONE_EVENT
    ]
    assert starts == [(0, "1"), (10, "9"), (20, "#")]


def test_first_and_last_packet_of_a_tone_are_told() -> None:
    stream = SpeakingStream(source=1)
    number = stream.press("5")
    seen = []
    for _ in range(8):
        stream.tick()
        seen.append(stream.pressed)
    assert seen[0] == (number, True, False)
    assert seen[3] == (number, False, True)
    assert seen[6] is None


def test_bad_network_can_be_imitated_with_no_end_packet_or_with_copies() -> None:
    stream = SpeakingStream(source=1)
    stream.press("5", tone=Tone(end_packets=0))
    events = [packet for packet in sent(stream, 8) if packet.payload_type == TELEPHONE_EVENT]
    assert [parse_key_event(packet.payload).ended for packet in events] == [False] * 4
    stream.press("6", tone=Tone(copies=2))
    copies = [packet for packet in sent(stream, 8) if packet.payload_type == TELEPHONE_EVENT]
    assert copies[0::2] == copies[1::2]
    assert len(copies) == 12


@pytest.mark.parametrize("key", ["", "12", "x", "•"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="a key is one of"):
        SpeakingStream(source=1).press(key)


def test_keys_too_close_for_their_packets_are_refused() -> None:
    with pytest.raises(ValueError, match="leave no room"):
        SpeakingStream(source=1).press("1", every_ms=120)


def test_unknown_event_and_short_event_are_refused() -> None:
    with pytest.raises(RtpError, match="not a key"):
        parse_key_event(bytes([16, 0, 0, 0]))
    with pytest.raises(RtpError, match="four bytes"):
        parse_key_event(b"\x01\x0a")
