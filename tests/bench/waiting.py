"""Waiting in real time: for a condition of a real process, or for a measured pause.

Knows the event loop. Must not know what is waited for. A benchmark measures real time, so it cannot do without.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Final

POLL_S: Final = 0.05


class BenchError(RuntimeError):
    """The benchmark cannot go on; the message says why and what to do."""


async def pause(seconds: float) -> None:
    """Let real time pass."""
    await asyncio.sleep(seconds)


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, within_s: float) -> None:
    """Return when the condition holds; raise `BenchError` when it does not in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while True:
        holds = condition()
        if inspect.isawaitable(holds):
            holds = await holds
        if holds:
            return
        if loop.time() > deadline:
            message = f"not within {within_s:.0f} s: {what}"
            raise BenchError(message)
        await pause(POLL_S)
