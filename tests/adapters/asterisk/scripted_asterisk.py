"""Asterisk's side of AGI over a real socket, saying exactly what a test tells it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from ivr_engine.adapters.asterisk.agi_session import AgiSession, AgiTimings
from ivr_engine.adapters.asterisk.fastagi import LOOPBACK, FastAgiServer, Handler, Network

TOKEN = "a-token-of-these-tests"
HEAR_S = 5.0


class ScriptedAsterisk:
    """One connection to the server under test."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def say(self, text: str | bytes) -> None:
        self._writer.write(text if isinstance(text, bytes) else text.encode())

    async def hear(self) -> str:
        """The next command, "" when the engine has closed."""
        try:
            line = await asyncio.wait_for(self._reader.readline(), HEAR_S)
        except ConnectionError:
            return ""
        return line.decode().removesuffix("\n")

    async def answer(self, *answers: str | bytes) -> list[str]:
        """Hear one command for each answer, and say it."""
        heard = []
        for answer in answers:
            heard.append(await self.hear())
            self.say(answer)
        return heard

    async def leave(self) -> None:
        self._writer.close()
        with suppress(ConnectionError):
            await asyncio.wait_for(self._writer.wait_closed(), HEAR_S)


@dataclass
class Calls:
    """A running server whose sessions come to the test; the handler waits until the test releases it."""

    server: FastAgiServer
    port: int
    arrived: asyncio.Queue[AgiSession]
    release: asyncio.Event
    peers: list[ScriptedAsterisk] = field(default_factory=list)

    async def knock(self) -> ScriptedAsterisk:
        """Connect and say nothing yet."""
        peer = ScriptedAsterisk(*await asyncio.open_connection("127.0.0.1", self.port))
        self.peers.append(peer)
        return peer

    async def dial(self, *, token: str = TOKEN, unique_id: str = "1795444327.7") -> ScriptedAsterisk:
        """Connect and send a whole environment."""
        peer = await self.knock()
        peer.say(
            f"agi_network: yes\nagi_network_script: in\nagi_uniqueid: {unique_id}\nagi_channel: PJSIP/trunk-1\n"
            f"agi_calleridname: \nagi_arg_1: {token}\nagi_arg_2: more\n\n"
        )
        return peer

    async def next(self) -> AgiSession:
        return await asyncio.wait_for(self.arrived.get(), HEAR_S)

    async def call(self) -> tuple[AgiSession, ScriptedAsterisk]:
        peer = await self.dial()
        return await self.next(), peer


@asynccontextmanager
async def serving(
    handler: Handler | None = None,
    *,
    allowed_peers: Sequence[Network] = LOOPBACK,
    max_connections: int = 100,
    environment_s: float = 5.0,
    timings: AgiTimings | None = None,
) -> AsyncIterator[Calls]:
    arrived: asyncio.Queue[AgiSession] = asyncio.Queue()
    release = asyncio.Event()

    async def hand_over(session: AgiSession) -> None:
        await arrived.put(session)
        await release.wait()

    server = FastAgiServer(
        token=TOKEN,
        handler=handler or hand_over,
        allowed_peers=allowed_peers,
        max_connections=max_connections,
        environment_s=environment_s,
        timings=timings,
    )
    calls = Calls(server, await server.start(), arrived, release)
    try:
        yield calls
    finally:
        await server.close()
        for peer in calls.peers:
            await peer.leave()
