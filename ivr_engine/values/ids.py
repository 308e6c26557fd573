"""Identifiers and random digits, as types of their own and from a port.

Knows that ids sort by time and never repeat. Must not know what they name.
"""

from __future__ import annotations

import secrets
from typing import NewType, Protocol

from ivr_engine.values.clock import Clock
from ivr_engine.values.secret import SecretDigits

CallId = NewType("CallId", str)
CustomerNumber = NewType("CustomerNumber", str)
AccountNumber = NewType("AccountNumber", str)

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# Two letters at a time: an id is made for every call and every read-out.
_PAIRS = tuple(first + second for first in _CROCKFORD for second in _CROCKFORD)
_RANDOM_BITS = 80
_LENGTH = 26


class Ids(Protocol):
    """Makes ids."""

    def new(self) -> str:
        """Return an id never returned before, 26 characters, sorting by the time it was made (ULID)."""
        ...

    def digits(self, count: int) -> SecretDigits:
        """Return so many random digits that nobody can foretell; whoever asks wipes them."""
        ...


class RandomIds:
    """ULIDs: 48 bits of milliseconds and 80 random bits, in Crockford's base 32."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def new(self) -> str:
        """Return a fresh id."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        value = milliseconds << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
        return "".join([_PAIRS[value >> 10 * place & 1023] for place in reversed(range(_LENGTH // 2))])

    def digits(self, count: int) -> SecretDigits:
        """Return random digits from the system's generator."""
        return SecretDigits(bytearray(ord("0") + secrets.randbelow(10) for _ in range(count)))
