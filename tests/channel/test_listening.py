"""While something else is done for a caller, somebody listens: from when on, in virtual time."""

from __future__ import annotations

import asyncio

from ivr_engine.channel.conversation import Conversation
from ivr_engine.simulator.line import ScriptedLine
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual

KEY_LOST_AFTER_S = 0.08
"""A key that begins and ends while no command runs is lost; Asterisk makes every key last so long at least."""
HELD_UP_S = 0.06
"""How long a busy machine may hold the engine up beside its own waiting."""


class NotedLine(ScriptedLine):
    """Notes when it is listened to."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__([])
        self.listened_at: list[float] = []
        self._time = clock

    async def read_key(self, *, within_ms: int) -> str | None:
        self.listened_at.append(self._time.monotonic())
        return await super().read_key(within_ms=within_ms)


async def work(*, takes_s: float) -> None:
    """Be done after a time (a virtual one)."""
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(takes_s, done.set_result, None)
    await done


def test_somebody_listens_soon_after_work_has_begun_so_that_a_busy_engine_loses_no_key() -> None:
    async def main(clock: VirtualClock) -> float:
        line = NotedLine(clock)
        await line.answer()
        began = clock.monotonic()
        await Conversation(line).listen_while(work(takes_s=1))
        return line.listened_at[0] - began

    assert run_virtual(main) <= KEY_LOST_AFTER_S - HELD_UP_S


def test_work_that_is_done_at_once_is_not_held_up_by_listening() -> None:
    async def main(clock: VirtualClock) -> tuple[int, float]:
        line = NotedLine(clock)
        await line.answer()
        began = clock.monotonic()
        await Conversation(line).listen_while(work(takes_s=0.002))
        return len(line.listened_at), clock.monotonic() - began

    listened, took_s = run_virtual(main)
    assert listened == 0
    assert took_s < 0.005
