"""Everything the dispatcher remembers, and the one way to change it without its indexes disagreeing.

Knows how agents, callers, lines and due times are stored and indexed. Must not know the rules (dispatcher).

Structure: flat mappings behind read-only views and sorted tuples. One event copies only the mappings it touches,
once each. Copying a dictionary of 1,000 is a block copy of a few microseconds, cheaper than the path of a
persistent tree in Python would be; `python -m tests.acd.simulate` measures whole decisions.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Final, Generic, NamedTuple, TypeVar

from ivr_engine.acd.messages import Decision
from ivr_engine.acd.model import (
    Agent,
    AgentName,
    Idle,
    Offered,
    QueueName,
    QueueSettings,
    Resting,
    Talking,
    Waiting,
    WrapUp,
)
from ivr_engine.values.ids import CallId

RECENT_TALKS: Final = 20
"""How many talks the mean handling time looks back, roughly."""


class UnknownQueueError(ValueError):
    """An event names a queue that has no settings."""


class Place(NamedTuple):
    """A caller's place in line; the smallest is served first."""

    minus_priority: int
    entered_at: float
    sequence: int
    call: CallId


class Rank(NamedTuple):
    """A free agent's turn; the smallest is offered first."""

    idle_since: float
    agent: AgentName


class DueKind(IntEnum):
    """What a due time is about: an agent, skills that are waited for no longer, a longest wait, a queue unstaffed."""

    AGENT = 0
    MAX_WAIT = 1
    UNSTAFFED = 2
    RELAX = 3


class Due(NamedTuple):
    """At that time, something happens by itself."""

    at: float
    kind: int
    of: str


class Handling(NamedTuple):
    """How long a caller of a queue keeps an agent busy: the mean of the recent talks with wrap-up, in seconds."""

    mean_s: float
    talks: int


@dataclass(frozen=True, slots=True)
class AcdState:
    """One moment of all queues. `callers` wait or are being offered (then also in `offers`)."""

    now: float
    counter: int
    queues: MappingProxyType[QueueName, QueueSettings]
    agents: MappingProxyType[AgentName, Agent]
    callers: MappingProxyType[CallId, Waiting]
    offers: MappingProxyType[CallId, AgentName]
    talks: MappingProxyType[CallId, AgentName]
    lines: MappingProxyType[QueueName, tuple[Place, ...]]
    idle: MappingProxyType[QueueName, tuple[Rank, ...]]
    staff: MappingProxyType[QueueName, int]
    unstaffed_since: MappingProxyType[QueueName, float]
    handling: MappingProxyType[QueueName, Handling]
    due: tuple[Due, ...]


def empty_state(queues: Iterable[QueueSettings], now: float) -> AcdState:
    """Return queues with nobody in them; the grace of an unstaffed queue counts from `now`."""
    settings = {queue.name: queue for queue in queues}
    return AcdState(
        now=now,
        counter=0,
        queues=MappingProxyType(settings),
        agents=MappingProxyType({}),
        callers=MappingProxyType({}),
        offers=MappingProxyType({}),
        talks=MappingProxyType({}),
        lines=MappingProxyType(dict.fromkeys(settings, ())),
        idle=MappingProxyType(dict.fromkeys(settings, ())),
        staff=MappingProxyType(dict.fromkeys(settings, 0)),
        unstaffed_since=MappingProxyType(dict.fromkeys(settings, now)),
        handling=MappingProxyType({}),
        due=(),
    )


K = TypeVar("K")
V = TypeVar("V")


class _Changing(Generic[K, V]):
    """A mapping that is copied when it is first written to."""

    __slots__ = ("_base", "_own")

    def __init__(self, base: MappingProxyType[K, V]) -> None:
        self._base = base
        self._own: dict[K, V] | None = None

    def get(self, key: K) -> V | None:
        return (self._base if self._own is None else self._own).get(key)

    def __getitem__(self, key: K) -> V:
        return (self._base if self._own is None else self._own)[key]

    def __contains__(self, key: K) -> bool:
        return key in (self._base if self._own is None else self._own)

    def __setitem__(self, key: K, value: V) -> None:
        if self._own is None:
            self._own = self._base.copy()
        self._own[key] = value

    def __delitem__(self, key: K) -> None:
        if self._own is None:
            self._own = self._base.copy()
        del self._own[key]

    def __iter__(self) -> Iterator[K]:
        return iter(tuple(self._base if self._own is None else self._own))

    def frozen(self) -> MappingProxyType[K, V]:
        return self._base if self._own is None else MappingProxyType(self._own)


class Draft:
    """The next state while one event is worked on. Lives inside one call of `decide`, never longer."""

    def __init__(self, state: AcdState, now: float) -> None:
        self.now = now
        self.counter = state.counter
        self.queues = state.queues
        self.agents = _Changing(state.agents)
        self.callers = _Changing(state.callers)
        self.offers = _Changing(state.offers)
        self.talks = _Changing(state.talks)
        self.lines = _Changing(state.lines)
        self.idle = _Changing(state.idle)
        self.staff = _Changing(state.staff)
        self.unstaffed_since = _Changing(state.unstaffed_since)
        self.handling = _Changing(state.handling)
        self.due = state.due
        self.decisions: list[Decision] = []
        self.unmatched: dict[QueueName, None] = {}
        """Queues in which somebody may be served now who could not before this event: an agent became free, a caller
        stands in line, or no longer waits for a skill."""

    def frozen(self) -> AcdState:
        """Return the state as it stands."""
        return AcdState(
            now=self.now,
            counter=self.counter,
            queues=self.queues,
            agents=self.agents.frozen(),
            callers=self.callers.frozen(),
            offers=self.offers.frozen(),
            talks=self.talks.frozen(),
            lines=self.lines.frozen(),
            idle=self.idle.frozen(),
            staff=self.staff.frozen(),
            unstaffed_since=self.unstaffed_since.frozen(),
            handling=self.handling.frozen(),
            due=self.due,
        )

    def require_queue(self, queue: QueueName) -> None:
        """Raise `UnknownQueueError` for a queue without settings."""
        if queue not in self.queues:
            raise UnknownQueueError(f"queue {queue!r} has no settings")

    def next_number(self) -> int:
        """Return a number above all earlier ones: callers' sequence and offers share them."""
        self.counter += 1
        return self.counter

    def put_agent(self, agent: Agent) -> None:
        """Store an agent, new or changed, and bring every index up to date."""
        old = self.agents.get(agent.name)
        self.agents[agent.name] = agent
        self._move_rank(old, agent)
        self._move_staff(old, agent)
        self._move_agent_due(old, agent)

    def drop_agent(self, agent: Agent) -> None:
        """Forget an agent."""
        del self.agents[agent.name]
        self._move_rank(agent, None)
        self._move_staff(agent, None)
        self._move_agent_due(agent, None)

    def stand_in_line(self, caller: Waiting) -> None:
        """Put a caller, new or back from an offer, at the place that the time of entering gives."""
        self.callers[caller.call] = caller
        line = list(self.lines[caller.queue])
        insort(line, place_of(caller))
        self.lines[caller.queue] = tuple(line)
        self._schedule(self._max_wait_due(caller))
        if caller.relax_at is not None and caller.relax_at > self.now:
            self._schedule(Due(caller.relax_at, DueKind.RELAX, caller.call))
        self.unmatched[caller.queue] = None
        if caller.queue in self.unstaffed_since:
            self._watch_unstaffed(caller.queue)

    def step_out_of_line(self, caller: Waiting) -> None:
        """Take a caller out of the line; whether the caller is still in the queue is for the rule to say."""
        line = self.lines[caller.queue]
        at = bisect_left(line, place_of(caller))
        self.lines[caller.queue] = line[:at] + line[at + 1 :]
        self._unschedule(self._max_wait_due(caller))
        if caller.relax_at is not None:
            self._unschedule(Due(caller.relax_at, DueKind.RELAX, caller.call))

    def record_handling(self, queue: QueueName, handling_s: float) -> None:
        """Let one more handled caller count in the mean."""
        before = self.handling.get(queue) or Handling(0.0, 0)
        talks = before.talks + 1
        mean_s = before.mean_s + (handling_s - before.mean_s) / min(talks, RECENT_TALKS)
        self.handling[queue] = Handling(mean_s, talks)

    def unstaffed_is_told(self, queue: QueueName) -> bool:
        """Whether nobody has served the queue for longer than its grace."""
        since = self.unstaffed_since.get(queue)
        return since is not None and self.now >= since + self.queues[queue].unstaffed_grace_s

    def first_due(self) -> Due | None:
        """Return the earliest thing that is due by now."""
        return self.due[0] if self.due and self.due[0].at <= self.now else None

    def drop_due(self, due: Due) -> None:
        """Forget something that was due."""
        self._unschedule(due)

    def _watch_unstaffed(self, queue: QueueName) -> None:
        due = Due(self.unstaffed_since[queue] + self.queues[queue].unstaffed_grace_s, DueKind.UNSTAFFED, queue)
        at = bisect_left(self.due, due)
        if self.due[at : at + 1] != (due,):
            self._schedule(due)

    def _move_rank(self, old: Agent | None, new: Agent | None) -> None:
        before = _rank_of(old)
        after = _rank_of(new)
        if before is not None and old is not None:
            for queue in old.queues:
                ranks = self.idle[queue]
                at = bisect_left(ranks, before)
                self.idle[queue] = ranks[:at] + ranks[at + 1 :]
        if after is not None and new is not None:
            for queue in new.queues:
                longer = list(self.idle[queue])
                insort(longer, after)
                self.idle[queue] = tuple(longer)
                self.unmatched[queue] = None

    def _move_staff(self, old: Agent | None, new: Agent | None) -> None:
        before = old.queues if old is not None and old.staffs else ()
        after = new.queues if new is not None and new.staffs else ()
        if before == after:
            return
        for queue in after:
            if queue not in before:
                self.staff[queue] = self.staff[queue] + 1
                since = self.unstaffed_since.get(queue)
                if since is not None:
                    del self.unstaffed_since[queue]
                    self._unschedule(Due(since + self.queues[queue].unstaffed_grace_s, DueKind.UNSTAFFED, queue))
        for queue in before:
            if queue not in after:
                self.staff[queue] = self.staff[queue] - 1
                if self.staff[queue] == 0:
                    self.unstaffed_since[queue] = self.now
                    self._watch_unstaffed(queue)

    def _move_agent_due(self, old: Agent | None, new: Agent | None) -> None:
        before = _due_of(old)
        after = _due_of(new)
        if before != after:
            if before is not None:
                self._unschedule(before)
            if after is not None:
                self._schedule(after)

    @staticmethod
    def _max_wait_due(caller: Waiting) -> Due:
        return Due(caller.entered_at + caller.max_wait_s, DueKind.MAX_WAIT, caller.call)

    def _schedule(self, due: Due) -> None:
        later = list(self.due)
        insort(later, due)
        self.due = tuple(later)

    def _unschedule(self, due: Due) -> None:
        at = bisect_left(self.due, due)
        if self.due[at : at + 1] == (due,):
            self.due = self.due[:at] + self.due[at + 1 :]


def place_of(caller: Waiting) -> Place:
    """Return a caller's place: priority first, then the time of entering."""
    return Place(-caller.priority, caller.entered_at, caller.sequence, caller.call)


def _rank_of(agent: Agent | None) -> Rank | None:
    if agent is None or not agent.eligible or not isinstance(agent.occupation, Idle):
        return None
    return Rank(agent.occupation.since, agent.name)


def _due_of(agent: Agent | None) -> Due | None:
    if agent is None:
        return None
    match agent.occupation:
        case Offered(until=until) | WrapUp(until=until) | Resting(until=until):
            return Due(until, DueKind.AGENT, agent.name)
        case Idle() | Talking():
            return None
