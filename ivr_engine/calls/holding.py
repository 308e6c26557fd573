"""Agents who wait, with music, while their caller does what nobody else may hear: types a PIN, above all.

Knows the agent's own line, and when both go on talking. Must not know queues, flows or Asterisk. The agent's telephone
comes to us as a line of its own; whatever goes wrong here, it is let go, and the caller is not left alone for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.channel.line import CallerHungUp, Played
from ivr_engine.values.utterance import Utterance

HOLD_MAX_S: Final = 300.0
"""How long an agent waits for the caller at most; then they are let go."""
ARRIVES_WITHIN_S: Final = 3.0
"""How long it may take until an agent who has asked hears the music."""
TOLD_WITHIN_S: Final = 15.0
JOINED_WITHIN_S: Final = 5.0
"""How long an agent who has been told that the caller is back waits to be joined to them."""
SLICE_MS: Final = 200

Fetch = Callable[[str], Awaitable[bool]]
"""Takes the agent on a channel out of the talk, whose line comes to us then; False when that is surely not possible."""


async def nobody_is_fetched(channel: str) -> bool:
    """Leave every agent in the talk."""
    del channel
    return False


class HeldLine(Protocol):
    """What of an agent's line is used while they wait; every method raises `CallerHungUp`."""

    async def music(self, *, on: bool) -> None:
        """Play hold music under `read_key`, or stop it."""
        ...

    async def play(self, what: Utterance, *, stop_on: str = "", from_ms: int = 0) -> Played:
        """Play something to the agent."""
        ...

    async def read_key(self, *, within_ms: int) -> str | None:
        """Let so much time pass."""
        ...


@dataclass(slots=True)
class Hold:
    """One agent who waits, from the moment when they have asked for it. `gone` when they wait no longer."""

    channel: str
    words: Utterance | None = None
    gone: bool = False
    _comes_back: bool = False
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    async def arrives(self) -> bool:
        """Say whether the agent waits, soon after the talk was interrupted; who has hung up instead does not."""
        await _within(self._arrived, ARRIVES_WITHIN_S)
        return self._arrived.is_set() and not self.gone

    async def tell(self, words: Utterance | None) -> bool:
        """Tell the agent that the caller is back; say whether they are still there."""
        self.words, self._comes_back = words, True
        self._over.set()
        await _within(self._told, TOLD_WITHIN_S)
        return self._told.is_set() and not self.gone

    def let_go(self) -> None:
        """Wait for the caller no longer, whether or not the agent has come; harmless when repeated."""
        self.gone = True
        self._over.set()
        self._arrived.set()

    async def keep(self, line: HeldLine) -> None:
        """Be with the agent until they are joined to the caller, let go, or have hung up."""
        self._arrived.set()
        try:
            async with asyncio.timeout(HOLD_MAX_S):
                await line.music(on=True)
                while not self._over.is_set():
                    await line.read_key(within_ms=SLICE_MS)
                await line.music(on=False)
            if self._comes_back:
                if self.words is not None:
                    await line.play(self.words, stop_on="")
                self._told.set()
                await line.read_key(within_ms=round(JOINED_WITHIN_S * 1000))
        except (CallerHungUp, TimeoutError):
            pass  # they have hung up or were joined; or the caller takes too long, and they are let go
        finally:
            self.gone = True
            self._told.set()


@dataclass(slots=True)
class Holds:
    """All agents of this engine who wait for a caller, by their channel."""

    log: FilteringBoundLogger = field(default_factory=structlog.get_logger)
    running: int = 0
    _open: dict[str, Hold] = field(default_factory=dict)

    def open(self, channel: str) -> Hold:
        """Expect the agent on a channel."""
        hold = self._open[channel] = Hold(channel)
        return hold

    def close(self, hold: Hold) -> None:
        """Expect them no longer, and let them go if they are there; harmless when repeated."""
        hold.let_go()
        if self._open.get(hold.channel) is hold:
            del self._open[hold.channel]

    async def keep(self, channel: str, line: HeldLine) -> None:
        """Be with an agent who has come to us; one whom nobody expects is let go at once."""
        hold = self._open.get(channel)
        if hold is None:
            self.log.warning("agent_on_hold_unknown")
            return
        self.running += 1
        try:
            await hold.keep(line)
        finally:
            self.running -= 1


async def _within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
