"""What a step of a call costs, by the runner and written by hand in Python: `python -m tests.simulator.measure_steps`.

Run it on a quiet machine. Both have the same conversation and operations, and a line that answers at once: what the
runner takes more is the price of a language of flows. The best of some rounds is told: others only add to it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from ivr_engine.channel.conversation import Conversation
from ivr_engine.channel.line import TERMINATOR, KeysEnd, KeysRead, Played
from ivr_engine.flow.call import Call, QueueOutcome
from ivr_engine.flow.runner import Runner, StepDone
from ivr_engine.simulator.bank import sample_bank
from ivr_engine.simulator.line import ScriptedLine
from ivr_engine.simulator.office import ports_of
from ivr_engine.simulator.play import PlayedQueues
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance
from tests.flow.world import shipped
from tests.simulator.by_hand import ByHand

KEYS: Final = ("3", "1", "620001#", "246810", "1", "9", "0", "5")
CALLS: Final = 200
ROUNDS: Final = 10


@dataclass(slots=True)
class InstantLine(ScriptedLine):
    """A caller who hears everything at once and answers each question by the next keys."""

    answers: deque[str] = field(default_factory=deque)

    async def play(self, what: Utterance, *, stop_on: str = "", from_ms: int = 0) -> Played:
        """Hear it to its end in no time."""
        del what, stop_on, from_ms
        return Played(None, 0)

    async def read_keys(self, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
        """Type the next answer."""
        del what, within_ms
        keys = self.answers.popleft()
        end = KeysEnd.TERMINATOR if keys.endswith(TERMINATOR) else KeysEnd.FULL
        return KeysRead(SecretDigits(keys.removesuffix(TERMINATOR)[:max_keys].encode()), end)


async def main() -> None:
    trace: list[StepDone] = []

    async def by_runner(call: Call) -> str:
        trace.clear()
        return await Runner(shipped(), call, SystemClock(), on_step=trace.append).run("hotline")

    async def by_hand(call: Call) -> str:
        return await ByHand(call).run()

    best = {by_runner: float("inf"), by_hand: float("inf")}
    for number in range(ROUNDS):
        for way in best:
            best[way] = min(best[way], await _processor_time(way, number))
    steps = len(trace)
    runner, hand = (best[way] / CALLS / steps * 1e6 for way in (by_runner, by_hand))
    sys.stdout.write(f"a call of {steps} steps, a step: {runner:.1f} us by the runner, {hand:.1f} us by hand, ")
    sys.stdout.write(f"ratio {runner / hand:.2f}, {runner - hand:.1f} us more\n")


async def _processor_time(talk: Callable[[Call], Awaitable[str]], number: int) -> float:
    """Return the processor time of some calls."""
    clock = SystemClock()
    bank = sample_bank(clock)
    took = 0.0
    for place in range(CALLS):
        line = InstantLine(answers=deque(KEYS))
        conversation = Conversation(line)
        ports = ports_of(bank, CallId(f"call-{number}-{place}"), clock, shipped().messages)
        operations = ports.operations
        call = Call(
            conversation,
            operations,
            PlayedQueues(conversation, QueueOutcome.ANSWERED),
            operations,
            Language.ENGLISH,
            ports.back_office,
        )
        call.clock = clock
        began = time.process_time()
        reason = await talk(call)
        took += time.process_time() - began
        assert reason == "completed"
        assert not line.answers
    return took


if __name__ == "__main__":
    asyncio.run(main())
