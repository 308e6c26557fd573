"""Agents' telephones by SIPp: they ring, answer, talk for a while or until the caller leaves.

Knows what an agent's telephone does. Must not know queues. A telephone that has to register does so through
`Phone.register(account, contact_port=agents.port)`; otherwise the server has a static contact for the port.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.testcaller.sipp import Sipp, SippError, pause, scenario, send

READY_WITHIN_S: Final = 5.0
SERVED_WITHIN_S: Final = 10.0
POLL_S: Final = 0.02
_REPLY: Final = """SIP/2.0 {status}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]T[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:agent@[local_ip]:[local_port]>"""
_OK: Final = "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"
_BYE: Final = """BYE [next_url] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From:[$to];tag=[pid]T[call_number]
To:[$from]
Call-ID: [call_id]
CSeq: 1 BYE
Max-Forwards: 70"""


@dataclass(frozen=True, slots=True)
class AgentPlan:
    """How long an agent's telephone rings, and after how much talk the agent hangs up (None: the caller does).

    `echo` sends the caller's sound back. A `refusal`, such as `486 Busy Here`, is the answer instead.
    """

    ring_ms: int = 200
    talk_ms: int | None = None
    echo: bool = False
    refusal: str | None = None


def agent_scenario(plan: AgentPlan) -> str:
    """Return SIPp's scenario of one such telephone; it serves every call in turn or at once."""
    parts = "".join(
        f'<ereg regexp=".*" search_in="hdr" header="{header}:" assign_to="{name}"/>'
        for header, name in (("From", "from"), ("To", "to"))
    )
    steps = [
        f'<recv request="INVITE" rrs="true"><action>{parts}</action></recv>',
        send(_REPLY.format(status="180 Ringing"), retransmit=False),
        pause(plan.ring_ms),
        send(_REPLY.format(status=plan.refusal or "200 OK"), sdp=plan.refusal is None),
        '<recv request="ACK"/>',
    ]
    if plan.refusal is not None:
        return scenario("agent refuses", *steps, '<Reference variables="from,to"/>')
    if plan.talk_ms is None:
        steps += ['<Reference variables="from,to"/>', '<recv request="BYE"/>', send(_OK, retransmit=False)]
    else:
        steps += [pause(plan.talk_ms), send(_BYE), '<recv response="200"/>']
    return scenario("agent answers", *steps)


class AnsweringAgents:
    """Telephones at one port, answering until closed. Use `AnsweringAgents.at(...)`."""

    def __init__(self, sipp: Sipp, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._sipp = sipp

    @classmethod
    @contextlib.asynccontextmanager
    async def at(
        cls, plan: AgentPlan, folder: Path, *, host: str = "127.0.0.1", port: int | None = None
    ) -> AsyncIterator[AnsweringAgents]:
        """Start the telephones at a port, a free one by default, and stop them on leaving.

        Raises `SippError` when they are not ready within 5 s.
        """
        chosen = _free_port(host) if port is None else port
        sipp = Sipp(folder, "agent-answers", agent_scenario(plan))
        try:
            echo = ("-rtp_echo",) if plan.echo else ()
            await sipp.start("-i", host, "-mi", host, "-p", str(chosen), *echo)
            await _until_ready(sipp, host, chosen)
            yield cls(sipp, host, chosen)
        finally:
            await sipp.stop()

    async def served(self, calls: int, *, within_s: float = SERVED_WITHIN_S) -> None:
        """Wait until so many calls have gone as planned; raise `TimeoutError` when they have not in time.

        SIPp writes its statistics once a second.
        """
        async with asyncio.timeout(within_s):
            while self._sipp.result(0).succeeded < calls:  # noqa: ASYNC110  # a file of SIPp's says it, no event
                await asyncio.sleep(POLL_S)


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


async def _until_ready(sipp: Sipp, host: str, port: int) -> None:
    """SIPp says nothing when it listens, so ask the kernel whether the port is taken."""
    deadline = asyncio.get_running_loop().time() + READY_WITHIN_S
    while asyncio.get_running_loop().time() < deadline and sipp.running:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return
        await asyncio.sleep(POLL_S)
    raise SippError(f"SIPp does not listen: {sipp.printed()}")
