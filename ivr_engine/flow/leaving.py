"""What a caller can leave behind, or be handed on to, when nobody of the queues answers.

Knows the ports and how each can end. Must not know files, tables or telephone systems.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

from ivr_engine.values.recording import Recording
from ivr_engine.values.utterance import Utterance

TAKE_KEY: Final = "1"
DECLINE_KEY: Final = "2"
"""What the other side of an attended transfer presses."""
CONSULT_TRIES: Final = 2
"""How often it is asked."""


class CallbackOutcome(StrEnum):
    """How the wish to be called back ended, in order of precedence."""

    REGISTERED = "registered"
    ALREADY_REGISTERED = "already_registered"
    NUMBER_NOT_ALLOWED = "number_not_allowed"
    UNAVAILABLE = "unavailable"


class TransferOutcome(StrEnum):
    """How handing a caller on ended, in order of precedence."""

    ANSWERED = "answered"
    DECLINED = "declined"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


class VoiceMessages(Protocol):
    """Keeps voice messages."""

    async def ready(self, within_ms: int) -> bool:
        """Say whether a message can be kept now; asking for it and speaking may take so long."""
        ...

    async def keep(self, box: str, audio: bytes) -> Recording | None:
        """Keep a message for the people of a queue; None when it could not be kept. The caller may have gone."""
        ...


class Callbacks(Protocol):
    """Notes who wants to be called back."""

    async def register(self, queue: str, number: str) -> CallbackOutcome:
        """Note a number for the people of a queue; an open wish for the same number is kept as it is."""
        ...


class Destinations(Protocol):
    """Hands callers on to telephones outside the queues."""

    async def transfer(self, destination: str, *, ring_ms: int, announce: Utterance | None = None) -> TransferOutcome:
        """Ring a destination by its name, join the two, and return when the other side has left.

        With `announce` the other side hears that first, while the caller has music, and both are joined only when it
        takes the call (`TAKE_KEY`); without, it cannot decline. Raises `CallerHungUp`.
        """
        ...


class NothingLeft:
    """All three for calls after which nobody keeps anything: every wish ends in `unavailable` or `unreachable`."""

    async def ready(self, within_ms: int) -> bool:
        """No message can be kept."""
        del within_ms
        return False

    async def keep(self, box: str, audio: bytes) -> Recording | None:
        """No message is kept."""
        del box, audio
        return None

    async def register(self, queue: str, number: str) -> CallbackOutcome:
        """Nobody is there who could note it."""
        del queue, number
        return CallbackOutcome.UNAVAILABLE

    async def transfer(self, destination: str, *, ring_ms: int, announce: Utterance | None = None) -> TransferOutcome:
        """Nobody can be rung."""
        del destination, ring_ms, announce
        return TransferOutcome.UNREACHABLE
