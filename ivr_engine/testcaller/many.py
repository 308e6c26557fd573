"""Many callers at once: keys at random moments, hang-ups at random moments.

Knows how to spread callers over time, from a seed. Must not know what the engine counted; whoever compares does.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Final, TypeVar

from ivr_engine.testcaller.caller import CallError
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.rtp import FRAME_MS, USUAL_TONE, Tone

Result = TypeVar("Result")
PLAIN_KEYS: Final = "0123456789"


@dataclass(frozen=True, slots=True)
class KeysPlan:
    """How many keys each of how many callers presses: `pause_ms` is the least and the most from key to key.

    `start_within_ms` spreads the callers' beginnings; `settle_ms` is the time between the answer and the first
    key, and between the last key and hanging up.
    """

    calls: int
    keys_per_call: int
    pause_ms: tuple[int, int] = (160, 1000)
    start_within_ms: int = 1000
    settle_ms: int = 300
    tone: Tone = USUAL_TONE
    seed: int = 0


@dataclass(frozen=True, slots=True)
class KeysSent:
    """What one caller pressed; `failure` tells why it is less than planned."""

    caller: str
    keys: str
    failure: str | None


async def press_at_random(phone: Phone, number: str, plan: KeysPlan) -> list[KeysSent]:
    """Place `plan.calls` calls at once and press random keys at random moments; return them per call.

    Each caller calls from a number of its own, so that the far end can count per caller.
    """

    async def one(position: int) -> KeysSent:
        chance = random.Random(f"{plan.seed}/{position}")  # noqa: S311  # test traffic, repeatable
        caller_number = f"139{position:08d}"
        await asyncio.sleep(chance.uniform(0, plan.start_within_ms) / 1000)
        keys, failure = "", None
        try:
            async with phone.dial(number, caller=caller_number) as caller:
                await caller.wait(plan.settle_ms)
                for _ in range(plan.keys_per_call):
                    key = chance.choice(PLAIN_KEYS)
                    pause_ms = max(chance.randint(*plan.pause_ms), plan.tone.shortest_every_ms)
                    await caller.press(key, every_ms=_ticks(plan.tone.shortest_every_ms), tone=plan.tone)
                    keys += key
                    await caller.wait(pause_ms - plan.tone.tone_ms)
                await caller.wait(plan.settle_ms)
        except CallError as error:
            failure = str(error)
        return KeysSent(caller_number, keys, failure)

    return await all_of(one, plan.calls)


@dataclass(frozen=True, slots=True)
class HangUpsPlan:
    """How many calls, how many of them at once, and the ms within which each hangs up after dialling."""

    calls: int
    at_once: int
    within_ms: int
    seed: int = 0


async def hang_up_at_random(phone: Phone, number: str, plan: HangUpsPlan) -> list[float]:
    """Place calls that hang up at a random instant, also before the answer; return ms from dialling to it."""
    free = asyncio.Semaphore(plan.at_once)

    async def one(position: int) -> float:
        chance = random.Random(f"{plan.seed}/{position}")  # noqa: S311  # test traffic, repeatable
        async with free, phone.ring(number, caller=f"138{position:08d}") as caller:
            after_ms = chance.uniform(0, plan.within_ms)
            await caller.wait(round(after_ms))
            caller.hang_up()
            return after_ms

    return await all_of(one, plan.calls)


async def all_of(one: Callable[[int], Coroutine[None, None, Result]], calls: int, *, every_ms: int = 0) -> list[Result]:
    """Run `one(0)`, `one(1)`, …, a new one every `every_ms`, and return their results in this order."""

    async def in_turn(position: int) -> Result:
        await asyncio.sleep(position * every_ms / 1000)
        return await one(position)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(in_turn(position)) for position in range(calls)]
    return [task.result() for task in tasks]


def _ticks(milliseconds: int) -> int:
    return -(-milliseconds // FRAME_MS) * FRAME_MS
