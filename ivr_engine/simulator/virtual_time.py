"""An event loop whose time jumps to the next timer when nothing else is to be done.

Knows asyncio's loop. Must not know calls. Code under test uses `asyncio.timeout`, `asyncio.sleep` and the clock port as
ever; an hour of silence takes a millisecond. Real sockets are refused: they would wait in real time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")

EPOCH: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: hands the time-out to the clock instead."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise RuntimeError("everything waits and nothing is due: the call would hang for ever")
        if not ready and timeout is not None and timeout > 0:
            self._advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that begins at time 0 and jumps from timer to timer."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self._advance))

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._now

    def _advance(self, seconds: float) -> None:
        self._now += seconds


class VirtualClock:
    """The clock port over a virtual loop; the calendar begins at `EPOCH`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._loop.time()

    def now(self) -> datetime:
        """Return virtual calendar time."""
        return EPOCH + timedelta(seconds=self._loop.time())


def run_virtual(main: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in virtual time, and return what it returns."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main(VirtualClock(runner.get_loop())))
