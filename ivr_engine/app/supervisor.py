"""Keeps an engine alive beside Asterisk: starts it, listens for its signs of life, ends a frozen one, starts anew.

Knows processes and the pipe with signs of life. Must not know what an engine does. Ending a frozen engine closes its
connections; Asterisk then takes each caller to the fallback queue at once, which is why freezing is turned into dying.
"""

from __future__ import annotations

import asyncio
import os
import pathlib
import signal
import sys
from collections.abc import Callable
from typing import Final

import structlog

COULD_NOT_RUN: Final = 2
READY: Final = b"R"
BEAT: Final = b"."
SILENCE_MAX_S: Final = 3.0
"""An engine that gives no sign of life for so long is taken for frozen (signs come every half second)."""
START_MAX_S: Final = 30.0
STOP_GENTLY_S: Final = 10.0
RESTART_PAUSE_S: Final = 0.2
RESTART_PAUSE_MAX_S: Final = 10.0
STEADY_S: Final = 60.0
"""After so long a life the next restart is quick again."""


class WorkerFailedError(Exception):
    """The engine could not start; the message is empty when it has said why itself."""


class Supervisor:
    """One engine process after the other."""

    def __init__(self, folder: pathlib.Path, *, asterisk_group: int | None, on_ready: Callable[[], None]) -> None:
        self._folder = folder
        self._group = asterisk_group
        self._on_ready = on_ready
        self._log = structlog.get_logger()
        self.pid: int | None = None
        self.restarts = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Run until `stop` is set; raise `WorkerFailedError` when the first engine cannot start."""
        pause = RESTART_PAUSE_S
        ever_ready = False
        while not stop.is_set():
            began = asyncio.get_running_loop().time()
            was_ready, code = await self._one_life(stop)
            if stop.is_set():
                return
            ever_ready = ever_ready or was_ready
            if not ever_ready:
                # What could not run has said why; whatever else ends an engine says nothing that helps.
                raise WorkerFailedError("" if code == COULD_NOT_RUN else f"the engine ended with {code}")
            lived_s = asyncio.get_running_loop().time() - began
            pause = RESTART_PAUSE_S if lived_s > STEADY_S else min(RESTART_PAUSE_MAX_S, pause * 2)
            self.restarts += 1
            self._log.error("engine_restarting", exit_code=code, lived_s=round(lived_s, 1), pause_s=pause)
            await _wait(stop, pause)

    async def _one_life(self, stop: asyncio.Event) -> tuple[bool, int]:
        """Start one engine and watch it; return whether it was ever ready, and its exit code."""
        read_fd, write_fd = os.pipe()
        command = [sys.executable, "-m", "ivr_engine.app.worker", "--beat-fd", str(write_fd)]
        if self._group is not None:
            command += ["--asterisk-group", str(self._group)]
        process = await asyncio.create_subprocess_exec(
            *command, cwd=self._folder, pass_fds=(write_fd,), start_new_session=True
        )
        os.close(write_fd)
        self.pid = process.pid
        try:
            return await self._watch(process, read_fd, stop), await process.wait()
        finally:
            self.pid = None
            await _end(process)

    async def _watch(self, process: asyncio.subprocess.Process, read_fd: int, stop: asyncio.Event) -> bool:
        """Follow the signs of life until the engine ends, freezes, or is to stop."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read_fd, "rb", buffering=0)
        )
        ready, silence_s = False, START_MAX_S
        stopping = asyncio.ensure_future(stop.wait())
        try:
            while True:
                reading = asyncio.ensure_future(reader.read(64))
                await asyncio.wait({reading, stopping}, timeout=silence_s, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    reading.cancel()
                    await _end(process)
                    return ready
                if not reading.done():
                    reading.cancel()
                    self._log.error("engine_frozen", silent_s=silence_s, pid=process.pid)
                    process.send_signal(signal.SIGKILL)
                    return ready
                signs = reading.result()
                if not signs:
                    return ready
                if READY in signs and not ready:
                    ready, silence_s = True, SILENCE_MAX_S
                    self._on_ready()
        finally:
            stopping.cancel()
            transport.close()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask a process to leave, then make it."""
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_GENTLY_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
