"""SIP messages, SDP and digest answers as text: parses what arrives, writes what is sent.

Knows the shapes of RFC 3261, RFC 4566 and RFC 2617. Must not know sockets, calls or what follows what.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ivr_engine.testcaller.rtp import PCMU, TELEPHONE_EVENT

MAX_HEADERS: Final = 100
_COMPACT: Final[Mapping[str, str]] = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "l": "content-length",
}
_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^",\s]+))')


class SipError(ValueError):
    """The peer sent bytes that are not a SIP message."""


@dataclass(frozen=True, slots=True)
class SipMessage:
    """A request or response: its first line, its headers in order, its body."""

    first_line: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @property
    def status(self) -> int | None:
        """Return the status of a response, None for a request."""
        return int(self.first_line[8:11]) if self.first_line.startswith("SIP/2.0 ") else None

    @property
    def method(self) -> str:
        """Return the method of a request, or the one that a response answers."""
        if self.status is None:
            return self.first_line.split(" ", 1)[0]
        return self.get("cseq").rpartition(" ")[2]

    def get(self, name: str) -> str:
        """Return the first header of this lower-case name, or an empty text."""
        return next((value for key, value in self.headers if key.lower() == name), "")

    def every(self, name: str) -> list[str]:
        """Return all headers of this lower-case name."""
        return [value for key, value in self.headers if key.lower() == name]

    def encode(self) -> bytes:
        """Write the message with its Content-Length."""
        body = self.body.encode()
        lines = [self.first_line, *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def parse_sip(datagram: bytes) -> SipMessage:
    """Read one message (RFC 3261 section 7); raise `SipError` when it is none."""
    head, separator, body = datagram.partition(b"\r\n\r\n")
    if not separator:
        raise SipError("no empty line ends the headers")
    lines = re.sub(r"\r\n[ \t]+", " ", head.decode(errors="replace")).split("\r\n")
    if len(lines) > MAX_HEADERS:
        raise SipError(f"more than {MAX_HEADERS} headers")
    if not re.fullmatch(r"SIP/2\.0 \d{3} .*|[A-Z]+ \S+ SIP/2\.0", lines[0]):
        raise SipError("the first line is neither request nor response")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise SipError("a header has no colon")
        headers.append((_COMPACT.get(name.strip().lower(), name.strip()), value.strip()))
    return SipMessage(lines[0], tuple(headers), body.decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class Account:
    """A user name and its password for digest authentication."""

    user: str
    password: str = field(repr=False)


def digest_answer(challenge: str, account: Account, method: str, uri: str, own: str) -> str:
    """Return the Authorization value for a WWW- or Proxy-Authenticate header (RFC 2617, MD5); `own` is our nonce."""
    given = {key: quoted or plain for key, quoted, plain in _PARAMETER.findall(challenge)}
    realm, nonce, count = given.get("realm", ""), given.get("nonce", ""), "00000001"
    first, second = _md5(f"{account.user}:{realm}:{account.password}"), _md5(f"{method}:{uri}")
    with_qop = "auth" in given.get("qop", "").split(",")
    middle = f"{nonce}:{count}:{own}:auth" if with_qop else nonce
    answer = f'Digest username="{account.user}", realm="{realm}", nonce="{nonce}", uri="{uri}"'
    answer += f', response="{_md5(f"{first}:{middle}:{second}")}", algorithm=MD5'
    if with_qop:
        answer += f', qop=auth, nc={count}, cnonce="{own}"'
    if "opaque" in given:
        answer += f', opaque="{given["opaque"]}"'
    return answer


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()  # RFC 2617 asks for no other


@dataclass(frozen=True, slots=True)
class Media:
    """Where one side wants its RTP, and its payload type for telephone events (None: it takes none)."""

    host: str
    port: int
    event_type: int | None = TELEPHONE_EVENT

    def to_sdp(self) -> str:
        """Offer µ-law and telephone events every 20 ms (RFC 4566, RFC 4733 section 2.4)."""
        lines = ["v=0", f"o=- 1 1 IN IP4 {self.host}", "s=-", f"c=IN IP4 {self.host}", "t=0 0"]
        lines += [f"m=audio {self.port} RTP/AVP {PCMU} {self.event_type}", f"a=rtpmap:{PCMU} PCMU/8000"]
        lines += [f"a=rtpmap:{self.event_type} telephone-event/8000", f"a=fmtp:{self.event_type} 0-15"]
        return "\r\n".join([*lines, "a=ptime:20", "a=sendrecv", ""])

    @classmethod
    def from_sdp(cls, sdp: str) -> Media | None:
        """Read where the first audio stream goes; None when it is refused or is not µ-law."""
        host = re.search(r"^c=IN IP4 (\S+)", sdp, re.MULTILINE)
        audio = re.search(r"^m=audio (\d+) RTP/AVP(?: \d+)*? 0\b", sdp, re.MULTILINE)
        if host is None or audio is None or audio[1] == "0":
            return None
        event = re.search(r"^a=rtpmap:(\d+) telephone-event/8000", sdp, re.MULTILINE | re.IGNORECASE)
        return cls(host[1], int(audio[1]), int(event[1]) if event else None)
