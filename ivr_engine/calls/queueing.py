"""Waiting for an agent: the loop that drives the dispatcher, and the caller's side of it.

Knows who waits with which line, and carries the dispatcher's decisions out. Must not know its rules (acd/), nor how a
waiting line is woken. A wake-up that is lost costs at most `WAIT_SLICE_MS`, or the rest of a prompt that is heard
meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.acd.dispatcher import decide, next_due
from ivr_engine.acd.messages import (
    CallerEntered,
    CallerLeft,
    Decision,
    Event,
    Full,
    LeaveReason,
    NoAgents,
    Offer,
    OfferEnded,
    OfferResult,
    Tick,
    TimeOut,
    Withdraw,
)
from ivr_engine.acd.model import QueueName, QueueSettings
from ivr_engine.acd.state import AcdState, empty_state
from ivr_engine.calls.ports import LiveLine
from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import CalledAway, CallerHungUp, DialResult
from ivr_engine.flow.call import QueueOutcome, Wanted
from ivr_engine.values.clock import Clock
from ivr_engine.values.ids import CallId

WAIT_SLICE_MS: Final = 1000
"""How long a waiting line listens before it looks by itself whether an agent is offered."""
BACKSTOP_S: Final = 180
"""How long the dialplan leaves a caller to an engine that gives no sign of life."""

DIAL_MARGIN_S: Final = 2.0

Wake = Callable[[str], Awaitable[None]]


@dataclass(slots=True)
class Waiter:
    """A caller who waits: where to wake them, for whom, and the newest decision that they have not seen."""

    channel: str
    wanted: Wanted
    decision: Offer | TimeOut | NoAgents | Full | None = None
    ringing: Offer | None = None


class AgentQueues:
    """All queues of this engine; `tell` it what happens, and `run` it for what is due by time."""

    def __init__(
        self, queues: Iterable[QueueSettings], clock: Clock, wake: Wake, log: FilteringBoundLogger | None = None
    ) -> None:
        self._clock = clock
        self._wake = wake
        self._state = empty_state(queues, self._now())
        self._waiters: dict[CallId, Waiter] = {}
        self._to_wake: asyncio.Queue[str] = asyncio.Queue()
        self._changed = asyncio.Event()
        self._log: FilteringBoundLogger = log if log is not None else structlog.get_logger()

    @property
    def state(self) -> AcdState:
        """The dispatcher's state at this moment, for screens and metrics."""
        return self._state

    def tell(self, event: Event) -> None:
        """Let the dispatcher decide on an event, and pass its decisions on."""
        self._state, decisions = decide(self._state, event, self._now())
        for decision in decisions:
            self._pass_on(decision)
        self._changed.set()

    def agent_answered(self, channel: str) -> None:
        """Note that the agent who is rung for this channel has answered."""
        for call, waiter in self._waiters.items():
            if waiter.channel == channel and waiter.ringing is not None:
                offer = waiter.ringing
                self.tell(OfferEnded(call, offer.agent, offer.number, OfferResult.ANSWERED))
                return

    async def run(self) -> None:
        """Drive what is due by time, and wake lines, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick())
            group.create_task(self._wake_lines())

    def enter(self, call: CallId, channel: str, wanted: Wanted) -> Waiter:
        """Put a caller into a queue; the answer may already be there. Who waits in it already keeps the place."""
        waiter = self._waiters.get(call)
        if waiter is None or waiter.wanted.queue != wanted.queue:
            waiter = self._waiters[call] = Waiter(channel, wanted)
            self.tell(
                CallerEntered(
                    call,
                    QueueName(wanted.queue),
                    self._now(),
                    wanted.priority,
                    most_s=None if wanted.most_ms is None else wanted.most_ms / 1000,
                    skills=wanted.skills,
                    relax_s=None if wanted.relax_ms is None else wanted.relax_ms / 1000,
                )
            )
        return waiter

    def leave(self, call: CallId, reason: LeaveReason = LeaveReason.HUNG_UP) -> None:
        """Forget a caller who hung up, was served or waits no longer; harmless when repeated."""
        if self._waiters.pop(call, None) is not None:
            self.tell(CallerLeft(call, reason))

    def offer_ended(self, call: CallId, offer: Offer, result: DialResult, talk_s: int) -> None:
        """Report how an offer ended; the talk, if there was one, is over."""
        waiter = self._waiters.get(call)
        if waiter is not None:
            waiter.ringing = None
        self.tell(OfferEnded(call, offer.agent, offer.number, OfferResult(result.value), talk_s))

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _pass_on(self, decision: Decision) -> None:
        waiter = self._waiters.get(decision.call)
        if waiter is None:
            return
        self._log.info("acd_decision", acd_call=decision.call, what=type(decision).__name__, why=str(decision.reason))
        if isinstance(decision, Withdraw):
            if isinstance(waiter.decision, Offer) and waiter.decision.number == decision.number:
                waiter.decision = None
            return
        waiter.decision = decision
        self._to_wake.put_nowait(waiter.channel)

    async def _tick(self) -> None:
        while True:
            self._changed.clear()
            due = next_due(self._state)
            delay = None if due is None else max(0.0, due - self._now())
            try:
                async with asyncio.timeout(delay):
                    await self._changed.wait()
            except TimeoutError:
                self.tell(Tick())

    async def _wake_lines(self) -> None:
        while True:
            await self._wake(await self._to_wake.get())


class CallQueues:
    """The queues as one call sees them (the `Queues` port of flows)."""

    def __init__(self, queues: AgentQueues, call: CallId, channel: str, line: LiveLine, talk: Conversation) -> None:
        self._queues = queues
        self._call = call
        self._channel = channel
        self._line = line
        self._conversation = talk
        self._served = False
        self._waiter: Waiter | None = None

    async def enter(self, wanted: Wanted) -> None:
        """Put the caller into a queue and say the words before the music, unless an agent is free or calls away.

        Keys typed until then are dropped: they were meant for something else.
        """
        if self._served:
            self._served = False
            await self._line.mark_agent_spoke(spoke=False)
        self._waiter = self._queues.enter(self._call, self._channel, wanted)
        try:
            if wanted.hold is not None and not self.has_news:
                self._conversation.watch(self._news)
                with contextlib.suppress(CalledAway):
                    await self._conversation.say(wanted.hold)
        except BaseException:
            self.leave()
            raise
        self._conversation.unwatch()
        self._conversation.forget_typed_ahead()

    async def wait(self, within_ms: int | None = None) -> QueueOutcome | None:
        """Play music until an agent has answered and left again, or there is none: then the queue is left.

        None when the caller still waits after `within_ms`, or has pressed a key before. From then on `CalledAway` rises
        in the conversation as soon as there is news.
        """
        waiter = self._waiter
        if waiter is None:
            raise AssertionError("who waits has entered a queue before")
        self._conversation.unwatch()
        try:
            outcome = await self._until_served(waiter, within_ms)
        except BaseException:
            self.leave()
            raise
        if outcome is None:
            self._conversation.watch(self._news)
        else:
            self.leave()
        return outcome

    @property
    def has_news(self) -> bool:
        """Whether an agent is offered, or the wait is over."""
        return self._waiter is not None and self._waiter.decision is not None

    def leave(self) -> None:
        """Wait no longer; harmless when repeated."""
        self._conversation.unwatch()
        if self._waiter is not None:
            self._waiter = None
            self._queues.leave(self._call)

    def _news(self) -> bool:
        return self.has_news

    async def _until_served(self, waiter: Waiter, within_ms: int | None) -> QueueOutcome | None:
        music, loop = False, asyncio.get_running_loop()
        until = math.inf if within_ms is None else loop.time() + within_ms / 1000
        while True:
            decision, waiter.decision = waiter.decision, None
            left_ms = math.ceil(min((until - loop.time()) * 1000, WAIT_SLICE_MS))
            if isinstance(decision, Offer):
                self._conversation.forget_typed_ahead()  # what was asked meanwhile is given up
                if await self._ring(waiter, decision):
                    return QueueOutcome.ANSWERED
                music = False
            elif isinstance(decision, NoAgents | Full | TimeOut) or left_ms <= 0 or self._conversation.keys:
                if music:
                    await self._line.music(on=False)
                if decision is None:
                    return None
                self._conversation.forget_typed_ahead()
                return _OUTCOMES[type(decision)]
            else:
                if not music:
                    await self._line.music(on=True)
                    music = True
                await self._line.renew_backstop(BACKSTOP_S)
                key = await self._conversation.wait_key(left_ms)
                if key is not None and within_ms is not None:
                    self._conversation.keys.add(key)

    async def _ring(self, waiter: Waiter, offer: Offer) -> bool:
        waiter.ringing = offer
        result, talk_s = DialResult.UNREACHABLE, 0
        # Dial gives up by itself after ring_s: if it has not by then, the agent has answered, whatever AMI said.
        answered_by = asyncio.get_running_loop().call_later(
            offer.ring_s + DIAL_MARGIN_S, self._queues.agent_answered, self._channel
        )
        try:
            await self._line.renew_backstop(0)  # a talk may last
            dialled = await self._line.dial(offer.endpoint, ring_s=offer.ring_s, whisper=waiter.wanted.whisper)
            result, talk_s = dialled.result, dialled.talk_seconds
        except CallerHungUp:
            waiter.ringing = None
            raise
        finally:
            answered_by.cancel()
        self._queues.offer_ended(self._call, offer, result, talk_s)
        if result is DialResult.ANSWERED:
            await self._line.mark_agent_spoke(spoke=True)
            self._served = True
        await self._line.renew_backstop(BACKSTOP_S)
        return result is DialResult.ANSWERED


_OUTCOMES: Final[Mapping[type[NoAgents | Full | TimeOut], QueueOutcome]] = {
    NoAgents: QueueOutcome.NO_AGENTS,
    Full: QueueOutcome.FULL,
    TimeOut: QueueOutcome.TIMED_OUT,
}
