"""Our AMI client against a scripted server that misbehaves in every known way, and against a real Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from random import Random

import pytest

from ivr_engine.adapters.asterisk.ami import (
    ActionOutcomeUnknownError,
    ActionRefusedError,
    AmiClient,
    AmiSnapshot,
    AmiTarget,
    AmiTimings,
    Delivery,
    Gap,
    LinkState,
    ListDamagedError,
    NotConnectedError,
)
from ivr_engine.protocols.ami.actions import (
    CoreShowChannels,
    DeviceStateList,
    Getvar,
    Hangup,
    Originate,
    Ping,
    PJSIPShowContacts,
    PlayDTMF,
    QueueStatus,
)
from ivr_engine.protocols.ami.errors import LocalProtocolError
from ivr_engine.protocols.ami.events import (
    ChannelCreated,
    ChannelHungUp,
    DeviceState,
    DeviceStateChanged,
    FullyBooted,
    OriginateEnded,
)
from ivr_engine.protocols.ami.message import Event
from ivr_engine.values.clock import SystemClock
from tests.protocols.ami.asterisk_process import AsteriskProcess, running_asterisk
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

FAST = AmiTimings(
    connect_s=5,
    login_s=5,
    booted_s=5,
    list_s=5,
    ping_every_s=30,
    ping_s=0.1,
    back_off_first_s=0.001,
    back_off_most_s=0.005,
    refused_pause_s=0.01,
)
WITHIN_S = 5.0
CALL = Originate("PJSIP/100@trunk", "outbound", "s")


class Listener:
    """A subscriber that keeps what it was given."""

    def __init__(self) -> None:
        self.heard: list[Delivery] = []
        self.states: list[LinkState] = []
        self._state_changed = asyncio.Event()
        self._changed = asyncio.Condition()

    async def deliver(self, item: Delivery) -> None:
        async with self._changed:
            self.heard.append(item)
            self._changed.notify_all()

    def note_state(self, state: LinkState, reason: str) -> None:
        assert reason
        self.states.append(state)
        self._state_changed.set()

    async def wait_state(self, state: LinkState, within_s: float = WITHIN_S) -> None:
        async with asyncio.timeout(within_s):
            while self.states[-1:] != [state]:
                self._state_changed.clear()
                await self._state_changed.wait()

    async def wait_for(self, condition: Callable[[list[Delivery]], bool], within_s: float = WITHIN_S) -> None:
        async with asyncio.timeout(within_s), self._changed:
            await self._changed.wait_for(lambda: condition(self.heard))

    def of(self, kind: type[Delivery]) -> list[Delivery]:
        return [item for item in self.heard if isinstance(item, kind)]


@contextlib.asynccontextmanager
async def connected(
    target: AmiTarget, listener: Listener, timings: AmiTimings = FAST, wanted: frozenset[str] = frozenset()
) -> AsyncIterator[AmiClient]:
    client = AmiClient(
        target,
        deliver=listener.deliver,
        clock=SystemClock(),
        jitter=Random(1),
        timings=timings,
        wanted=wanted,
        state_changed=listener.note_state,
    )
    await client.start()
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as running:
        yield running


@pytest.fixture
async def listener() -> Listener:
    return Listener()


def device_event(device: str, state: str) -> bytes:
    return message(("Event", "DeviceStateChange"), ("Device", device), ("State", state))


def channel_event(name: str, unique_id: str, channel: str = "PJSIP/x-1") -> bytes:
    return message(("Event", name), ("Channel", channel), ("Uniqueid", unique_id), ("ChannelStateDesc", "Up"))


async def ignore(session: Session, headers: Headers) -> None:
    """Take an action and say nothing."""


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


# Against a real Asterisk.


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
