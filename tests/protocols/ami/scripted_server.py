"""The server's side of AMI, played from a script: behaves as Asterisk was seen to, and misbehaves where told.

A test gives a handler per action; what has no handler is answered as Asterisk does. panoramisk talks to the same server
in `test_foreign_ami.py`, so that our client and its peer cannot agree on a mistake.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from ivr_engine.adapters.asterisk.ami import AmiTarget

Headers = dict[str, str]
SECRET = "scripted"
CHALLENGE = "840415273"


def message(*headers: tuple[str, str]) -> bytes:
    """Write one message."""
    return b"".join(f"{name}: {value}\r\n".encode() for name, value in headers) + b"\r\n"


def success(action_id: str, *headers: tuple[str, str]) -> bytes:
    """Write a response that accepts."""
    return message(("Response", "Success"), ("ActionID", action_id), *headers)


def error(action_id: str, text: str) -> bytes:
    """Write a response that refuses."""
    return message(("Response", "Error"), ("ActionID", action_id), ("Message", text))


def event_list(action_id: str, name: str, *items: tuple[tuple[str, str], ...], announced: int | None = None) -> bytes:
    """Write a whole list: start, items, Complete."""
    start = success(action_id, ("EventList", "start"), ("Message", "will follow"))
    body = b"".join(message(item[0], ("ActionID", action_id), *item[1:]) for item in items)
    count = len(items) if announced is None else announced
    end = (("Event", f"{name}Complete"), ("ActionID", action_id), ("EventList", "Complete"), ("ListItems", str(count)))
    return start + body + message(*end)


@dataclass
class Session:
    """One connected client: what it sent, and a way to write to it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    actions: list[Headers] = field(default_factory=list)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.writer.write(data)


Handler = Callable[[Session, Headers], Awaitable[None]]


class ScriptedServer:
    """Listens on a free loopback port; `sessions` are all that ever connected, in order."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.sessions: list[Session] = []
        self.changed = asyncio.Condition()
        self.greeting = b"Asterisk Call Manager/11.0.0\r\n"
        self.secret = SECRET
        self.boots = True
        self.started = "14:00:00"
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def target(self, secret: str = SECRET) -> AmiTarget:
        """Return itself as a target."""
        return AmiTarget("127.0.0.1", self.port, "engine", secret)

    def seen(self, action: str) -> list[Headers]:
        """Return every such action of all sessions."""
        return [headers for session in self.sessions for headers in session.actions if headers["Action"] == action]

    async def wait_for(self, condition: Callable[[], bool], within_s: float = 5.0) -> None:
        """Wait until something that the sessions did makes the condition true."""
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(condition)

    async def start(self, port: int = 0) -> None:
        """Begin to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)

    async def drop_all(self) -> None:
        """Reset every connection, as a dying peer does."""
        for session in self.sessions:
            session.writer.transport.abort()

    async def stop(self) -> None:
        """Stop listening and drop everybody."""
        if self._server is not None:
            self._server.close()
        await self.drop_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(reader, writer)
        self.sessions.append(session)
        await self._notify()
        writer.write(self.greeting)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                raw = await reader.readuntil(b"\r\n\r\n")
                pairs = [line.split(": ", 1) for line in raw.decode().split("\r\n") if line]
                headers = {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}
                headers = {"ActionID": "", **headers}
                session.actions.append(headers)
                handler = self.handlers.get(headers["Action"].lower(), self._usual)
                await handler(session, headers)
                await self._notify()
        writer.close()

    async def _notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def _usual(self, session: Session, headers: Headers) -> None:
        """Answer as Asterisk does."""
        action_id = headers["ActionID"]
        name = headers["Action"].lower()
        if name == "challenge":
            session.write(success(action_id, ("Challenge", CHALLENGE)))
        elif name == "login":
            self._login(session, headers)
        elif name == "corestatus":
            session.write(success(action_id, ("CoreStartupDate", "2026-11-23"), ("CoreStartupTime", self.started)))
        elif name in ("coreshowchannels", "queuestatus", "devicestatelist"):
            session.write(event_list(action_id, headers["Action"]))
        elif name == "logoff":
            session.write(message(("Response", "Goodbye"), ("ActionID", action_id)))
            session.writer.close()
        else:
            session.write(success(action_id, ("Message", "done")))

    def _login(self, session: Session, headers: Headers) -> None:
        key = hashlib.md5((CHALLENGE + self.secret).encode(), usedforsecurity=False).hexdigest()
        if headers.get("Key") != key and headers.get("Secret") != self.secret:
            session.write(error(headers["ActionID"], "Authentication failed"))
            session.writer.close()
            return
        session.write(success(headers["ActionID"], ("Message", "Authentication accepted")))
        if self.boots and headers.get("Events", "on").lower() != "off":
            session.write(message(("Event", "FullyBooted"), ("Privilege", "system,all"), ("Uptime", "7")))


@contextlib.asynccontextmanager
async def scripted_server() -> AsyncIterator[ScriptedServer]:
    """Run a scripted server while the block runs."""
    server = ScriptedServer()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
