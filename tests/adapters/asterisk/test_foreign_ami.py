"""panoramisk, a client that is not ours, must see what ours sees: on a real Asterisk, and on our scripted server."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from panoramisk import Manager

from ivr_engine.adapters.asterisk.ami import AmiClient, AmiSnapshot, AmiTarget, AmiTimings, Delivery, LinkState
from ivr_engine.protocols.ami.actions import (
    CoreShowChannels,
    DeviceStateList,
    Originate,
    Ping,
    QueueStatus,
)
from ivr_engine.protocols.ami.events import TYPED_NAMES, OriginateEnded, typed
from ivr_engine.protocols.ami.message import Event
from ivr_engine.values.clock import SystemClock
from tests.protocols.ami.asterisk_process import AsteriskProcess, running_asterisk
from tests.protocols.ami.scripted_server import ScriptedServer, event_list, message, scripted_server

WITHIN_S = 10.0
LOOP_TURNS = 50
LISTS = {
    "CoreShowChannels": CoreShowChannels(),
    "QueueStatus": QueueStatus(),
    "DeviceStateList": DeviceStateList(),
}
# What differs between two sessions or two moments: ids of actions, and a channel's age.
VOLATILE = frozenset({"actionid", "duration"})


class Foreign(Manager):  # type: ignore[misc]  # panoramisk ships no types
    """panoramisk without its reconnecting, so that no timer outlives a test."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the library's signature
        self._connected = False


@contextlib.asynccontextmanager
async def foreign(target: AmiTarget) -> AsyncIterator[Any]:
    manager = Foreign(
        loop=asyncio.get_running_loop(),
        host=target.host,
        port=target.port,
        username=target.account,
        secret=target.secret,
        events="on",
    )
    await manager.connect()
    try:
        assert (await manager.authenticated_future).success
        yield manager
    finally:
        manager.close()
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def ours(target: AmiTarget, heard: asyncio.Queue[Delivery]) -> AsyncIterator[AmiClient]:
    client = AmiClient(
        target,
        deliver=heard.put,
        clock=SystemClock(),
        jitter=Random(1),
        timings=AmiTimings(),
        wanted=frozenset({"UserEvent", "QueueMemberStatus"}),
    )
    await client.start()
    try:
        await client.wait_ready(within_s=30)
        yield client
    finally:
        await client.close()


async def until(heard: asyncio.Queue[Delivery], kind: type[Delivery]) -> list[Delivery]:
    taken: list[Delivery] = []
    async with asyncio.timeout(WITHIN_S):
        while not taken or not isinstance(taken[-1], kind):
            taken.append(await heard.get())
    return taken


def theirs_as_headers(item: Any) -> dict[str, str]:
    return {key.lower(): value for key, value in item.items() if key.lower() not in VOLATILE and key != "content"}


def ours_as_headers(item: Event) -> dict[str, str]:
    headers = list(item.headers)
    while not headers[-1][1]:
        headers.pop()  # panoramisk loses empty values at the end of a message, such as BridgeId
    return {key.lower(): value for key, value in headers if key.lower() not in VOLATILE}


async def same_lists(client: AmiClient, manager: Any) -> int:
    """Compare every list; one that changed while both asked says nothing and is asked for again."""
    items_seen = 0
    for name, action in LISTS.items():
        async with asyncio.timeout(WITHIN_S):
            while True:
                before = [ours_as_headers(item) for item in await client.list(action, within_s=WITHIN_S)]
                theirs = await manager.send_action({"Action": name}, as_list=True)
                after = [ours_as_headers(item) for item in await client.list(action, within_s=WITHIN_S)]
                if before == after:
                    break
        # First comes the response, last the event that completes the list.
        assert before == [theirs_as_headers(item) for item in theirs[1:-1]]
        items_seen += len(before)
    return items_seen


@pytest.fixture
async def asterisk(tmp_path: Path) -> AsyncIterator[AsteriskProcess]:
    async with running_asterisk(tmp_path) as running:
        yield running


@pytest.mark.asterisk
async def test_both_clients_see_the_same_lists_and_the_same_events_of_a_real_asterisk(
    asterisk: AsteriskProcess,
) -> None:
    heard: asyncio.Queue[Delivery] = asyncio.Queue()
    async with ours(asterisk.target(), heard) as client, foreign(asterisk.target("other")) as manager:
        await until(heard, AmiSnapshot)
        their_events: list[Any] = []
        manager.register_event("*", lambda _manager, event: their_events.append(event))

        for exten in ("greet", "queue", "hold"):
            call = Originate("Local/hold@test/n", "test", exten)
            assert (await client.request(call, within_s=WITHIN_S)).success
        my_events: list[Delivery] = []
        for _ in range(3):
            my_events += await until(heard, OriginateEnded)
        assert await same_lists(client, manager) >= 6
        # The answer to a list comes behind the events before it, in both sessions.
        while not heard.empty():
            my_events.append(heard.get_nowait())

    names = TYPED_NAMES - {"FullyBooted"}
    wanted = Counter(event.event for event in their_events if event.event in names and "actionid" not in event)
    theirs = [
        typed(Event([(key, value) for key, value in event.items() if key != "content"]))
        for event in their_events
        if event.event in names and ("actionid" not in event or event.event == "OriginateResponse")
    ]
    mine = [event for event in my_events if type(event).__name__ in {type(other).__name__ for other in theirs}]
    assert sum(wanted.values()) >= 20
    assert {"ChannelCreated", "DialBegun", "QueueCallerJoined"} <= {type(event).__name__ for event in mine}
    common = min(len(mine), len(theirs))
    assert mine[:common] == theirs[:common]
    assert abs(len(mine) - len(theirs)) <= 2, "one client saw events that the other did not"


async def test_scripted_server_satisfies_a_client_that_is_not_ours() -> None:
    channel = (("Event", "CoreShowChannel"), ("Channel", "PJSIP/x-1"), ("Uniqueid", "1.1"), ("AccountCode", ""))

    async with scripted_server() as server:

        async def channels(session: Any, headers: dict[str, str]) -> None:
            session.write(event_list(headers["ActionID"], "CoreShowChannels", channel, channel))

        server.handlers["coreshowchannels"] = channels
        heard: asyncio.Queue[Delivery] = asyncio.Queue()
        async with ours(server.target(), heard) as client, foreign(server.target()) as manager:
            assert await same_lists(client, manager) == 2
            assert (await manager.send_action({"Action": "Ping"}, as_list=False)).success
            assert (await client.request(Ping(), within_s=1)).success


# The faults for which panoramisk stands off the call path, shown by itself on the same server that ours survives.


async def test_panoramisk_sends_an_unanswered_originate_again_and_ours_does_not() -> None:
    async def ignore(_session: Any, _headers: dict[str, str]) -> None:
        pass

    async with scripted_server() as server:
        server.handlers["originate"] = ignore
        manager = Manager(
            loop=asyncio.get_running_loop(),
            host="127.0.0.1",
            port=server.port,
            username="engine",
            secret=server.target().secret,
            reconnect_timeout=0,
        )
        try:
            await manager.connect()
            await manager.authenticated_future
            call = {"Action": "Originate", "Channel": "PJSIP/1", "Async": "true"}
            unanswered = manager.send_action(call, as_list=False)
            await server.wait_for(lambda: len(server.seen("Originate")) == 1)
            await server.drop_all()
            await server.wait_for(lambda: len(server.seen("Originate")) == 2)
            assert not unanswered.done()
        finally:
            manager.connection_lost = lambda _exc: None
            manager.close()
            await asyncio.sleep(0)


async def test_panoramisk_loses_half_a_chinese_name_and_ours_does_not() -> None:
    async with scripted_server() as server:
        heard: asyncio.Queue[Delivery] = asyncio.Queue()
        async with ours(server.target(), heard) as client, foreign(server.target()) as manager:
            names: asyncio.Queue[str] = asyncio.Queue()
            manager.register_event("UserEvent", lambda _manager, event: names.put_nowait(event["Name"]))
            data = message(("Event", "UserEvent"), ("Name", "张伟先生"), ("End", "1"))
            await send_in_two(server, data, data.index("张".encode()) + 1)
            [*_, mine] = await until(heard, Event)
            async with asyncio.timeout(WITHIN_S):
                theirs = await names.get()
            assert client.state is LinkState.READY
    assert isinstance(mine, Event)
    assert mine.get("Name") == "张伟先生"
    assert theirs == "伟先生"


async def send_in_two(server: ScriptedServer, data: bytes, cut: int) -> None:
    """Write to everybody in two segments, the first of which is read before the second leaves."""
    for session in server.sessions:
        session.write(data[:cut])
        await session.writer.drain()
    for _ in range(LOOP_TURNS):
        await asyncio.sleep(0)
    for session in server.sessions:
        session.write(data[cut:])
