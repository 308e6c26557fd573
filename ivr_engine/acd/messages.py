"""What the dispatcher is told and what it answers: events and decisions.

Knows their fields and the reasons in words. Must not know the rules (dispatcher) or who carries a decision out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from ivr_engine.acd.model import AgentName, Device, Presence, QueueName
from ivr_engine.values.ids import CallId

# Events


@dataclass(frozen=True, slots=True)
class AgentAppeared:
    """An agent signed on, or serves other queues or another endpoint from now on; what he is doing is kept."""

    agent: AgentName
    endpoint: str
    queues: tuple[QueueName, ...]
    presence: Presence = Presence.REACHABLE
    ready: bool = True
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AgentGone:
    """An agent signed off; a talk that is going on is finished first."""

    agent: AgentName


@dataclass(frozen=True, slots=True)
class AgentReachable:
    """The agent's telephone can be rung."""

    agent: AgentName


@dataclass(frozen=True, slots=True)
class AgentEngaged:
    """The agent's telephone is in use; without meaning while an offer or a talk of ours is the cause."""

    agent: AgentName


@dataclass(frozen=True, slots=True)
class AgentUnreachable:
    """The agent's telephone is not registered or does not answer probes."""

    agent: AgentName


@dataclass(frozen=True, slots=True)
class AgentReady:
    """The agent is back from a break."""

    agent: AgentName


@dataclass(frozen=True, slots=True)
class AgentNotReady:
    """The agent takes a break; a ringing call is taken back, a talk goes on."""

    agent: AgentName


@dataclass(frozen=True, slots=True)
class CallerEntered:
    """A caller asks for a queue, with the time from which the place counts.

    `returning`: was accepted before (engine restarted, or another engine took over), so the length limit does
    not refuse the call again. `most_s`: the caller waits no longer than this, nor than the queue lets. `skills`: what
    an agent must know to be offered; after `relax_s` any agent of the queue may be, None means never.
    """

    call: CallId
    queue: QueueName
    entered_at: float
    priority: int = 0
    returning: bool = False
    most_s: float | None = None
    skills: frozenset[str] = frozenset()
    relax_s: float | None = None


class LeaveReason(StrEnum):
    """Why a caller no longer waits."""

    HUNG_UP = "hung_up"
    KEY = "key"
    TIME_OUT = "time_out"


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """A caller left the queue or hung up, perhaps during an offer or a talk."""

    call: CallId
    reason: LeaveReason


class OfferResult(StrEnum):
    """How an offer ended; the words of `channel.line.DialResult`."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class OfferEnded:
    """How the offer with that number ended.

    `talk_seconds` is None when the talk has just begun (`TalkEnded` follows), a number when it is already over.
    """

    call: CallId
    agent: AgentName
    offer: int
    result: OfferResult
    talk_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class TalkEnded:
    """Caller and agent, whom the offer with that number joined, are apart."""

    call: CallId
    agent: AgentName
    offer: int
    talk_seconds: float


@dataclass(frozen=True, slots=True)
class WrapUpOver:
    """The agent says that the writing up is done; without it the pause ends by itself."""

    agent: AgentName


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing happened but time."""


@dataclass(frozen=True, slots=True)
class Resync:
    """All telephones as they are now, after a gap in the events; an agent not named is unreachable."""

    devices: Mapping[AgentName, Device]


Event: TypeAlias = (
    AgentAppeared
    | AgentGone
    | AgentReachable
    | AgentEngaged
    | AgentUnreachable
    | AgentReady
    | AgentNotReady
    | CallerEntered
    | CallerLeft
    | OfferEnded
    | TalkEnded
    | WrapUpOver
    | Tick
    | Resync
)


# Decisions


@dataclass(frozen=True, slots=True)
class OfferReason:
    """Why this agent and why this caller, in figures; `str()` makes a sentence of it.

    `passed_over` are callers before this one whom no free agent may serve, for want of a skill. `skills` are those that
    were asked for; `relaxed` says that they are not waited for any longer. `agents_free` counts those who may serve.
    """

    waited_s: float
    priority: int
    callers_waiting: int
    idle_s: float
    agents_free: int
    passed_over: int = 0
    skills: tuple[str, ...] = ()
    relaxed: bool = False

    def __str__(self) -> str:
        place = f"first of {self.callers_waiting} waiting"
        if self.passed_over:
            place = f"first of {self.callers_waiting} waiting but for {self.passed_over} who need another agent"
        asked = f", asks for {' and '.join(self.skills)}" if self.skills else ""
        relaxed = " no longer" if self.relaxed else ""
        return (
            f"{place} (waited {self.waited_s:.1f} s, priority {self.priority}{asked}{relaxed}); "
            f"longest free of {self.agents_free} agents (free for {self.idle_s:.1f} s)"
        )


class Reason(StrEnum):
    """Why a caller or an agent is told something other than an offer."""

    CALLER_LEFT = "the caller left while the telephone rang"
    CALLER_MOVED = "the caller asked for another queue"
    AGENT_UNREACHABLE = "the agent's telephone cannot be reached"
    AGENT_NOT_READY = "the agent is not ready any more"
    AGENT_GONE = "the agent signed off"
    AGENT_QUEUES_CHANGED = "the agent no longer serves this queue"
    REPORT_OVERDUE = "the end of the offer was not reported in time"
    TALKS_ALREADY = "an earlier offer was answered after all"
    MAX_WAIT = "the longest wait of the queue is over"
    UNSTAFFED = "no agent serves the queue now"
    FULL = "as many callers wait as the queue may hold"


@dataclass(frozen=True, slots=True)
class Offer:
    """Ring this agent for this caller; the end is reported with the same `number`.

    A `Withdraw` of an earlier offer of the same call comes first: that attempt ends before this one begins.
    """

    call: CallId
    agent: AgentName
    endpoint: str
    ring_s: int
    number: int
    reason: OfferReason


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Stop ringing this agent for this caller; nothing need be reported."""

    call: CallId
    agent: AgentName
    number: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class TimeOut:
    """The caller has waited long enough and is out of the queue."""

    call: CallId
    queue: QueueName
    waited_s: float
    reason: Reason = Reason.MAX_WAIT


@dataclass(frozen=True, slots=True)
class NoAgents:
    """Nobody serves the queue; the caller is out of it."""

    call: CallId
    queue: QueueName
    reason: Reason = Reason.UNSTAFFED


@dataclass(frozen=True, slots=True)
class Full:
    """The queue takes nobody more; the caller is not in it."""

    call: CallId
    queue: QueueName
    callers_waiting: int
    reason: Reason = Reason.FULL


Decision: TypeAlias = Offer | Withdraw | TimeOut | NoAgents | Full
