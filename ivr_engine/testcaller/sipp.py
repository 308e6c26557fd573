"""SIPp as a subprocess: scenarios as text, the process, its statistics.

Knows SIPp 3.6's scenario language, options and files. Must not know what a load or an agent is for. SIPp signals; it
hears nothing and decodes no key.
"""

from __future__ import annotations

import asyncio
import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.testcaller.rtp import FRAME_MS, TELEPHONE_EVENT, USUAL_TONE, SpeakingStream, Tone

STOP_WITHIN_S: Final = 5.0
MAX_ERROR_CHARACTERS: Final = 2000
_SDP: Final = f"""v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0 {TELEPHONE_EVENT}
a=rtpmap:0 PCMU/8000
a=rtpmap:{TELEPHONE_EVENT} telephone-event/8000
a=fmtp:{TELEPHONE_EVENT} 0-15
a=ptime:20"""


class SippError(RuntimeError):
    """SIPp could not do its work; the text holds the end of what it printed."""


def scenario(name: str, *steps: str) -> str:
    """Return a scenario file of these steps."""
    body = "\n".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="{name}">\n{body}\n</scenario>\n'


def send(message: str, *, sdp: bool = False, retransmit: bool = True) -> str:
    """Return the step that sends a message; with `retransmit`, SIPp repeats it until it is answered."""
    text = (
        f"{message}\nContent-Type: application/sdp\nContent-Length: [len]\n\n{_SDP}"
        if sdp
        else (f"{message}\nContent-Length: 0")
    )
    timer = ' retrans="500"' if retransmit else ""
    return f"<send{timer}><![CDATA[\n{text}\n\n]]></send>"


def pause(milliseconds: int) -> str:
    """Return the step that waits."""
    return f'<pause milliseconds="{milliseconds}"/>'


def write_keys_pcap(file: Path, keys: str, *, before_ms: int, every_ms: int = 160, tone: Tone = USUAL_TONE) -> None:
    """Write the RTP of a caller who is silent, then presses keys, as a capture file for `play_pcap_audio`.

    Raises `ValueError` for what is no key. SIPp needs the right to open raw sockets to play it.
    """
    stream = SpeakingStream(source=0x51505001)
    datagrams = [(tick, datagram) for tick in range(before_ms // FRAME_MS) for datagram in stream.tick()]
    for key in keys:
        stream.press(key, every_ms=every_ms, tone=tone)
    tick = before_ms // FRAME_MS
    while not stream.idle:
        datagrams += [(tick, datagram) for datagram in stream.tick()]
        tick += 1
    with file.open("wb") as capture:  # libpcap 2.4, Ethernet
        capture.write(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
        for tick, datagram in datagrams:
            seconds, milliseconds = divmod(tick * FRAME_MS, 1000)
            frame = _ethernet_udp(datagram)
            for number in (seconds, milliseconds * 1000, len(frame), len(frame)):
                capture.write(number.to_bytes(4, "little"))
            capture.write(frame)


def _ethernet_udp(payload: bytes) -> bytes:
    """Wrap a payload in Ethernet, IPv4 and UDP headers; SIPp keeps the payload and makes its own headers."""
    udp = b"\x27\x10\x27\x10" + (8 + len(payload)).to_bytes(2) + bytes(2)
    loopback = bytes([127, 0, 0, 1])
    ip = b"\x45\x00" + (20 + len(udp) + len(payload)).to_bytes(2) + bytes(4) + b"\x40\x11" + bytes(2) + loopback * 2
    return bytes(12) + b"\x08\x00" + ip + udp + payload


@dataclass(frozen=True, slots=True)
class SippResult:
    """What SIPp counted, and how it ended (0: every call went as written, 1: some did not)."""

    exit_status: int
    succeeded: int
    failed: int
    unexpected_messages: int
    timed_out: int
    retransmissions: int
    calls_per_second: float


class Sipp:
    """One SIPp process in a folder of its own; owned by whoever starts it, who stops it."""

    def __init__(self, folder: Path, scenario_name: str, scenario_text: str) -> None:
        self._folder = folder
        self._scenario = folder / f"{scenario_name}.xml"
        self._statistics = folder / f"{scenario_name}.csv"
        self._output = folder / f"{scenario_name}.out"
        self._process: asyncio.subprocess.Process | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._scenario.write_text(scenario_text)

    async def start(self, *options: str) -> None:
        """Start SIPp with these options besides the scenario and the statistics.

        Raises `SippError` when there is no `sipp` program.
        """
        fixed = ["-sf", str(self._scenario), "-nostdin", "-trace_stat", "-stf", str(self._statistics), "-fd", "1"]
        with self._output.open("wb") as output:
            try:
                self._process = await asyncio.create_subprocess_exec(
                    "sipp",
                    *fixed,
                    *options,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self._folder,
                    env={**os.environ, "TERM": "dumb"},
                )
            except FileNotFoundError:
                raise SippError("there is no program named sipp; install the package sip-tester") from None

    async def ended(self, *, within_s: float) -> SippResult:
        """Wait for SIPp's end and return what it counted; raise `SippError` when it fails or takes too long."""
        if self._process is None:
            raise SippError("SIPp was not started")
        try:
            async with asyncio.timeout(within_s):
                status = await self._process.wait()
        except TimeoutError:
            await self.stop()
            raise SippError(f"SIPp was not done after {within_s} s") from None
        if status not in {0, 1}:
            raise SippError(f"SIPp ended with {status}: {self.printed()}")
        return self.result(status)

    def result(self, status: int) -> SippResult:
        """Return the last statistics written."""
        try:
            rows = list(csv.DictReader(self._statistics.read_text().splitlines(), delimiter=";"))
            last = rows[-1]
            return SippResult(
                exit_status=status,
                succeeded=int(last["SuccessfulCall(C)"]),
                failed=int(last["FailedCall(C)"]),
                unexpected_messages=int(last["FailedUnexpectedMessage(C)"]),
                timed_out=int(last["FailedTimeoutOnRecv(C)"]) + int(last["FailedMaxUDPRetrans(C)"]),
                retransmissions=int(last["Retransmissions(C)"]),
                calls_per_second=float(last["CallRate(C)"]),
            )
        except (OSError, IndexError, KeyError, ValueError) as error:
            raise SippError(f"SIPp wrote no statistics ({error}): {self.printed()}") from None

    @property
    def running(self) -> bool:
        """Return whether the process lives."""
        return self._process is not None and self._process.returncode is None

    def printed(self) -> str:
        """Return the end of what SIPp printed."""
        return self._output.read_text(errors="replace")[-MAX_ERROR_CHARACTERS:]

    async def stop(self) -> None:
        """End the process; harmless when it has ended."""
        if self._process is None or self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
