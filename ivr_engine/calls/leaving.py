"""What one live call leaves behind, or whom it is handed to: the ports of `flow.leaving`, bound to this call.

Knows the line, the stores, whose number may be called, and that the dialplan waits behind the line. Must not know
files, SQL or Asterisk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.calls.consulting import Consultations
from ivr_engine.calls.ports import CallbackStore, LiveLine, MessageStore, NewCallback, NewMessage
from ivr_engine.calls.queueing import BACKSTOP_S, CallQueues
from ivr_engine.channel.line import Dialled
from ivr_engine.flow.call import Identity
from ivr_engine.flow.leaving import CallbackOutcome, TransferOutcome
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.recording import Recording
from ivr_engine.values.utterance import Utterance

_PATTERN: Final = re.compile(r"([0-9XZN]|\[[0-9-]+\])+", re.ASCII)
_SETS: Final[Mapping[str, str]] = MappingProxyType({"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]"})


def is_pattern(text: str) -> bool:
    """Say whether a text is a pattern of numbers: digits, X (0-9), Z (1-9), N (2-9) and sets such as [3-9]."""
    if not _PATTERN.fullmatch(text):
        return False
    try:
        re.compile(_as_expression(text))
    except re.error:
        return False
    return True


def is_allowed(number: str, patterns: Sequence[str]) -> bool:
    """Say whether a number is one of those that may be called."""
    return any(re.fullmatch(_as_expression(pattern), number, re.ASCII) for pattern in patterns)


def _as_expression(pattern: str) -> str:
    return "".join(_SETS.get(character, character) for character in pattern)


@dataclass(frozen=True, slots=True)
class LeavingSettings:
    """What all calls share: where messages and callbacks are kept, and whom callers may be handed to.

    `consultations` are those of this engine, `destinations` endpoints by name, `numbers` the patterns of numbers that
    people may be called back at.
    """

    messages: MessageStore
    callbacks: CallbackStore
    consultations: Consultations
    destinations: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    numbers: tuple[str, ...] = ()


@dataclass(slots=True)
class CallLeaving:
    """All three ports for one call; `caller` is the number that was shown, maybe empty; `channel` their line's name."""

    settings: LeavingSettings
    call: CallId
    caller: str
    channel: str
    line: LiveLine
    queues: CallQueues
    identity: Identity
    clock: Clock
    gone: Callable[[], bool]
    log: FilteringBoundLogger = field(default_factory=structlog.get_logger)

    async def ready(self, within_ms: int) -> bool:
        """Say whether there is room; the dialplan leaves the caller to us for so long, in one command."""
        if not await self.settings.messages.has_room():
            self.log.warning("voice_messages_full_or_away")
            return False
        if not self.gone():
            await self.line.renew_backstop(within_ms // 1000 + BACKSTOP_S)
        return True

    async def keep(self, box: str, audio: bytes) -> Recording | None:
        """Keep a message with who has left it."""
        message = NewMessage(self.call, box, self.caller, self._customer, self.clock.now())
        kept = await self.settings.messages.keep(message, audio)
        if kept is not None:
            self.log.info("voice_message_kept", message=kept.id, box=box, milliseconds=kept.milliseconds)
        return kept

    async def register(self, queue: str, number: str) -> CallbackOutcome:
        """Note a number that may be called, with the place in the queue that the caller had."""
        if not is_allowed(number, self.settings.numbers):
            return CallbackOutcome.NUMBER_NOT_ALLOWED
        now = self.clock.now()
        queued_at = self.queues.entered_at(queue) or now
        wish = NewCallback(self.call, queue, number, self._customer, now, queued_at)
        outcome = await self.settings.callbacks.register(wish)
        self.log.info("callback", outcome=outcome.value, queue=queue)
        return outcome

    async def transfer(self, destination: str, *, ring_ms: int, announce: Utterance | None = None) -> TransferOutcome:
        """Ring the destination; while people talk, no backstop takes the caller away."""
        endpoint = self.settings.destinations.get(destination)
        if endpoint is None:  # a flow that was loaded with other settings
            return TransferOutcome.UNREACHABLE
        await self.queues.wait_anew()
        await self.line.renew_backstop(0)
        ring_s = max(1, ring_ms // 1000)
        if announce is None:
            outcome = _outcome_of(await self.line.dial(endpoint, ring_s=ring_s))
        else:
            outcome = await self._consult(endpoint, ring_s, announce)
        if outcome is TransferOutcome.ANSWERED:
            await self.queues.served()
        await self.line.renew_backstop(BACKSTOP_S)
        self.log.info("transferred", destination=destination, outcome=outcome.value)
        return outcome

    async def _consult(self, endpoint: str, ring_s: int, announce: Utterance) -> TransferOutcome:
        """Ring, and let whoever answers be told and asked; who was asked and has not taken the call has declined."""
        with self.settings.consultations.expected(self.channel, announce) as (number, consultation):
            outcome = _outcome_of(await self.line.consult(endpoint, ring_s=ring_s, number=number))
        if consultation.begun and outcome is not TransferOutcome.ANSWERED:
            return TransferOutcome.DECLINED
        return outcome

    @property
    def _customer(self) -> CustomerNumber | None:
        return CustomerNumber(self.identity.customer) if self.identity.customer is not None else None


def _outcome_of(dialled: Dialled) -> TransferOutcome:
    return TransferOutcome(dialled.result.value)
