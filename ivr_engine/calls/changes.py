"""Changes that a hang-up does not stop: begun for the caller, finished without them.

Knows tasks and their outcomes. Must not know what is changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from ivr_engine.flow.operations import UNKNOWN, Performed


@dataclass(frozen=True, slots=True)
class LateChange:
    """A change that was finished after the caller had hung up; `operation` is its word in the flow."""

    operation: str
    outcome: str


class Changes:
    """The changes of one call; there is one at a time."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._unfinished: tuple[str, asyncio.Task[Performed]] | None = None

    async def carry_out(self, name: str, work: Coroutine[Any, Any, Performed]) -> Performed:
        """Do the work, which goes on when this is cancelled; `finish()` waits for it."""
        task = asyncio.create_task(work)
        self._unfinished = (name, task)
        performed = await asyncio.shield(task)
        self._unfinished = None
        return performed

    async def finish(self) -> LateChange | None:
        """Wait for a change that a hang-up left behind, and return what became of it; None when there was none."""
        if self._unfinished is None:
            return None
        (name, task), self._unfinished = self._unfinished, None
        await asyncio.wait({task})
        failure = task.exception()
        if failure is not None:
            self._log.error("change_failed", operation=name, exc_info=failure)
            return LateChange(name, UNKNOWN)
        return LateChange(name, task.result().outcome)
