"""The rules of the queue, one sentence each."""

from __future__ import annotations

import pytest

from ivr_engine.acd.dispatcher import decide, next_due
from ivr_engine.acd.estimate import expected_wait_of_next_s, expected_wait_s, position
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
    Decision,
    Event,
    Full,
    LeaveReason,
    NoAgents,
    Offer,
    OfferEnded,
    OfferResult,
    Reason,
    Resync,
    TalkEnded,
    Tick,
    TimeOut,
    Withdraw,
    WrapUpOver,
)
from ivr_engine.acd.model import AgentName, Device, Presence, QueueName, QueueSettings
from ivr_engine.acd.state import UnknownQueueError, empty_state
from ivr_engine.values.ids import CallId

ANN, BOB, CAI = AgentName("ann"), AgentName("bob"), AgentName("cai")
CARDS, LOANS = QueueName("cards"), QueueName("loans")
ONE, TWO, THREE = CallId("one"), CallId("two"), CallId("three")

CARD_LIMITS = QueueSettings(CARDS, ring_s=15, rest_s=30, wrap_up_s=10, max_waiting=2, max_wait_s=600)
LOAN_LIMITS = QueueSettings(LOANS, ring_s=15, rest_s=30, wrap_up_s=10, max_waiting=2, max_wait_s=600)


class Desk:
    """Feeds events at a time of the test's choosing and keeps the last decisions."""

    def __init__(self, *queues: QueueSettings) -> None:
        self.now = 1000.0
        self.state = empty_state(queues or (CARD_LIMITS, LOAN_LIMITS), self.now)

    def tell(self, event: Event, *, after_s: float = 0.0) -> tuple[Decision, ...]:
        self.now += after_s
        self.state, decisions = decide(self.state, event, self.now)
        return decisions

    def sign_on(
        self, agent: AgentName, *queues: QueueName, after_s: float = 0.0, knows: tuple[str, ...] = ()
    ) -> tuple[Decision, ...]:
        appeared = AgentAppeared(agent, f"PJSIP/{agent}", queues or (CARDS,), skills=frozenset(knows))
        return self.tell(appeared, after_s=after_s)

    def enter(
        self,
        call: CallId,
        queue: QueueName = CARDS,
        *,
        after_s: float = 1.0,
        priority: int = 0,
        most_s: float | None = None,
        asks: tuple[str, ...] = (),
        relax_s: float | None = None,
    ) -> Decision | None:
        entered = CallerEntered(
            call,
            queue,
            self.now + after_s,
            priority,
            most_s=most_s,
            skills=frozenset(asks),
            relax_s=relax_s,
        )
        return _only(self.tell(entered, after_s=after_s))


def _only(decisions: tuple[Decision, ...]) -> Decision | None:
    assert len(decisions) <= 1
    return decisions[0] if decisions else None


def _offer(decision: Decision | None) -> Offer:
    assert isinstance(decision, Offer)
    return decision


def _ended(offer: Offer, result: OfferResult, talk_seconds: float | None = None) -> OfferEnded:
    return OfferEnded(offer.call, offer.agent, offer.number, result, talk_seconds)


def _pairs(decisions: tuple[Decision, ...]) -> list[tuple[CallId, AgentName]]:
    return [(decision.call, decision.agent) for decision in decisions if isinstance(decision, Offer)]


def test_caller_is_offered_to_the_agent_who_has_been_free_longest() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.sign_on(ANN, after_s=5)
    offer = _offer(desk.enter(ONE))
    assert (offer.agent, offer.endpoint, offer.ring_s) == (BOB, "PJSIP/bob", 15)
    assert str(offer.reason) == (
        "first of 1 waiting (waited 0.0 s, priority 0); longest free of 2 agents (free for 6.0 s)"
    )


def test_free_agent_gets_the_caller_who_waited_longest() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    busy = _offer(desk.enter(ONE))
    desk.enter(TWO)
    desk.enter(THREE)
    desk.tell(_ended(busy, OfferResult.ANSWERED))
    desk.tell(TalkEnded(ONE, BOB, busy.number, 60), after_s=60)
    assert _pairs(desk.tell(Tick(), after_s=9.9)) == []
    assert _pairs(desk.tell(Tick(), after_s=0.1)) == [(TWO, BOB)]


def test_caller_of_higher_priority_goes_before_one_who_waited_longer() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    busy = desk.enter(ONE)
    desk.enter(TWO)
    desk.enter(THREE, priority=1)
    assert _pairs(desk.tell(_ended(_offer(busy), OfferResult.BUSY))) == []
    assert _pairs(desk.sign_on(ANN)) == [(THREE, ANN)]


def test_agent_of_two_queues_takes_whoever_waited_longest_in_either() -> None:
    desk = Desk()
    desk.sign_on(BOB, CARDS, LOANS)
    busy = _offer(desk.enter(ONE, LOANS))
    desk.enter(TWO, LOANS)
    desk.enter(THREE, CARDS)
    desk.tell(_ended(busy, OfferResult.ANSWERED, 60), after_s=60)
    assert _pairs(desk.tell(WrapUpOver(BOB))) == [(TWO, BOB)]


def test_agent_who_does_not_answer_rests_and_caller_keeps_the_place() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    offer = _offer(desk.enter(ONE))
    desk.enter(TWO)
    assert desk.tell(_ended(offer, OfferResult.NO_ANSWER), after_s=15) == ()
    assert position(desk.state, ONE) == 1
    assert position(desk.state, TWO) == 2
    assert next_due(desk.state) == desk.now + 30
    assert _pairs(desk.tell(Tick(), after_s=30)) == [(ONE, BOB)]


@pytest.mark.parametrize("result", [OfferResult.NO_ANSWER, OfferResult.BUSY, OfferResult.UNREACHABLE])
def test_unanswered_caller_is_offered_at_once_to_another_free_agent(result: OfferResult) -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.sign_on(ANN, after_s=1)
    offer = _offer(desk.enter(ONE))
    assert _pairs(desk.tell(_ended(offer, result))) == [(ONE, ANN)]


def test_place_is_kept_over_a_restart_of_the_engine() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.enter(ONE)
    desk.enter(TWO)
    old = CallerEntered(THREE, CARDS, desk.now - 300, returning=True)
    desk.tell(old)
    assert position(desk.state, THREE) == 1
    assert position(desk.state, TWO) == 2


def test_returning_caller_is_not_refused_by_a_full_queue() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    for call in (ONE, TWO, THREE):
        desk.enter(call)
    four, five = CallId("four"), CallId("five")
    full = desk.enter(four)
    assert full == Full(four, CARDS, 2)
    assert desk.tell(CallerEntered(five, CARDS, desk.now - 60, returning=True)) == ()
    assert position(desk.state, five) == 1


def test_one_caller_is_never_offered_to_two_agents() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.enter(ONE)
    assert desk.sign_on(ANN) == ()
    assert dict(desk.state.offers) == {ONE: BOB}


def test_line_without_a_free_agent_does_not_hold_up_another_line() -> None:
    desk = Desk()
    desk.sign_on(ANN, LOANS)
    desk.enter(ONE, LOANS)
    desk.enter(TWO, LOANS, priority=9)
    desk.sign_on(BOB, CARDS)
    assert _offer(desk.enter(THREE, CARDS)).agent == BOB


def test_caller_of_a_queue_that_nobody_serves_is_told_at_once() -> None:
    desk = Desk()
    desk.sign_on(BOB, LOANS)
    assert desk.enter(ONE, CARDS) == NoAgents(ONE, CARDS)


def test_callers_are_told_when_the_last_agent_signs_off() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.enter(ONE)
    desk.enter(TWO)
    decisions = desk.tell(AgentGone(BOB))
    assert [type(decision) for decision in decisions] == [Withdraw, NoAgents, NoAgents]
    assert not desk.state.callers


def test_grace_of_an_unstaffed_queue_lets_its_agents_come_back() -> None:
    patient = QueueSettings(CARDS, unstaffed_grace_s=5)
    desk = Desk(patient)
    assert desk.enter(ONE, after_s=1) is None
    assert next_due(desk.state) == 1005.0
    assert _pairs(desk.sign_on(BOB, after_s=3)) == [(ONE, BOB)]
    desk.tell(AgentUnreachable(BOB))
    assert desk.tell(Tick(), after_s=4.9) == ()
    assert desk.tell(Tick(), after_s=0.1) == (NoAgents(ONE, CARDS),)


def test_caller_is_told_when_the_longest_wait_is_over() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    busy = _offer(desk.enter(ONE))
    desk.enter(TWO)
    desk.tell(_ended(busy, OfferResult.ANSWERED))
    assert desk.tell(Tick(), after_s=599.9) == ()
    told = _only(desk.tell(Tick(), after_s=0.1))
    assert isinstance(told, TimeOut)
    assert told.call == TWO
    assert told.waited_s == pytest.approx(600)


def test_longest_wait_does_not_end_while_an_agents_telephone_rings() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    busy = _offer(desk.enter(ONE))
    desk.enter(TWO)
    desk.tell(_ended(busy, OfferResult.ANSWERED, 590), after_s=590)
    second = _offer(_only(desk.tell(WrapUpOver(BOB))))
    assert desk.tell(Tick(), after_s=14) == ()
    assert [type(d) for d in desk.tell(_ended(second, OfferResult.NO_ANSWER))] == [TimeOut]


def test_ringing_call_is_taken_back_when_the_caller_leaves_and_agent_keeps_the_turn() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.sign_on(ANN, after_s=1)
    offer = _offer(desk.enter(ONE))
    left = desk.tell(CallerLeft(ONE, LeaveReason.HUNG_UP), after_s=3)
    assert left == (Withdraw(ONE, BOB, offer.number, Reason.CALLER_LEFT),)
    assert _offer(desk.enter(TWO)).agent == BOB


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (AgentNotReady(BOB), Reason.AGENT_NOT_READY),
        (AgentUnreachable(BOB), Reason.AGENT_UNREACHABLE),
        (AgentGone(BOB), Reason.AGENT_GONE),
        (AgentAppeared(BOB, "PJSIP/bob", (LOANS,)), Reason.AGENT_QUEUES_CHANGED),
        (Resync({ANN: Device.FREE}), Reason.AGENT_UNREACHABLE),
    ],
)
def test_ringing_call_goes_to_the_next_agent_when_the_first_falls_away(event: Event, reason: Reason) -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.sign_on(ANN, after_s=1)
    offer = _offer(desk.enter(ONE))
    withdraw, again = desk.tell(event)
    assert withdraw == Withdraw(ONE, BOB, offer.number, reason)
    assert _offer(again).agent == ANN


def test_offer_whose_end_is_never_reported_is_taken_back() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    offer = _offer(desk.enter(ONE))
    assert next_due(desk.state) == desk.now + 15 + 10
    assert desk.tell(Tick(), after_s=25) == (Withdraw(ONE, BOB, offer.number, Reason.REPORT_OVERDUE),)
    assert position(desk.state, ONE) == 1


def test_late_answer_of_a_withdrawn_offer_ends_the_newer_one() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    first = _offer(desk.enter(ONE))
    desk.sign_on(ANN)
    second = _offer(desk.tell(AgentNotReady(BOB))[1])
    answered = desk.tell(_ended(first, OfferResult.ANSWERED))
    assert answered == (Withdraw(ONE, ANN, second.number, Reason.TALKS_ALREADY),)
    assert dict(desk.state.talks) == {ONE: BOB}
    assert not desk.state.callers


def test_late_answer_takes_back_a_newer_offer_to_the_same_agent() -> None:
    # Found by the simulation, seed 1: the newer offer was forgotten without a word.
    patient = Desk(QueueSettings(CARDS, unstaffed_grace_s=60))
    patient.sign_on(BOB)
    first = _offer(patient.enter(ONE))
    patient.tell(AgentUnreachable(BOB))
    second = _offer(_only(patient.tell(AgentReachable(BOB))))
    answered = patient.tell(_ended(first, OfferResult.ANSWERED))
    assert answered == (Withdraw(ONE, BOB, second.number, Reason.TALKS_ALREADY),)


def test_report_of_an_earlier_visit_does_not_take_a_caller_out_of_the_queue() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    first = _offer(desk.enter(ONE))
    desk.tell(_ended(first, OfferResult.ANSWERED, 30), after_s=30)
    desk.enter(ONE)
    assert desk.tell(_ended(first, OfferResult.ANSWERED)) == ()
    assert desk.tell(TalkEnded(ONE, BOB, first.number, 30)) == ()
    assert position(desk.state, ONE) == 1


def test_agent_writes_up_for_the_whole_pause_and_may_end_it() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    first = _offer(desk.enter(ONE))
    desk.tell(_ended(first, OfferResult.ANSWERED))
    desk.tell(CallerLeft(ONE, LeaveReason.HUNG_UP), after_s=20)
    assert desk.enter(TWO) is None
    assert _pairs(desk.tell(AgentReady(BOB))) == []
    assert _pairs(desk.tell(WrapUpOver(BOB))) == [(TWO, BOB)]


def test_agent_back_from_a_break_is_last_among_the_free() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.sign_on(ANN, after_s=1)
    desk.tell(AgentNotReady(BOB))
    desk.tell(AgentReady(BOB), after_s=10)
    assert _offer(desk.enter(ONE)).agent == ANN


def test_agent_in_a_private_call_is_not_offered_callers_until_it_ends() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.tell(AgentEngaged(BOB))
    assert desk.enter(ONE) is None
    assert _pairs(desk.tell(AgentReachable(BOB))) == [(ONE, BOB)]


def test_telephone_in_use_by_our_own_talk_is_no_private_call() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    offer = _offer(desk.enter(ONE))
    desk.tell(AgentEngaged(BOB))
    desk.tell(_ended(offer, OfferResult.ANSWERED))
    desk.tell(AgentEngaged(BOB))
    desk.tell(TalkEnded(ONE, BOB, offer.number, 9), after_s=9)
    desk.tell(WrapUpOver(BOB))
    assert _offer(desk.enter(TWO)).agent == BOB


def test_agent_who_signs_off_in_a_talk_finishes_it_and_gets_no_other() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    first = _offer(desk.enter(ONE))
    desk.tell(_ended(first, OfferResult.ANSWERED))
    desk.tell(AgentGone(BOB))
    assert desk.state.agents[BOB].leaving
    desk.tell(TalkEnded(ONE, BOB, first.number, 9), after_s=9)
    assert not desk.state.agents


def test_snapshot_ends_a_talk_whose_end_was_missed() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.tell(_ended(_offer(desk.enter(ONE)), OfferResult.ANSWERED))
    desk.enter(TWO)
    desk.tell(Resync({BOB: Device.IN_USE}), after_s=60)
    assert dict(desk.state.talks) == {ONE: BOB}
    desk.tell(Resync({BOB: Device.FREE}))
    assert not desk.state.talks
    assert _pairs(desk.tell(Tick(), after_s=10)) == [(TWO, BOB)]


def test_caller_who_asks_for_another_queue_leaves_the_first() -> None:
    desk = Desk()
    desk.sign_on(BOB, CARDS)
    desk.sign_on(ANN, LOANS)
    first = _offer(desk.enter(ONE, CARDS))
    withdraw, offer = desk.tell(CallerEntered(ONE, LOANS, desk.now))
    assert withdraw == Withdraw(ONE, BOB, first.number, Reason.CALLER_MOVED)
    assert _offer(offer).agent == ANN


def test_repeated_and_late_events_change_nothing() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    offer = _offer(desk.enter(ONE))
    desk.tell(_ended(offer, OfferResult.ANSWERED))
    desk.tell(TalkEnded(ONE, BOB, offer.number, 5), after_s=5)
    before = desk.state
    for event in (
        _ended(offer, OfferResult.NO_ANSWER),
        TalkEnded(ONE, BOB, offer.number, 5),
        CallerLeft(ONE, LeaveReason.HUNG_UP),
        AgentReady(BOB),
        AgentNotReady(CAI),
        WrapUpOver(CAI),
    ):
        assert desk.tell(event) == ()
        assert desk.state == before


def test_time_never_goes_back() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.tell(Tick(), after_s=-100)
    assert desk.state.now == 1000.0


def test_event_leaves_the_earlier_state_as_it_was() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    before = desk.state
    kept = dict(before.agents), dict(before.lines), before.due
    desk.enter(ONE)
    assert (dict(before.agents), dict(before.lines), before.due) == kept
    with pytest.raises(TypeError):
        desk.state.agents[ANN] = desk.state.agents[BOB]  # type: ignore[index]  # the view refuses; that is the test


def test_queue_without_settings_is_refused() -> None:
    desk = Desk()
    with pytest.raises(UnknownQueueError, match="'none'"):
        desk.enter(ONE, QueueName("none"))
    with pytest.raises(UnknownQueueError, match="'none'"):
        desk.sign_on(BOB, QueueName("none"))


@pytest.mark.parametrize("wrong", [{"ring_s": 0}, {"max_waiting": 0}, {"rest_s": 0}, {"wrap_up_s": -1}])
def test_limit_that_holds_nobody_or_never_ends_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="queue cards"):
        QueueSettings(CARDS, **wrong)


def test_wait_is_not_guessed_before_enough_talks_are_known() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    for number in range(5):
        call = CallId(f"earlier{number}")
        offer = _offer(desk.enter(call))
        desk.tell(_ended(offer, OfferResult.ANSWERED, 80), after_s=80)
        desk.tell(Tick(), after_s=10)
        if number == 3:
            desk.tell(AgentEngaged(BOB))
            desk.enter(ONE)
            assert expected_wait_s(desk.state, ONE) is None
            desk.tell(CallerLeft(ONE, LeaveReason.KEY))
            desk.tell(AgentReachable(BOB))
    desk.enter(ONE)
    desk.enter(TWO)
    desk.enter(THREE)
    assert position(desk.state, ONE) == 0
    assert expected_wait_s(desk.state, ONE) == 0
    assert expected_wait_s(desk.state, THREE) == pytest.approx(2 * 90)
    desk.tell(AgentAppeared(ANN, "PJSIP/ann", (CARDS,), Presence.ENGAGED))
    assert expected_wait_s(desk.state, THREE) == pytest.approx(90)
    assert expected_wait_s(desk.state, CallId("nobody")) is None


def test_caller_who_asks_for_skills_is_offered_to_who_has_them_all_though_another_is_free_longer() -> None:
    desk = Desk()
    desk.sign_on(ANN)
    desk.sign_on(BOB, after_s=1, knows=("en",))
    desk.sign_on(CAI, after_s=1, knows=("en", "credit_cards"))
    offer = _offer(desk.enter(ONE, asks=("credit_cards", "en")))
    assert offer.agent == CAI
    assert str(offer.reason) == (
        "first of 1 waiting (waited 0.0 s, priority 0, asks for credit_cards and en); "
        "longest free of 1 agents (free for 1.0 s)"
    )


def test_heavier_caller_for_whom_nobody_is_skilled_does_not_starve_a_lighter_one() -> None:
    desk = Desk()
    desk.sign_on(BOB, knows=("en",))
    assert desk.enter(ONE, priority=9, asks=("yue",)) is None
    assert desk.enter(TWO, priority=9, asks=("yue",)) is None
    offer = _offer(desk.enter(THREE))
    assert (offer.agent, offer.reason.passed_over) == (BOB, 2)
    assert str(offer.reason).startswith("first of 3 waiting but for 2 who need another agent (waited")
    assert position(desk.state, ONE) == 1


def test_skills_are_waited_for_no_longer_when_the_caller_has_waited_long_enough() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    assert desk.enter(ONE, asks=("en",), relax_s=60) is None
    assert next_due(desk.state) == desk.now + 60
    assert desk.tell(Tick(), after_s=59.9) == ()
    offer = _offer(_only(desk.tell(Tick(), after_s=0.1)))
    assert (offer.call, offer.agent, offer.reason.relaxed) == (ONE, BOB, True)
    assert "asks for en no longer" in str(offer.reason)


def test_skilled_agent_who_is_free_later_serves_who_asks_before_anybody_is_relaxed() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.enter(ONE, asks=("en",), relax_s=60)
    assert _pairs(desk.sign_on(ANN, after_s=30, knows=("en",))) == [(ONE, ANN)]


def test_relaxed_caller_goes_before_one_who_came_later() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    busy = _offer(desk.enter(ONE))
    desk.tell(_ended(busy, OfferResult.ANSWERED))
    desk.enter(TWO, asks=("en",), relax_s=60)
    desk.enter(THREE)
    desk.tell(TalkEnded(ONE, BOB, busy.number, 100), after_s=100)
    assert _pairs(desk.tell(WrapUpOver(BOB))) == [(TWO, BOB)]


def test_caller_who_waits_for_a_skill_is_told_when_the_longest_wait_is_over() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.enter(ONE, asks=("yue",))
    assert isinstance(_only(desk.tell(Tick(), after_s=600)), TimeOut)


def test_full_queue_takes_nobody_whom_no_free_agent_may_serve() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.enter(ONE, asks=("en",))
    desk.enter(TWO, asks=("en",))
    assert desk.enter(THREE, asks=("en",)) == Full(THREE, CARDS, 2)
    assert _offer(desk.enter(CallId("four"))).agent == BOB


def test_callers_own_longest_wait_ends_before_that_of_the_queue_and_never_after_it() -> None:
    desk = Desk()
    desk.sign_on(BOB)
    desk.tell(_ended(_offer(desk.enter(ONE)), OfferResult.ANSWERED))
    desk.enter(TWO, most_s=100)
    desk.enter(THREE, most_s=5000, after_s=0)
    told = _only(desk.tell(Tick(), after_s=100))
    assert (type(told), told.call if told else None) == (TimeOut, TWO)
    assert isinstance(_only(desk.tell(Tick(), after_s=500)), TimeOut)


def test_expected_wait_of_who_asks_for_a_skill_is_not_known() -> None:
    desk = Desk(QueueSettings(CARDS, wrap_up_s=0))
    desk.sign_on(BOB)
    for number in range(5):
        offer = _offer(desk.enter(CallId(f"call{number}")))
        desk.tell(_ended(offer, OfferResult.ANSWERED, 120), after_s=120)
    assert expected_wait_of_next_s(desk.state, CARDS) == 0
    desk.tell(_ended(_offer(desk.enter(ONE)), OfferResult.ANSWERED))
    desk.enter(TWO, asks=("en",))
    desk.enter(THREE)
    assert expected_wait_s(desk.state, TWO) is None
    assert expected_wait_s(desk.state, THREE) == 240
    assert expected_wait_of_next_s(desk.state, CARDS) == 360
