"""One AMI message: headers in the order in which they came.

Knows names and values. Must not know what an event means (`events.py`) or how messages are told apart (`framing.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SUCCESS: Final = "success"
GOODBYE: Final = "goodbye"


class Message:
    """Headers of one message; a name may repeat, a value may be empty, neither is ever dropped.

    `unparsed` holds lines without a colon (a value that held a line break splits into such lines).
    """

    __slots__ = ("_by_name", "headers", "unparsed")

    def __init__(self, headers: Iterable[tuple[str, str]], unparsed: Iterable[str] = ()) -> None:
        self.headers: tuple[tuple[str, str], ...] = tuple(headers)
        self.unparsed: tuple[str, ...] = tuple(unparsed)
        self._by_name: dict[str, str] | None = None

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a header, whatever the case of its name; `default` when it is absent."""
        if self._by_name is None:
            self._by_name = {key.lower(): value for key, value in reversed(self.headers)}
        return self._by_name.get(name.lower(), default)

    def __contains__(self, name: str) -> bool:
        return self.get(name, "\0") != "\0"

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a repeated header, in order (`Variable`, `ChanVariable`, `Output`)."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    @property
    def action_id(self) -> str:
        """The action that this message answers; empty when it answers none."""
        return self.get("ActionID")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return (type(self), self.headers, self.unparsed) == (type(other), other.headers, other.unparsed)

    def __hash__(self) -> int:
        return hash((type(self), self.headers, self.unparsed))

    def __repr__(self) -> str:
        # Values may be a customer's data: a log line that holds a message holds its header names only.
        return f"<{type(self).__name__} {' '.join(name for name, _ in self.headers)}>"


class Response(Message):
    """The answer to one action."""

    __slots__ = ()

    @property
    def success(self) -> bool:
        """Whether the action was accepted; for Originate that is all it says (see `OriginateResponse`)."""
        return self.get("Response").lower() in (SUCCESS, GOODBYE)

    @property
    def text(self) -> str:
        """Asterisk's own English words: for people, never to decide by."""
        return self.get("Message").strip()


class Event(Message):
    """Something that happened, or one item of a list."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The event's name, such as `Newchannel`."""
        return self.get("Event")
