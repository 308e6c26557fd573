"""Random hotlines, judged at every step: seeds for breadth, a state machine for short counter-examples."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ivr_engine.acd.dispatcher import decide, next_due
from ivr_engine.acd.messages import (
    AgentAppeared,
    AgentEngaged,
    AgentGone,
    AgentNotReady,
    AgentReachable,
    AgentReady,
    AgentUnreachable,
    CallerEntered,
    CallerLeft,
    Event,
    LeaveReason,
    Offer,
    OfferEnded,
    OfferResult,
    Resync,
    TalkEnded,
    Tick,
    WrapUpOver,
)
from ivr_engine.acd.model import AgentName, Device, Presence, QueueName, QueueSettings
from ivr_engine.acd.state import empty_state
from ivr_engine.values.ids import CallId
from tests.acd.audit import Auditor, PromiseBrokenError, check_indexes
from tests.acd.simulate import Hotline, World

AGENTS = [AgentName(name) for name in ("ann", "bob", "cai")]
QUEUES = [QueueName("cards"), QueueName("loans")]
CALLS = [CallId(f"call{number}") for number in range(6)]

agents = st.sampled_from(AGENTS)
calls = st.sampled_from(CALLS)
queues = st.sampled_from(QUEUES)
skills = st.frozensets(st.sampled_from(["en", "cards"]), max_size=2)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_hotline_breaks_no_promise(seed: int) -> None:
    outcome = Hotline(World(calls=5000, agents=6 + 2 * seed), seed).run()
    assert outcome.events > 15_000
    for kind in ("Offer", "Withdraw", "TimeOut", "NoAgents", "Full", "Resync", "answered after all"):
        assert outcome.counts.get(kind, 0) > 0, f"the run never showed {kind}"


def test_same_seed_makes_the_same_decisions() -> None:
    first, again, other = (Hotline(World(calls=400), seed).run() for seed in (7, 7, 8))
    assert first.digest == again.digest
    assert first.digest != other.digest


def test_auditor_notices_a_caller_offered_twice() -> None:
    state = empty_state([QueueSettings(QUEUES[0])], 0.0)
    auditor = Auditor()
    for event in (AgentAppeared(AGENTS[0], "PJSIP/ann", (QUEUES[0],)), CallerEntered(CALLS[0], QUEUES[0], 1.0)):
        before = state
        state, decisions = decide(before, event, 1.0)
        auditor.saw(before, event, state, decisions)
    with pytest.raises(PromiseBrokenError, match="offered twice"):
        auditor.saw(state, Tick(), state, decisions)


def test_auditor_notices_a_lost_caller() -> None:
    state = empty_state([QueueSettings(QUEUES[0])], 0.0)
    with pytest.raises(PromiseBrokenError, match="lost"):
        Auditor().saw(state, CallerEntered(CALLS[0], QUEUES[0], 1.0), state, ())


def test_auditor_notices_a_free_agent_while_a_caller_waits() -> None:
    state = empty_state([QueueSettings(QUEUES[0])], 0.0)
    state, _ = decide(state, AgentAppeared(AGENTS[0], "PJSIP/ann", (QUEUES[0],)), 1.0)
    with_caller, _ = decide(state, AgentEngaged(AGENTS[0]), 1.0)
    with_caller, _ = decide(with_caller, CallerEntered(CALLS[0], QUEUES[0], 1.0), 1.0)
    auditor = Auditor()
    auditor.saw(state, CallerEntered(CALLS[0], QUEUES[0], 1.0), with_caller, ())
    with pytest.raises(PromiseBrokenError, match="is free while"):
        auditor.saw(with_caller, Tick(), replace(with_caller, agents=state.agents), ())


class Desk(RuleBasedStateMachine):
    """Any event at any time, for few agents, queues and calls, so that every meeting of two events occurs."""

    def __init__(self) -> None:
        super().__init__()
        limits = [
            QueueSettings(QUEUES[0], max_waiting=2, max_wait_s=60, wrap_up_s=0),
            QueueSettings(QUEUES[1], max_waiting=3, max_wait_s=90, unstaffed_grace_s=5),
        ]
        self.now = 0.0
        self.state = empty_state(limits, self.now)
        self.auditor = Auditor()
        self.offers: list[Offer] = []

    def tell(self, event: Event) -> None:
        before = self.state
        self.state, decisions = decide(before, event, self.now)
        self.auditor.saw(before, event, self.state, decisions)
        self.offers += [decision for decision in decisions if isinstance(decision, Offer)]

    @rule(
        agent=agents,
        served=st.lists(queues, max_size=2),
        presence=st.sampled_from(list(Presence)),
        ready=st.booleans(),
        knows=skills,
    )
    def appear(
        self, agent: AgentName, served: list[QueueName], presence: Presence, ready: bool, knows: frozenset[str]
    ) -> None:
        self.tell(AgentAppeared(agent, f"PJSIP/{agent}", tuple(served), presence, ready, knows))

    @rule(
        agent=agents,
        kind=st.sampled_from(
            [AgentGone, AgentReachable, AgentEngaged, AgentUnreachable, AgentReady, AgentNotReady, WrapUpOver]
        ),
    )
    def agent_event(self, agent: AgentName, kind: type[AgentReady]) -> None:
        self.tell(kind(agent))

    @rule(
        call=calls,
        queue=queues,
        earlier_s=st.sampled_from([0, 0, 0, 30, 100]),
        priority=st.integers(0, 1),
        most_s=st.sampled_from([None, None, 20.0]),
        asks=skills,
        relax_s=st.sampled_from([None, 5.0, 30.0]),
    )
    def enter(
        self,
        call: CallId,
        queue: QueueName,
        earlier_s: int,
        priority: int,
        most_s: float | None,
        asks: frozenset[str],
        relax_s: float | None,
    ) -> None:
        returning = earlier_s > 0
        self.tell(CallerEntered(call, queue, self.now - earlier_s, priority, returning, most_s, asks, relax_s))

    @rule(call=calls, reason=st.sampled_from(list(LeaveReason)))
    def leave(self, call: CallId, reason: LeaveReason) -> None:
        self.tell(CallerLeft(call, reason))

    @rule(back=st.integers(1, 4), result=st.sampled_from(list(OfferResult)), over=st.booleans())
    def end_offer(self, back: int, result: OfferResult, over: bool) -> None:
        if len(self.offers) >= back:
            offer = self.offers[-back]
            self.tell(OfferEnded(offer.call, offer.agent, offer.number, result, 5.0 if over else None))

    @rule(back=st.integers(1, 4))
    def end_talk(self, back: int) -> None:
        if len(self.offers) >= back:
            offer = self.offers[-back]
            self.tell(TalkEnded(offer.call, offer.agent, offer.number, 5.0))

    @rule(devices=st.dictionaries(agents, st.sampled_from(list(Device))))
    def snapshot(self, devices: dict[AgentName, Device]) -> None:
        self.tell(Resync(devices))

    @rule(seconds=st.sampled_from([0.0, 1.0, 8.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.tell(Tick())

    @rule()
    def wait_until_due(self) -> None:
        due = next_due(self.state)
        if due is not None:
            self.now = due
            self.tell(Tick())

    @invariant()
    def indexes_agree(self) -> None:
        check_indexes(self.state)


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=150, stateful_step_count=40, database=None)
