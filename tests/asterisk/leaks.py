"""Search whatever a hotline wrote, said or kept for PINs that were typed, in every form in which they could hide.

Knows forms: plain digits, spaced, one key an event, encodings, digests. Must not know where the bytes come from. A find
is told by the number of its PIN, never by the PIN.

PINs of 12 digits are looked for by every 10 digits in a row, so a PIN that was only begun is found as well, and none is
met by chance (10 digits at one place: 1 in 10**10). The work grows with the bytes, not with the number of PINs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

PIN_DIGITS: Final = 12
WINDOW: Final = 10
"""So many digits in a row are a find."""

_SEPARATOR: Final = rb"[^0-9A-Za-z]{1,4}"
_DIGIT_LINE: Final = re.compile(rb"[0-9](?:%b[0-9]){%d,}" % (_SEPARATOR, WINDOW - 1))
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % (WINDOW * 4 // 3))
_HEX_DIGEST: Final = re.compile(rb"[0-9a-fA-F]{32,128}")


def _repeated(one: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"(?:%b){%d,}" % (one, WINDOW))


_FORMS: Final[Mapping[str, tuple[re.Pattern[bytes], re.Pattern[bytes]]]] = MappingProxyType(
    {
        # how a run of digits is found, and how its digits are read
        "digits": (_repeated(rb"[0-9]"), re.compile(rb"([0-9])")),
        "spaced digits": (_DIGIT_LINE, re.compile(rb"([0-9])")),
        "UTF-16": (_repeated(rb"[0-9]\x00|\x00[0-9]"), re.compile(rb"([0-9])")),
        "hexadecimal": (_repeated(rb"3[0-9][ :]?"), re.compile(rb"3([0-9])")),
        "URL encoding": (_repeated(rb"%3[0-9]"), re.compile(rb"3([0-9])")),
        "escapes": (_repeated(rb"\\(?:u003|x3|06)[0-9]"), re.compile(rb"([0-9])(?:\\|$)")),
    }
)
_CODES: Final = re.compile(rb"(?:(?:4[89]|5[0-7])[^0-9]{1,4}){%d,}(?:4[89]|5[0-7])" % (WINDOW - 1))
_BCD: Final = re.compile(
    rb"[\x00-\x09\x10-\x19\x20-\x29\x30-\x39\x40-\x49\x50-\x59\x60-\x69\x70-\x79\x80-\x89\x90-\x99]{5,}"
)

_KEY: Final = re.compile(r"(?<![\w.:+/-])[0-9](?![\w.:+/-])")
_NUMBERS: Final = re.compile(r"[0-9]+")
_CHANNEL: Final = re.compile(r"PJSIP/[\w-]+-[0-9a-f]{8}|\"call_id\": \"(\w+)\"|\[C-[0-9a-f]{8}\]")


@dataclass(frozen=True, slots=True)
class Leak:
    """A find: in what, in which form, and which PIN by its number."""

    where: str
    form: str
    pin: int


class Canaries:
    """PINs that were typed, and nothing else should hold."""

    def __init__(self, pins: Sequence[str]) -> None:
        """Take PINs of 12 digits; raise `ValueError` for others, and when two have 10 digits in common."""
        if any(len(pin) != PIN_DIGITS or not pin.isdigit() for pin in pins):
            raise ValueError(f"a canary has {PIN_DIGITS} digits")
        self._windows: dict[str, int] = {}
        self._digests: dict[bytes, int] = {}
        for number, pin in enumerate(pins):
            for text in (pin, pin[::-1]):
                for start in range(PIN_DIGITS - WINDOW + 1):
                    if self._windows.setdefault(text[start : start + WINDOW], number) != number:
                        raise ValueError("two canaries could be taken for each other")
            for name in ("md5", "sha1", "sha256", "sha512"):
                self._digests[hashlib.new(name, pin.encode(), usedforsecurity=False).digest()] = number

    def found_in(self, data: bytes, where: str) -> set[Leak]:
        """Return every find in bytes, whatever they are."""
        leaks = {Leak(where, form, pin) for form, digits in _digit_runs(data) for pin in self._in_digits(digits)}
        for found in _HEX_DIGEST.finditer(data):
            text = found.group().lower()
            for length in (32, 40, 64, 128):
                if len(text) == length and (number := self._digests.get(binascii.unhexlify(text))) is not None:
                    leaks.add(Leak(where, "digest", number))
        leaks |= {Leak(where, "digest", number) for digest, number in self._digests.items() if digest in data}
        for found in _BASE64.finditer(data):
            for decoded in _decoded(found.group()):
                for run in _FORMS["digits"][0].finditer(decoded):
                    leaks |= {Leak(where, "base64", pin) for pin in self._in_digits(run.group().decode())}
                leaks |= {Leak(where, "digest", n) for d, n in self._digests.items() if d[:16] == decoded[:16]}
        return leaks

    def found_in_events(self, records: Iterable[str], where: str) -> set[Leak]:
        """Return every PIN whose keys stand alone in one record after the other (`Digit: 7`, then `Digit: 3`).

        Records of one channel and one form belong together; where no channel is named, all of one form do.
        """
        keys: dict[tuple[str, str], list[str]] = {}
        for record in records:
            alone = _KEY.findall(record)
            if not alone:
                continue
            channel = _CHANNEL.search(record)
            form = _NUMBERS.sub("", record)
            for position, key in enumerate(alone):
                keys.setdefault((channel.group() if channel else "", f"{position} {form}"), []).append(key)
                keys.setdefault((channel.group() if channel else "", "all"), []).append(key)
        return {
            Leak(where, "keys in events", pin)
            for sequence in keys.values()
            for digits in ("".join(sequence), "".join(sequence[::2]), "".join(sequence[1::2]))
            for pin in self._in_digits(digits)
        }

    def _in_digits(self, digits: str) -> set[int]:
        windows = (digits[start : start + WINDOW] for start in range(len(digits) - WINDOW + 1))
        return {self._windows[window] for window in windows if window in self._windows}


def records_of_log(text: str) -> list[str]:
    """Return the records of a log: its lines, without the times at their beginnings."""
    return [re.sub(r"^\[[^\]]*\]", "", line) for line in text.splitlines()]


def records_of_ami(stream: bytes) -> list[str]:
    """Return the messages of an AMI stream, without headers that differ in each (times, lengths, sequence numbers)."""
    text = stream.decode("utf-8", "replace")
    noise = re.compile(r"^(?:Timestamp|SequenceNumber|DurationMs|ActionID|Uniqueid|Linkedid): .*$", re.MULTILINE)
    return [noise.sub("", message) for message in text.split("\r\n\r\n")]


def _digit_runs(data: bytes) -> Iterator[tuple[str, str]]:
    for form, (run, digit) in _FORMS.items():
        for found in run.finditer(data):
            yield form, b"".join(digit.findall(found.group())).decode()
    for found in _CODES.finditer(data):
        yield "character codes", "".join(chr(int(code)) for code in re.findall(rb"4[89]|5[0-7]", found.group()))
    for found in _BCD.finditer(data):
        packed = found.group().hex()
        yield "packed digits", packed
        yield "packed digits", "".join(packed[at + 1] + packed[at] for at in range(0, len(packed), 2))


def _decoded(text: bytes) -> Iterator[bytes]:
    plain = text.replace(b"-", b"+").replace(b"_", b"/")
    for start in range(4):
        part = plain[start:]
        if len(part) % 4 == 1:
            part = part[:-1]
        yield base64.b64decode(part + b"=" * (-len(part) % 4))
