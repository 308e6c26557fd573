"""Everything that an AMI client and Asterisk say to each other, recorded between the two.

Knows TCP. Must not know AMI. An account may sign in only once, so nobody else can listen as the engine does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.campaigns.background import BackgroundLoop, background_loop

TAPE_HOST: Final = "127.0.0.2"
"""The hotline's AMI has one port for both sides: Asterisk has it on 127.0.0.1, the tape on its neighbour."""
ASTERISK_HOST: Final = "127.0.0.1"
CHUNK_BYTES: Final = 65_536


class AmiTape:
    """Passes bytes on in both directions and keeps them."""

    def __init__(self, loop: BackgroundLoop, port: int) -> None:
        self.from_asterisk = bytearray()
        self.from_engine = bytearray()
        self.connections = 0
        self._loop = loop
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._server = loop.do(asyncio.start_server(self._serve, TAPE_HOST, port))

    def cut(self) -> None:
        """Break every connection, so that the client has to sign in again."""
        self._loop.do(self._cut())

    def close(self) -> None:
        """Break every connection and accept no more."""
        self._loop.do(self._close())

    async def _close(self) -> None:
        self._server.close()
        await self._cut()

    async def _cut(self) -> None:
        for writer in tuple(self._writers):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(ASTERISK_HOST, self._port)
        except OSError:
            writer.close()
            return
        self.connections += 1
        self._writers |= {writer, back}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_on(reader, back, self.from_engine))
                group.create_task(self._pass_on(there, writer, self.from_asterisk))
        finally:
            self._writers -= {writer, back}

    @staticmethod
    async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tape: bytearray) -> None:
        with suppress(OSError):
            while data := await reader.read(CHUNK_BYTES):
                tape += data
                writer.write(data)
                await writer.drain()
        writer.close()


@contextmanager
def ami_tape(port: int) -> Iterator[AmiTape]:
    """Record as long as the context lasts."""
    with background_loop() as loop:
        tape = AmiTape(loop, port)
        try:
            yield tape
        finally:
            tape.close()
