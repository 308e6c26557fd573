"""One talk of a caller with an agent: from the ringing to its end, however often the agent interrupts it.

Knows the caller's line, the offer, and the agent who waits meanwhile. Must not know who is chosen, nor what the caller
does while the agent waits.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from ivr_engine.acd.messages import Offer
from ivr_engine.calls.ports import LiveLine
from ivr_engine.channel.line import CallerHungUp, Dialled, DialResult
from ivr_engine.values.ids import CallId
from ivr_engine.values.utterance import Utterance

if TYPE_CHECKING:
    from ivr_engine.calls.queueing import AgentQueues, Waiter

DIAL_MARGIN_S: Final = 2.0


class TalkEnd(Enum):
    """How a talk, or the attempt at one, has come to a stop."""

    NOBODY = auto()
    """Nobody has answered; or the agent who waited has hung up."""
    OVER = auto()
    INTERRUPTED = auto()
    """The agent waits until the caller has done what the agent has asked for."""


@dataclass(slots=True)
class Talk:
    """One talk; `began` when it did, on the loop's clock."""

    queues: AgentQueues
    call: CallId
    line: LiveLine
    waiter: Waiter
    offer: Offer
    began: float = 0.0

    async def ring(self) -> TalkEnd:
        """Ring the agent, and talk."""
        waiter, offer, wanted = self.waiter, self.offer, self.waiter.wanted
        waiter.ringing, waiter.agent = offer, ""
        # Dial gives up by itself after ring_s: if it has not by then, the agent has answered, whatever AMI said.
        answered_by = asyncio.get_running_loop().call_later(
            offer.ring_s + DIAL_MARGIN_S, self.queues.agent_answered, waiter.channel
        )
        try:
            await self.line.renew_backstop(0)  # a talk may last
            dialled = await self.line.dial(
                offer.endpoint, ring_s=offer.ring_s, whisper=wanted.whisper, secure=wanted.secure
            )
        except CallerHungUp:
            waiter.ringing = None
            raise
        finally:
            answered_by.cancel()
        self.began = asyncio.get_running_loop().time() - dialled.talk_seconds
        return await self._after(dialled)

    async def go_on(self, told: Utterance | None) -> TalkEnd:
        """Tell the agent who waits how it went, and talk on."""
        waiter, hold = self.waiter, self.waiter.hold
        if hold is None:
            raise AssertionError("nobody waits for this caller")
        there = await hold.tell(told)
        self.queues.holds.close(hold)
        waiter.hold = None
        if there:
            await self.line.renew_backstop(0)
            await self.line.mark_agent_spoke(spoke=True)
            dialled = await self.line.rejoin(hold.channel)
            if dialled.result is DialResult.ANSWERED:
                return await self._after(dialled)
            await self.line.mark_agent_spoke(spoke=False)
        self._end(DialResult.ANSWERED)
        return TalkEnd.NOBODY

    def let_go(self) -> None:
        """Let an agent go who waits; harmless when nobody does."""
        if self.waiter.hold is not None:
            self.queues.holds.close(self.waiter.hold)
            self.waiter.hold = None

    async def _after(self, dialled: Dialled) -> TalkEnd:
        answered, hold = dialled.result is DialResult.ANSWERED, self.waiter.hold
        if answered and hold is not None and await hold.arrives():
            await self.line.mark_agent_spoke(spoke=False)  # should the engine die, the caller is not done
            return TalkEnd.INTERRUPTED
        self.let_go()
        self._end(dialled.result)
        return TalkEnd.OVER if answered else TalkEnd.NOBODY

    def _end(self, result: DialResult) -> None:
        """Tell the dispatcher; a talk was one from its beginning, interruptions and all."""
        lasted = round(asyncio.get_running_loop().time() - self.began) if result is DialResult.ANSWERED else 0
        self.queues.offer_ended(self.call, self.offer, result, lasted)
