"""The contenders: who answers the call, how each is started, and which processes are its own.

Knows every server that is compared. Must not know how it is measured.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import ClassVar, Final

import sqlalchemy as sa

from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.store.database import Database
from ivr_engine.adapters.store.migrate import upgrade
from ivr_engine.adapters.store.tables import bank_account, bank_customer
from ivr_engine.app.engine import _joined_folder
from ivr_engine.app.settings import PROJECT, Settings
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.secret import SecretDigits
from tests.bench.callers import MENU_KEYS, PIN
from tests.bench.figures import ASTERISK_ROLE, DATABASE_ROLE, ENGINE, ENGINE_POSTGRES, ENGINE_ROLE, NATIVE
from tests.bench.place import (
    ASK_PIN,
    FOREIGN_NUMBER,
    GOODBYE,
    LANGUAGE,
    MENU,
    NATIVE_NUMBER,
    READ_OUT,
    Place,
    prepared_place,
)
from tests.bench.processes import Child
from tests.bench.waiting import BenchError, until
from tests.postgres import PostgresServer

READY_WITHIN_S: Final = 30.0
BALANCE_MINOR: Final = 320_00
FLOWS: Final = Path(__file__).parent / "flows"


class Contender(ABC):
    """One server, started for one run. `close()` stops all that it started; harmless when repeated."""

    NAME: ClassVar[str]
    TITLE: ClassVar[str]

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._place: Place | None = None

    @property
    def place(self) -> Place:
        """Where it runs; raises `BenchError` before `start`."""
        if self._place is None:
            raise BenchError("the contender was not started")
        return self._place

    @property
    @abstractmethod
    def number(self) -> str:
        """The number to dial."""

    @property
    def agi_port(self) -> int | None:
        """The port on which its commands pass, if it speaks AGI."""
        return None

    @property
    def processes(self) -> Mapping[str, int]:
        """Its processes by role."""
        return {ASTERISK_ROLE: self.place.asterisk_pid}

    async def start(self) -> None:
        """Start it and return when calls may come."""
        try:
            self._place = await self._stack.enter_async_context(prepared_place(await self._settings()))
            await self._serve()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Stop it."""
        self._place = None
        await self._stack.aclose()

    async def whole_calls(self) -> int | None:
        """Return how many calls it says that it has brought to their planned end; None where it does not count."""
        return None

    async def held_calls(self) -> int:
        """Return how many calls it holds now."""
        return await self.place.channels()

    async def _settings(self) -> Mapping[str, str]:
        return {}

    async def _serve(self) -> None:
        return None


class Native(Contender):
    """Asterisk alone."""

    NAME = NATIVE
    TITLE = "native dialplan"

    @property
    def number(self) -> str:
        """The number that leads into a dialplan."""
        return NATIVE_NUMBER


class Engine(Contender):
    """This engine as `ivr serve` runs it: its own worker process, its own dialplan, journal on SQLite."""

    NAME = ENGINE
    TITLE = "this engine, no bank"
    FLOW: ClassVar[str] = "plain"

    def __init__(self) -> None:
        super().__init__()
        self._child: Child | None = None

    @property
    def number(self) -> str:
        """The hotline's number."""
        return self.place.settings.dial

    @property
    def agi_port(self) -> int | None:
        """The engine's port."""
        return self.place.settings.agi_port

    @property
    def processes(self) -> Mapping[str, int]:
        """Asterisk and the engine."""
        if self._child is None:
            raise BenchError("the engine was not started")
        return {**super().processes, ENGINE_ROLE: self._child.pid}

    async def whole_calls(self) -> int | None:
        """Ask the engine's metrics for calls that ended as `completed`."""
        return round(await self._metric('ivr_calls_ended_total{reason="completed"}'))

    async def held_calls(self) -> int:
        """Ask the engine's metrics."""
        return round(await self._metric("ivr_calls_live"))

    async def _settings(self) -> Mapping[str, str]:
        return {"IVR_FLOWS_DIR": str(FLOWS / self.FLOW)}

    async def _serve(self) -> None:
        await upgrade(self.place.settings.database)
        await self._prepare_data()
        # The engine removes its folder in memory itself, unless it had to be killed.
        self._stack.callback(_remove_joined, self.place.settings)
        read_fd, write_fd = os.pipe()
        try:
            child = Child("the engine", self.place.folder / "engine.log")
            self._stack.push_async_callback(child.stop)
            self._stack.callback(os.close, read_fd)
            group = self.place.asterisk.group_id
            words = ["-m", "ivr_engine.app.worker", "--beat-fd", str(write_fd)]
            await child.start(
                words + ([] if group is None else ["--asterisk-group", str(group)]),
                folder=self.place.folder,
                environment={**self.place.environment, "PYTHONPATH": str(PROJECT)},
                pass_fds=(write_fd,),
            )
        finally:
            os.close(write_fd)
        self._child = child
        os.set_blocking(read_fd, False)

        def has_beaten() -> bool:
            _ = child.pid  # raises with the log's end when it has died
            try:
                return bool(os.read(read_fd, 1))
            except BlockingIOError:
                return False

        await until(has_beaten, f"the engine is ready\n{child.said()}", READY_WITHIN_S)

    async def _prepare_data(self) -> None:
        return None

    async def _metric(self, name: str) -> float:
        url = f"http://{self.place.settings.web_host}:{self.place.settings.web_port}/metrics"
        text = await asyncio.to_thread(_get, url)
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0


class EngineSqlite(Engine):
    """This engine with PIN check and balance on SQLite."""

    NAME = "engine-sqlite"
    TITLE = "this engine, PIN and balance, SQLite"
    FLOW = "bank"

    async def _prepare_data(self) -> None:
        database = Database(self.place.settings.database)
        try:
            await _open_accounts(database, bytes.fromhex(self.place.secrets.pin_key))
        finally:
            await database.close()


class EnginePostgres(EngineSqlite):
    """This engine with PIN check and balance on PostgreSQL."""

    NAME = ENGINE_POSTGRES
    TITLE = "this engine, PIN and balance, PostgreSQL"

    def __init__(self) -> None:
        super().__init__()
        self._server: PostgresServer | None = None

    @property
    def processes(self) -> Mapping[str, int]:
        """Asterisk, the engine and the database."""
        if self._server is None:
            raise BenchError("PostgreSQL was not started")
        return {**super().processes, DATABASE_ROLE: _postmaster(self._server)}

    async def _settings(self) -> Mapping[str, str]:
        try:
            server = await asyncio.to_thread(PostgresServer)
        except RuntimeError as error:
            raise BenchError(str(error)) from None
        self._stack.callback(server.remove)
        await asyncio.to_thread(server.start)
        self._server = server
        return {**await super()._settings(), "IVR_DATABASE_URL": await asyncio.to_thread(server.new_database)}


class Foreign(Contender):
    """A FastAGI server that is not ours, in a process of its own."""

    MODULE: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self._child: Child | None = None

    @property
    def number(self) -> str:
        """The number that leads to it."""
        return FOREIGN_NUMBER

    @property
    def agi_port(self) -> int | None:
        """The server's port."""
        return self.place.foreign_port

    @property
    def processes(self) -> Mapping[str, int]:
        """Asterisk and the server."""
        if self._child is None:
            raise BenchError("the server was not started")
        return {**super().processes, ENGINE_ROLE: self._child.pid}

    async def _serve(self) -> None:
        child = self._child = Child(self.TITLE, self.place.folder / "server.log")
        self._stack.push_async_callback(child.stop)
        sound = self.place.sound
        words = [MENU_KEYS, PIN, sound(MENU), sound(ASK_PIN), "&".join(map(sound, READ_OUT)), sound(GOODBYE)]
        await child.start(
            ["-m", self.MODULE, str(self.agi_port), *words],
            folder=self.place.folder,
            environment={"PYTHONPATH": str(PROJECT)},
        )

        async def accepts() -> bool:
            _ = child.pid
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.agi_port)
            except ConnectionRefusedError:
                return False
            writer.write(b"\n\n")  # an empty environment: no call
            writer.close()
            await writer.wait_closed()
            return True

        await until(accepts, f"{self.TITLE} listens", READY_WITHIN_S)


class Panoramisk(Foreign):
    """panoramisk's FastAGI application on asyncio's own loop."""

    NAME = "panoramisk"
    TITLE = "panoramisk's FastAGI"
    MODULE = "tests.bench.serve_panoramisk"


class Pyst2(Foreign):
    """pyst2's AGI class, a thread for each call."""

    NAME = "pyst2"
    TITLE = "pyst2's AGI, threads"
    MODULE = "tests.bench.serve_pyst2"


CONTENDERS: Final[tuple[type[Contender], ...]] = (Native, Engine, EnginePostgres, EngineSqlite, Panoramisk, Pyst2)


async def _open_accounts(database: Database, pin_key: bytes) -> None:
    """Put a customer behind every menu key, all with one PIN and with balances that six recordings speak."""
    customers = [(f"90000{key}", f"622500000001{key}") for key in MENU_KEYS]
    async with database.session(writes=True) as connection:
        await connection.execute(
            sa.insert(bank_customer),
            [{"number": number, "name": "Bench", "language": LANGUAGE.value} for number, _ in customers],
        )
        await connection.execute(
            sa.insert(bank_account),
            [
                {
                    "number": account,
                    "customer_number": number,
                    "kind": "demand_savings",
                    "currency": "USD",
                    "read_out_order": 1,
                    "booked_minor": BALANCE_MINOR,
                    "held_minor": 0,
                    "credit_line_minor": 0,
                }
                for number, account in customers
            ],
        )
    core = EmbeddedCore(database, pin_key=pin_key, clock=SystemClock())
    for number, _ in customers:
        await core.set_pin(CustomerNumber(number), SecretDigits(PIN.encode()))


def _remove_joined(settings: Settings) -> None:
    shutil.rmtree(_joined_folder(settings, None), ignore_errors=True)


def _postmaster(server: PostgresServer) -> int:
    return int((server._data / "postmaster.pid").read_text().splitlines()[0])


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
        return text
