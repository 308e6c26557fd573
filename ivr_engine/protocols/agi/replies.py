"""What Asterisk answered to a command.

Knows the forms of a reply (`res_agi.c`: one `ast_agi_send` per handler) and which of them hold keys that a
caller pressed. Must not know what an answer means for a call.

Which command waits decides how its answer is read. The parentheses after GET DATA hold a flag, those after
GET FULL VARIABLE a value, and a value may well be the text `timeout` or `hangup`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ivr_engine.protocols.agi.commands import Command, GetData, GetVariable
from ivr_engine.protocols.agi.errors import RemoteProtocolError
from ivr_engine.values.secret import MASK, SecretDigits

DEAD_CHANNEL: Final = 511
"""Status of a command that a dead channel does not take."""

_DIGITS = re.compile(rb"200 result=([0-9*#A-D]*|-1)( \(timeout\))?")
_VARIABLE = re.compile(rb"200 result=(?:0|1 \((.*)\))", re.DOTALL)
_NUMBER = re.compile(rb"200 result=(-?\d{1,10})(?: \((\w*)\))?(?: endpos=(-?\d{1,18}))?")
_REFUSED = re.compile(rb"([3-6]\d\d)(?: (.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Reply:
    """One answer. Printing it shows neither pressed keys nor a variable's value.

    `code` is the status (200 unless refused), `result` the number after `result=`, `digits` the keys of
    GET DATA, `value` a variable's value (None: none could be read), `timed_out` the `(timeout)` flag, `flag` the
    word in parentheses as it stands (of RECORD FILE it says why it ended), `end_position` the samples played or
    recorded from the start of the file, `text` the words of a refusal, `usage` its page.
    """

    code: int
    result: int | None = None
    digits: SecretDigits | None = None
    value: str | None = None
    timed_out: bool = False
    flag: str = ""
    end_position: int | None = None
    text: str = ""
    usage: tuple[str, ...] = ()
    secret: bool = False

    @property
    def dead_channel(self) -> bool:
        """Whether the command came too late: the channel is dead."""
        return self.code == DEAD_CHANNEL

    @property
    def failed(self) -> bool:
        """Whether the result is -1: most often a hang-up, else a file that cannot be played."""
        return self.result == -1

    @property
    def key(self) -> str | None:
        """The key in the result of STREAM FILE or WAIT FOR DIGIT, which is its ASCII code; None for none.

        Of RECORD FILE the result is a key where `flag` is `dtmf`; where it is `timeout` it is no more than a number.
        Raises `RemoteProtocolError` if the result is no key.
        """
        if self.result is None or self.result <= 0:
            return None
        key = chr(self.result)
        if key not in "0123456789*#ABCD":
            raise RemoteProtocolError("the result is not the code of a key")
        return key

    def __repr__(self) -> str:
        shown = [f"code={self.code}"]
        if self.secret and not self.failed:
            shown.append(f"result={MASK}")
        elif self.result is not None:
            shown.append(f"result={self.result}")
        if self.value is not None:
            shown.append(f"value=<{len(self.value)} characters>")
        if self.timed_out:
            shown.append("timed_out=True")
        elif self.flag:
            shown.append(f"flag={self.flag}")
        if self.end_position is not None:
            shown.append(f"end_position={self.end_position}")
        if self.text:
            shown.append(f"text={self.text!r}")
        return f"Reply({', '.join(shown)})"


def parse_reply(command: Command, line: bytes) -> Reply:
    """Read the one-line answer to `command`; raises `RemoteProtocolError`, whose words hold no byte of it."""
    if not line.startswith(b"200 "):
        return _refusal(command, line)
    if isinstance(command, GetData):
        match = _DIGITS.fullmatch(line)
        if match is None:
            raise _unknown_form(command, line)
        if match[1] == b"-1":
            return Reply(200, result=-1, secret=True)
        return Reply(200, digits=SecretDigits(match[1]), timed_out=match[2] is not None, secret=True)
    if isinstance(command, GetVariable):
        match = _VARIABLE.fullmatch(line)
        if match is None:
            raise _unknown_form(command, line)
        if match[1] is None:
            return Reply(200, result=0)
        return Reply(200, result=1, value=match[1].decode("utf-8", "replace"))
    match = _NUMBER.fullmatch(line)
    if match is None:
        raise _unknown_form(command, line)
    position = match[3]
    return Reply(
        200,
        result=int(match[1]),
        timed_out=match[2] == b"timeout",
        flag=(match[2] or b"").decode("ascii", "replace"),
        end_position=None if position is None else int(position),
        secret=command.secret_result,
    )


def usage_reply(page: list[bytes]) -> Reply:
    """Make the reply of a many-line 520 from its lines; the first and the last frame the text."""
    lines = tuple(line.decode("utf-8", "replace") for line in page)
    return Reply(520, text=lines[0], usage=lines[1:])


def _refusal(command: Command, line: bytes) -> Reply:
    match = _REFUSED.fullmatch(line)
    if match is None:
        raise _unknown_form(command, line)
    return Reply(int(match[1]), text=(match[2] or b"").decode("utf-8", "replace"))


def _unknown_form(command: Command, line: bytes) -> RemoteProtocolError:
    message = f"the answer to {command.name} has an unknown form ({len(line)} bytes)"
    return RemoteProtocolError(message)
