"""How our AMI client loses its connection and gets it back, against a scripted server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from ivr_engine.adapters.asterisk.ami import (
    AmiClient,
    AmiSnapshot,
    AmiTimings,
    Delivery,
    Gap,
    LinkState,
    NotConnectedError,
)
from ivr_engine.protocols.ami.actions import (
    Ping,
)
from ivr_engine.protocols.ami.events import (
    ChannelCreated,
    DeviceState,
    DeviceStateChanged,
    FullyBooted,
)
from ivr_engine.values.clock import SystemClock
from tests.adapters.asterisk.ami_listener import (
    FAST,
    WITHIN_S,
    Listener,
    channel_event,
    connected,
    device_event,
    ignore,
)
from tests.protocols.ami.scripted_server import (
    Headers,
    ScriptedServer,
    Session,
    error,
    event_list,
    scripted_server,
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def listener() -> Listener:
    return Listener()


async def test_close_while_waiting_to_reconnect_stays_closed(server: ScriptedServer, listener: Listener) -> None:
    # panoramisk's timer reconnects after close().
    slow = AmiTimings(back_off_first_s=30, back_off_most_s=30)
    async with connected(server.target(), listener, slow) as client:
        await client.wait_ready(within_s=WITHIN_S)
        await server.drop_all()
        await listener.wait_state(LinkState.DISCONNECTED)
        async with asyncio.timeout(1):
            await client.close()
    await client.close()
    assert listener.states[-1] is LinkState.CLOSED
    assert len(server.sessions) == 1
    with pytest.raises(NotConnectedError):
        await client.request(Ping(), within_s=1)


async def test_peer_without_a_sign_of_life_is_left_for_a_new_connection(
    server: ScriptedServer, listener: Listener
) -> None:
    server.handlers["ping"] = ignore
    timings = AmiTimings(ping_every_s=0.01, ping_s=0.02, back_off_first_s=0.001, back_off_most_s=0.002)
    async with connected(server.target(), listener, timings):
        await server.wait_for(lambda: len(server.sessions) >= 2)
        await listener.wait_for(lambda heard: any(isinstance(item, Gap) for item in heard))


async def test_wrong_secret_is_told_and_tried_again_slowly_until_it_is_mended(
    server: ScriptedServer, listener: Listener
) -> None:
    server.secret = "another"
    async with connected(server.target(), listener) as client:
        await server.wait_for(lambda: len(server.seen("Login")) >= FAST.refused_tries + 1)
        assert LinkState.REFUSED in listener.states
        assert client.state is LinkState.REFUSED
        assert not client.statistics.connects
        with pytest.raises(NotConnectedError, match=r"account engine refused \d times: Authentication failed"):
            await client.wait_ready(within_s=0)
        server.secret = server.target().secret
        await client.wait_ready(within_s=WITHIN_S)
    tries = listener.states.index(LinkState.REFUSED)
    assert listener.states[:tries].count(LinkState.CONNECTING) == FAST.refused_tries


async def test_account_that_never_hears_fully_booted_is_told_why(server: ScriptedServer, listener: Listener) -> None:
    server.boots = False
    timings = AmiTimings(booted_s=0.02, back_off_first_s=30, back_off_most_s=30)
    async with connected(server.target(), listener, timings) as client:
        await server.wait_for(lambda: bool(server.seen("Login")))
        await listener.wait_state(LinkState.DISCONNECTED)
        assert "does not read class system" in client.reason


async def test_break_is_marked_as_a_gap_before_the_next_snapshot(server: ScriptedServer, listener: Listener) -> None:
    async with connected(server.target(), listener):
        await listener.wait_for(lambda heard: any(isinstance(item, FullyBooted) for item in heard))
        server.sessions[0].write(device_event("PJSIP/a", "INUSE"))
        await listener.wait_for(lambda heard: isinstance(heard[-1], DeviceStateChanged))
        await server.drop_all()
        await listener.wait_for(lambda heard: sum(isinstance(item, FullyBooted) for item in heard) == 2)
    kinds = [type(item) for item in listener.heard]
    assert kinds == [AmiSnapshot, FullyBooted, DeviceStateChanged, Gap, AmiSnapshot, FullyBooted]
    gap = listener.of(Gap)[0]
    assert isinstance(gap, Gap)
    assert gap.since <= gap.until


async def test_restarted_asterisk_is_told_and_its_old_calls_are_forgotten(
    server: ScriptedServer, listener: Listener
) -> None:
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        server.sessions[0].write(channel_event("Newchannel", "1.1"))
        await listener.wait_for(lambda heard: isinstance(heard[-1], ChannelCreated))
        server.started = "15:00:00"
        await server.drop_all()
        await listener.wait_for(lambda heard: sum(isinstance(item, AmiSnapshot) for item in heard) == 2)
    first, second = listener.of(AmiSnapshot)
    assert isinstance(first, AmiSnapshot)
    assert isinstance(second, AmiSnapshot)
    assert (first.asterisk_restarted, second.asterisk_restarted) == (False, True)
    assert second.channels == {}


async def test_lists_fetched_again_correct_what_an_event_never_told(server: ScriptedServer, listener: Listener) -> None:
    timings = AmiTimings(resync_every_s=0.01)
    async with connected(server.target(), listener, timings) as client:
        await client.wait_ready(within_s=WITHIN_S)
        server.sessions[0].write(channel_event("Newchannel", "1.1"))  # and its Hangup is never heard
        await listener.wait_for(lambda heard: any(isinstance(item, AmiSnapshot) and item.corrections for item in heard))
        await client.close()
    assert client.snapshot().channels == {}
    assert client.statistics.corrections == 1
    assert not listener.of(Gap)


async def test_list_refused_for_want_of_a_module_is_named_and_the_others_count(
    server: ScriptedServer, listener: Listener
) -> None:
    async def refuse(session: Session, headers: Headers) -> None:
        session.write(error(headers["ActionID"], "Invalid/unknown command: QueueStatus."))

    server.handlers["queuestatus"] = refuse
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        assert list(client.snapshot().refused) == ["QueueStatus"]


async def test_damaged_list_ends_the_connection_and_is_fetched_on_a_new_one(
    server: ScriptedServer, listener: Listener
) -> None:
    async def lose_one(session: Session, headers: Headers) -> None:
        item = (("Event", "CoreShowChannel"), ("Channel", "PJSIP/x"), ("Uniqueid", "1.1"))
        announced = 2 if len(server.sessions) == 1 else 1
        session.write(event_list(headers["ActionID"], "CoreShowChannels", item, announced=announced))

    server.handlers["coreshowchannels"] = lose_one
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        assert len(server.sessions) == 2
        assert list(client.snapshot().channels) == ["1.1"]


async def test_subscriber_that_is_too_slow_gets_a_gap_and_a_fresh_snapshot(server: ScriptedServer) -> None:
    released = asyncio.Event()
    listener = Listener()

    async def deliver(item: Delivery) -> None:
        await listener.deliver(item)
        await released.wait()

    timings = AmiTimings(queued_events=50)
    client = AmiClient(server.target(), deliver=deliver, clock=SystemClock(), jitter=Random(1), timings=timings)
    await client.start()
    try:
        await client.wait_ready(within_s=WITHIN_S)
        for number in range(80):
            server.sessions[0].write(device_event(f"PJSIP/{number}", "INUSE"))
        await server.wait_for(lambda: len(server.seen("DeviceStateList")) >= 2)
        released.set()
        await listener.wait_for(lambda heard: len(heard) > 2 and isinstance(heard[-1], AmiSnapshot))
        [gap] = listener.of(Gap)
        assert isinstance(gap, Gap)
        assert "slower" in gap.reason
        assert client.statistics.events_dropped >= 50
        assert client.device("PJSIP/79") is DeviceState.UNKNOWN
        assert len(server.sessions) == 1
    finally:
        await client.close()


async def test_server_that_is_no_asterisk_is_left_alone_and_tried_again(
    server: ScriptedServer, listener: Listener
) -> None:
    server.greeting = b"SSH-2.0-OpenSSH_9.2\r\n"
    async with connected(server.target(), listener) as client:
        await server.wait_for(lambda: len(server.sessions) >= 3)
        with pytest.raises(NotConnectedError):
            await client.request(Ping(), within_s=1)
    assert not server.seen("Login")
