"""The sockets and the beat behind any number of callers in one process.

Knows datagrams, ports and when 20 ms have passed. Must not know what is said. One SIP socket and one timer serve all
calls; each call has an RTP socket of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import count
from typing import Final, Protocol, Self

from ivr_engine.testcaller.answering import IncomingCall
from ivr_engine.testcaller.caller import ANSWER_WITHIN_MS, Caller, CallError
from ivr_engine.testcaller.dialogue import OK, Address, OutgoingCall, Registration, Requests
from ivr_engine.testcaller.recordings import Recordings
from ivr_engine.testcaller.rtp import FRAME_MS
from ivr_engine.testcaller.sip import Account, Media, SipError, SipMessage, parse_sip
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import Ids, RandomIds

PHASES: Final = 4
"""Callers speak in turns within the 20 ms, so that their packets do not leave in one burst."""
MAX_BEHIND_S: Final = 0.5
"""A timer later than this starts afresh instead of catching up."""
LATE_S: Final = 0.01
"""A beat later than this says nothing about silence."""
GOODBYE_WITHIN_S: Final = 5.0
REGISTER_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Target:
    """The server to call, and who calls; `headers` are added to the INVITE.

    Raises `ValueError` unless `host` is an IP address, and for a header with a line break.
    """

    host: str
    port: int = 5060
    caller: str = "13800000000"
    display_name: str = ""
    account: Account | None = None
    local_host: str = "127.0.0.1"
    headers: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        ip_address(self.host)  # a name would be looked up for every packet
        if any(re.search(r"[\r\n]", text) for header in self.headers for text in header):
            raise ValueError("a header has no line break")


@dataclass(frozen=True, slots=True)
class Loss:
    """A network that loses RTP at random: the shares (0 to 1) lost on the way out and on the way in."""

    sent: float = 0.0
    heard: float = 0.0
    seed: int = 0


NO_LOSS: Final = Loss()


class _Conversation(Protocol):
    """What a phone keeps per Call-ID: a call or a registration."""

    requests: Requests

    @property
    def finished(self) -> bool: ...

    def receive(self, message: SipMessage, now: float) -> None: ...

    def poll(self, now: float) -> None: ...


class _Datagrams(asyncio.DatagramProtocol):
    """Passes datagrams on; an ICMP error is not a datagram and says nothing that a time-out does not say."""

    def __init__(self, received: Callable[[bytes], None]) -> None:
        self._received = received

    def datagram_received(self, data: bytes, addr: tuple[str | int, int]) -> None:  # noqa: ARG002  # by protocol
        self._received(data)


class Phone:
    """A place from which many calls can be made at once. Use `Phone.at(...)`."""

    def __init__(self, target: Target, recordings: Recordings, loss: Loss, ids: Ids) -> None:
        self.target = target
        self._loss = loss
        self._ids = ids
        self._dice = random.Random(ids.new())  # noqa: S311  # marks RTP streams, hides nothing
        self._chance = random.Random(loss.seed)  # noqa: S311  # a bad network, repeatable
        self.recordings = recordings
        self.late_ms = 0.0
        """The greatest lateness of the 20 ms beat: more than some ms means this machine is overloaded."""
        self.not_understood = 0
        """Datagrams on the SIP socket that were no SIP, or of no call."""
        self._loop = asyncio.get_running_loop()
        self._conversations: dict[str, _Conversation] = {}
        self._callers: list[list[Caller]] = [[] for _ in range(PHASES)]
        self._turns = count()
        self._picking_up: list[asyncio.Future[SipMessage]] = []
        self._sip: asyncio.DatagramTransport | None = None
        self._local_port = 0
        self._silent = asyncio.Event()
        self._next_at = 0.0
        self._beats = 0
        self._beat: asyncio.TimerHandle | None = None

    @classmethod
    @contextlib.asynccontextmanager
    async def at(
        cls, target: Target, recordings: Recordings, *, loss: Loss = NO_LOSS, ids: Ids | None = None
    ) -> AsyncIterator[Self]:
        """Open the SIP socket and start the beat; on leaving, wait for what is outstanding and close."""
        phone = cls(target, recordings, loss, ids or RandomIds(SystemClock()))
        await phone._open()
        try:
            yield phone
        finally:
            await phone.close()

    async def _open(self) -> None:
        self._sip, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(self._sip_arrived), local_addr=(self.target.local_host, 0)
        )
        self._local_port = self._sip.get_extra_info("sockname")[1]
        self._next_at = self._loop.time()
        self._beat = self._loop.call_at(self._next_at, self._on_beat)

    async def close(self) -> None:
        """Hang up every call, wait up to 5 s for the answers to that, close; harmless when repeated."""
        now = self._loop.time()
        for conversation in self._conversations.values():
            if isinstance(conversation, OutgoingCall | IncomingCall):
                conversation.hang_up(now)
            self._flush(conversation)
        if self._conversations and self._beat is not None:
            self._silent.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_WITHIN_S):
                    await self._silent.wait()
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None
        if self._sip is not None:
            self._sip.close()
        await asyncio.sleep(0)  # lets transports report that they are closed

    @contextlib.asynccontextmanager
    async def dial(
        self, number: str, *, caller: str | None = None, answer_within_ms: int = ANSWER_WITHIN_MS
    ) -> AsyncIterator[Caller]:
        """Call the number and yield the caller once the call is answered; hang up on leaving.

        Raises `CallError` when it is not answered.
        """
        async with self.ring(number, caller=caller) as ringing:
            await ringing.answered(within_ms=answer_within_ms)
            yield ringing

    @contextlib.asynccontextmanager
    async def ring(self, number: str, *, caller: str | None = None) -> AsyncIterator[Caller]:
        """Call the number and yield the caller at once, unanswered; hang up on leaving."""
        address = self._address(number, caller or self.target.caller)

        def outgoing(media: Media) -> OutgoingCall:
            return OutgoingCall(address, media, self._ids, self.target.account, self.target.headers)

        async with self._talk(outgoing) as speaker:
            if isinstance(speaker.call, OutgoingCall):
                speaker.call.start(self._loop.time())
            self._flush(speaker.call)
            yield speaker

    @contextlib.asynccontextmanager
    async def pick_up(self, *, ring_ms: int = 200, within_ms: int = ANSWER_WITHIN_MS) -> AsyncIterator[Caller]:
        """Wait for a call to this telephone, let it ring, answer it and yield it; hang up on leaving.

        The yielded `Caller` is then the agent's ear and hand. The server has to know where we are (`register`).
        Raises `CallError` when no call comes in time, or when its caller leaves before the answer.
        """
        invited: asyncio.Future[SipMessage] = self._loop.create_future()
        self._picking_up.append(invited)
        try:
            async with asyncio.timeout(within_ms / 1000):
                invite = await invited
        except TimeoutError:
            raise CallError(f"no call came within {within_ms} ms") from None
        finally:
            if invited in self._picking_up:
                self._picking_up.remove(invited)
        address = self._address("agent", self.target.caller)
        async with self._talk(lambda media: IncomingCall(invite, address, media, self._ids)) as agent:
            if isinstance(agent.call, IncomingCall):
                agent.call.ring()
                self._flush(agent.call)
                await agent.wait(ring_ms)
                agent.call.answer(self._loop.time())
                self._flush(agent.call)
            await agent.answered()
            yield agent

    @contextlib.asynccontextmanager
    async def _talk(self, make: Callable[[Media], OutgoingCall | IncomingCall]) -> AsyncIterator[Caller]:
        """Open an RTP socket for one call and give it beats; hang up and close on leaving."""

        def media_arrived(datagram: bytes) -> None:
            if not self._lost(self._loss.heard):
                speaker.media_arrived(datagram, self._loop.time())

        def send_rtp(datagram: bytes) -> None:
            if call.remote_media is not None and not self._lost(self._loss.sent):
                sound.sendto(datagram, (call.remote_media.host, call.remote_media.port))

        sound, _ = await self._loop.create_datagram_endpoint(
            lambda: _Datagrams(media_arrived), local_addr=(self.target.local_host, 0)
        )
        call = make(Media(self.target.local_host, sound.get_extra_info("sockname")[1]))
        speaker = Caller(call, self.recordings, send_rtp, lambda: self._flush(call), self._dice.getrandbits(32))
        phase = self._callers[next(self._turns) % PHASES]
        phase.append(speaker)
        self._conversations[call.requests.call_id] = call
        try:
            yield speaker
        finally:
            call.hang_up(self._loop.time())
            self._flush(call)
            phase.remove(speaker)
            sound.close()

    async def register(self, account: Account, *, contact_port: int | None = None, expires_s: int = 300) -> None:
        """Register an agent's telephone at this host, at our SIP port or another; 0 s takes it away.

        Raises `ConnectionError` when the registrar refuses or is silent for 10 s.
        """
        address = self._address(account.user, account.user, contact_port)
        registration = Registration(address, account, self._ids, expires_s=expires_s)
        done = asyncio.Event()
        registration.on_change = done.set
        self._conversations[registration.requests.call_id] = registration
        registration.start(self._loop.time())
        self._flush(registration)
        try:
            async with asyncio.timeout(REGISTER_WITHIN_S):
                await done.wait()
        except TimeoutError:
            raise ConnectionError(f"the registrar was silent for {REGISTER_WITHIN_S} s") from None
        finally:
            self._conversations.pop(registration.requests.call_id, None)
        if registration.status != OK:
            raise ConnectionError(f"the registrar answered {registration.status}")

    def _address(self, number: str, caller: str, contact_port: int | None = None) -> Address:
        target = self.target
        port = contact_port or self._local_port
        return Address(
            number, target.host, target.port, caller, target.local_host, self._local_port, port, target.display_name
        )

    def _lost(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share

    def _sip_arrived(self, datagram: bytes) -> None:
        try:
            message = parse_sip(datagram)
        except SipError:
            self.not_understood += 1
            return
        conversation = self._conversations.get(message.get("call-id"))
        if conversation is None:
            if message.method == "INVITE" and message.status is None and self._picking_up:
                self._picking_up.pop(0).set_result(message)
            else:
                self.not_understood += 1
            return
        conversation.receive(message, self._loop.time())
        self._flush(conversation)

    def _flush(self, conversation: _Conversation) -> None:
        output, conversation.requests.output = conversation.requests.output, []
        if self._sip is not None:
            for datagram in output:
                self._sip.sendto(datagram, (self.target.host, self.target.port))

    def _on_beat(self) -> None:
        """Every 5 ms a quarter of the callers speaks; requests are repeated when their time has come."""
        now = self._loop.time()
        behind = now - self._next_at
        self.late_ms = max(self.late_ms, behind * 1000)
        if behind > MAX_BEHIND_S:
            self._next_at = now
        phase = self._beats = (self._beats + 1) % PHASES
        for caller in tuple(self._callers[phase]):
            caller.tick(now, late=behind > LATE_S)
            self._flush(caller.call)
        if phase == 0:
            for call_id, conversation in list(self._conversations.items()):
                conversation.poll(now)
                self._flush(conversation)
                if conversation.finished:
                    del self._conversations[call_id]
            if not self._conversations:
                self._silent.set()
        self._next_at += FRAME_MS / PHASES / 1000
        self._beat = self._loop.call_at(self._next_at, self._on_beat)
