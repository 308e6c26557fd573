"""What a live call needs from outside, beside the line.

Knows the shape of records and of a line that a dialplan stands behind. Must not know how either is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ivr_engine.channel.line import Dialled, Line
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.values.ids import CallId, CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.recording import Recording


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call as it arrives. `channel` is the telephone system's name for it, `caller` may be anything or empty."""

    unique_id: str
    channel: str
    caller: str
    dialled: str


class LiveLine(Line, Protocol):
    """A line behind which a dialplan waits to rescue the caller."""

    async def renew_backstop(self, seconds: int) -> None:
        """Let the dialplan take the caller away in so many seconds from now; 0 means never."""
        ...

    async def mark_done(self) -> None:
        """Tell the dialplan that the engine is finished with the call and nobody needs rescue."""
        ...

    async def mark_agent_spoke(self, *, spoke: bool) -> None:
        """Tell the dialplan whether the caller has been served by a human, should the engine die from here on."""
        ...

    async def rejoin(self, channel: str) -> Dialled:
        """Join the caller again to an agent who has waited, by their channel; return as `dial` does when they leave.

        The result is `UNREACHABLE` when the agent is there no more.
        """
        ...

    async def consult(self, endpoint: str, *, ring_s: int, number: str) -> Dialled:
        """Dial as `dial` does, but let whoever answers come to us first, with this number; the caller has music.

        Both are joined when that line has taken the call (`AskedLine.take_call`) and is let go; else that side is hung
        up on, and the result is not `ANSWERED`.
        """
        ...


class AskedLine(Line, Protocol):
    """The line of somebody who has answered, and is asked before they are joined to a caller."""

    async def take_call(self) -> None:
        """Let both be joined as soon as we let go of this line."""
        ...


class Journal(Protocol):
    """The record of calls; each method returns at once and never fails."""

    def call_started(
        self, call_id: CallId, *, unique_id: str, caller: str, dialled: str, flow: str, flow_hash: str, at: datetime
    ) -> None:
        """Open the record of a call."""
        ...

    def call_changed(
        self,
        call_id: CallId,
        *,
        answered_at: datetime | None = None,
        language: Language | None = None,
        customer: CustomerNumber | None = None,
    ) -> None:
        """Add what became known."""
        ...

    def step_done(
        self,
        call_id: CallId,
        seq: int,
        *,
        at_ms: int,
        flow: str,
        step: str,
        kind: str,
        outcome: str,
        took_ms: int,
        milestone: str | None = None,
        milestone_kind: str | None = None,
    ) -> None:
        """Add a step, and what was reached by it."""
        ...

    def screen_shown(self, call_id: CallId, *, customer: CustomerNumber | None, data: str, at: datetime) -> None:
        """Keep what agents see of the call, as JSON, in place of what they saw until now."""
        ...

    def answer_kept(self, call_id: CallId, question: str, answer: int, *, at: datetime) -> None:
        """Add the answer to a question of a survey; a later one to the same question replaces it."""
        ...


class Endings(Protocol):
    """Who closes records; each method returns at once and never fails."""

    def line_began(self, call_id: CallId, unique_id: str) -> None:
        """Note that the line of a call is there, by the telephone system's identifier."""
        ...

    def call_ended(self, call_id: CallId, *, at: datetime, reason: str) -> None:
        """Close the record of a call."""
        ...


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A voice message as it is left; `caller` is the number that was shown, maybe empty."""

    call: CallId
    box: str
    caller: str
    customer: CustomerNumber | None
    at: datetime


@dataclass(frozen=True, slots=True)
class NewCallback:
    """A wish to be called back. `queued_at` is the place that is kept: when the caller had entered the queue."""

    call: CallId
    queue: str
    number: str
    customer: CustomerNumber | None
    asked_at: datetime
    queued_at: datetime


class MessageStore(Protocol):
    """Keeps voice messages for staff; neither method raises."""

    async def has_room(self) -> bool:
        """Say whether a message of the longest kind can be kept now."""
        ...

    async def keep(self, message: NewMessage, audio: bytes) -> Recording | None:
        """Keep a message durably; None when that is not possible."""
        ...


class CallbackStore(Protocol):
    """Keeps wishes to be called back for staff; does not raise."""

    async def register(self, wish: NewCallback) -> CallbackOutcome:
        """Note it durably, once for a number; the same call asking again has registered it."""
        ...
