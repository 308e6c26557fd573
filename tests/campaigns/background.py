"""An event loop in a thread of its own, for what has to serve while a test does something else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

ANSWER_S: Final = 20.0

T = TypeVar("T")


class BackgroundLoop:
    """Runs coroutines for a caller who has no event loop, or another one. Use `background_loop()`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="background loop")
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it there and return its result; raise `TimeoutError` after 20 s."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_S)

    def close(self) -> None:
        """Cancel what is left, and end the thread."""
        self.do(_cancel_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def background_loop() -> Iterator[BackgroundLoop]:
    """Run one as long as the context lasts."""
    loop = BackgroundLoop()
    try:
        yield loop
    finally:
        loop.close()


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
