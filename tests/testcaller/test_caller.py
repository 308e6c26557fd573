"""One caller on synthetic packets and beats: no network, no waiting."""

from __future__ import annotations

import asyncio

import pytest

from ivr_engine.testcaller.caller import CUT_BEATS, QUIET_BEATS, Caller, CallError
from ivr_engine.testcaller.dialogue import Address, CallState, OutgoingCall
from ivr_engine.testcaller.recordings import PromptName
from ivr_engine.testcaller.rtp import FRAME_BYTES, PCMU, TELEPHONE_EVENT, RtpPacket, build_rtp, parse_rtp
from ivr_engine.testcaller.sip import Media, SipMessage, parse_sip
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import RandomIds
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from tests.testcaller.sounds import noise, recordings

SHORT = noise("short", 8)
LONG = SHORT + noise("rest", 8)
OTHER = noise("other", 8)
KNOWN = recordings(short=SHORT, long=LONG, other=OTHER)


class Talk:
    """A caller in an answered call, and the far end's packets."""

    def __init__(self) -> None:
        address = Address("95588", "127.0.0.1", 5060, "1", "127.0.0.1", 5062, 5062)
        self.call = OutgoingCall(address, Media("127.0.0.1", 6000), RandomIds(SystemClock()))
        self.sent: list[RtpPacket] = []
        self.caller = Caller(self.call, KNOWN, lambda data: self.sent.append(parse_rtp(data)), lambda: None, 77)
        self.call.start(0.0)
        invite = parse_sip(self.call.requests.output.pop())
        copied = tuple(h for h in invite.headers if h[0] in {"Via", "From", "To", "Call-ID", "CSeq"})
        self.call.receive(SipMessage("SIP/2.0 200 OK", copied, Media("127.0.0.1", 4000).to_sdp()), 0.0)
        self._sequence = 0

    def play(self, sound: bytes, *, beats: bool = True) -> None:
        for start in range(0, len(sound), FRAME_BYTES):
            self._sequence += 1
            packet = RtpPacket(PCMU, False, self._sequence, 0, 9, sound[start : start + FRAME_BYTES])
            self.caller.media_arrived(build_rtp(packet), self._sequence * 0.02)
            if beats:
                self.beat(1)

    def beat(self, times: int, *, late: bool = False) -> None:
        for _ in range(times):
            self.caller.tick(1.0, late=late)


async def test_prompt_is_heard_with_its_last_packet() -> None:
    talk = Talk()
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(talk.caller.hear("other"))
        await asyncio.sleep(0)
        talk.play(OTHER[:-FRAME_BYTES])
        assert not talk.caller.heard[-1].complete
        await asyncio.sleep(0)
        assert not hearing.done()
        talk.play(OTHER[-FRAME_BYTES:], beats=False)
    assert hearing.result()[0].complete


async def test_prompt_that_may_become_a_longer_one_is_heard_when_it_stays_quiet() -> None:
    talk = Talk()
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(talk.caller.hear("short"))
        await asyncio.sleep(0)
        talk.play(SHORT)
        talk.beat(QUIET_BEATS - 2)
        await asyncio.sleep(0)
        assert not hearing.done()
        talk.beat(1)
    assert str(hearing.result()[0]) == "en/short"


async def test_late_beats_prove_no_silence() -> None:
    talk = Talk()
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(talk.caller.hear("other"))
        await asyncio.sleep(0)
        talk.play(OTHER[: 4 * FRAME_BYTES])
        talk.beat(100, late=True)
        talk.play(OTHER[4 * FRAME_BYTES :])
    assert hearing.result()[0].complete


async def test_prompt_that_stops_for_a_moment_and_goes_on_is_heard_to_its_end() -> None:
    talk = Talk()
    async with asyncio.TaskGroup() as group:
        hearing = group.create_task(talk.caller.hear("other"))
        await asyncio.sleep(0)
        talk.play(OTHER[: 4 * FRAME_BYTES])
        talk.beat(CUT_BEATS - 2)
        await asyncio.sleep(0)
        assert not hearing.done()
        talk.play(OTHER[4 * FRAME_BYTES :])
    assert hearing.result()[0].complete


async def test_prompt_in_which_a_key_is_pressed_may_be_heard_to_its_end() -> None:
    talk = Talk()
    talk.play(SHORT + OTHER[: 4 * FRAME_BYTES])
    begun = await talk.caller.hear_beginning("other", others=True, to_its_end=True)
    assert not begun.complete
    talk.play(OTHER[4 * FRAME_BYTES :])
    short, other = await talk.caller.hear("short", "other")
    assert (str(short), str(other)) == ("en/short", "en/other")


async def test_prompt_cut_without_a_key_fails() -> None:
    talk = Talk()
    talk.play(OTHER[: 4 * FRAME_BYTES])
    talk.beat(CUT_BEATS)
    with pytest.raises(CallError, match=r"other was expected to its end, but was cut: en/other \(cut at 80 ms\)"):
        await talk.caller.hear("other")


async def test_prompts_are_heard_in_the_order_in_which_they_are_expected() -> None:
    talk = Talk()
    talk.play(SHORT + OTHER + LONG)
    await talk.caller.hear("short", "other", "long")
    with pytest.raises(CallError, match="waited 1 ms for short"):
        await talk.caller.hear("short", within_ms=1)


async def test_others_may_come_before_when_allowed() -> None:
    talk = Talk()
    talk.play(SHORT + OTHER + LONG)
    (heard,) = await talk.caller.hear("long", others=True)
    assert str(heard) == "en/long"


async def test_prompt_in_another_language_is_not_the_one_expected() -> None:
    talk = Talk()
    talk.play(OTHER + SHORT)
    with pytest.raises(CallError, match="cmn/other was expected, but en/other"):
        await talk.caller.hear(PromptName(Language.MANDARIN, "other"))


async def test_secret_keys_are_sent_but_stand_in_no_story() -> None:
    talk = Talk()
    async with asyncio.TaskGroup() as group:
        pressing = group.create_task(talk.caller.press(SecretDigits(b"42")))
        await asyncio.sleep(0)
        talk.beat(16)
    codes = [packet.payload[0] for packet in talk.sent if packet.payload_type == TELEPHONE_EVENT and packet.marker]
    assert codes == [4, 2]
    assert [press.shown for press in pressing.result()] == ["•", "•"]
    assert [line.split(" s  ")[1] for line in talk.caller.story().splitlines()] == ["pressed •", "pressed •"]


async def test_keys_that_can_no_longer_be_sent_fail() -> None:
    talk = Talk()
    talk.caller.hang_up()
    assert talk.call.state is CallState.ENDED
    with pytest.raises(CallError, match="the call ended before the last key"):
        await talk.caller.press("1")


async def test_bytes_that_are_no_rtp_are_counted_and_harmless() -> None:
    talk = Talk()
    talk.caller.media_arrived(b"\x00" * 40, 0.0)
    talk.caller.media_arrived(build_rtp(RtpPacket(13, False, 1, 0, 9, b"\x00")), 0.0)
    assert talk.caller.not_understood == 2
    assert talk.caller.heard == []
