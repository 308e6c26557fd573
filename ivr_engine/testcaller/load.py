"""Load by SIPp: many calls at a rate, with keys if wanted, and what became of them.

Knows what callers of a load test do. Must not know what they hear; for that there is `Phone`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.testcaller.phone import Target
from ivr_engine.testcaller.sipp import Sipp, SippResult, pause, scenario, send, write_keys_pcap

PATIENCE_S: Final = 60.0
_DIALOGUE: Final = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:[field0]@[local_ip]>;tag=[pid]T[call_number]
{to}
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:[field0]@[local_ip]:[local_port]>
Max-Forwards: 70"""
_TO: Final = "To: <sip:[service]@[remote_ip]:[remote_port]>"
_TO_ANSWERED: Final = "[last_To:]"


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How many calls, how many new ones a second, how many at once at most, and what each does.

    `keys` are pressed `keys_after_ms` after the answer (needs the right to open raw sockets, for SIPp plays them from
    a capture file). `hold_ms` after the answer the caller hangs up; None waits for the far end to do so. Without
    keys the caller sends no RTP, and Asterisk's Answer waits up to 0.5 s for some.
    """

    number: str
    calls: int
    calls_per_second: int
    at_once: int
    hold_ms: int | None
    keys: str = ""
    keys_after_ms: int = 1000


def caller_scenario(plan: LoadPlan, keys_capture: Path | None) -> str:
    """Return SIPp's scenario of one such caller."""

    def request(method: str, number: int, to: str, uri: str) -> str:
        return f"{method} {uri} SIP/2.0\n" + _DIALOGUE.format(to=to, number=number, method=method)

    steps = [
        send(request("INVITE", 1, _TO, "sip:[service]@[remote_ip]:[remote_port]"), sdp=True),
        *(f'<recv response="{status}" optional="true"/>' for status in (100, 180, 183)),
        '<recv response="200" rrs="true"/>',
        send(request("ACK", 1, _TO_ANSWERED, "[next_url]"), retransmit=False),
    ]
    if keys_capture is not None:
        steps.append(f'<nop><action><exec play_pcap_audio="{keys_capture}"/></action></nop>')
    if plan.hold_ms is None:
        answer = "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]"
        steps += ['<recv request="BYE"/>', send(answer, retransmit=False)]
    else:
        steps += [pause(plan.hold_ms), send(request("BYE", 2, _TO_ANSWERED, "[next_url]")), '<recv response="200"/>']
    return scenario("caller dials", *steps)


async def run_load(plan: LoadPlan, target: Target, folder: Path, *, within_s: float | None = None) -> SippResult:
    """Run the load from `folder`, where SIPp's files stay, and return what SIPp counted.

    `failed` counts refused calls too (as unexpected messages). Raises `SippError` when SIPp itself fails or is
    not done within the time: by default what the plan needs, and 60 s.
    """
    sipp, callers = _prepare(plan, folder)
    ramp_s = plan.calls / plan.calls_per_second + plan.calls / plan.at_once * (plan.hold_ms or 0) / 1000
    try:
        await sipp.start(
            *(f"{target.host}:{target.port}", "-s", plan.number, "-inf", str(callers)),
            *("-i", target.local_host, "-mi", target.local_host),
            *("-m", str(plan.calls), "-r", str(plan.calls_per_second), "-l", str(plan.at_once)),
        )
        return await sipp.ended(within_s=ramp_s + PATIENCE_S if within_s is None else within_s)
    finally:
        await sipp.stop()


def _prepare(plan: LoadPlan, folder: Path) -> tuple[Sipp, Path]:
    """Write scenario, keys and callers' numbers; return SIPp, not started, and the file of numbers."""
    folder.mkdir(parents=True, exist_ok=True)
    capture = folder / "keys.pcap" if plan.keys else None
    if capture is not None:
        write_keys_pcap(capture, plan.keys, before_ms=plan.keys_after_ms)
    callers = folder / "callers.csv"
    callers.write_text("SEQUENTIAL\n" + "".join(f"137{number:08d}\n" for number in range(plan.calls)))
    return Sipp(folder, "caller-dials", caller_scenario(plan, capture)), callers
