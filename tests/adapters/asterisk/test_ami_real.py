"""Our AMI client against a real Asterisk that is killed, frozen and started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.ami import (
    ActionOutcomeUnknownError,
    ActionRefusedError,
    AmiSnapshot,
    AmiTimings,
    Gap,
    LinkState,
    NotConnectedError,
)
from ivr_engine.protocols.ami.actions import (
    CoreShowChannels,
    DeviceStateList,
    Hangup,
    Originate,
    Ping,
    PJSIPShowContacts,
    PlayDTMF,
)
from ivr_engine.protocols.ami.events import (
    ChannelHungUp,
    DeviceState,
    OriginateEnded,
)
from ivr_engine.protocols.ami.message import Event
from tests.adapters.asterisk.ami_listener import (
    Listener,
    connected,
)
from tests.protocols.ami.asterisk_process import AsteriskProcess, running_asterisk


@pytest.fixture
async def listener() -> Listener:
    return Listener()


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[AsteriskProcess]:
    async with running_asterisk(tmp_path) as running:
        yield running


async def start_time(asterisk: AsteriskProcess) -> str:
    await asterisk.command("core waitfullybooted")
    settings = await asterisk.command("core show settings")
    return next(line for line in settings.splitlines() if "Startup time" in line)


REAL = AmiTimings(ping_every_s=1, back_off_first_s=0.05, back_off_most_s=0.2)


@pytest.mark.asterisk
async def test_real_asterisk_is_seen_as_it_is_call_by_call(asterisk: AsteriskProcess, listener: Listener) -> None:
    async with connected(asterisk.target(), listener, REAL, frozenset({"UserEvent"})) as client:
        await client.wait_ready(within_s=30)
        assert client.device("PJSIP/agent1") is DeviceState.NOT_INUSE
        assert client.snapshot().queues["support"].members == ("PJSIP/agent1",)
        assert client.snapshot().refused == {}

        call = Originate("Local/hold@test/n", "test", "key", channel_id="woken")
        assert (await client.request(call, within_s=2, action_id="call-1")).success
        await listener.wait_for(lambda heard: any(isinstance(item, OriginateEnded) for item in heard))
        ended = next(item for item in listener.heard if isinstance(item, OriginateEnded))
        assert (ended.action_id, ended.answered, ended.unique_id) == ("call-1", True, "woken")

        channels = await client.list(CoreShowChannels(), within_s=2)
        assert {item.get("Uniqueid") for item in channels} == set(client.snapshot().channels)
        name = client.snapshot().channels["woken"].name
        assert (await client.request(PlayDTMF(name, "D"), within_s=2)).success
        await listener.wait_for(lambda heard: any(isinstance(item, Event) for item in heard))

        assert (await client.request(Hangup(name), within_s=2)).success
        await listener.wait_for(lambda heard: sum(isinstance(item, ChannelHungUp) for item in heard) == 2)
        assert client.snapshot().channels == {}
        with pytest.raises(ActionRefusedError, match="Permission denied"):
            await client.list(PJSIPShowContacts(), within_s=2)
        assert len(await client.list(DeviceStateList(), within_s=2)) >= 1


@pytest.mark.asterisk
async def test_real_asterisk_killed_and_started_again_is_noticed_with_its_calls_gone(
    asterisk: AsteriskProcess, listener: Listener
) -> None:
    async with connected(asterisk.target(), listener, REAL) as client:
        await client.wait_ready(within_s=30)
        await client.request(Originate("Local/hold@test/n", "test", "hold"), within_s=2)
        await listener.wait_for(lambda heard: any(isinstance(item, OriginateEnded) for item in heard))
        assert client.snapshot().channels
        started = await start_time(asterisk)
        await asterisk.stop()
        with pytest.raises((NotConnectedError, ActionOutcomeUnknownError)):
            await client.request(Ping(), within_s=2)
        await asterisk.start()
        # Asterisk tells its start to the second and starts in a fifth of one: again, until it is another second.
        while await start_time(asterisk) == started:
            await asterisk.stop()
            await asterisk.start()
        await listener.wait_for(
            lambda heard: any(isinstance(item, AmiSnapshot) and item.asterisk_restarted for item in heard), 30
        )
        assert client.snapshot().channels == {}
        assert listener.of(Gap)


@pytest.mark.asterisk
async def test_real_asterisk_frozen_is_left_and_found_again_with_the_gap_marked(
    asterisk: AsteriskProcess, listener: Listener
) -> None:
    timings = AmiTimings(ping_every_s=0.1, ping_s=0.3, login_s=0.5, back_off_first_s=0.05, back_off_most_s=0.1)
    async with connected(asterisk.target(), listener, timings) as client:
        await client.wait_ready(within_s=30)
        await client.request(Originate("Local/hold@test/n", "test", "hold"), within_s=2)
        await listener.wait_for(lambda heard: any(isinstance(item, OriginateEnded) for item in heard))
        os.kill(asterisk.pid, signal.SIGSTOP)
        try:
            await listener.wait_state(LinkState.DISCONNECTED)
            assert "no sign of life" in client.reason
        finally:
            os.kill(asterisk.pid, signal.SIGCONT)
        await client.wait_ready(within_s=30)
        await listener.wait_for(lambda heard: len([item for item in heard if isinstance(item, AmiSnapshot)]) >= 2)
        assert len(listener.of(Gap)) == 1
        assert len(client.snapshot().channels) == 2, "the calls went on while we were away"
        assert not any(isinstance(item, AmiSnapshot) and item.asterisk_restarted for item in listener.heard)


@pytest.mark.asterisk
async def test_real_asterisk_refuses_a_wrong_secret_in_so_many_words(
    asterisk: AsteriskProcess, listener: Listener
) -> None:
    timings = AmiTimings(refused_tries=1, refused_pause_s=60)
    async with connected(asterisk.target(secret="wrong"), listener, timings) as client:
        await listener.wait_state(LinkState.REFUSED, 10)
        assert "Authentication failed" in client.reason


@pytest.mark.asterisk
async def test_real_asterisk_wakes_a_hundred_times_a_second(asterisk: AsteriskProcess, listener: Listener) -> None:
    async with connected(asterisk.target(), listener, REAL) as client:
        await client.wait_ready(within_s=30)
        await client.request(Originate("Local/hold@test/n", "test", "hold", channel_id="held"), within_s=2)
        await listener.wait_for(lambda heard: any(isinstance(item, OriginateEnded) for item in heard))
        name = client.snapshot().channels["held"].name
        begun = asyncio.get_running_loop().time()
        answers = await asyncio.gather(*(client.request(PlayDTMF(name, "D"), within_s=5) for _ in range(300)))
        took_s = asyncio.get_running_loop().time() - begun
    assert all(answer.success for answer in answers)
    assert took_s < 3, f"300 wake-ups took {took_s:.2f} s"
