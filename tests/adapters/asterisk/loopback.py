"""A real Asterisk on loopback for one test, callers for it, and eyes on its manager interface.

Everything stands in a folder of its own that others may enter (pytest's own folders are closed to them, and
Asterisk gives up root). Ports are free ones between 20000 and 20999.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ivr_engine.adapters.asterisk.locate import find_asterisk
from ivr_engine.adapters.asterisk.process import AsteriskProcess
from ivr_engine.adapters.asterisk.render import render
from ivr_engine.adapters.asterisk.settings import (
    PROJECT_DIRECTORY,
    Agent,
    AsteriskSettings,
)
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.testcaller.ports import free_ports

HOTLINE = "95588"
RTP_PORTS = range(20_800, 21_000)
SCENARIO = Path(__file__).with_name("caller_waits.xml")


def media_port() -> int:
    """Even, and free together with the three that follow: SIPp takes up to four for media."""
    while True:
        free = free_ports(8)
        for port in free:
            if port % 2 == 0 and {*range(port, port + 4)} <= set(free):
                return port


@contextmanager
def open_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ivr-test-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def settings_in(folder: Path, **changes: Any) -> AsteriskSettings:
    install = find_asterisk(PROJECT_DIRECTORY)
    sounds = folder / "sounds"
    (sounds / "music").mkdir(parents=True, exist_ok=True)
    (sounds / "music/quiet.ulaw").write_bytes(b"\x7f" * 16_000)
    secrets = load_or_make(folder / "secrets", ("1001", "1002"))
    sip_port, ami_port, agi_port = free_ports(3)
    rtp = random.randrange(RTP_PORTS.start, RTP_PORTS.stop - 40, 2)
    settings = AsteriskSettings(
        run_directory=folder / "run",
        sounds_directory=sounds,
        module_directory=install.module_dir,
        data_directory=install.data_dir,
        sip_port=sip_port,
        ami_port=ami_port,
        agi_port=agi_port,  # nobody listens there: no engine
        rtp_first_port=rtp,
        rtp_last_port=rtp + 39,
        max_calls=10,
        agi_token=secrets.agi_token,
        ami_engine_secret=secrets.ami_engine,
        ami_doctor_secret=secrets.ami_doctor,
        agents=tuple(Agent(name, secret) for name, secret in secrets.agents.items()),
    )
    return replace(settings, **changes)


def process_for(settings: AsteriskSettings, folder: Path) -> AsteriskProcess:
    install = find_asterisk(PROJECT_DIRECTORY)
    return AsteriskProcess(install, folder / "conf", settings.run_directory, readable=[settings.sounds_directory])


@dataclass
class Running:
    process: AsteriskProcess
    settings: AsteriskSettings
    folder: Path

    @property
    def log(self) -> str:
        return (self.settings.run_directory / "log/messages.log").read_text(encoding="utf-8")

    def engine_ami(self) -> Ami:
        return Ami(self.settings.ami_port, self.settings.ami_engine_name, self.settings.ami_engine_secret)

    def doctor_ami(self) -> Ami:
        return Ami(self.settings.ami_port, self.settings.ami_doctor_name, self.settings.ami_doctor_secret)


@asynccontextmanager
async def running_asterisk(edit: Callable[[Path], None] = lambda _conf: None, **changes: Any) -> AsyncIterator[Running]:
    """`edit` may spoil the rendered files before the start (positive controls)."""
    with open_folder() as folder:
        settings = settings_in(folder, **changes)
        render(settings, folder / "conf")
        edit(folder / "conf")
        process = process_for(settings, folder)
        await process.start()
        try:
            yield Running(process, settings, folder)
        finally:
            await process.stop()


class Ami:
    """Just enough of a manager client to look: one frame is a dict of its headers."""

    def __init__(self, port: int, user: str, secret: str) -> None:
        self._port, self._user, self._secret = port, user, secret
        self.events: list[dict[str, str]] = []

    async def __aenter__(self) -> Ami:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        await self._reader.readline()
        answer = await self.ask("Login", Username=self._user, Secret=self._secret)
        assert answer["Response"] == "Success", answer
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()

    async def ask(self, action: str, **headers: str) -> dict[str, str]:
        lines = [f"Action: {action}", "ActionID: asked", *(f"{k}: {v}" for k, v in headers.items())]
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
        return await self._until(lambda frame: frame.get("ActionID") == "asked" and "Response" in frame)

    async def event(self, name: str) -> dict[str, str]:
        for seen in self.events:
            if seen["Event"] == name:
                return seen
        return await self._until(lambda frame: frame.get("Event") == name)

    async def _until(self, wanted: Callable[[dict[str, str]], bool], within_s: float = 10) -> dict[str, str]:
        async with asyncio.timeout(within_s):
            while True:
                raw = (await self._reader.readuntil(b"\r\n\r\n")).decode("utf-8", errors="replace")
                frame = dict(line.split(": ", 1) for line in raw.splitlines() if ": " in line)
                if "Event" in frame:
                    self.events.append(frame)
                if wanted(frame):
                    return frame


@asynccontextmanager
async def caller(running: Running, number: str = HOTLINE, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A SIPp caller with audio who waits until he is ended."""
    sipp = shutil.which("sipp")
    assert sipp, "SIPp is missing: docker/setup/packages test"
    (running.folder / "speech.ulaw").write_bytes(b"\x7f" * 80_000)
    (port,) = free_ports(1)
    process = await asyncio.create_subprocess_exec(
        sipp,
        f"127.0.0.1:{running.settings.sip_port}",
        *("-sf", str(SCENARIO), "-s", number, "-m", "1", "-nostdin"),
        *("-i", "127.0.0.1", "-p", str(port), "-mp", str(media_port())),
        *options,
        cwd=running.folder,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        said = await process.stderr.read()
        if await process.wait():
            print("SIPp:", said.decode(errors="replace")[-1000:])  # noqa: T201  # shown by pytest when the test fails
