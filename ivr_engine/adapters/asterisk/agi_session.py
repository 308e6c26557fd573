"""One call's AGI session: commands out, one at a time, each with its answer or the end of the call.

Knows the event loop, the sans-I/O connection and what a failed answer may mean. Must not know who may
connect (`fastagi`), nor what a call is for.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ivr_engine.channel.line import CallerHungUp
from ivr_engine.protocols.agi import (
    AgiConnection,
    ChannelStatus,
    Command,
    CommandFailedError,
    EndOfStream,
    Environment,
    HangupNotice,
    LocalProtocolError,
    RemoteProtocolError,
    Reply,
)

CONFIRM_S: Final = 5.0
"""Seconds within which Asterisk says whether a channel is alive after a command failed."""

_OK: Final = 200


@dataclass(frozen=True, slots=True)
class AgiTimings:
    """Where times go; each is called with seconds and must return at once (a histogram's `observe`).

    `think` gets the time from an answer to the next command, which is the engine's own; `reply` the name
    of a command and the time from it to its answer, which is Asterisk's and the caller's.
    """

    think: Callable[[float], object] | None = None
    reply: Callable[[str, float], object] | None = None


_UNTIMED: Final = AgiTimings()


class AgiSession:
    """The commands of one call.

    One task uses it. Once `HANGUP` or the end of the stream has come, no command is sent any more: every
    `execute` raises `CallerHungUp`. (The channel may live on in the dialplan: a redirect and an expired
    TIMEOUT(absolute) look the same from here, and in each case the call is no longer ours.)
    """

    __slots__ = (
        "_answered_at",
        "_connection",
        "_due",
        "_fault",
        "_loop",
        "_pending",
        "_pending_name",
        "_sent_at",
        "_settled",
        "_timer",
        "_timings",
        "_transport",
        "command_count",
        "environment",
    )

    def __init__(
        self,
        environment: Environment,
        connection: AgiConnection,
        transport: asyncio.WriteTransport,
        loop: asyncio.AbstractEventLoop,
        timings: AgiTimings = _UNTIMED,
    ) -> None:
        self.environment = environment
        self.command_count = 0
        """Commands sent so far."""
        self._connection = connection
        self._transport = transport
        self._loop = loop
        self._timings = timings
        self._pending: asyncio.Future[Reply] | None = None
        self._pending_name = ""
        self._settled: asyncio.Future[None] | None = None
        self._due = math.inf
        self._timer: asyncio.TimerHandle | None = None
        self._fault: RemoteProtocolError | None = None
        self._sent_at = self._answered_at = loop.time()

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the dialplan gave after the token."""
        return self.environment.arguments[1:]

    @property
    def hung_up(self) -> bool:
        """Whether the call has ended for this session."""
        return self._connection.hung_up

    async def execute(self, command: Command, *, within_s: float) -> Reply:
        """Send a command and return its answer, which is a 200 and no failure.

        `within_s` bounds the whole wait, so it holds the command's own time and Asterisk's; beyond it the
        session is of no use, since the late answer would meet the next command: the connection is closed.

        An answer that came before the hang-up is returned, even if the hang-up came right behind it: what a
        caller typed before he left counts. When the awaiting task is cancelled, the next `execute`
        first waits for the abandoned answer and drops it, so that answers never shift.

        Raises `CallerHungUp`; `CommandFailedError` if Asterisk would not do it on a living channel;
        `RemoteProtocolError` if the session broke; `LocalProtocolError` for misuse (two commands at once).
        """
        reply = await self.ask(command, within_s=within_s)
        if reply.code == _OK and not reply.failed:
            return reply
        if reply.dead_channel:
            raise CallerHungUp
        if reply.code == _OK:
            # -1 is a hang-up, or a file that cannot be played, and looks the same: only the channel knows.
            status = await self.ask(ChannelStatus(), within_s=CONFIRM_S)
            if status.dead_channel:
                raise CallerHungUp
            message = f"{command.name} failed on a living channel"
            raise CommandFailedError(message, _OK)
        message = f"{command.name} was refused: {reply.code} {reply.text}"
        raise CommandFailedError(message, reply.code)

    async def ask(self, command: Command, *, within_s: float) -> Reply:
        """Send a command and return its answer, whatever it says; else as `execute`.

        For commands whose failure says something: what was recorded before a hang-up is there.
        """
        if self._pending is not None:
            await self._settle_abandoned(command)
        if self._fault is not None:
            raise self._fault
        if self._connection.hung_up:
            raise CallerHungUp
        line = self._connection.send(command)
        now = self._loop.time()
        if self._timings.think is not None:
            self._timings.think(now - self._answered_at)
        self._sent_at = now
        self._pending_name = command.name
        self.command_count += 1
        pending: asyncio.Future[Reply] = self._loop.create_future()
        self._pending = pending
        self._due = now + within_s
        if self._timer is None or self._timer.when() > self._due:
            self._watch()
        self._transport.write(line)
        return await pending

    async def _settle_abandoned(self, command: Command) -> None:
        if self._pending is None or not self._pending.cancelled() or self._settled is not None:
            message = f"{command.name} cannot be sent: {self._pending_name} of the same call is outstanding"
            raise LocalProtocolError(message)
        self._settled = self._loop.create_future()
        try:
            await self._settled
        finally:
            self._settled = None

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch(self) -> None:
        self._rest()
        self._timer = self._loop.call_at(self._due, self._expire)

    def _expire(self) -> None:
        """End the session if an answer is due; one timer is set for many commands, most of which are answered."""
        self._timer = None
        if self._loop.time() < self._due:
            if self._due < math.inf:
                self._watch()
            return
        message = f"no answer to {self._pending_name} in time"
        self.broken(RemoteProtocolError(message))
        self._transport.abort()

    # What follows is called by the protocol that owns the transport, never by a call.

    def replied(self, reply: Reply) -> None:
        """Give the pending command its answer."""
        self._answered_at = now = self._loop.time()
        if self._timings.reply is not None:
            self._timings.reply(self._pending_name, now - self._sent_at)
        pending = self._finish()
        if pending is not None:
            pending.set_result(reply)
        elif reply.digits is not None:
            reply.digits.wipe()

    def noticed(self, event: HangupNotice | EndOfStream) -> None:
        """Note the end of the call; a pending command still gets its answer, unless the stream has ended."""
        if isinstance(event, EndOfStream):
            pending = self._finish()
            self._rest()
            if pending is not None:
                pending.set_exception(CallerHungUp())

    def broken(self, fault: RemoteProtocolError) -> None:
        """Note that the peer broke the protocol: the pending command and all later ones raise `fault`."""
        if self._fault is None:
            self._fault = fault
        pending = self._finish()
        self._rest()
        if pending is not None:
            pending.set_exception(fault)

    def _finish(self) -> asyncio.Future[Reply] | None:
        """Forget the pending command; return its future if somebody still waits."""
        self._due = math.inf
        pending, self._pending = self._pending, None
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
        return None if pending is None or pending.done() else pending
