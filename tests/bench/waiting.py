"""Waiting in real time: for a condition of a real process, or for a measured pause.

Knows the event loop. Must not know what is waited for. A benchmark measures real time, so it cannot do without.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import tests.waiting

POLL_S: Final = 0.05


class BenchError(RuntimeError):
    """The benchmark cannot go on; the message says why and what to do."""


async def pause(seconds: float) -> None:
    """Let real time pass."""
    await asyncio.sleep(seconds)


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str, within_s: float) -> None:
    """Return when the condition holds; raise `BenchError` when it does not in time."""
    try:
        await tests.waiting.until(condition, what, within_s=within_s, poll_s=POLL_S)
    except AssertionError as error:
        raise BenchError(str(error)) from None
