"""The rules: which waiting caller is offered to which agent, and when somebody is told to stop waiting.

Knows the rules and nothing else: `decide` is a pure function, so that it can be simulated by the million and
explain itself. Must not know time (it is told), telephones, databases or flows.

The rules. Among callers whom a free agent may serve, the highest priority goes first and then who entered first;
that caller is offered to whoever of the agents that may serve has been free longest. An agent may serve who is in the
caller's queue and has the skills that the caller asks for; when the caller waits for them no longer, anybody of the
queue. A caller is offered to one agent at a time and an agent is offered one caller at a time. An agent who does not
answer rests for a while; the caller keeps the place. Nobody waits for another: a line whose agents are all busy, and
a caller for whom no free agent is skilled enough, take no part in the choice.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

from ivr_engine.acd.messages import (
    CallerEntered,
    CallerLeft,
    Decision,
    Event,
    Full,
    NoAgents,
    Offer,
    OfferEnded,
    OfferReason,
    Reason,
    Resync,
    TalkEnded,
    Tick,
    TimeOut,
    Withdraw,
)
from ivr_engine.acd.model import Agent, AgentName, Idle, Offered, QueueName, Resting, Talking, Waiting, WrapUp
from ivr_engine.acd.roster import resync, take_in_agent
from ivr_engine.acd.state import AcdState, Draft, DueKind, Place, Rank, place_of
from ivr_engine.acd.talks import caller_left, end_wrap_up, forget_caller, offer_ended, send_to_rest, talk_ended
from ivr_engine.values.ids import CallId


def decide(state: AcdState, event: Event, now: float) -> tuple[AcdState, tuple[Decision, ...]]:
    """Return the state after `event` at `now` (seconds since the epoch) and what is to be done, in order.

    Everything due by `now` happens too. Time never goes back: an earlier `now` counts as the last one.
    Events about calls or agents that are gone, and repeated events, change nothing. Raises `UnknownQueueError`.
    """
    draft = Draft(state, max(now, state.now))
    _take_in(draft, event)
    _release_due(draft)
    # Matching before giving up: an agent who is free at the last moment serves the caller after all.
    _match(draft)
    _give_up_callers_due(draft)
    return draft.frozen(), tuple(draft.decisions)


def next_due(state: AcdState) -> float | None:
    """Return when `Tick` has to be sent at the latest, in seconds since the epoch; None if never."""
    return state.due[0].at if state.due else None


def _take_in(draft: Draft, event: Event) -> None:
    match event:
        case CallerEntered():
            _caller_entered(draft, event)
        case CallerLeft(call=call):
            caller_left(draft, call)
        case OfferEnded():
            offer_ended(draft, event)
        case TalkEnded():
            talk_ended(draft, event)
        case Resync():
            resync(draft, event)
        case Tick():
            pass
        case _:
            take_in_agent(draft, event)


# Callers


def _caller_entered(draft: Draft, event: CallerEntered) -> None:
    draft.require_queue(event.queue)
    known = draft.callers.get(event.call)
    if known is not None:
        if known.queue == event.queue:
            return
        forget_caller(draft, known, Reason.CALLER_MOVED)
    if event.call in draft.talks:
        # Who asks for a queue is not in a talk any more: its end was not reported.
        caller_left(draft, event.call)
    if draft.unstaffed_is_told(event.queue):
        draft.decisions.append(NoAgents(event.call, event.queue))
        return
    callers_waiting = len(draft.lines[event.queue])
    entered_at = min(event.entered_at, draft.now)
    most_s = draft.queues[event.queue].max_wait_s
    caller = Waiting(
        event.call,
        event.queue,
        entered_at,
        event.priority,
        draft.next_number(),
        most_s if event.most_s is None else min(most_s, event.most_s),
        event.skills,
        entered_at + event.relax_s if event.relax_s is not None else None,
    )
    full = callers_waiting >= draft.queues[event.queue].max_waiting
    if full and not event.returning and not _free_for(draft, caller):
        draft.decisions.append(Full(event.call, event.queue, callers_waiting))
        return
    draft.stand_in_line(caller)


# What time brings


def _release_due(draft: Draft) -> None:
    """Let everything happen that is due and may bring a caller and an agent together."""
    # The tuple is the one before the first release; each agent and each caller has one due time of these at most.
    for due in draft.due:
        if due.at > draft.now:
            return
        if due.kind == DueKind.AGENT:
            _release_agent(draft, draft.agents[AgentName(due.of)])
        elif due.kind == DueKind.RELAX:
            draft.drop_due(due)
            draft.unmatched[draft.callers[CallId(due.of)].queue] = None


def _release_agent(draft: Draft, agent: Agent) -> None:
    match agent.occupation:
        case WrapUp():
            end_wrap_up(draft, agent, agent.occupation)
        case Resting():
            draft.put_agent(replace(agent, occupation=Idle(draft.now)))
        case Offered(call=call, number=number):
            draft.decisions.append(Withdraw(call, agent.name, number, Reason.REPORT_OVERDUE))
            send_to_rest(draft, agent, draft.callers[call])
        case Idle() | Talking():
            raise AssertionError(f"{agent.name} has nothing that could be due")


def _give_up_callers_due(draft: Draft) -> None:
    while due := draft.first_due():
        draft.drop_due(due)
        if due.kind == DueKind.UNSTAFFED:
            _tell_unstaffed(draft, QueueName(due.of))
        else:
            caller = draft.callers[CallId(due.of)]
            draft.step_out_of_line(caller)
            del draft.callers[caller.call]
            draft.decisions.append(TimeOut(caller.call, caller.queue, draft.now - caller.entered_at))


def _tell_unstaffed(draft: Draft, queue: QueueName) -> None:
    for place in draft.lines[queue]:
        draft.step_out_of_line(draft.callers[place.call])
        del draft.callers[place.call]
        draft.decisions.append(NoAgents(place.call, queue))


# The choice


def _match(draft: Draft) -> None:
    """Make offers until no caller waits whom a free agent serves.

    Before the event there was no such pair, so only queues that the event touched can have one now.
    """
    while True:
        first = [place for queue in draft.unmatched if (place := _first_to_serve(draft, queue)) is not None]
        if not first:
            return
        _offer(draft, draft.callers[min(first).call])


def _first_to_serve(draft: Draft, queue: QueueName) -> Place | None:
    """Return the first in a line whom a free agent may serve."""
    if not draft.idle[queue]:
        return None
    in_vain: set[frozenset[str]] = set()  # many callers who ask for the same are looked at once
    for place in draft.lines[queue]:
        caller = draft.callers[place.call]
        needs = caller.needs(draft.now)
        if needs in in_vain:
            continue
        if not needs or _free_for(draft, caller):
            return place
        in_vain.add(needs)
    return None


def _free_for(draft: Draft, caller: Waiting) -> tuple[Rank, ...]:
    """Return the free agents who may serve a caller, who has been free longest first."""
    needs = caller.needs(draft.now)
    free = draft.idle[caller.queue]
    return tuple(rank for rank in free if needs <= draft.agents[rank.agent].skills) if needs else free


def _offer(draft: Draft, caller: Waiting) -> None:
    free = _free_for(draft, caller)
    rank = free[0]
    agent = draft.agents[rank.agent]
    settings = draft.queues[caller.queue]
    number = draft.next_number()
    line = draft.lines[caller.queue]
    reason = OfferReason(
        waited_s=draft.now - caller.entered_at,
        priority=caller.priority,
        callers_waiting=len(line),
        idle_s=draft.now - rank.idle_since,
        agents_free=len(free),
        passed_over=bisect_left(line, place_of(caller)),
        skills=tuple(sorted(caller.skills)),
        relaxed=bool(caller.skills) and not caller.needs(draft.now),
    )
    draft.step_out_of_line(caller)
    draft.offers[caller.call] = agent.name
    until = draft.now + settings.ring_s + settings.report_grace_s
    draft.put_agent(replace(agent, occupation=Offered(caller.call, number, rank.idle_since, until)))
    draft.decisions.append(Offer(caller.call, agent.name, agent.endpoint, settings.ring_s, number, reason))
