"""What can go wrong between the engine and Asterisk over AGI, by whose fault it is.

    AgiProtocolError
    ├── LocalProtocolError     the engine broke a rule: nothing was sent
    └── RemoteProtocolError    Asterisk (or whoever connected) said something that AGI does not allow
        └── CommandFailedError Asterisk answered in form, but would not do it; answers are still in step

Knows no more than that. A caller who hangs up is none of these: that is an event, not an error.
No message here holds what a caller typed.
"""

from __future__ import annotations


class AgiProtocolError(Exception):
    """The root; only its children are raised."""


class LocalProtocolError(AgiProtocolError):
    """The engine asked for something that AGI forbids; nothing reached the wire."""


class RemoteProtocolError(AgiProtocolError):
    """The peer broke the protocol; the connection is of no further use."""


class CommandFailedError(RemoteProtocolError):
    """A command was refused (510, 520, 503) or failed on a living channel; the connection goes on.

    `code` is the status that came back.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
