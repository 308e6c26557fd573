"""Bytes become messages.

Knows that a message ends at an empty line and that text is decoded only when a message is whole: a Chinese
caller's name is often cut in two by a TCP segment. Must not know actions, answers or the state of the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ivr_engine.protocols.ami.errors import RemoteProtocolError
from ivr_engine.protocols.ami.message import Event, Message, Response

_END_OF_LINE: Final = b"\r\n"
_END_OF_MESSAGE: Final = b"\r\n\r\n"
_BANNER_START: Final = b"Asterisk Call Manager/"
_EVENT_START: Final = b"Event: "
_EVENT_START_LENGTH: Final = len(_EVENT_START)
_ANSWER_MARK: Final = b"\r\nActionID: "


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one message is held before the peer is taken for broken.

    The largest seen from Asterisk is `module show` in a Command's answer: 360 lines, 40 kB.
    """

    banner_bytes: int = 256
    line_bytes: int = 65_536
    headers: int = 16_384
    message_bytes: int = 1_048_576


class Framer:
    """Cuts a stream into raw messages; the banner, which no empty line follows, comes first and alone."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0
        self.banner: str | None = None

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes, return the messages that are whole now, without their empty lines.

        Raises `RemoteProtocolError` for another greeting than AMI's or for a message above the limit.
        """
        self._buffer += data
        if self.banner is None and not self._take_banner():
            return []
        if self._buffer.find(_END_OF_MESSAGE, self._searched) < 0:
            # What was searched is not searched again, except where the mark may lie across two reads.
            self._searched = max(0, len(self._buffer) - len(_END_OF_MESSAGE) + 1)
            frames: list[bytes] = []
        else:
            *frames, rest = bytes(self._buffer).split(_END_OF_MESSAGE)
            self._buffer = bytearray(rest)
            self._searched = 0
        if len(self._buffer) > self._limits.message_bytes:
            raise RemoteProtocolError(f"a message longer than {self._limits.message_bytes} bytes")
        return frames

    @property
    def pending_bytes(self) -> int:
        """Bytes of a message whose end has not come yet."""
        return len(self._buffer)

    def _take_banner(self) -> bool:
        end = self._buffer.find(_END_OF_LINE)
        seen = bytes(self._buffer[: len(_BANNER_START)])
        if not _BANNER_START.startswith(seen) or max(end, len(self._buffer) * (end < 0)) > self._limits.banner_bytes:
            raise RemoteProtocolError("the peer does not greet as Asterisk's manager interface does")
        if end < 0:
            return False
        self.banner = self._buffer[:end].decode("ascii", "backslashreplace")
        del self._buffer[: end + len(_END_OF_LINE)]
        return True


def unwanted(frame: bytes, wanted: frozenset[bytes]) -> bool:
    """Tell, without parsing, that a raw message is an event that nobody asked for.

    An event that carries an ActionID may be an item of a list and is always wanted.
    """
    if not frame.startswith(_EVENT_START):
        return False
    end = frame.find(_END_OF_LINE)
    name = frame[_EVENT_START_LENGTH:end] if end >= 0 else frame[_EVENT_START_LENGTH:]
    return name not in wanted and _ANSWER_MARK not in frame


def parse(frame: bytes, limits: Limits) -> Message:
    """Make a raw message a `Response` or an `Event`.

    Text is UTF-8; in a line that is not (GB18030 names) each byte above 127 stays readable as a backslash, x and two
    hexadecimal digits. Raises `RemoteProtocolError` for a message that is neither, or above a limit.
    """
    if len(frame) > limits.message_bytes:
        raise RemoteProtocolError(f"a message longer than {limits.message_bytes} bytes")
    lines = _lines(frame)
    if len(lines) > limits.headers:
        raise RemoteProtocolError(f"a message of more than {limits.headers} headers")
    if len(frame) > limits.line_bytes and max(map(len, lines)) > limits.line_bytes:
        raise RemoteProtocolError(f"a line longer than {limits.line_bytes} bytes")
    headers: list[tuple[str, str]] = []
    unparsed: list[str] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers.append((name, value[1:] if value[:1] == " " else value))
        elif line:
            unparsed.append(line)
    first = headers[0][0].lower() if headers else ""
    if first == "event":
        return Event(headers, unparsed)
    if first == "response":
        return Response(headers, unparsed)
    raise RemoteProtocolError("a message that is neither an event nor a response")


def _lines(frame: bytes) -> list[str]:
    try:
        return frame.decode().split("\r\n")
    except UnicodeDecodeError:
        return [_line(line) for line in frame.split(_END_OF_LINE)]


def _line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        # All of it: parts of a GB18030 name happen to be valid UTF-8 and would read as Greek.
        return line.decode("ascii", "backslashreplace")
