"""A core bank behind REST that takes its time: the embedded core with the demonstration customers, in this process."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aiohttp import web

from ivr_engine.adapters.bank.demo import seed_demo
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.bank.server import core_application
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.secret import SecretDigits
from tests.campaigns.background import BackgroundLoop, background_loop

HOST: Final = "127.0.0.1"
PIN_KEY_BYTES: Final = 32


class SlowBank:
    """Every answer takes `delay_s` longer. It has its port from the start and serves from `open` on.

    The token is the hotline's, which is made when the hotline starts, and that has to know the port.
    """

    def __init__(self, folder: Path, loop: BackgroundLoop, delay_s: float) -> None:
        self.delay_s = delay_s
        self.questions = 0
        self._folder = folder
        self._loop = loop
        self._key = secrets.token_bytes(PIN_KEY_BYTES)
        self._pins: dict[CustomerNumber, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind((HOST, 0))
        self._database: Database | None = None
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base address for `IVR_BANK_URL`."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    def pin(self, customer: str) -> SecretDigits:
        """Return a demonstration customer's PIN."""
        return SecretDigits(self._pins[CustomerNumber(customer)].encode())

    def open(self, token: str) -> None:
        """Serve whoever shows the token."""
        self._loop.do(self._open(token))

    def close(self) -> None:
        """Serve no more."""
        self._loop.do(self._close())
        self._socket.close()

    async def _open(self, token: str) -> None:
        url = f"sqlite:///{self._folder / 'bank.db'}"
        await upgrade(url)
        self._database = Database(url)
        self._pins = await seed_demo(self._database, self._key, clock=SystemClock())
        core = EmbeddedCore(self._database, pin_key=self._key, clock=SystemClock())
        application = core_application(core, token=token)
        application.middlewares.append(self._slowly())
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket).start()

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        if self._database is not None:
            await self._database.close()

    def _slowly(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def slowly(
            request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
        ) -> web.StreamResponse:
            self.questions += 1
            await request.read()  # what has arrived is dealt with, even if the asker does not wait for the answer
            loop = asyncio.get_running_loop()
            time_is_up = loop.create_future()
            timer = loop.call_later(self.delay_s, time_is_up.set_result, None)
            try:
                await time_is_up
            finally:
                timer.cancel()
            response = await handler(request)
            response.force_close()  # no connection stays open that a test would have to wait for
            return response

        return slowly


@contextmanager
def slow_bank(folder: Path, *, delay_s: float) -> Iterator[SlowBank]:
    """Make one that is closed at the end; it serves after `open`."""
    with background_loop() as loop:
        bank = SlowBank(folder, loop, delay_s)
        try:
            yield bank
        finally:
            bank.close()
