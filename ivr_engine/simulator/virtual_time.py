"""An event loop whose time jumps to the next timer when nothing else is to be done.

Knows asyncio's loop. Must not know calls. Code under test uses `asyncio.timeout`, `asyncio.sleep` and the clock port as
ever; an hour of silence takes a millisecond. Real sockets are refused: they would wait in real time.
"""

from __future__ import annotations

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

T = TypeVar("T")

EPOCH: Final = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class StuckError(RuntimeError):
    """Everything waits, and nothing is due."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: hands the time-out to the clock instead."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise StuckError("everything waits and nothing is due: the call would hang for ever")
        if not ready and timeout is not None and timeout > 0:
            self._advance(timeout)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that begins at time 0 and jumps from timer to timer."""

    # What the loop of asyncio has to do at once, and later; it has no public names.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_JumpingSelector(self._advance))

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._now

    def is_awaited_before(self, when: float) -> bool:
        """Say whether anybody else has something to do until a time."""
        return bool(self._ready) or any(timer.when() <= when and not timer.cancelled() for timer in self._scheduled)

    async def pass_until(self, when: float) -> None:
        """Wait until a time, as `asyncio.sleep` does; where nobody else waits for anything, the time is simply set."""
        if self.is_awaited_before(when):
            await asyncio.sleep(max(0.0, when - self._now))
        elif when > self._now:
            self._now = when

    def _advance(self, seconds: float) -> None:
        self._now += seconds


class VirtualClock:
    """The clock port over a virtual loop; the calendar is at `epoch` when the clock is made."""

    def __init__(self, loop: asyncio.AbstractEventLoop, epoch: datetime = EPOCH) -> None:
        self._loop = loop
        self._epoch = epoch - timedelta(seconds=loop.time())

    def monotonic(self) -> float:
        """Return virtual seconds."""
        return self._loop.time()

    def now(self) -> datetime:
        """Return virtual calendar time."""
        return self._epoch + timedelta(seconds=self._loop.time())


def run_virtual(main: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end in virtual time, and return what it returns."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main(VirtualClock(runner.get_loop())))
