"""What our AMI client asks and hears, against a scripted server that misbehaves in every known way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from random import Random

import pytest

from ivr_engine.adapters.asterisk.ami import (
    ActionOutcomeUnknownError,
    ActionRefusedError,
    AmiClient,
    AmiSnapshot,
    AmiTarget,
    Delivery,
    LinkState,
    ListDamagedError,
)
from ivr_engine.protocols.ami.actions import (
    Getvar,
    Ping,
    PlayDTMF,
    QueueStatus,
)
from ivr_engine.protocols.ami.errors import LocalProtocolError
from ivr_engine.protocols.ami.events import (
    DeviceState,
    DeviceStateChanged,
    FullyBooted,
)
from ivr_engine.protocols.ami.message import Event
from ivr_engine.values.clock import SystemClock
from tests.adapters.asterisk.ami_listener import (
    CALL,
    FAST,
    WITHIN_S,
    Listener,
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
    message,
    scripted_server,
    success,
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def listener() -> Listener:
    return Listener()


async def test_client_logs_in_waits_for_boot_then_turns_events_on_then_lists(
    server: ScriptedServer, listener: Listener
) -> None:
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        names = [headers["Action"] for headers in server.sessions[0].actions]
    assert names[:7] == [
        "Challenge",
        "Login",
        "Events",
        "CoreStatus",
        "CoreShowChannels",
        "QueueStatus",
        "DeviceStateList",
    ]
    assert server.seen("Login")[0]["Events"] == "system"
    assert "Secret" not in server.seen("Login")[0]
    wanted = [LinkState.CONNECTING, LinkState.SYNCHRONISING, LinkState.READY, LinkState.CLOSED]
    assert listener.states == wanted
    await server.wait_for(lambda: bool(server.seen("Logoff")))


async def test_events_of_the_time_of_listing_come_behind_the_snapshot(
    server: ScriptedServer, listener: Listener
) -> None:
    async def list_slowly(session: Session, headers: Headers) -> None:
        session.write(device_event("PJSIP/a", "INUSE"))
        items = (("Event", "DeviceStateChange"), ("Device", "PJSIP/a"), ("State", "NOT_INUSE"))
        session.write(event_list(headers["ActionID"], "DeviceStateList", items))

    server.handlers["devicestatelist"] = list_slowly
    async with connected(server.target(), listener) as client:
        await listener.wait_for(lambda heard: any(isinstance(item, DeviceStateChanged) for item in heard))
        kinds = [type(item) for item in listener.heard]
        assert kinds == [AmiSnapshot, FullyBooted, DeviceStateChanged]
        assert client.device("PJSIP/a") is DeviceState.INUSE
        assert client.device("PJSIP/never") is DeviceState.UNKNOWN


async def test_queue_add_is_answered_once_and_done(server: ScriptedServer, listener: Listener) -> None:
    # panoramisk waits for a second message after "Added interface to queue" for ever.
    async def added(session: Session, headers: Headers) -> None:
        session.write(success(headers["ActionID"], ("Message", "Added interface to queue")))

    server.handlers["ping"] = added
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        assert (await client.request(Ping(), within_s=1)).text == "Added interface to queue"


async def test_list_answered_by_an_error_is_refused_at_once(server: ScriptedServer, listener: Listener) -> None:
    # panoramisk hangs here.
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)

        async def refuse(session: Session, headers: Headers) -> None:
            session.write(error(headers["ActionID"], "No such queue"))

        server.handlers["queuestatus"] = refuse
        with pytest.raises(ActionRefusedError, match="No such queue"):
            await client.list(QueueStatus("none"), within_s=1)
        with pytest.raises(ListDamagedError):
            await client.list(Ping(), within_s=1)


async def test_subscriber_that_fails_costs_neither_the_connection_nor_other_events(server: ScriptedServer) -> None:
    # panoramisk closes the connection and loses the rest of the read.
    heard: list[str] = []
    done = asyncio.Event()

    async def deliver(item: Delivery) -> None:
        if isinstance(item, DeviceStateChanged):
            heard.append(item.device)
            if item.device == "PJSIP/c":
                done.set()
            del heard[7]  # a bug of the subscriber

    client = AmiClient(server.target(), deliver=deliver, clock=SystemClock(), jitter=Random(1), timings=FAST)
    await client.start()
    try:
        await client.wait_ready(within_s=WITHIN_S)
        for name in "abc":
            server.sessions[0].write(device_event(f"PJSIP/{name}", "INUSE"))
        async with asyncio.timeout(WITHIN_S):
            await done.wait()
        assert heard == ["PJSIP/a", "PJSIP/b", "PJSIP/c"]
        assert (await client.request(Ping(), within_s=1)).success
        assert len(server.sessions) == 1
    finally:
        await client.close()
    assert client.statistics.subscriber_failures == 3


async def test_chinese_name_cut_in_the_middle_of_a_character_arrives_whole(
    server: ScriptedServer, listener: Listener
) -> None:
    async with connected(server.target(), listener, wanted=frozenset({"UserEvent"})) as client:
        await client.wait_ready(within_s=WITHIN_S)
        data = message(("Event", "UserEvent"), ("Name", "张伟先生"))
        for position in range(len(data)):
            server.sessions[0].write(data[position : position + 1])
            await server.sessions[0].writer.drain()
            await asyncio.sleep(0)
        await listener.wait_for(lambda heard: isinstance(heard[-1], Event))
        last = listener.heard[-1]
        assert isinstance(last, Event)
        assert last.get("Name") == "张伟先生"


async def test_originate_cut_off_before_its_answer_is_unknown_and_never_sent_again(
    server: ScriptedServer, listener: Listener
) -> None:
    # panoramisk sends it again after the reconnect: a second call to the customer.
    server.handlers["originate"] = ignore
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        asking = asyncio.ensure_future(client.request(CALL, within_s=WITHIN_S, action_id="campaign-7"))
        await server.wait_for(lambda: bool(server.seen("Originate")))
        await server.drop_all()
        with pytest.raises(ActionOutcomeUnknownError) as caught:
            await asking
        assert caught.value.action_id == "campaign-7"
        await server.wait_for(lambda: len(server.seen("DeviceStateList")) == 2)
        await client.wait_ready(within_s=WITHIN_S)
        await client.request(Ping(), within_s=1)
    assert len(server.seen("Originate")) == 1
    assert client.statistics.outcomes_unknown == 1


async def test_answer_that_never_comes_is_unknown_and_a_late_one_disturbs_nobody(
    server: ScriptedServer, listener: Listener
) -> None:
    server.handlers["originate"] = ignore
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        with pytest.raises(ActionOutcomeUnknownError, match="no answer within"):
            await client.request(CALL, within_s=0.02, action_id="late")
        server.sessions[0].write(success("late"))
        assert (await client.request(Ping(), within_s=1)).success


async def test_line_break_in_a_value_never_reaches_the_wire(server: ScriptedServer, listener: Listener) -> None:
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        before = len(server.sessions[0].actions)
        with pytest.raises(LocalProtocolError):
            await client.request(Getvar("PJSIP/x", "A\r\n\r\nAction: Command\r\nCommand: core stop now"), within_s=1)
        await client.request(Ping(), within_s=1)
        assert [headers["Action"] for headers in server.sessions[0].actions[before:]] == ["Ping"]


async def test_wake_ups_of_many_calls_are_answered_while_others_still_wait(
    server: ScriptedServer, listener: Listener
) -> None:
    async with connected(server.target(), listener) as client:
        await client.wait_ready(within_s=WITHIN_S)
        answers = await asyncio.gather(
            *(client.request(PlayDTMF(f"PJSIP/x-{number}", "D"), within_s=2) for number in range(500))
        )
    assert all(answer.success for answer in answers)
    assert len({headers["ActionID"] for headers in server.seen("PlayDTMF")}) == 500


async def test_client_is_started_once() -> None:
    client = AmiClient(
        AmiTarget("127.0.0.1", 9, "engine", ""), deliver=Listener().deliver, clock=SystemClock(), jitter=Random(1)
    )
    await client.close()
    await client.close()
    with pytest.raises(RuntimeError):
        await client.start()
