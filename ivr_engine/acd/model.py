"""The things a dispatcher decides about: queues with their limits, agents and waiting callers.

Knows what each of them is at one moment. Must not know how they change (dispatcher), nor telephones, sockets
or clocks. Every time is in seconds since the epoch, so that a caller's place survives a restart of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, TypeAlias

from ivr_engine.values.ids import CallId

AgentName = NewType("AgentName", str)
QueueName = NewType("QueueName", str)


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """The limits of one queue; raises `ValueError` for a limit that would hold nobody or never end.

    `ring_s`: how long one agent's telephone rings. `rest_s`: how long an agent who did not answer is left alone.
    `wrap_up_s`: pause after a talk. `max_waiting`: callers in line who are not being offered. `max_wait_s`: from
    entering. `unstaffed_grace_s`: how long nobody may serve the queue before its callers are told.
    `report_grace_s`: how much later than `ring_s` the end of an offer may be reported.
    """

    name: QueueName
    ring_s: int = 15
    rest_s: float = 30.0
    wrap_up_s: float = 10.0
    max_waiting: int = 200
    max_wait_s: float = 900.0
    unstaffed_grace_s: float = 0.0
    report_grace_s: float = 10.0

    def __post_init__(self) -> None:
        if self.ring_s < 1 or self.max_waiting < 1 or self.max_wait_s <= 0 or self.rest_s <= 0:
            raise ValueError(f"queue {self.name}: ring_s, rest_s, max_waiting and max_wait_s must be above 0")
        if self.wrap_up_s < 0 or self.unstaffed_grace_s < 0 or self.report_grace_s < 0:
            raise ValueError(f"queue {self.name}: wrap_up_s and the graces must not be negative")


class Presence(StrEnum):
    """What is known of an agent's telephone."""

    REACHABLE = "reachable"
    ENGAGED = "engaged"
    """In a call that this dispatcher did not offer."""
    UNREACHABLE = "unreachable"


class Device(StrEnum):
    """What the telephone system says of a telephone, in a snapshot."""

    FREE = "free"
    RINGING = "ringing"
    IN_USE = "in_use"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Idle:
    """Free since then."""

    since: float


@dataclass(frozen=True, slots=True)
class Offered:
    """A call rings. `idle_since` is given back when the caller, not the agent, ends the offer."""

    call: CallId
    number: int
    idle_since: float
    until: float


@dataclass(frozen=True, slots=True)
class Talking:
    """In a talk with a caller of that queue, whom the offer with that number brought."""

    call: CallId
    number: int
    queue: QueueName
    since: float


@dataclass(frozen=True, slots=True)
class WrapUp:
    """Writing up a talk of `talk_s` seconds, which ended at `since`."""

    queue: QueueName
    talk_s: float
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Resting:
    """Left alone after an offer that was not answered."""

    until: float


Occupation: TypeAlias = Idle | Offered | Talking | WrapUp | Resting


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent who is signed on. `queues` are those served, each once; `skills` what callers may ask for.

    `leaving`: signed off during a talk; gone when it ends.
    """

    name: AgentName
    endpoint: str
    queues: tuple[QueueName, ...]
    presence: Presence
    ready: bool
    occupation: Occupation
    leaving: bool = False
    skills: frozenset[str] = frozenset()

    @property
    def eligible(self) -> bool:
        """Whether a call may be offered now."""
        return self.ready and self.presence is Presence.REACHABLE and isinstance(self.occupation, Idle)

    @property
    def staffs(self) -> bool:
        """Whether callers may hope for this agent: at work and with a telephone, busy or not."""
        return self.ready and self.presence is not Presence.UNREACHABLE


@dataclass(frozen=True, slots=True)
class Waiting:
    """One caller in a queue. A higher `priority` is served first.

    `entered_at` decides the place and is kept over unanswered offers and restarts; `sequence` parts equals. Until
    `relax_at` only agents with all these `skills` may serve; None means always. `max_wait_s` is from entering.
    """

    call: CallId
    queue: QueueName
    entered_at: float
    priority: int
    sequence: int
    max_wait_s: float
    skills: frozenset[str] = frozenset()
    relax_at: float | None = None

    def needs(self, now: float) -> frozenset[str]:
        """Return the skills that an agent must have at this moment."""
        return self.skills if self.relax_at is None or now < self.relax_at else frozenset()
