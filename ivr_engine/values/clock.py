"""Time as a port, so that tests and simulations own it.

Knows two questions: how much time has passed, and what the calendar says. Must not know time-outs:
those are asyncio's, on the running loop, which a simulation replaces by a virtual one.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What time it is."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never goes back (PEP 418)."""
        ...

    def now(self) -> datetime:
        """Return the calendar time, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the calendar time in UTC."""
        return datetime.now(UTC)
