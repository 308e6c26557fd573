"""What simulated callers leave behind, and how transfers end in a test: the three ports of `flow.leaving` in memory.

Knows what a test is given, also for a call that is not simulated. Must not know files, tables or telephones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ivr_engine.calls.around import Leaving
from ivr_engine.flow.leaving import CallbackOutcome, TransferOutcome
from ivr_engine.scenarios.model import Given
from ivr_engine.values.recording import RECORDED_BYTES_PER_MS, Recording
from ivr_engine.values.utterance import Utterance


@dataclass(frozen=True, slots=True)
class LeavingAsSaid:
    """What a call leaves behind: messages cannot be kept and callbacks end otherwise where the test says so."""

    real: Leaving
    given: Given

    async def ready(self, within_ms: int) -> bool:
        """Say whether there is room, unless the test says that there is none."""
        return not self.given.messages_away and await self.real.ready(within_ms)

    async def keep(self, box: str, audio: bytes) -> Recording | None:
        """Keep a message, unless the test says that none can be kept."""
        return None if self.given.messages_away else await self.real.keep(box, audio)

    async def register(self, queue: str, number: str) -> CallbackOutcome:
        """Note a number, unless the test says that it ends otherwise."""
        ends = self.given.callbacks
        return await self.real.register(queue, number) if ends in (None, CallbackOutcome.REGISTERED) else ends

    async def transfer(self, destination: str, *, ring_ms: int, announce: Utterance | None = None) -> TransferOutcome:
        """Ring the destination."""
        return await self.real.transfer(destination, ring_ms=ring_ms, announce=announce)


@dataclass(slots=True)
class LeftBehind:
    """Keeps messages and callbacks of one call; `callback` and `transfer` say how those end."""

    messages_away: bool = False
    callback: CallbackOutcome = CallbackOutcome.REGISTERED
    transfer_ends: TransferOutcome = TransferOutcome.ANSWERED
    tell: Callable[[str], None] = lambda _: None
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    callbacks: list[str] = field(default_factory=list)
    transfers: list[str] = field(default_factory=list)
    announced: list[Utterance] = field(default_factory=list)

    async def ready(self, within_ms: int) -> bool:
        """There is room, unless the test says otherwise."""
        del within_ms
        return not self.messages_away

    async def keep(self, box: str, audio: bytes) -> Recording | None:
        """Keep a message in memory."""
        if self.messages_away:
            return None
        self.messages.append((box, audio))
        recording = Recording(str(len(self.messages)), len(audio) // RECORDED_BYTES_PER_MS)
        self.tell(f"message for '{box}': {recording.milliseconds / 1000:.1f} s")
        return recording

    async def register(self, queue: str, number: str) -> CallbackOutcome:
        """Note a number, unless the test says that it ends otherwise."""
        if self.callback is CallbackOutcome.REGISTERED:
            if number in self.callbacks:
                return CallbackOutcome.ALREADY_REGISTERED
            self.callbacks.append(number)
        self.tell(f"callback by '{queue}' to {number}: {self.callback.value.replace('_', ' ')}")
        return self.callback

    async def transfer(self, destination: str, *, ring_ms: int, announce: Utterance | None = None) -> TransferOutcome:
        """End as the test says; nobody waits long for what is known, and who is not asked cannot decline."""
        del ring_ms
        self.transfers.append(destination)
        ends = self.transfer_ends
        if announce is not None:
            self.announced.append(announce)
        elif ends is TransferOutcome.DECLINED:
            ends = TransferOutcome.ANSWERED
        self.tell(f"destination '{destination}': {ends.value.replace('_', ' ')}")
        return ends
