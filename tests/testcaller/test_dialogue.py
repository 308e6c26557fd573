from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.testcaller.dialogue import GIVE_UP_S, T1_S, Address, CallState, EndedBy, OutgoingCall, Registration
from ivr_engine.testcaller.sip import Account, Media, SipError, SipMessage, digest_answer, parse_sip
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import RandomIds

IDS = RandomIds(SystemClock())
SDP = Media("127.0.0.1", 4000).to_sdp()
ADDRESS = Address("95588", "127.0.0.1", 5060, "13800000000", "127.0.0.1", 5062, 5062)


def started(account: Account | None = None) -> OutgoingCall:
    call = OutgoingCall(ADDRESS, Media("127.0.0.1", 6000), IDS, account)
    call.start(0.0)
    return call


def sent(call: OutgoingCall | Registration) -> list[SipMessage]:
    output, call.requests.output = call.requests.output, []
    return [parse_sip(datagram) for datagram in output]


def methods(messages: list[SipMessage]) -> list[str]:
    return [message.method for message in messages]


def response(request: SipMessage, status: str, body: str = "", **headers: str) -> SipMessage:
    copied = [(name, value) for name, value in request.headers if name in {"Via", "From", "Call-ID", "CSeq"}]
    extra = [(name.replace("_", "-"), value) for name, value in headers.items()]
    to = request.get("to") if status.startswith("100") else request.get("to") + ";tag=far"
    return SipMessage(f"SIP/2.0 {status}", (*copied, ("To", to), *extra), body)


def request(call: OutgoingCall, method: str, body: str = "") -> SipMessage:
    headers = (
        ("Via", "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKfar"),
        ("From", "<sip:95588@127.0.0.1>;tag=far"),
        ("To", call.requests.local),
        ("Call-ID", call.requests.call_id),
        ("CSeq", f"1 {method}"),
    )
    return SipMessage(f"{method} sip:13800000000@127.0.0.1:5062 SIP/2.0", headers, body)


def talking(call: OutgoingCall) -> OutgoingCall:
    (invite,) = sent(call)
    call.receive(response(invite, "200 OK", SDP, Contact="<sip:far@127.0.0.1:5090>"), 0.1)
    sent(call)
    return call


def test_answer_is_acknowledged_to_the_contact_and_media_known() -> None:
    call = started()
    (invite,) = sent(call)
    assert "m=audio 6000 RTP/AVP 0 101" in invite.body
    call.receive(response(invite, "100 Trying"), 0.01)
    call.receive(response(invite, "180 Ringing"), 0.02)
    assert call.state is CallState.RINGING
    call.receive(response(invite, "200 OK", SDP, Contact="<sip:far@127.0.0.1:5090>"), 0.1)
    (ack,) = sent(call)
    assert ack.first_line == "ACK sip:far@127.0.0.1:5090 SIP/2.0"
    assert ack.get("cseq") == invite.get("cseq").replace("INVITE", "ACK")
    assert ack.get("via") != invite.get("via")
    assert (call.state, call.remote_media) == (CallState.TALKING, Media("127.0.0.1", 4000))


def test_repeated_answer_is_acknowledged_again_and_changes_nothing() -> None:
    call = started()
    (invite,) = sent(call)
    answer = response(invite, "200 OK", SDP)
    call.receive(answer, 0.1)
    first = sent(call)
    call.receive(answer, 0.6)
    assert sent(call) == first
    assert call.state is CallState.TALKING


def test_route_of_the_answer_is_followed_in_reverse() -> None:
    call = started()
    (invite,) = sent(call)
    answer = response(invite, "200 OK", SDP)
    hops = (("Record-Route", "<sip:b;lr>"), ("Record-Route", "<sip:a;lr>"))
    call.receive(SipMessage(answer.first_line, answer.headers + hops, SDP), 0.1)
    (ack,) = sent(call)
    assert ack.every("route") == ["<sip:a;lr>", "<sip:b;lr>"]


def test_unanswered_invite_is_repeated_at_doubling_times_and_given_up() -> None:
    call = started()
    sent(call)
    times = []
    for tick in range(int(GIVE_UP_S / 0.1) + 2):
        call.poll(tick * 0.1)
        times += [tick * 0.1] * len(sent(call))
    assert times == pytest.approx([T1_S * factor for factor in (1, 3, 7, 15, 31, 63)])
    assert (call.state, call.ended_by, call.finished) == (CallState.ENDED, EndedBy.NO_ANSWER, True)


def test_ringing_invite_is_not_repeated_and_not_given_up() -> None:
    call = started()
    (invite,) = sent(call)
    call.receive(response(invite, "180 Ringing"), 0.02)
    call.poll(100.0)
    assert sent(call) == []
    assert call.state is CallState.RINGING


def test_bye_of_the_far_end_is_answered_and_ends_the_call() -> None:
    call = talking(started())
    call.receive(request(call, "BYE"), 1.0)
    (reply,) = sent(call)
    assert (reply.status, reply.method) == (200, "BYE")
    assert (call.ended_by, call.finished) == (EndedBy.FAR_END, True)


def test_hanging_up_sends_bye_until_it_is_answered() -> None:
    call = talking(started())
    call.hang_up(1.0)
    call.hang_up(1.1)
    (bye,) = sent(call)
    assert bye.first_line == "BYE sip:far@127.0.0.1:5090 SIP/2.0"
    call.poll(1.6)
    assert sent(call) == [bye]
    assert not call.finished
    call.receive(response(bye, "200 OK"), 1.7)
    assert (call.ended_by, call.finished) == (EndedBy.CALLER, True)


def test_bye_that_crosses_ours_is_answered() -> None:
    call = talking(started())
    call.hang_up(1.0)
    sent(call)
    call.receive(request(call, "BYE"), 1.01)
    assert [message.status for message in sent(call)] == [200]
    assert call.ended_by is EndedBy.CALLER


def test_hanging_up_while_it_rings_cancels_and_acknowledges_the_refusal() -> None:
    call = started()
    (invite,) = sent(call)
    call.receive(response(invite, "180 Ringing"), 0.02)
    call.hang_up(1.0)
    (cancel,) = sent(call)
    assert (cancel.method, cancel.get("via"), cancel.get("cseq")) == ("CANCEL", invite.get("via"), "1 CANCEL")
    call.receive(response(cancel, "200 OK"), 1.01)
    call.receive(response(invite, "487 Request Terminated"), 1.02)
    (ack,) = sent(call)
    assert (ack.method, ack.get("via"), ack.get("to")) == ("ACK", invite.get("via"), invite.get("to") + ";tag=far")
    assert (call.ended_by, call.finished) == (EndedBy.CALLER, True)


def test_hanging_up_before_any_response_waits_for_one_before_it_cancels() -> None:
    call = started()
    (invite,) = sent(call)
    call.hang_up(0.001)
    assert sent(call) == []
    call.receive(response(invite, "100 Trying"), 0.01)
    assert methods(sent(call)) == ["CANCEL"]


def test_answer_that_crosses_the_cancel_is_acknowledged_and_hung_up() -> None:
    call = started()
    (invite,) = sent(call)
    call.receive(response(invite, "180 Ringing"), 0.02)
    call.hang_up(1.0)
    sent(call)
    call.receive(response(invite, "200 OK", SDP), 1.001)
    assert methods(sent(call)) == ["ACK", "BYE"]
    assert call.ended_by is EndedBy.CALLER


def test_answer_without_u_law_is_hung_up() -> None:
    call = started()
    (invite,) = sent(call)
    call.receive(response(invite, "200 OK", SDP.replace("RTP/AVP 0", "RTP/AVP 8")), 0.1)
    assert methods(sent(call)) == ["ACK", "BYE"]


def test_refusal_is_acknowledged_and_tells_its_status() -> None:
    call = started()
    (invite,) = sent(call)
    call.receive(response(invite, "486 Busy Here"), 0.1)
    assert methods(sent(call)) == ["ACK"]
    assert (call.ended_by, call.status) == (EndedBy.REFUSED, 486)


def test_challenge_is_answered_once_and_a_second_one_ends_the_call() -> None:
    call = started(Account("1001", "pw"))
    (invite,) = sent(call)
    challenge = 'Digest realm="bank", nonce="abc", qop="auth", algorithm=MD5'
    call.receive(response(invite, "401 Unauthorized", WWW_Authenticate=challenge), 0.1)
    ack, again = sent(call)
    assert ack.method == "ACK"
    assert again.get("authorization").startswith('Digest username="1001", realm="bank"')
    assert (again.get("cseq"), again.body) == ("2 INVITE", invite.body)
    call.receive(response(again, "401 Unauthorized", WWW_Authenticate=challenge), 0.2)
    assert (call.ended_by, call.status) == (EndedBy.REFUSED, 401)


def test_digest_is_the_one_of_the_standard() -> None:
    challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'
    answer = digest_answer(challenge, Account("Mufasa", "Circle Of Life"), "GET", "/dir/index.html", "own")
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in answer  # RFC 2069 example, RFC 2617 erratum 749


def test_new_offer_within_the_call_moves_the_media() -> None:
    call = talking(started())
    call.receive(request(call, "INVITE", SDP.replace("4000", "4444")), 1.0)
    (reply,) = sent(call)
    assert (reply.status, "m=audio 6000" in reply.body) == (200, True)
    assert call.remote_media == Media("127.0.0.1", 4444)


@pytest.mark.parametrize(("method", "status"), [("OPTIONS", 200), ("INFO", 200), ("REFER", 501)])
def test_other_requests_are_answered(method: str, status: int) -> None:
    call = talking(started())
    call.receive(request(call, method), 1.0)
    assert [reply.status for reply in sent(call)] == [status]
    assert call.state is CallState.TALKING


def test_registration_that_is_refused_ends_with_its_status() -> None:
    registration = Registration(ADDRESS, Account("1001", "pw"), IDS)
    registration.start(0.0)
    (register,) = sent(registration)
    registration.receive(response(register, "403 Forbidden"), 0.1)
    assert (registration.finished, registration.status) == (True, 403)


@pytest.mark.parametrize("number", ["", "1 2", "1\r\nX: y", "a@b", "1" * 65])
def test_number_that_would_break_a_header_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="a number has"):
        Address(number, "127.0.0.1", 5060, "1", "127.0.0.1", 5062, 5062)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_a_sip_error(datagram: bytes) -> None:
    for candidate in (datagram, b"SIP/2.0 200 OK\r\n" + datagram + b"\r\n\r\n"):
        try:
            call = started()
            call.receive(parse_sip(candidate), 0.1)
        except SipError:
            continue


def test_compact_and_folded_headers_are_read() -> None:
    message = parse_sip(b"BYE sip:a@b SIP/2.0\r\ni: 77\r\nv: SIP/2.0/UDP h\r\nSubject: one\r\n two\r\n\r\n")
    assert (message.get("call-id"), message.get("via"), message.get("subject")) == ("77", "SIP/2.0/UDP h", "one two")
