"""How offers and talks begin and end, for both sides at once.

Knows that a caller and an agent are booked and released together. Must not know who is chosen (dispatcher).
"""

from __future__ import annotations

from dataclasses import replace

from ivr_engine.acd.messages import OfferEnded, OfferResult, Reason, TalkEnded, Withdraw
from ivr_engine.acd.model import Agent, Idle, Offered, Resting, Talking, Waiting, WrapUp
from ivr_engine.acd.state import Draft
from ivr_engine.values.ids import CallId


def caller_left(draft: Draft, call: CallId) -> None:
    """Release whoever is booked for a caller who is gone: an offer is taken back, a talk is over."""
    caller = draft.callers.get(call)
    if caller is not None:
        forget_caller(draft, caller, Reason.CALLER_LEFT)
        return
    name = draft.talks.get(call)
    if name is not None:
        agent = draft.agents[name]
        if isinstance(agent.occupation, Talking):
            end_talk(draft, agent, agent.occupation, draft.now - agent.occupation.since)


def forget_caller(draft: Draft, caller: Waiting, reason: Reason) -> None:
    """Take a caller out of the queue, in line or being offered."""
    name = draft.offers.get(caller.call)
    if name is None:
        draft.step_out_of_line(caller)
    else:
        # The agent did nothing wrong and keeps the turn.
        _end_offer(draft, draft.agents[name], reason)
    del draft.callers[caller.call]


def offer_ended(draft: Draft, event: OfferEnded) -> None:
    """Let a talk begin, or send the agent to rest and the caller back to the same place."""
    caller = draft.callers.get(event.call)
    if caller is None:
        if event.result is OfferResult.ANSWERED and event.talk_seconds is not None:
            talk_ended(draft, TalkEnded(event.call, event.agent, event.offer, event.talk_seconds))
        return
    agent = draft.agents.get(event.agent)
    current = agent is not None and _rings(agent, event.offer)
    if event.result is OfferResult.ANSWERED:
        # An offer that was taken back can still be answered. The two do talk, so that is what counts, unless
        # the report belongs to an earlier visit of this caller to a queue.
        if current or event.offer > caller.sequence:
            _begin_talk(draft, caller, event)
    elif current and agent is not None:
        send_to_rest(draft, agent, caller)


def send_to_rest(draft: Draft, agent: Agent, caller: Waiting) -> None:
    """Leave an agent who did not answer alone for a while; the caller is in line again, at the same place."""
    del draft.offers[caller.call]
    until = draft.now + draft.queues[caller.queue].rest_s
    draft.put_agent(replace(agent, occupation=Resting(until)))
    draft.stand_in_line(caller)


def _begin_talk(draft: Draft, caller: Waiting, event: OfferEnded) -> None:
    offered_to = draft.offers.get(caller.call)
    if offered_to is None:
        draft.step_out_of_line(caller)
    elif _rings(draft.agents[offered_to], event.offer):
        del draft.offers[caller.call]
    else:
        # A later offer, perhaps to the same agent: whoever carries offers out still holds it.
        _end_offer(draft, draft.agents[offered_to], Reason.TALKS_ALREADY)
    del draft.callers[caller.call]
    agent = draft.agents.get(event.agent)
    if agent is None:
        return
    if isinstance(agent.occupation, Offered) and agent.occupation.call != caller.call:
        agent = take_offer_back(draft, agent, Reason.TALKS_ALREADY)
    if isinstance(agent.occupation, Talking):
        del draft.talks[agent.occupation.call]
    talking = Talking(caller.call, event.offer, caller.queue, draft.now)
    agent = replace(agent, occupation=talking)
    draft.put_agent(agent)
    draft.talks[caller.call] = agent.name
    if event.talk_seconds is not None:
        end_talk(draft, agent, talking, event.talk_seconds)


def talk_ended(draft: Draft, event: TalkEnded) -> None:
    """Let the agent write up; the end of a talk that is not the agent's present one means nothing."""
    agent = draft.agents.get(event.agent)
    if agent is None:
        return
    match agent.occupation:
        case Talking(number=number) if number == event.offer:
            end_talk(draft, agent, agent.occupation, event.talk_seconds)
        case Offered(number=number) if number == event.offer:
            # The report of the answer is missing or late.
            offer_ended(draft, _answered_and_over(event))
        case _:
            pass


def _rings(agent: Agent, offer: int) -> bool:
    return isinstance(agent.occupation, Offered) and agent.occupation.number == offer


def _answered_and_over(event: TalkEnded) -> OfferEnded:
    return OfferEnded(event.call, event.agent, event.offer, OfferResult.ANSWERED, event.talk_seconds)


def end_talk(draft: Draft, agent: Agent, talk: Talking, talk_seconds: float) -> None:
    """Let the agent write up, or go if signed off meanwhile."""
    del draft.talks[talk.call]
    wrap_up_s = draft.queues[talk.queue].wrap_up_s
    wrap_up = WrapUp(talk.queue, talk_seconds, draft.now, draft.now + wrap_up_s)
    agent = replace(agent, occupation=wrap_up)
    if agent.leaving:
        draft.drop_agent(agent)
    elif wrap_up_s == 0:
        end_wrap_up(draft, agent, wrap_up)
    else:
        draft.put_agent(agent)


def end_wrap_up(draft: Draft, agent: Agent, wrap_up: WrapUp) -> None:
    """Set the agent free and count the whole handling time."""
    draft.record_handling(wrap_up.queue, wrap_up.talk_s + draft.now - wrap_up.since)
    draft.put_agent(replace(agent, occupation=Idle(draft.now)))


def _end_offer(draft: Draft, agent: Agent, reason: Reason) -> Agent:
    """Take back what rings at an agent, who keeps the turn; the caller is the rule's to place."""
    offered = agent.occupation
    if not isinstance(offered, Offered):
        return agent
    del draft.offers[offered.call]
    draft.decisions.append(Withdraw(offered.call, agent.name, offered.number, reason))
    agent = replace(agent, occupation=Idle(offered.idle_since))
    draft.put_agent(agent)
    return agent


def take_offer_back(draft: Draft, agent: Agent, reason: Reason) -> Agent:
    """Take back what rings at an agent, if anything does; the caller is in line again, at the same place."""
    offered = agent.occupation
    if not isinstance(offered, Offered):
        return agent
    agent = _end_offer(draft, agent, reason)
    draft.stand_in_line(draft.callers[offered.call])
    return agent
