"""Judges decisions without trusting the dispatcher's own indexes: what must never be seen, whatever happened.

Knows the promises of a queue. Keeps its own book of callers, offers and talks from events and decisions alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ivr_engine.acd.dispatcher import next_due
from ivr_engine.acd.messages import (
    CallerEntered,
    CallerLeft,
    Decision,
    Event,
    Full,
    NoAgents,
    Offer,
    OfferEnded,
    OfferResult,
    TalkEnded,
    TimeOut,
    Withdraw,
)
from ivr_engine.acd.model import AgentName, Idle, Offered, Presence, QueueName, Talking, Waiting
from ivr_engine.acd.state import AcdState
from ivr_engine.values.ids import CallId


class PromiseBrokenError(AssertionError):
    """The dispatcher did what it must never do."""


def _promise(kept: bool, what: str) -> None:
    if not kept:
        raise PromiseBrokenError(what)


@dataclass
class _Caller:
    queue: QueueName
    entered_at: float
    priority: int
    order: int
    most_s: float | None
    skills: frozenset[str]
    relax_at: float | None

    def may_be_served_by(self, skills: frozenset[str], now: float) -> bool:
        return self.skills <= skills or (self.relax_at is not None and now >= self.relax_at)


class Auditor:
    """Follows one run of a dispatcher; raises `PromiseBrokenError`."""

    def __init__(self) -> None:
        self.callers: dict[CallId, _Caller] = {}
        self.ringing: dict[CallId, tuple[AgentName, int]] = {}
        self.busy: dict[AgentName, CallId] = {}
        self.counts: Counter[str] = Counter()
        self._order = 0
        self._made: dict[int, int] = {}
        """Which visit of a caller (its order of entering) each offer belongs to."""

    def saw(self, before: AcdState, event: Event, after: AcdState, decisions: tuple[Decision, ...]) -> None:
        """Enter one step in the book and judge it."""
        self.counts[type(event).__name__] += 1
        self._event(event, after.now)
        for decision in decisions:
            self.counts[type(decision).__name__] += 1
            _promise(bool(str(decision.reason)), "a decision without a reason")
            self._decision(decision, after)
        self._nobody_lost(after)
        self._place_kept(before, after)
        self._work_conserving(after)
        due = next_due(after)
        _promise(due is None or due > after.now, f"something is due at {due} and it is {after.now}")

    def _event(self, event: Event, now: float) -> None:
        match event:
            case CallerEntered(call=call, queue=queue, entered_at=entered_at, priority=priority):
                relax_at = None if event.relax_s is None else min(entered_at, now) + event.relax_s
                known = self.callers.get(call)
                if known is None or known.queue != queue:
                    self._order += 1
                    self.callers[call] = _Caller(
                        queue, entered_at, priority, self._order, event.most_s, event.skills, relax_at
                    )
            case CallerLeft(call=call):
                self.callers.pop(call, None)
            case OfferEnded(call=call, agent=agent, offer=offer, result=result):
                if self.ringing.get(call) == (agent, offer):
                    del self.ringing[call]
                    self.busy.pop(agent, None)
                    if result is OfferResult.ANSWERED:
                        self.callers.pop(call)
                        self.counts["answered"] += 1
                elif result is OfferResult.ANSWERED and self._same_visit(call, offer):
                    # Taken back, and answered all the same: the two talk.
                    self.callers.pop(call)
                    self.counts["answered after all"] += 1
            case TalkEnded(call=call, agent=agent, offer=offer):
                if self.ringing.get(call) == (agent, offer):
                    del self.ringing[call]
                    self.busy.pop(agent, None)
                    self.callers.pop(call)
            case _:
                pass

    def _same_visit(self, call: CallId, offer: int) -> bool:
        return call in self.callers and self.callers[call].order == self._made[offer]

    def _decision(self, decision: Decision, after: AcdState) -> None:
        match decision:
            case Offer(call=call, agent=agent, number=number):
                _promise(call in self.callers, f"{call} was offered and does not wait")
                _promise(call not in self.ringing, f"{call} was offered twice at once")
                _promise(agent not in self.busy, f"{agent} was offered two callers at once")
                talking = isinstance(after.agents[agent].occupation, Talking)
                _promise(not talking, f"{agent} was offered a caller during a talk")
                self._fair(call, agent, after)
                self._made[number] = self.callers[call].order
                self.ringing[call] = (agent, number)
                self.busy[agent] = call
            case Withdraw(call=call, agent=agent, number=number):
                _promise(self.ringing.pop(call, None) == (agent, number), f"{agent} did not ring for {call}")
                del self.busy[agent]
            case TimeOut(call=call, waited_s=waited_s, queue=queue):
                most_s = self.callers[call].most_s
                limit_s = min(after.queues[queue].max_wait_s, float("inf") if most_s is None else most_s)
                _promise(waited_s >= limit_s - 1e-3, f"{call} was told to stop after {waited_s} s")
                self._out(call)
            case NoAgents(call=call, queue=queue):
                serving = [a for a in after.agents.values() if a.staffs and queue in a.queues]
                _promise(not serving, f"{call} was told that nobody serves {queue}: {serving}")
                self._out(call)
            case Full(call=call, callers_waiting=callers_waiting, queue=queue):
                _promise(callers_waiting >= after.queues[queue].max_waiting, f"{queue} was not full")
                self._out(call)

    def _out(self, call: CallId) -> None:
        _promise(self.callers.pop(call, None) is not None, f"{call} was told to stop and did not wait")
        _promise(call not in self.ringing, f"{call} was told to stop while an agent's telephone rang")

    def _fair(self, call: CallId, agent: AgentName, after: AcdState) -> None:
        """Nobody of higher priority, or as high and earlier, is passed over for this agent."""
        mine = self.callers[call]
        served, skills = after.agents[agent].queues, after.agents[agent].skills
        _promise(mine.queue in served, f"{agent} does not serve {mine.queue}")
        _promise(mine.may_be_served_by(skills, after.now), f"{agent} does not know what {call} asks for")
        key = (-mine.priority, mine.entered_at, mine.order)
        for other, caller in self.callers.items():
            can_have = caller.queue in served and caller.may_be_served_by(skills, after.now)
            if other not in self.ringing and can_have:
                theirs = (-caller.priority, caller.entered_at, caller.order)
                _promise(theirs >= key, f"{other} waited longer than {call}, who was offered to {agent}")

    def _nobody_lost(self, after: AcdState) -> None:
        _promise(
            self.callers.keys() == after.callers.keys(),
            f"lost or invented: {self.callers.keys() ^ after.callers.keys()}",
        )
        _promise(
            {call: agent for call, (agent, _) in self.ringing.items()} == after.offers,
            "the offers differ from the decisions",
        )
        for call, agent in after.offers.items():
            occupation = after.agents[agent].occupation
            _promise(isinstance(occupation, Offered) and occupation.call == call, f"{agent} is not offered {call}")

    @staticmethod
    def _place_kept(before: AcdState, after: AcdState) -> None:
        if before.callers is after.callers:
            return
        for call, was in before.callers.items():
            now: Waiting | None = after.callers.get(call)
            if now is not None and now.queue == was.queue:
                _promise(now is was or now == was, f"{call} lost the place")

    @staticmethod
    def _work_conserving(after: AcdState) -> None:
        waits = [caller for call, caller in after.callers.items() if call not in after.offers]
        # Who asks for the same in the same queue is one case, so that this stays quick.
        asked = {(caller.queue, caller.needs(after.now)) for caller in waits}
        for agent in after.agents.values():
            free = isinstance(agent.occupation, Idle) and agent.presence is Presence.REACHABLE and agent.ready
            if free:
                waiting = {queue for queue, needs in asked if queue in agent.queues and needs <= agent.skills}
                _promise(not waiting, f"{agent.name} is free while {waiting} have callers")


def check_indexes(state: AcdState) -> None:
    """Compare every index of the state with what agents and callers say."""
    for queue in state.queues:
        line = sorted(
            (-c.priority, c.entered_at, c.sequence, c.call)
            for c in state.callers.values()
            if c.queue == queue and c.call not in state.offers
        )
        _promise([tuple(place) for place in state.lines[queue]] == line, f"the line of {queue} is wrong")
        agents = [agent for agent in state.agents.values() if queue in agent.queues]
        idle = sorted(
            (agent.occupation.since, agent.name)
            for agent in agents
            if agent.eligible and isinstance(agent.occupation, Idle)
        )
        _promise([tuple(rank) for rank in state.idle[queue]] == idle, f"the free agents of {queue} are wrong")
        staff = sum(agent.staffs for agent in agents)
        _promise(state.staff[queue] == staff, f"the staff of {queue} is wrong")
        _promise((queue in state.unstaffed_since) == (staff == 0), f"{queue}: unstaffed_since is wrong")
    talks = {a.occupation.call: a.name for a in state.agents.values() if isinstance(a.occupation, Talking)}
    _promise(dict(state.talks) == talks, "the talks are wrong")
    _promise(list(state.due) == sorted(set(state.due)), "the due times are not in order")
