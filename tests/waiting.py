"""Waiting in real time for something in another process or thread, which sets no event here.

Everything that can be waited for by an event is; and what runs on a virtual clock never comes here.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final

POLL_S: Final = 0.005
PATIENCE_S: Final = 30.0
"""The deadline of a database or a bank in tests that are not about deadlines: a machine may stand still for seconds."""


async def until(
    condition: Callable[[], bool | Awaitable[bool]], what: str = "", *, within_s: float = 5.0, poll_s: float = POLL_S
) -> float:
    """Return, as soon as the condition holds, the seconds that it took; `AssertionError` when time is up."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while True:
        found = condition()
        if await found if inspect.isawaitable(found) else found:
            return loop.time() - began
        assert loop.time() - began < within_s, (
            f"not within {within_s:g} s: {what or inspect.getsource(condition).strip()}"
        )
        await asyncio.sleep(poll_s)
