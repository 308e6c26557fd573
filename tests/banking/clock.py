"""A clock that tests set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SetClock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        """Return seconds since 1970 on this clock."""
        return self.time.timestamp()

    def now(self) -> datetime:
        """Return the time that was set."""
        return self.time

    def move(self, step: timedelta) -> None:
        """Move the clock."""
        self.time += step
