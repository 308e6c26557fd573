"""What an AMI client says about itself: its state, its deadlines, its counters, and the gaps in what it heard.

Knows values only. Must not know how any of them comes about (`ami.py`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from ivr_engine.adapters.asterisk.ami_state import AmiSnapshot
from ivr_engine.protocols.ami.events import TypedEvent
from ivr_engine.protocols.ami.message import Event


class LinkState(Enum):
    """How we stand with Asterisk; REFUSED keeps trying, slowly, because an account can be mended."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    SYNCHRONISING = "synchronising"
    READY = "ready"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Gap:
    """From then to then events may have been lost; the snapshot that follows says what is so now."""

    since: datetime
    until: datetime
    reason: str


Delivery = Gap | AmiSnapshot | TypedEvent | Event
Subscriber = Callable[[Delivery], Awaitable[None]]
StateListener = Callable[[LinkState, str], None]


@dataclass(frozen=True, slots=True)
class AmiTimings:
    """Deadlines and pauses in seconds, and how many events may wait for the subscriber."""

    connect_s: float = 3.0
    login_s: float = 5.0
    """Asterisk answers a wrong secret only after a second or more."""
    booted_s: float = 60.0
    list_s: float = 5.0
    ping_every_s: float = 5.0
    ping_s: float = 3.0
    resync_every_s: float = 60.0
    back_off_first_s: float = 0.2
    back_off_most_s: float = 10.0
    refused_tries: int = 3
    refused_pause_s: float = 60.0
    queued_events: int = 20_000


@dataclass(slots=True)
class AmiStatistics:
    """Counters since the start of the engine, for the metrics page."""

    connects: int = 0
    gaps: int = 0
    resyncs: int = 0
    corrections: int = 0
    events: int = 0
    events_dropped: int = 0
    subscriber_failures: int = 0
    outcomes_unknown: int = 0
