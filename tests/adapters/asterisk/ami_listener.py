"""A subscriber of our AMI client that keeps what it was given, a client connected to it, and events to send."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from random import Random

from ivr_engine.adapters.asterisk.ami import (
    AmiClient,
    AmiTarget,
    AmiTimings,
    Delivery,
    LinkState,
)
from ivr_engine.protocols.ami.actions import (
    Originate,
)
from ivr_engine.values.clock import SystemClock
from tests.protocols.ami.scripted_server import (
    Headers,
    Session,
    message,
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


def device_event(device: str, state: str) -> bytes:
    return message(("Event", "DeviceStateChange"), ("Device", device), ("State", state))


def channel_event(name: str, unique_id: str, channel: str = "PJSIP/x-1") -> bytes:
    return message(("Event", name), ("Channel", channel), ("Uniqueid", unique_id), ("ChannelStateDesc", "Up"))


async def ignore(session: Session, headers: Headers) -> None:
    """Take an action and say nothing."""
