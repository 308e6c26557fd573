"""A telephone that is rung: an agent's that is signed in, or one that is reached by its address.

Knows registrations, the probes (OPTIONS) by which a server finds out whether a telephone is there, and how the person
at it takes a call. Must not know queues or flows.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable
from typing import Final

from ivr_engine.testcaller.caller import Caller, CallError
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.sip import SipError, SipMessage, parse_sip

RING_MS: Final = 200
_A_DAY_MS: Final = 24 * 3600 * 1000


class Telephone(Phone):
    """A telephone that answers probes."""

    silent = False
    """True: it does not answer anything any more, as if its plug were pulled."""
    rang_at = 0.0
    """When it was last asked to ring, in seconds of the event loop's clock."""
    shown_number = ""
    """Who called then."""

    @property
    def port(self) -> int:
        """The port at which it is rung."""
        return self._local_port

    async def serve(self, talk: Callable[[Caller], Awaitable[None]]) -> None:
        """Take one call after the other, each after a short ring, talk at this end, and hang up; until cancelled."""
        while True:
            with contextlib.suppress(CallError):  # a caller who leaves while it rings
                async with self.pick_up(ring_ms=RING_MS, within_ms=_A_DAY_MS) as end:
                    await talk(end)

    async def refuse(self, status: str) -> None:
        """Answer every call with this status, such as `486 Busy Here`; until cancelled."""
        self._refusal = status
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            self._refusal = ""

    _refusal = ""

    def _sip_arrived(self, datagram: bytes) -> None:
        if self.silent:
            return
        with contextlib.suppress(SipError):
            message = parse_sip(datagram)
            if message.status is None and message.method == "INVITE":
                self.rang_at = self._loop.time()
                number = re.search(r"sip:([^@>]*)@", message.get("from"))
                self.shown_number = number[1] if number else ""
                if self._refusal:
                    self._reply(message, self._refusal)
                    return
            if message.status is None and message.method == "OPTIONS":
                self._reply(message, "200 OK")
                return
        super()._sip_arrived(datagram)

    def _reply(self, message: SipMessage, status: str) -> None:
        if self._sip is not None:
            kept = ("via", "from", "to", "call-id", "cseq")
            headers = tuple((name, value) for name in kept for value in message.every(name))
            answer = SipMessage(f"SIP/2.0 {status}", headers)
            self._sip.sendto(answer.encode(), (self.target.host, self.target.port))
