"""What we may ask Asterisk, one class per action.

Knows the headers of each action (main/manager.c and the modules named) and refuses what would change the meaning
of the bytes written: a line break in a value is a second action, a comma in a channel a second channel. Refused,
never stripped. Must not know answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final

from ivr_engine.protocols.ami.errors import LocalProtocolError

LINE_BYTES: Final = 1_022
"""Longest line Asterisk takes without its end: `inbuf[1025]` in main/manager.c; a longer one is thrown away."""
HEADERS: Final = 128
"""Most headers Asterisk takes: AST_MAX_MANHEADERS in include/asterisk/manager.h; more are thrown away."""

_ACTION_ID: Final = re.compile(r"[A-Za-z0-9._:/-]{1,64}", re.ASCII)
_HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}", re.ASCII)
_VARIABLE_NAME: Final = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)
_ENDS_A_LINE: Final = re.compile(r"[\r\n\0]")
_DIALPLAN_EVALUATES: Final = ("${", "$[")

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Action:
    """Base of all actions; `name` is the word on the wire."""

    name: ClassVar[str] = ""

    def headers(self) -> Headers:
        """Return the headers after Action and ActionID; raise `LocalProtocolError` for a value that may not be sent."""
        return []


@dataclass(frozen=True, slots=True)
class Challenge(Action):
    """Ask for the text that the secret is hashed with, so that the secret itself is never on the wire."""

    name: ClassVar[str] = "Challenge"

    def headers(self) -> Headers:
        """Return the one kind of challenge that Asterisk has."""
        return [("AuthType", "MD5")]


@dataclass(frozen=True, slots=True)
class Login(Action):
    """Log in with the hashed challenge; `events` is the event mask, `system` being the least that shows FullyBooted."""

    name: ClassVar[str] = "Login"
    account: str
    challenge: str
    secret: str = field(repr=False)
    events: str = "system"

    def headers(self) -> Headers:
        """Return the account and the key, MD5 of challenge and secret (main/manager.c, authenticate)."""
        # MD5 is what AMI has; the connection is on loopback, or inside TLS.
        text = (self.challenge + self.secret).encode()
        key = hashlib.md5(text, usedforsecurity=False).hexdigest()
        return [("AuthType", "MD5"), ("Username", self.account), ("Key", key), ("Events", self.events)]


@dataclass(frozen=True, slots=True)
class Logoff(Action):
    """Leave; Asterisk says Goodbye and closes."""

    name: ClassVar[str] = "Logoff"


@dataclass(frozen=True, slots=True)
class Ping(Action):
    """Ask for a sign of life."""

    name: ClassVar[str] = "Ping"


@dataclass(frozen=True, slots=True)
class Events(Action):
    """Choose the classes of events of this connection: `on`, `off` or classes joined by commas."""

    name: ClassVar[str] = "Events"
    mask: str

    def headers(self) -> Headers:
        """Return the mask."""
        return [("EventMask", self.mask)]


@dataclass(frozen=True, slots=True)
class CoreStatus(Action):
    """Ask when Asterisk started; another start than last time means that all calls are gone."""

    name: ClassVar[str] = "CoreStatus"


@dataclass(frozen=True, slots=True)
class CoreSettings(Action):
    """Ask for Asterisk's version."""

    name: ClassVar[str] = "CoreSettings"


@dataclass(frozen=True, slots=True)
class CoreShowChannels(Action):
    """List the channels."""

    name: ClassVar[str] = "CoreShowChannels"


@dataclass(frozen=True, slots=True)
class QueueStatus(Action):
    """List queues, their members and waiting callers (app_queue)."""

    name: ClassVar[str] = "QueueStatus"
    queue: str = ""

    def headers(self) -> Headers:
        """Return the one queue asked for, if it is one."""
        return [("Queue", self.queue)] if self.queue else []


@dataclass(frozen=True, slots=True)
class DeviceStateList(Action):
    """List device states (res_manager_devicestate)."""

    name: ClassVar[str] = "DeviceStateList"


@dataclass(frozen=True, slots=True)
class PJSIPShowContacts(Action):
    """List registered phones; needs write class `system`, which the engine's account does not have by default."""

    name: ClassVar[str] = "PJSIPShowContacts"


@dataclass(frozen=True, slots=True)
class PlayDTMF(Action):
    """Let a channel receive a key as if it had been pressed; wakes a waiting session (app_senddtmf)."""

    name: ClassVar[str] = "PlayDTMF"
    channel: str
    digit: str

    def headers(self) -> Headers:
        """Return channel and key; `Receive: true` makes it a key heard by Asterisk, not one sent to the phone."""
        if len(self.digit) != 1 or self.digit not in "0123456789*#ABCD":
            raise LocalProtocolError("PlayDTMF takes one key of 0-9, *, #, A-D")
        return [("Channel", _channel(self.channel)), ("Digit", self.digit), ("Receive", "true")]


@dataclass(frozen=True, slots=True)
class Hangup(Action):
    """End one channel, by its exact name."""

    name: ClassVar[str] = "Hangup"
    channel: str
    cause: int = 16

    def headers(self) -> Headers:
        """Return channel and cause; a name between slashes would be a pattern and end many calls, so it is refused."""
        if self.channel.startswith("/"):
            raise LocalProtocolError("Hangup takes one channel, not a pattern")
        return [("Channel", _channel(self.channel)), ("Cause", str(self.cause))]


@dataclass(frozen=True, slots=True)
class Redirect(Action):
    """Send a channel to another place in the dialplan."""

    name: ClassVar[str] = "Redirect"
    channel: str
    context: str
    exten: str
    priority: str = "1"

    def headers(self) -> Headers:
        """Return the channel and where it shall go on."""
        return [
            ("Channel", _channel(self.channel)),
            ("Context", self.context),
            ("Exten", self.exten),
            ("Priority", self.priority),
        ]


@dataclass(frozen=True, slots=True)
class Getvar(Action):
    """Read a channel variable."""

    name: ClassVar[str] = "Getvar"
    channel: str
    variable: str

    def headers(self) -> Headers:
        """Return channel and variable."""
        return [("Channel", _channel(self.channel)), ("Variable", self.variable)]


@dataclass(frozen=True, slots=True)
class Setvar(Action):
    """Set a channel variable; everybody who may list channels can read it, so never a secret."""

    name: ClassVar[str] = "Setvar"
    channel: str
    variable: str
    value: str = field(repr=False)

    def headers(self) -> Headers:
        """Return channel, variable and value."""
        return [("Channel", _channel(self.channel)), ("Variable", self.variable), ("Value", self.value)]


@dataclass(frozen=True, slots=True)
class Originate(Action):
    """Ring a channel and put who answers at a place in the dialplan.

    Always `Async: true`: the plain form holds up every later action of the connection until somebody answers. How it
    ended comes as event `OriginateResponse` with the same ActionID.
    """

    name: ClassVar[str] = "Originate"
    channel: str
    context: str
    exten: str
    priority: str = "1"
    timeout_ms: int = 30_000
    caller_id: str = ""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    channel_id: str = ""

    def headers(self) -> Headers:
        """Return the call to make; nothing in it may be something the dialplan would evaluate or split."""
        headers = [
            ("Channel", _channel(self.channel)),
            ("Context", _inert(self.context)),
            ("Exten", _inert(self.exten)),
            ("Priority", _inert(self.priority)),
            ("Timeout", str(self.timeout_ms)),
            ("Async", "true"),
        ]
        if self.caller_id:
            headers.append(("CallerID", _inert(self.caller_id)))
        if self.channel_id:
            headers.append(("ChannelId", _inert(self.channel_id)))
        for name, value in self.variables.items():
            if not _VARIABLE_NAME.fullmatch(name):
                raise LocalProtocolError("a variable's name is letters, digits and underscores")
            if "," in value:
                raise LocalProtocolError(f"variable {name}: a comma would begin another variable")
            headers.append(("Variable", f"{name}={_inert(value)}"))
        return headers


def encode(action: Action, action_id: str) -> bytes:
    """Write an action as bytes.

    Raises `LocalProtocolError` for CR, LF or NUL in a name or value, text that is not Unicode, a line or a number of
    headers that Asterisk would throw away, or an ActionID of other characters than letters, digits and `._:/-`.
    """
    if not _ACTION_ID.fullmatch(action_id):
        raise LocalProtocolError("an ActionID has 1 to 64 letters, digits or ._:/-")
    headers = [("Action", action.name), ("ActionID", action_id), *action.headers()]
    if len(headers) > HEADERS:
        raise LocalProtocolError(f"{action.name} with more than {HEADERS} headers")
    return b"".join([_line(name, value) for name, value in headers]) + b"\r\n"


def _line(name: str, value: str) -> bytes:
    if not _HEADER_NAME.fullmatch(name):
        raise LocalProtocolError("a header's name is letters, digits and hyphens")
    # The value is not shown: it may be what a customer typed.
    if _ENDS_A_LINE.search(value):
        raise LocalProtocolError(f"{name} holds a line break or NUL")
    try:
        line = f"{name}: {value}".encode()
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{name} is not Unicode text") from None
    if len(line) > LINE_BYTES:
        raise LocalProtocolError(f"{name} makes a line longer than {LINE_BYTES} bytes")
    return line + b"\r\n"


def _inert(value: str) -> str:
    if any(mark in value for mark in _DIALPLAN_EVALUATES):
        raise LocalProtocolError("a value that the dialplan would evaluate")
    return value


def _channel(value: str) -> str:
    if not value or "," in value or "&" in value:
        raise LocalProtocolError("one channel is needed, without , or &")
    return _inert(value)
