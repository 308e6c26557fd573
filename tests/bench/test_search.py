"""The search finds a limit that it does not know, in few tries, and never claims a rate that was not held."""

from __future__ import annotations

import pytest

from tests.bench.search import RATE_MAX, RATE_MIN, Found, highest_rate


class Server:
    """Holds every rate up to a limit, and remembers what it was asked."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.asked: list[int] = []

    async def holds(self, rate: int) -> bool:
        self.asked.append(rate)
        return rate <= self._limit


@pytest.mark.parametrize("limit", [5, 37, 119, 120, 121, 190, 205, 480])
async def test_search_ends_within_closeness_below_the_limit(limit: int) -> None:
    server = Server(limit)
    found = await highest_rate(server.holds, start=120, closeness=1.05, tries_max=40)
    assert found.refused is not None
    assert found.held <= limit < found.refused
    assert found.refused <= max(found.held * 1.05, found.held + 1)


async def test_search_stops_when_its_tries_are_used_up() -> None:
    server = Server(190)
    found = await highest_rate(server.holds, start=120, closeness=1.001, tries_max=4)
    assert (found.tries, len(server.asked)) == (4, 4)
    assert found.held in server.asked


async def test_server_that_holds_everything_has_no_refused_rate() -> None:
    found = await highest_rate(Server(10_000).holds, start=120, closeness=1.05, tries_max=40)
    assert (found.held, found.refused) == (RATE_MAX, None)


async def test_server_that_holds_nothing_is_tried_down_to_the_least_rate() -> None:
    server = Server(0)
    found = await highest_rate(server.holds, start=120, closeness=1.05, tries_max=40)
    assert found == Found(0, RATE_MIN, len(server.asked))
    assert server.asked[-1] == RATE_MIN


async def test_no_rate_is_tried_twice() -> None:
    server = Server(150)
    await highest_rate(server.holds, start=120, closeness=1.0, tries_max=40)
    assert len(server.asked) == len(set(server.asked))
