"""What the engine can ask of Asterisk, one small class per AGI command, each writing its own line.

Knows the grammar of a command line (`res_agi.c`, parse_args and run_agi) and the order of each command's
arguments. Must not know when a command may be sent, nor what comes back.

Every argument is quoted, so that a value with a space, a quote or a backslash stays one argument. A line
feed would begin a second command: it is refused, never stripped, and so are CR and NUL.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from ivr_engine.protocols.agi.errors import LocalProtocolError

MAX_COMMAND_BYTES: Final = 8_191
"""Bytes of one command line with its line feed.

Asterisk's buffer has 8,192 bytes and `fgets` keeps one for its NUL: of a line of 8,192 the line feed is left
over, is read as an empty command when the next one arrives, and from then on every answer is the wrong one.
"""

MAX_ARGUMENTS: Final = 127
"""Words of one command: Asterisk has 128 places and the last stays NULL; further quoted ones overrun them."""

MAX_KEYS_PER_READ: Final = 1_023
"""Keys of one `GET DATA`: Asterisk's buffer has 1,024 bytes with the NUL, and it does not check."""

MAX_RECORDING_MS: Final = 600_000
"""Milliseconds that one `RECORD FILE` may last: ten minutes."""

MAX_WAIT_MS: Final = 3_600_000
"""Milliseconds that one command may wait for a key: an hour."""

_FORBIDDEN = re.compile(r"[\x00\r\n]")
_VARIABLE = re.compile(r"[A-Za-z_]\w*(\([\w,.@:-]*\))?", re.ASCII)
_APPLICATION = re.compile(r"[A-Za-z]\w*", re.ASCII)
_KEYS = re.compile(r"[0-9*#A-D]*", re.ASCII)
_FORMAT = re.compile(r"[a-z0-9]{1,16}", re.ASCII)


def quote(argument: str) -> bytes:
    r"""Return one argument in quotes, UTF-8, with `"` and `\` escaped.

    Raises `LocalProtocolError` for LF, CR, NUL and for text that UTF-8 cannot hold.
    """
    if _FORBIDDEN.search(argument):
        raise LocalProtocolError("an AGI argument cannot hold a line feed, a carriage return or a NUL")
    try:
        encoded = argument.encode()
    except UnicodeEncodeError:
        raise LocalProtocolError("an AGI argument holds a lone surrogate, which is not text") from None
    return b'"%s"' % encoded.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def encode_line(words: bytes, *arguments: str) -> bytes:
    """Return a command line with its line feed: the command's own words, then each argument quoted.

    Raises `LocalProtocolError` over `MAX_ARGUMENTS` words or `MAX_COMMAND_BYTES` bytes.
    """
    if len(words.split()) + len(arguments) > MAX_ARGUMENTS:
        message = f"an AGI command has at most {MAX_ARGUMENTS} words"
        raise LocalProtocolError(message)
    line = b" ".join((words, *map(quote, arguments))) + b"\n"
    if len(line) > MAX_COMMAND_BYTES:
        message = f"an AGI command line has at most {MAX_COMMAND_BYTES} bytes, this one has {len(line)}"
        raise LocalProtocolError(message)
    return line


@dataclass(frozen=True, slots=True)
class Command:
    """One question to Asterisk; the children are all that exist."""

    name: ClassVar[str] = ""
    secret_result: ClassVar[bool] = False
    """Whether the result is or may be keys that a caller pressed."""

    def encode(self) -> bytes:
        """Return the line with its line feed; raises `LocalProtocolError` for what AGI cannot carry."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Answer(Command):
    """Answer the channel; harmless when it is up."""

    name: ClassVar[str] = "ANSWER"

    def encode(self) -> bytes:
        """Return the line."""
        return b"ANSWER\n"


@dataclass(frozen=True, slots=True)
class Hangup(Command):
    """Hang up this channel."""

    name: ClassVar[str] = "HANGUP"

    def encode(self) -> bytes:
        """Return the line."""
        return b"HANGUP\n"


@dataclass(frozen=True, slots=True)
class ChannelStatus(Command):
    """Ask for the state of this channel: 6 is up; a dead one answers 511."""

    name: ClassVar[str] = "CHANNEL STATUS"

    def encode(self) -> bytes:
        """Return the line."""
        return b"CHANNEL STATUS\n"


@dataclass(frozen=True, slots=True)
class StreamFile(Command):
    """Play a file (path without extension) from `offset_samples` on until its end or an escape digit."""

    name: ClassVar[str] = "STREAM FILE"
    secret_result: ClassVar[bool] = True

    path: str
    escape_digits: str = ""
    offset_samples: int = 0

    def encode(self) -> bytes:
        """Return the line."""
        _check_path(self.path)
        if not self.path:
            raise LocalProtocolError("STREAM FILE needs a path")
        if not _KEYS.fullmatch(self.escape_digits):
            raise LocalProtocolError("escape digits are of 0-9, *, # and A-D")
        if self.offset_samples < 0:
            raise LocalProtocolError("a sample offset is not negative")
        return encode_line(b"STREAM FILE", self.path, self.escape_digits, str(self.offset_samples))


@dataclass(frozen=True, slots=True)
class GetData(Command):
    """Play a file ("" plays nothing) and read keys; `#` ends, `timeout_ms` bounds each silence."""

    name: ClassVar[str] = "GET DATA"
    secret_result: ClassVar[bool] = True

    path: str
    timeout_ms: int
    max_digits: int

    def encode(self) -> bytes:
        """Return the line."""
        _check_path(self.path)
        if not 1 <= self.timeout_ms <= MAX_WAIT_MS:
            # 0 means "Asterisk's own default" and less means "for ever": neither is what anybody meant.
            message = f"GET DATA waits 1 to {MAX_WAIT_MS} ms"
            raise LocalProtocolError(message)
        if not 1 <= self.max_digits <= MAX_KEYS_PER_READ:
            message = f"GET DATA reads 1 to {MAX_KEYS_PER_READ} keys"
            raise LocalProtocolError(message)
        return encode_line(b"GET DATA", self.path, str(self.timeout_ms), str(self.max_digits))


@dataclass(frozen=True, slots=True)
class WaitForDigit(Command):
    """Wait for one key."""

    name: ClassVar[str] = "WAIT FOR DIGIT"
    secret_result: ClassVar[bool] = True

    timeout_ms: int

    def encode(self) -> bytes:
        """Return the line."""
        if not 0 <= self.timeout_ms <= MAX_WAIT_MS:
            message = f"WAIT FOR DIGIT waits 0 to {MAX_WAIT_MS} ms"
            raise LocalProtocolError(message)
        return encode_line(b"WAIT FOR DIGIT", str(self.timeout_ms))


@dataclass(frozen=True, slots=True)
class RecordFile(Command):
    """Record the caller into a new file until an escape digit, a silence, the longest time or a hang-up.

    `path` has no extension, `file_format` is it. No beep is asked for: a missing `beep` file would end the command.
    `silence_s` 0 listens for none. Other keys than the escape digits are dropped (`res_agi.c`, handle_recordfile).
    """

    name: ClassVar[str] = "RECORD FILE"
    secret_result: ClassVar[bool] = True

    path: str
    file_format: str
    escape_digits: str
    most_ms: int
    silence_s: int = 0

    def encode(self) -> bytes:
        """Return the line; the offset is 0, so a file that is there is overwritten."""
        _check_path(self.path)
        if not self.path:
            raise LocalProtocolError("RECORD FILE needs a path")
        if not _FORMAT.fullmatch(self.file_format):
            raise LocalProtocolError("a format is small letters and digits, such as ulaw")
        if not _KEYS.fullmatch(self.escape_digits):
            raise LocalProtocolError("escape digits are of 0-9, *, # and A-D")
        if not 1 <= self.most_ms <= MAX_RECORDING_MS:
            message = f"RECORD FILE lasts 1 to {MAX_RECORDING_MS} ms"  # -1 would mean "for ever"
            raise LocalProtocolError(message)
        if self.silence_s < 0:
            raise LocalProtocolError("a silence is not negative")
        silence = (f"s={self.silence_s}",) if self.silence_s else ()
        words = (self.path, self.file_format, self.escape_digits, str(self.most_ms), "0", *silence)
        return encode_line(b"RECORD FILE", *words)


@dataclass(frozen=True, slots=True)
class SetVariable(Command):
    """Set a channel variable, or write a dialplan function such as `TIMEOUT(absolute)`."""

    name: ClassVar[str] = "SET VARIABLE"

    variable: str
    value: str

    def encode(self) -> bytes:
        """Return the line."""
        _check_variable(self.variable)
        return encode_line(b"SET VARIABLE", self.variable, self.value)


@dataclass(frozen=True, slots=True)
class GetVariable(Command):
    """Read a channel variable, or a dialplan function such as `CHANNEL(state)`; one that is not set reads as "".

    Asterisk's own `GET VARIABLE` cuts a value after 1,023 bytes and does not say so (`res_agi.c`,
    handle_getvariable); `GET FULL VARIABLE` gives all of it, so that is what is sent.
    """

    name: ClassVar[str] = "GET FULL VARIABLE"

    variable: str

    def encode(self) -> bytes:
        """Return the line."""
        _check_variable(self.variable)
        return encode_line(b"GET FULL VARIABLE", f"${{{self.variable}}}")


@dataclass(frozen=True, slots=True)
class Exec(Command):
    """Run a dialplan application; its arguments are one text, with commas, as in the dialplan.

    Whoever builds `arguments` from outside data checks it for commas and `&` first: here they are ordinary.
    """

    name: ClassVar[str] = "EXEC"

    application: str
    arguments: str = ""

    def encode(self) -> bytes:
        """Return the line."""
        if not _APPLICATION.fullmatch(self.application):
            raise LocalProtocolError("an application's name is letters, digits and _")
        return encode_line(b"EXEC", self.application, self.arguments)


@dataclass(frozen=True, slots=True)
class SetMusic(Command):
    """Start or stop music on hold under the commands that wait."""

    name: ClassVar[str] = "SET MUSIC"

    on: bool

    def encode(self) -> bytes:
        """Return the line."""
        return b"SET MUSIC ON\n" if self.on else b"SET MUSIC OFF\n"


def _check_path(path: str) -> None:
    if "&" in path:
        raise LocalProtocolError("an AGI command plays one file; & joins nothing here")


def _check_variable(name: str) -> None:
    if not _VARIABLE.fullmatch(name):
        raise LocalProtocolError("a variable's name is letters, digits and _, or a function with plain arguments")
