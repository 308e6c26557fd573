"""The rules by which keys become answers: menus, number entry, keys typed ahead.

Knows keys, limits and their precedence. Must not know time (the caller of these rules waits), audio, or who asks.
The rules are those of `flows/README.md`, "Keys and timers"; each has a test by the same words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ivr_engine.channel.line import ALL_KEYS, TERMINATOR
from ivr_engine.values.secret import SecretDigits

DIGIT_KEYS: Final = "0123456789"
TYPED_AHEAD_KEYS_MAX: Final = 64
"""Keys kept for later steps; more than any honest caller types ahead. Later ones are dropped and counted."""


class KeyBuffer:
    """Keys that a caller typed before they were asked for; nobody can print them, for a PIN may be among them."""

    __slots__ = ("_keys", "dropped")

    def __init__(self) -> None:
        self._keys = bytearray()
        self.dropped = 0

    def add(self, key: str) -> None:
        """Keep one key, or count it as dropped when the buffer is full; `ValueError` for no key of a telephone."""
        if len(key) != 1 or key not in ALL_KEYS:
            raise ValueError("a telephone has no such key")
        if len(self._keys) >= TYPED_AHEAD_KEYS_MAX:
            self.dropped += 1
            return
        self._keys.append(ord(key))

    def pop(self) -> str | None:
        """Take the oldest key, or None."""
        if not self._keys:
            return None
        key = chr(self._keys[0])
        del self._keys[0]
        return key

    def take(self, key: str) -> bool:
        """Take the oldest key if it is this one, and say whether it was."""
        found = self._keys.startswith(key.encode("ascii"))
        if found:
            del self._keys[0]
        return found

    def wipe(self) -> None:
        """Forget all keys and overwrite them in memory."""
        for position in range(len(self._keys)):
            self._keys[position] = 0
        self._keys.clear()

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"<KeyBuffer of {len(self._keys)} keys>"


class Match(Enum):
    """What typed keys mean in a menu."""

    NOTHING = auto()
    """No option begins like this."""
    PREFIX = auto()
    """Some option begins like this, but none is this."""
    EXACT_OR_PREFIX = auto()
    """One option is this and a longer one begins like this: the pause between keys decides."""
    EXACT = auto()
    """One option is this, and no longer one can follow."""


def match(typed: str, options: frozenset[str]) -> Match:
    """Say what `typed` means among `options` (`1` and `12` may stand in one menu)."""
    longer = any(option != typed and option.startswith(typed) for option in options)
    if typed in options:
        return Match.EXACT_OR_PREFIX if longer else Match.EXACT
    return Match.PREFIX if longer else Match.NOTHING


def first_keys(options: frozenset[str]) -> str:
    """Return the keys with which any option begins: those that stop a prompt whose interrupt is `valid`."""
    return "".join(key for key in ALL_KEYS if any(option.startswith(key) for option in options))


@dataclass(frozen=True, slots=True)
class Entry:
    """How many keys an entry takes, which key gives it up, and with which keys it can begin."""

    min_keys: int
    max_keys: int
    cancel_key: str | None = None
    first_keys: str = DIGIT_KEYS

    def __post_init__(self) -> None:
        if not 1 <= self.min_keys <= self.max_keys:
            raise ValueError("an entry takes at least one key, and its most is not below its least")


class EntryEnd(Enum):
    """What became of an entry, in order of precedence."""

    CANCELLED = auto()
    NO_INPUT = auto()
    TOO_SHORT = auto()
    COMPLETE = auto()


def judge_entry(entry: Entry, keys: SecretDigits) -> EntryEnd:
    """Judge the keys of an ended entry (terminator already removed)."""
    typed = keys.reveal()
    if entry.cancel_key is not None and entry.cancel_key.encode() in typed:
        return EntryEnd.CANCELLED
    if not typed:
        return EntryEnd.NO_INPUT
    if len(typed) < entry.min_keys:
        return EntryEnd.TOO_SHORT
    return EntryEnd.COMPLETE


class TerminatorSwallower:
    """Swallows the `#` that a caller presses after an entry that was already complete.

    An entry that ends at its greatest length does not wait for `#`; many callers press it all the same. That one key,
    if it is the very next, belongs to the entry and must neither choose in the next menu nor stop its prompt.
    """

    __slots__ = ("_armed",)

    def __init__(self) -> None:
        self._armed = False

    def arm(self) -> None:
        """An entry ended at its greatest length."""
        self._armed = True

    def disarm(self) -> None:
        """Another key came first."""
        self._armed = False

    def swallows(self, key: str) -> bool:
        """Say whether this key belongs to the entry before; any key disarms."""
        armed, self._armed = self._armed, False
        return armed and key == TERMINATOR
