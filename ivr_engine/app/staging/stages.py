"""Several stages side by side, which take one test after the other from one list.

Knows how many there are and what is still to be placed. Must not know how a test is placed, or how results are shown.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, nullcontext
from typing import Final

from ivr_engine.app.placing import Placed
from ivr_engine.app.prepare import Narrator
from ivr_engine.app.settings import Settings
from ivr_engine.app.staging.ground import PORTS, Ground, laid_ground
from ivr_engine.app.staging.stage import Stage
from ivr_engine.simulator.scenario import Result
from ivr_engine.testcaller.ports import free_ports

STARTED_AT_A_TIME: Final = 2
"""More would only take the processor from each other."""
Placing = Callable[[Placed], None]
"""Is told of each test as soon as it is placed."""
PlaceOne = Callable[[Stage, int], Awaitable[None]]
"""Places the test of a number on a stage."""


async def place_on_stages(
    results: Sequence[Result], given: Settings, narrator: Narrator, *, stages: int, on_placed: Placing
) -> list[Placed]:
    """Place every test that went as written in virtual time; return all, in their order.

    Raises what `ivr serve` raises when a hotline cannot start.
    """
    placed: dict[int, Placed] = {}
    waiting: list[int] = []
    for number, result in enumerate(results):
        if result.failures:
            placed[number] = Placed(
                result.scenario, result, None, None, tuple(failure.message for failure in result.failures)
            )
            on_placed(placed[number])
        else:
            waiting.append(number)
    # The longest first: whoever takes the last one is not waited for.
    waiting.sort(key=lambda number: -results[number].told.seconds)
    left = deque(waiting)

    async def place_one(stage: Stage, number: int) -> None:
        placed[number] = await stage.place(results[number].scenario, results[number])
        on_placed(placed[number])

    async with laid_ground(given, narrator) if waiting else nullcontext() as ground:
        if ground is not None:
            await _work(left, ground, narrator, min(stages, len(left)), place_one)
    return [placed[number] for number in range(len(results))]


async def _work(left: deque[int], ground: Ground, narrator: Narrator, count: int, place_one: PlaceOne) -> None:
    """Start so many stages, then let each take what is left; a stage that cannot start ends all."""
    ports = free_ports(count * PORTS)
    starting, started = asyncio.Semaphore(STARTED_AT_A_TIME), asyncio.Barrier(count + 1)

    async def work(number: int) -> None:
        async with AsyncExitStack() as stack:
            async with starting:
                own = ports[number * PORTS : (number + 1) * PORTS]
                stage = await stack.enter_async_context(Stage.at(ground, number, own))
            await started.wait()
            while left:
                await place_one(stage, left.popleft())

    narrator.begin("hotlines of our own")
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(work(number))
        await started.wait()
        gc.collect()
        gc.freeze()  # a full collection among all that is loaded would hold the calls up
        narrator.done(f"{count} started")
    gc.unfreeze()
