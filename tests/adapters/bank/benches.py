"""Banks and wires for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from ivr_engine.adapters.bank.demo import seed_demo
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.store.database import Database
from tests.banking.clock import SetClock
from tests.banking.contract import PIN_KEY, PINS, Bench
from tests.waiting import PATIENCE_S

TOKEN = "a-token-that-is-long-enough-for-a-bank"


@asynccontextmanager
async def opened_bench(database_url: str) -> AsyncIterator[Bench]:
    """An embedded core with the demo customers."""
    clock = SetClock()
    database = Database(database_url, deadline_s=PATIENCE_S)
    try:
        await seed_demo(database, PIN_KEY, PINS, clock=clock)
        core = EmbeddedCore(database, pin_key=PIN_KEY, clock=clock)
        yield Bench(core, core, clock)
    finally:
        await database.close()


@asynccontextmanager
async def served(application: web.Application) -> AsyncIterator[str]:
    """The application on a free loopback port; gives its URL."""
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


class Wire:
    """A TCP proxy to a server; `on_request` sees what goes there, and `mute` keeps back what comes from there."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._tasks: set[asyncio.Task[None]] = set()
        self.mute = False
        self.on_request: Callable[[bytes], None] = lambda _data: None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on a free loopback port."""
        listener = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, near_in: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far_in, far_out = await asyncio.open_connection(*self._server)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await asyncio.gather(self._there(near_in, far_out), self._back(far_in, near_out))
        except OSError:
            pass
        finally:
            self._tasks.discard(task)
            near_out.close()
            far_out.close()

    async def _there(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        async def forward(data: bytes) -> None:
            self.on_request(data)
            target.write(data)
            await target.drain()

        await _pump(source, forward)
        target.close()

    async def _back(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        async def forward(data: bytes) -> None:
            if not self.mute:
                target.write(data)
                await target.drain()

        await _pump(source, forward)
        target.close()


async def _pump(source: asyncio.StreamReader, forward: Callable[[bytes], Awaitable[None]]) -> None:
    while data := await source.read(65536):
        await forward(data)
