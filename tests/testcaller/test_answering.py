from __future__ import annotations

from ivr_engine.testcaller.answering import IncomingCall
from ivr_engine.testcaller.dialogue import GIVE_UP_S, Address, CallState, EndedBy, OutgoingCall
from ivr_engine.testcaller.sip import Media, SipMessage, parse_sip
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import RandomIds

IDS = RandomIds(SystemClock())
CALLERS = Address("1001", "127.0.0.1", 5062, "13800000000", "127.0.0.1", 5060, 5060)
AGENTS = Address("agent", "127.0.0.1", 5060, "1001", "127.0.0.1", 5062, 5062)


class Pair:
    """Our outgoing call and our incoming call, joined by hand: whatever one sends, the other receives."""

    def __init__(self) -> None:
        self.caller = OutgoingCall(CALLERS, Media("127.0.0.1", 6000), IDS)
        self.caller.start(0.0)
        self.agent = IncomingCall(self.taken(self.caller)[0], AGENTS, Media("127.0.0.1", 7000), IDS)

    @staticmethod
    def taken(call: OutgoingCall | IncomingCall) -> list[SipMessage]:
        output, call.requests.output = call.requests.output, []
        return [parse_sip(datagram) for datagram in output]

    def exchange(self, now: float) -> None:
        """Carry messages to and fro until there are none."""
        while self.caller.requests.output or self.agent.requests.output:
            for message in self.taken(self.caller):
                self.agent.receive(message, now)
            for message in self.taken(self.agent):
                self.caller.receive(message, now)

    def talk(self) -> None:
        self.agent.ring()
        self.exchange(0.1)
        self.agent.answer(0.2)
        self.exchange(0.2)


def test_ringing_and_answered_call_joins_both_sides() -> None:
    pair = Pair()
    pair.agent.ring()
    pair.exchange(0.1)
    assert (pair.caller.state, pair.agent.state) == (CallState.RINGING, CallState.RINGING)
    pair.agent.answer(0.2)
    pair.exchange(0.2)
    assert (pair.caller.state, pair.agent.state) == (CallState.TALKING, CallState.TALKING)
    assert pair.caller.remote_media == Media("127.0.0.1", 7000)
    assert pair.agent.remote_media == Media("127.0.0.1", 6000)


def test_caller_hangs_up_and_the_agent_knows() -> None:
    pair = Pair()
    pair.talk()
    pair.caller.hang_up(1.0)
    pair.exchange(1.0)
    assert (pair.caller.ended_by, pair.agent.ended_by) == (EndedBy.CALLER, EndedBy.FAR_END)
    assert pair.caller.finished
    assert pair.agent.finished


def test_agent_hangs_up_and_the_caller_knows() -> None:
    pair = Pair()
    pair.talk()
    pair.agent.hang_up(1.0)
    pair.exchange(1.0)
    assert (pair.caller.ended_by, pair.agent.ended_by) == (EndedBy.FAR_END, EndedBy.CALLER)
    assert pair.caller.finished
    assert pair.agent.finished


def test_caller_who_leaves_while_it_rings_cancels_the_call() -> None:
    pair = Pair()
    pair.agent.ring()
    pair.exchange(0.1)
    pair.caller.hang_up(0.2)
    pair.exchange(0.2)
    pair.agent.answer(0.3)
    assert pair.taken(pair.agent) == []
    assert (pair.caller.ended_by, pair.agent.ended_by) == (EndedBy.CALLER, EndedBy.FAR_END)


def test_agent_who_does_not_answer_refuses() -> None:
    pair = Pair()
    pair.agent.ring()
    pair.agent.hang_up(0.2)
    pair.exchange(0.2)
    assert (pair.caller.ended_by, pair.caller.status) == (EndedBy.REFUSED, 486)


def test_answer_whose_acknowledgement_is_lost_is_repeated_until_it_comes() -> None:
    pair = Pair()
    pair.agent.ring()
    pair.agent.answer(0.0)
    pair.taken(pair.agent)
    pair.agent.poll(0.4)
    assert pair.taken(pair.agent) == []
    pair.agent.poll(0.6)
    pair.exchange(0.6)
    assert pair.agent.state is CallState.TALKING
    pair.agent.poll(5.0)
    assert pair.taken(pair.agent) == []


def test_answer_that_is_never_acknowledged_is_given_up() -> None:
    pair = Pair()
    pair.agent.ring()
    pair.agent.answer(0.0)
    for tick in range(int(GIVE_UP_S) + 6):
        pair.agent.poll(float(tick))
    assert (pair.agent.state, pair.agent.ended_by) == (CallState.ENDED, EndedBy.NO_ANSWER)
