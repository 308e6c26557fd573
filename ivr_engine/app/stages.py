"""Several stages side by side, which take one test after the other from one list.

Knows how many there are and what is still to be placed. Must not know how a test is placed, or how results are shown.
"""

from __future__ import annotations

import asyncio
import gc
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from ivr_engine.app.placing import Placed
from ivr_engine.app.prepare import Narrator
from ivr_engine.app.settings import Settings
from ivr_engine.app.stage import Stage
from ivr_engine.app.stage_ground import laid_ground
from ivr_engine.simulator.scenario import Result

Placing = Callable[[Placed], None]
"""Is told of each test as soon as it is placed."""


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

    async def work(stage: Stage) -> None:
        while left:
            number = left.popleft()
            placed[number] = await stage.place(results[number].scenario, results[number])
            on_placed(placed[number])

    if left:
        async with laid_ground(given, narrator) as ground, AsyncExitStack() as stack:
            count = min(stages, len(left))
            narrator.begin("hotlines of our own")
            opened = [await stack.enter_async_context(Stage.at(ground, number)) for number in range(count)]
            narrator.done(f"{count} started")
            gc.collect()
            gc.freeze()  # a full collection among all that is loaded would hold the calls up
            async with asyncio.TaskGroup() as group:
                for stage in opened:
                    group.create_task(work(stage))
    return [placed[number] for number in range(len(results))]
