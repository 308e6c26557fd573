"""The rules: which waiting caller is offered to which agent, and when somebody is told to stop waiting.

Knows the rules and nothing else: `decide` is a pure function, so that it can be simulated by the million and
explain itself. Must not know time (it is told), telephones, databases or flows.

The rules. Among callers whom a free agent may serve, the highest priority goes first and then who entered first;
that caller is offered to whoever of the queue's agents has been free longest. A caller is offered to one agent at
a time and an agent is offered one caller at a time. An agent who does not answer rests for a while; the caller
keeps the place. No queue waits for another: a line whose agents are all busy takes no part in the choice.
"""

from __future__ import annotations

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
from ivr_engine.acd.state import AcdState, Draft, DueKind
from ivr_engine.acd.talks import caller_left, end_wrap_up, forget_caller, offer_ended, send_to_rest, talk_ended
from ivr_engine.values.ids import CallId


def decide(state: AcdState, event: Event, now: float) -> tuple[AcdState, tuple[Decision, ...]]:
    """Return the state after `event` at `now` (seconds since the epoch) and what is to be done, in order.

    Everything due by `now` happens too. Time never goes back: an earlier `now` counts as the last one.
    Events about calls or agents that are gone, and repeated events, change nothing. Raises `UnknownQueueError`.
    """
    draft = Draft(state, max(now, state.now))
    _take_in(draft, event)
    _release_agents_due(draft)
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
    full = callers_waiting >= draft.queues[event.queue].max_waiting
    if full and not event.returning and not draft.idle[event.queue]:
        draft.decisions.append(Full(event.call, event.queue, callers_waiting))
        return
    entered_at = min(event.entered_at, draft.now)
    caller = Waiting(event.call, event.queue, entered_at, event.priority, draft.next_number())
    draft.stand_in_line(caller)


# What time brings


def _release_agents_due(draft: Draft) -> None:
    # The tuple is the one before the first release; each agent has one due time at most.
    for due in draft.due:
        if due.at > draft.now:
            return
        if due.kind == DueKind.AGENT:
            _release_agent(draft, draft.agents[AgentName(due.of)])


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
        heads = [draft.lines[queue][0] for queue in draft.unmatched if draft.lines[queue] and draft.idle[queue]]
        if not heads:
            return
        _offer(draft, draft.callers[min(heads).call])


def _offer(draft: Draft, caller: Waiting) -> None:
    free = draft.idle[caller.queue]
    rank = free[0]
    agent = draft.agents[rank.agent]
    settings = draft.queues[caller.queue]
    number = draft.next_number()
    reason = OfferReason(
        waited_s=draft.now - caller.entered_at,
        priority=caller.priority,
        callers_waiting=len(draft.lines[caller.queue]),
        idle_s=draft.now - rank.idle_since,
        agents_free=len(free),
    )
    draft.step_out_of_line(caller)
    draft.offers[caller.call] = agent.name
    until = draft.now + settings.ring_s + settings.report_grace_s
    draft.put_agent(replace(agent, occupation=Offered(caller.call, number, rank.idle_since, until)))
    draft.decisions.append(Offer(caller.call, agent.name, agent.endpoint, settings.ring_s, number, reason))
