"""RTP packets and telephone keys as bytes: parses what arrives, says what to send every 20 ms.

Knows RFC 3550 headers and RFC 4733 events. Must not know sockets, clocks or what the sound means.
"""

from __future__ import annotations

import struct
from collections import deque
from dataclasses import dataclass
from typing import Final, NamedTuple

FRAME_BYTES: Final = 160
"""µ-law bytes in one packet: 20 ms at 8 kHz."""
FRAME_MS: Final = 20
SILENCE: Final = b"\xff" * FRAME_BYTES
"""µ-law zero (ITU-T G.711)."""
PCMU: Final = 0
TELEPHONE_EVENT: Final = 101
KEYS: Final = "0123456789*#ABCD"
"""Position is the event code (RFC 4733 section 3.2)."""
_HEADER: Final = struct.Struct("!BBHII")
_EVENT: Final = struct.Struct("!BBH")
_VERSION_2: Final = 0x80
_END: Final = 0x80
_VOLUME_DBM0: Final = 10


class RtpError(ValueError):
    """The peer sent bytes that are not an RTP packet of version 2."""


class RtpPacket(NamedTuple):
    """The parts of a packet that a caller needs; `sequence` has 16 bits, `timestamp` 32."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    source: int
    payload: bytes


class KeyEvent(NamedTuple):
    """An RFC 4733 event: the key, whether it has ended, its length so far in ms."""

    key: str
    ended: bool
    duration_ms: float


def parse_rtp(datagram: bytes) -> RtpPacket:
    """Read one packet (RFC 3550 section 5.1); raise `RtpError` when it is none."""
    if len(datagram) < _HEADER.size:
        raise RtpError(f"{len(datagram)} bytes are shorter than an RTP header")
    first, second, sequence, timestamp, source = _HEADER.unpack_from(datagram)
    if first & 0xC0 != _VERSION_2:
        raise RtpError("version is not 2")
    start, end = _HEADER.size + 4 * (first & 0x0F), len(datagram)
    if first & 0x10:  # header extension: four bytes, then as many words as the last two say
        if end < start + 4:
            raise RtpError("header extension is cut")
        start += 4 + 4 * int.from_bytes(datagram[start + 2 : start + 4])
    if first & 0x20:
        end -= datagram[-1]
    if start > end:
        raise RtpError("header or padding is longer than the packet")
    return RtpPacket(second & 0x7F, bool(second & 0x80), sequence, timestamp, source, datagram[start:end])


def build_rtp(packet: RtpPacket) -> bytes:
    """Write one packet without extension, contributing sources or padding."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    header = _HEADER.pack(_VERSION_2, second, packet.sequence, packet.timestamp, packet.source)
    return header + packet.payload


def parse_key_event(payload: bytes) -> KeyEvent:
    """Read the payload of a telephone event (RFC 4733 section 2.3); raise `RtpError` for anything else."""
    if len(payload) < _EVENT.size:
        raise RtpError("a telephone event has four bytes")
    code, flags, duration = _EVENT.unpack_from(payload)
    if code >= len(KEYS):
        raise RtpError(f"event {code} is not a key")
    return KeyEvent(KEYS[code], bool(flags & _END), duration / 8)


@dataclass(frozen=True, slots=True)
class Tone:
    """How a key is pressed: ms of tone, copies of the end packet, and copies of every datagram.

    Three end packets 20 ms apart are RFC 4733 section 2.5.1.4; fewer, and more copies, imitate bad networks.
    `tone_ms` is a multiple of 20.
    """

    tone_ms: int = 80
    end_packets: int = 3
    copies: int = 1

    def __post_init__(self) -> None:
        if self.tone_ms % FRAME_MS or self.tone_ms < FRAME_MS:
            raise ValueError(f"a tone lasts a multiple of {FRAME_MS} ms, not {self.tone_ms} ms")
        if self.end_packets < 0 or self.copies < 1:
            raise ValueError("a tone has no fewer than 0 end packets and 1 copy")

    @property
    def shortest_every_ms(self) -> int:
        """Return the shortest time from one key to the next that keeps their packets apart."""
        return self.tone_ms + FRAME_MS * max(0, self.end_packets - 1) + FRAME_MS


USUAL_TONE: Final = Tone()


class PressedKey(NamedTuple):
    """A packet of a key has left: the key's number, whether it is its first packet, whether its tone is over."""

    number: int
    began: bool
    ended: bool


class _Press(NamedTuple):
    number: int
    code: int
    tone: Tone
    ticks: int


class SpeakingStream:
    """What a caller sends: one packet every 20 ms, silence, speech or a key. Call `tick()` every 20 ms.

    The timestamp runs on through keys; all packets of a key carry the timestamp of its start (RFC 4733
    section 2.2.1), the sequence number grows with every new packet. Silence is sent so that the far end
    sees media at once.
    """

    def __init__(self, *, source: int, sequence: int = 0, timestamp: int = 0) -> None:
        self._source = source
        self._sequence = sequence
        self._timestamp = timestamp
        self._started = False
        self._queue: deque[_Press] = deque()
        self._speech: deque[bytes] = deque()
        self._age = 0
        self._presses = 0
        self.event_type = TELEPHONE_EVENT
        self.pressed: PressedKey | None = None
        """What the last tick sent of a key, if anything."""

    @property
    def idle(self) -> bool:
        """Return whether every key asked for has been sent."""
        return not self._queue

    @property
    def speaking(self) -> bool:
        """Return whether something that was asked for is still to be said."""
        return bool(self._speech)

    def say(self, audio: bytes) -> None:
        """Queue µ-law audio, to be sent in place of silence; the last frame is filled up with silence."""
        for begin in range(0, len(audio), FRAME_BYTES):
            self._speech.append(audio[begin : begin + FRAME_BYTES].ljust(FRAME_BYTES, SILENCE[:1]))

    def press(self, key: str, *, every_ms: int = 160, tone: Tone = USUAL_TONE) -> int:
        """Queue one key and return its number from 0; the next key begins `every_ms` later at the earliest.

        Raises `ValueError` for a key that no telephone has and for keys closer than the tone allows.
        """
        code = KEYS.find(key)
        if code < 0 or len(key) != 1:
            raise ValueError("a key is one of " + KEYS)
        if every_ms < tone.shortest_every_ms or every_ms % FRAME_MS:
            raise ValueError(f"keys every {every_ms} ms leave no room for {tone}")
        number = self._presses
        self._presses += 1
        self._queue.append(_Press(number, code, tone, every_ms // FRAME_MS))
        return number

    def tick(self) -> list[bytes]:
        """Return the datagrams to send now."""
        self._timestamp = (self._timestamp + FRAME_BYTES) & 0xFFFFFFFF
        self.pressed = None
        if not self._queue:
            return [self._audio()]
        press, age = self._queue[0], self._age
        self._age += 1
        if self._age >= press.ticks:
            self._queue.popleft()
            self._age = 0
        tone_ticks = press.tone.tone_ms // FRAME_MS
        last = tone_ticks + max(0, press.tone.end_packets - 1)
        if age >= last:
            return [self._audio()]
        ended = age >= tone_ticks - 1 and press.tone.end_packets > 0
        self.pressed = PressedKey(press.number, age == 0, age == tone_ticks - 1)
        return [self._event(press, age, tone_ticks, ended=ended)] * press.tone.copies

    def _audio(self) -> bytes:
        marker, self._started = not self._started, True
        frame = self._speech.popleft() if self._speech else SILENCE
        return self._next(PCMU, frame, self._timestamp, marker=marker)

    def _event(self, press: _Press, age: int, tone_ticks: int, *, ended: bool) -> bytes:
        duration = FRAME_BYTES * min(age + 1, tone_ticks)
        payload = _EVENT.pack(press.code, (_END if ended else 0) | _VOLUME_DBM0, duration)
        start = (self._timestamp - FRAME_BYTES * age) & 0xFFFFFFFF
        return self._next(self.event_type, payload, start, marker=age == 0)

    def _next(self, payload_type: int, payload: bytes, timestamp: int, *, marker: bool) -> bytes:
        self._sequence = (self._sequence + 1) & 0xFFFF
        return build_rtp(RtpPacket(payload_type, marker, self._sequence, timestamp, self._source, payload))
