"""What agents and their telephones do: signing on and off, breaks, reachability.

Knows what each of these events means for what the agent is doing. Must not know who is chosen (dispatcher).
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from ivr_engine.acd.messages import (
    AgentAppeared,
    AgentEngaged,
    AgentGone,
    AgentNotReady,
    AgentReachable,
    AgentReady,
    AgentUnreachable,
    Reason,
    Resync,
    WrapUpOver,
)
from ivr_engine.acd.model import Agent, Device, Idle, Offered, Presence, Talking, WrapUp
from ivr_engine.acd.state import Draft
from ivr_engine.acd.talks import end_talk, end_wrap_up, take_offer_back


def take_in_agent(
    draft: Draft,
    event: AgentAppeared
    | AgentGone
    | AgentReachable
    | AgentEngaged
    | AgentUnreachable
    | AgentReady
    | AgentNotReady
    | WrapUpOver,
) -> None:
    """Bring one agent up to date; events about agents who are not signed on mean nothing."""
    if isinstance(event, AgentAppeared):
        _agent_appeared(draft, event)
        return
    agent = draft.agents.get(event.agent)
    if agent is None:
        return
    match event:
        case AgentGone():
            _agent_gone(draft, agent)
        case AgentReachable():
            draft.put_agent(replace(agent, presence=Presence.REACHABLE))
        case AgentEngaged():
            _agent_engaged(draft, agent)
        case AgentUnreachable():
            _agent_unreachable(draft, agent)
        case AgentReady():
            _agent_ready(draft, agent)
        case AgentNotReady():
            agent = take_offer_back(draft, agent, Reason.AGENT_NOT_READY)
            draft.put_agent(replace(agent, ready=False))
        case WrapUpOver():
            if isinstance(agent.occupation, WrapUp):
                end_wrap_up(draft, agent, agent.occupation)
        case _:
            assert_never(event)


def _agent_appeared(draft: Draft, event: AgentAppeared) -> None:
    queues = tuple(dict.fromkeys(event.queues))
    for queue in queues:
        draft.require_queue(queue)
    agent = draft.agents.get(event.agent)
    if agent is None:
        occupation = Idle(draft.now)
        draft.put_agent(
            Agent(event.agent, event.endpoint, queues, event.presence, event.ready, occupation, skills=event.skills)
        )
        return
    if isinstance(agent.occupation, Offered):
        offered_queue = draft.callers[agent.occupation.call].queue
        if offered_queue not in queues:
            agent = take_offer_back(draft, agent, Reason.AGENT_QUEUES_CHANGED)
        elif not event.ready:
            agent = take_offer_back(draft, agent, Reason.AGENT_NOT_READY)
        elif event.presence is Presence.UNREACHABLE:
            agent = take_offer_back(draft, agent, Reason.AGENT_UNREACHABLE)
    draft.put_agent(
        replace(
            agent,
            endpoint=event.endpoint,
            queues=queues,
            presence=event.presence,
            ready=event.ready,
            leaving=False,
            skills=event.skills,
        )
    )


def _agent_gone(draft: Draft, agent: Agent) -> None:
    if isinstance(agent.occupation, Talking):
        draft.put_agent(replace(agent, ready=False, leaving=True))
        return
    draft.drop_agent(take_offer_back(draft, agent, Reason.AGENT_GONE))


def _agent_ready(draft: Draft, agent: Agent) -> None:
    if agent.ready or agent.leaving:
        return
    occupation = Idle(draft.now) if isinstance(agent.occupation, Idle) else agent.occupation
    draft.put_agent(replace(agent, ready=True, occupation=occupation))


def _agent_engaged(draft: Draft, agent: Agent) -> None:
    # During an offer or a talk the telephone is in use because of us.
    if not isinstance(agent.occupation, Offered | Talking):
        draft.put_agent(replace(agent, presence=Presence.ENGAGED))


def _agent_unreachable(draft: Draft, agent: Agent) -> None:
    agent = take_offer_back(draft, agent, Reason.AGENT_UNREACHABLE)
    draft.put_agent(replace(agent, presence=Presence.UNREACHABLE))


def resync(draft: Draft, event: Resync) -> None:
    """Believe the snapshot: telephones out of reach, in use by others, or free after a talk whose end was missed."""
    for name in draft.agents:
        agent = draft.agents[name]
        device = event.devices.get(name, Device.UNAVAILABLE)
        ours = isinstance(agent.occupation, Offered | Talking)
        if device is Device.UNAVAILABLE:
            _agent_unreachable(draft, agent)
        elif device in (Device.RINGING, Device.IN_USE) and not ours:
            _agent_engaged(draft, agent)
        else:
            agent = replace(agent, presence=Presence.REACHABLE)
            draft.put_agent(agent)
            if device is Device.FREE and isinstance(agent.occupation, Talking):
                # The end of this talk fell into the gap; its length is taken from its beginning.
                end_talk(draft, agent, agent.occupation, draft.now - agent.occupation.since)
