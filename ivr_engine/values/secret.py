"""Keys that must never be seen: the only form in which a typed secret exists.

Knows how to hold digits so that they cannot be printed, logged, compared, copied or serialised by accident.
Must not know who asks for them. A PIN lives here from the AGI reply until the bank has answered.
"""

from __future__ import annotations

import hmac
from typing import Final, NoReturn

MASK: Final = "<secret digits>"


class SecretExposedError(TypeError):
    """Code tried to print, compare, copy or serialise a secret; the message never holds it."""


class SecretDigits:
    """Telephone keys in memory that `wipe()` overwrites.

    Only `reveal()` gives the digits, as ASCII bytes; `tests/test_tidy.py` lists who may call it.
    """

    __slots__ = ("_digits",)

    def __init__(self, digits: bytes | bytearray) -> None:
        self._digits = bytearray(digits)

    def reveal(self) -> bytes:
        """Return the digits; the caller passes them on at once and keeps no copy."""
        return bytes(self._digits)

    def wipe(self) -> None:
        """Overwrite the digits in memory and forget them; harmless when repeated."""
        for position in range(len(self._digits)):
            self._digits[position] = 0
        self._digits.clear()

    def only(self, allowed: str) -> SecretDigits:
        """Return these digits without any key that is not in `allowed`, and wipe these."""
        kept = SecretDigits(bytearray(key for key in self._digits if chr(key) in allowed))
        self.wipe()
        return kept

    def joined(self, more: SecretDigits) -> SecretDigits:
        """Return these digits followed by `more`, and wipe both."""
        both = SecretDigits(self._digits + more._digits)
        self.wipe()
        more.wipe()
        return both

    def same_as(self, other: SecretDigits) -> bool:
        """Compare in constant time (PIN typed twice)."""
        return hmac.compare_digest(self._digits, other._digits)

    def __len__(self) -> int:
        return len(self._digits)

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> NoReturn:
        raise SecretExposedError("secrets are compared with same_as(), never with ==")

    def __hash__(self) -> NoReturn:
        raise SecretExposedError("a secret cannot be hashed")

    def __iter__(self) -> NoReturn:
        raise SecretExposedError("a secret cannot be iterated")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise SecretExposedError("a secret cannot be copied, pickled or serialised")
