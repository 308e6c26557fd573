"""SIPp and our own telephone against each other, and SIPp against Asterisk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ivr_engine.testcaller.agents import AgentPlan, AnsweringAgents
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.load import LoadPlan, run_load
from ivr_engine.testcaller.phone import Phone, Target
from ivr_engine.testcaller.recordings import Recordings
from ivr_engine.testcaller.rtp import parse_rtp
from ivr_engine.testcaller.sip import Account
from ivr_engine.testcaller.sipp import SippError, write_keys_pcap
from tests.testcaller.asterisk_server import AsteriskServer
from tests.testcaller.sounds import noise, recordings
from tests.testcaller.test_calls import keys_counted_by


async def test_our_telephone_calls_sipp_and_hangs_up(tmp_path: Path) -> None:
    async with AnsweringAgents.at(AgentPlan(ring_ms=60, echo=True), tmp_path) as agents:
        async with Phone.at(Target(agents.host, agents.port), recordings(a=noise("a", 5))) as phone:
            async with phone.dial("1001") as caller:
                await caller.wait(300)
                assert caller.listener.packets > 5  # our own silence came back
            assert caller.call.ended_by is EndedBy.CALLER
        await agents.served(1)


async def test_our_telephone_calls_sipp_and_is_hung_up(tmp_path: Path) -> None:
    async with (
        AnsweringAgents.at(AgentPlan(ring_ms=0, talk_ms=200), tmp_path) as agents,
        Phone.at(Target(agents.host, agents.port), recordings(a=noise("a", 5))) as phone,
    ):
        async with phone.dial("1001") as caller:
            assert await caller.ended() is EndedBy.FAR_END
        await agents.served(1)


@pytest.mark.asterisk
async def test_load_of_forty_calls_is_answered_and_hung_up_by_the_far_end(
    asterisk: AsteriskServer, tmp_path: Path
) -> None:
    plan = LoadPlan("playp1", calls=40, calls_per_second=40, at_once=40, hold_ms=None)
    result = await run_load(plan, Target("127.0.0.1", asterisk.sip_port), tmp_path)
    assert (result.exit_status, result.succeeded, result.failed) == (0, 40, 0)


@pytest.mark.asterisk
async def test_load_whose_calls_are_refused_counts_them_as_failed(asterisk: AsteriskServer, tmp_path: Path) -> None:
    plan = LoadPlan("busy", calls=5, calls_per_second=20, at_once=5, hold_ms=100)
    result = await run_load(plan, Target("127.0.0.1", asterisk.sip_port), tmp_path)
    assert (result.exit_status, result.succeeded, result.unexpected_messages) == (1, 0, 5)


@pytest.mark.asterisk
@pytest.mark.skipif(os.geteuid() != 0, reason="SIPp plays capture files through raw sockets, which only root may open")
async def test_keys_of_a_load_arrive(asterisk: AsteriskServer, tmp_path: Path) -> None:
    plan = LoadPlan("count", 10, calls_per_second=10, at_once=10, hold_ms=2600, keys="1234567890", keys_after_ms=400)
    async with keys_counted_by(asterisk) as counted:
        result = await run_load(plan, Target("127.0.0.1", asterisk.sip_port), tmp_path)
    assert result.succeeded == 10
    assert list(counted.by_caller.values()) == ["1234567890"] * 10


@pytest.mark.asterisk
async def test_caller_and_registered_agent_are_joined_and_hear_each_other(
    asterisk: AsteriskServer, sounds: Path, tmp_path: Path
) -> None:
    plan = AgentPlan(ring_ms=100, talk_ms=800, echo=True)
    async with (
        AnsweringAgents.at(plan, tmp_path) as agents,
        Phone.at(Target("127.0.0.1", asterisk.sip_port), Recordings.load(sounds)) as phone,
    ):
        await phone.register(Account("1001", "not a secret"), contact_port=agents.port)
        async with phone.dial("agent") as caller:
            assert await caller.ended() is EndedBy.FAR_END
            assert caller.listener.packets > 20  # silence, there and back
        await phone.register(Account("1001", "not a secret"), contact_port=agents.port, expires_s=0)


async def test_load_that_never_ends_is_stopped(tmp_path: Path) -> None:
    async with AnsweringAgents.at(AgentPlan(), tmp_path / "agents") as agents:
        plan = LoadPlan("1001", calls=1, calls_per_second=1, at_once=1, hold_ms=None)
        with pytest.raises(SippError, match="not done after"):
            await run_load(plan, Target(agents.host, agents.port), tmp_path / "load", within_s=1.0)


def test_keys_capture_holds_silence_then_every_key_every_160_ms(tmp_path: Path) -> None:
    write_keys_pcap(tmp_path / "keys.pcap", "12", before_ms=100)
    data = (tmp_path / "keys.pcap").read_bytes()[24:]
    packets = []
    while data:
        seconds, microseconds, length = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4, 8))
        packets.append((seconds * 1000 + microseconds // 1000, parse_rtp(data[16 + 42 : 16 + length])))
        data = data[16 + length :]
    assert [at for at, _ in packets] == list(range(0, 100 + 320, 20))
    assert [at for at, packet in packets if packet.marker] == [0, 100, 260]
