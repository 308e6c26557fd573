"""A loop whose time jumps."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta

import pytest

from ivr_engine.simulator.virtual_time import EPOCH, VirtualClock, VirtualTimeLoop, run_virtual


def test_hour_of_silence_takes_no_time() -> None:
    async def main(clock: VirtualClock) -> tuple[float, timedelta]:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.Event().wait()
        return clock.monotonic(), clock.now() - EPOCH

    began = time.perf_counter()
    assert run_virtual(main) == (3600.0, timedelta(hours=1))
    assert time.perf_counter() - began < 5


def test_timers_fire_in_their_order_and_at_their_time() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, float]]:
        fired: list[tuple[str, float]] = []
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def note(name: str) -> None:
            fired.append((name, clock.monotonic()))

        for name, after in (("late", 2.0), ("early", 0.5), ("middle", 1.0)):
            loop.call_later(after, note, name)
        loop.call_later(3.0, over.set_result, None)
        await over
        return fired

    assert run_virtual(main) == [("early", 0.5), ("middle", 1.0), ("late", 2.0)]


def test_time_out_is_met_at_its_very_moment() -> None:
    async def main(clock: VirtualClock) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4.0):
                await asyncio.Event().wait()
        return clock.monotonic()

    assert run_virtual(main) == 4.0


def test_time_stands_still_while_something_can_be_done() -> None:
    async def main(clock: VirtualClock) -> float:
        for _ in range(1000):
            await asyncio.sleep(0)
        return clock.monotonic()

    assert run_virtual(main) == 0.0


def test_waiting_for_what_never_comes_is_an_error_and_no_endless_wait() -> None:
    async def main(clock: VirtualClock) -> None:
        del clock
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="hang for ever"):
        run_virtual(main)


def test_time_that_is_passed_at_once_does_not_overtake_anybody() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, float]]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        told: list[tuple[str, float]] = []

        async def other() -> None:
            told.append(("begins", clock.monotonic()))
            await asyncio.sleep(1.0)
            told.append(("ends", clock.monotonic()))

        group = asyncio.gather(other())
        await loop.pass_until(0.5)
        told.append(("half", clock.monotonic()))
        await loop.pass_until(2.0)
        told.append(("two", clock.monotonic()))
        await loop.pass_until(1.0)  # gone by: nothing happens
        told.append(("still two", clock.monotonic()))
        await group
        return told

    assert run_virtual(main) == [("begins", 0.0), ("half", 0.5), ("ends", 1.0), ("two", 2.0), ("still two", 2.0)]


def test_time_out_is_met_though_time_is_passed_at_once() -> None:
    async def main(clock: VirtualClock) -> float:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(4.0):
                await loop.pass_until(9.0)
        return clock.monotonic()

    assert run_virtual(main) == 4.0


def test_calendar_begins_where_it_is_set_however_old_the_loop_is() -> None:
    async def main(clock: VirtualClock) -> tuple[datetime, datetime]:
        await asyncio.sleep(100)
        begins = datetime(2027, 1, 1, tzinfo=UTC)
        later = VirtualClock(asyncio.get_running_loop(), begins)
        await asyncio.sleep(60)
        return clock.now() - timedelta(seconds=160), later.now() - timedelta(seconds=60)

    assert run_virtual(main) == (EPOCH, datetime(2027, 1, 1, tzinfo=UTC))
