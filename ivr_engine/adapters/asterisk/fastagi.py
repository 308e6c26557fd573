"""The FastAGI server: who may connect, how many, for how long, and who owns the calls.

Knows sockets and tasks. Must not know the grammar of AGI (`protocols.agi`), nor what a call is for (the
handler's). A connection becomes a session when its environment is complete and its first AGI argument is the
token; until then it costs one small object and one timer, no task, and no log above debug.
"""

from __future__ import annotations

import asyncio
import hmac
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final, cast

import structlog

from ivr_engine.adapters.asterisk.agi_session import AgiSession, AgiTimings
from ivr_engine.channel.line import CallerHungUp
from ivr_engine.protocols.agi import (
    AgiConnection,
    EndOfStream,
    Environment,
    HangupNotice,
    RemoteProtocolError,
    Reply,
)

ENVIRONMENT_S: Final = 5.0
"""Seconds that a connection has to send its whole environment; Asterisk needs less than 1 ms."""

MAX_JUDGED_HOSTS: Final = 256
"""Peers whose admission is remembered."""

MAX_CONNECTIONS: Final = 2_000
"""Connections at once, sessions and knocks together."""

BACKLOG: Final = 1_024
"""Connections that the kernel holds until they are accepted (bounded by net.core.somaxconn)."""

LOG_EVERY_S: Final = 1.0
"""Seconds between two log lines about the same kind of refusal; all are counted, none floods the log."""

SHORTEST_TOKEN: Final = 16
"""Characters; a shorter token could be guessed."""

Network = IPv4Network | IPv6Network
Handler = Callable[[AgiSession], Awaitable[None]]

LOOPBACK: Final[tuple[Network, ...]] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


class FastAgiServer:
    """Accepts Asterisk's AGI connections and runs `handler` once for each call.

    `token` is the first AGI argument that the dialplan sends. `allowed_peers` are Asterisk's addresses.
    The handler's return, or any exception, closes the connection: the dialplan goes on. `CallerHungUp` and
    cancellation are ordinary ends; a protocol error is logged as a warning; anything else is a bug and is
    logged with its traceback.
    """

    def __init__(
        self,
        *,
        token: str,
        handler: Handler,
        allowed_peers: Sequence[Network] = LOOPBACK,
        max_connections: int = MAX_CONNECTIONS,
        environment_s: float = ENVIRONMENT_S,
        timings: AgiTimings | None = None,
    ) -> None:
        if len(token) < SHORTEST_TOKEN:
            message = f"the AGI token has at least {SHORTEST_TOKEN} characters"
            raise ValueError(message)
        self.refused: Counter[str] = Counter()
        """Connections that never became a session, by reason: peer, full, token, slow, draining, protocol, knock."""
        self.sessions_started = 0
        self._token = token.encode()
        self._handler = handler
        self._allowed_peers = tuple(allowed_peers)
        self._max_connections = max_connections
        self._environment_s = environment_s
        self._timings = timings or AgiTimings()
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._judged_hosts: dict[str, bool] = {}
        self._quiet_until: dict[str, float] = {}
        self._accepting = False
        self._server: asyncio.Server | None = None
        self._log = structlog.get_logger()

    @property
    def open_sessions(self) -> int:
        """Calls whose handler is running."""
        return len(self._tasks)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and return the port, a free one for 0; raises `OSError` if it cannot be had."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Link(self, loop), host, port, backlog=BACKLOG, reuse_address=True
        )
        self._accepting = True
        return int(self._server.sockets[0].getsockname()[1])

    async def drain(self, timeout_s: float) -> int:
        """Refuse new calls, let the running ones end for `timeout_s` seconds; return how many are left."""
        self._accepting = False
        if self._server is not None:
            self._server.close()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)
        return len(self._tasks)

    async def close(self) -> None:
        """End everything at once: calls left are cancelled and go back to the dialplan. Harmless twice."""
        await self.drain(0)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for link in tuple(self._links):
            link.abort()
        server, self._server = self._server, None
        if server is not None:
            await server.wait_closed()

    # What follows is for the links.

    def admit(self, link: _Link, peer: object) -> bool:
        """Say whether a fresh connection may speak."""
        if not self._is_allowed(peer):
            self.refuse("peer", peer=_host(peer))
            return False
        if len(self._links) >= self._max_connections:
            self.refuse("full", connections=len(self._links))
            return False
        self._links.add(link)
        return True

    def admit_environment(self, environment: Environment, peer: object) -> bool:
        """Say whether a complete environment may become a session; compares the token in constant time."""
        if not hmac.compare_digest(environment.raw.get("agi_arg_1", b""), self._token):
            self.refuse("token", peer=_host(peer))
            return False
        if not self._accepting:
            self.knocked("draining")  # accepted a moment before the listener closed; another engine takes it
            return False
        return True

    def begin(self, session: AgiSession, link: _Link, loop: asyncio.AbstractEventLoop) -> None:
        """Run the handler for a session, in a task that this server owns."""
        self.sessions_started += 1
        task = loop.create_task(self._run(session, link))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self, link: _Link) -> None:
        """Note that a connection is gone."""
        self._links.discard(link)

    def refuse(self, reason: str, **facts: object) -> None:
        """Count a refusal and log it, unless the same kind was logged a moment ago."""
        self.refused[reason] += 1
        now = asyncio.get_running_loop().time()
        if now >= self._quiet_until.get(reason, 0.0):
            self._quiet_until[reason] = now + LOG_EVERY_S
            self._log.warning("agi_connection_refused", reason=reason, so_far=self.refused[reason], **facts)

    def knocked(self, reason: str) -> None:
        """Count a connection that said nothing worth a warning: a port scan, a health check."""
        self.refused[reason] += 1
        self._log.debug("agi_connection_without_call", reason=reason)

    @property
    def environment_s(self) -> float:
        """Seconds that a connection has to become a session."""
        return self._environment_s

    @property
    def timings(self) -> AgiTimings:
        """Where sessions report their times."""
        return self._timings

    def _is_allowed(self, peer: object) -> bool:
        host = _host(peer)
        known = self._judged_hosts.get(host)
        if known is None:
            if len(self._judged_hosts) >= MAX_JUDGED_HOSTS:
                self._judged_hosts.clear()
            known = self._judged_hosts[host] = self._judge(host)
        return known

    def _judge(self, host: str) -> bool:
        try:
            address = ip_address(host)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._allowed_peers)

    async def _run(self, session: AgiSession, link: _Link) -> None:
        try:
            await self._handler(session)
        except CallerHungUp:
            pass
        except RemoteProtocolError as fault:
            self._log.warning("agi_session_broken", call=session.environment.unique_id, fault=str(fault))
        except Exception:  # noqa: BLE001  # the border of a call: a bug in one ends that one
            self._log.exception("agi_handler_bug", call=session.environment.unique_id)
        finally:
            link.close()


class _Link(asyncio.Protocol):
    """One connection: feeds the core, gives events to the session."""

    __slots__ = ("_connection", "_loop", "_peer", "_server", "_session", "_timer", "_transport")

    def __init__(self, server: FastAgiServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._connection = AgiConnection()
        self._transport: asyncio.Transport | None = None
        self._session: AgiSession | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._peer: object = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # a stream server makes no other kind
        self._peer = transport.get_extra_info("peername")
        if not self._server.admit(self, self._peer):
            self._transport.abort()
            self._transport = None
            return
        self._timer = self._loop.call_later(self._server.environment_s, self._too_slow)

    def data_received(self, data: bytes) -> None:
        if self._transport is None:
            return
        self._connection.receive_data(data)
        self._drain_events()

    def eof_received(self) -> bool:
        self._ended()
        return False  # lets the transport close itself

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # a reset ends a call like a FIN
        self._server.forget(self)
        self._ended()
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Close after what was written has left."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _ended(self) -> None:
        if self._transport is not None:
            self._connection.receive_eof()
            self._drain_events()

    def _drain_events(self) -> None:
        try:
            while (event := self._connection.next_event()) is not None:
                self._dispatch(event)
                if self._transport is None:
                    return
        except RemoteProtocolError as fault:
            if self._session is None:
                self._server.refuse("protocol", peer=_host(self._peer), fault=str(fault))
            else:
                self._session.broken(fault)
            self._drop()

    def _dispatch(self, event: Environment | Reply | HangupNotice | EndOfStream) -> None:
        if isinstance(event, Reply):
            if self._session is not None:
                self._session.replied(event)
        elif isinstance(event, Environment):
            self._open(event)
        elif self._session is not None:
            self._session.noticed(event)
        else:
            self._server.knocked("knock")

    def _open(self, environment: Environment) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        transport = self._transport
        if transport is None or not self._server.admit_environment(environment, self._peer):
            self._drop()
            return
        self._session = AgiSession(environment, self._connection, transport, self._loop, self._server.timings)
        self._server.begin(self._session, self, self._loop)

    def _too_slow(self) -> None:
        self._server.knocked("slow")
        self._drop()

    def _drop(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()


def _host(peer: object) -> str:
    return str(peer[0]) if isinstance(peer, tuple) and peer else ""
