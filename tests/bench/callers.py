"""The callers: SIPp dials at a rate, each caller presses a menu key and six digits, and waits for the far end's BYE.

Knows SIPp's scenario, its files and what success is. Must not know who answers. The keys of a call are one capture file
with silence before them, so that the server's Answer meets a caller who sends audio.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.testcaller.ports import free_ports
from ivr_engine.testcaller.sipp import Sipp, SippError, pause, scenario, send, write_keys_pcap
from tests.bench.figures import quantile

MENU_KEYS: Final = "123456"
PIN: Final = "907890"
"""None of its digits is a menu key: a lost menu key cannot pass for another."""
SILENCE_MS: Final = 120
"""Before the first key; the menu has to be listening then."""
KEY_EVERY_MS: Final = 140
"""The shortest that leaves room for a tone of 80 ms and its three end packets."""
GOODBYE_WITHIN_MS: Final = 5_000
"""From ACK to BYE. A whole call takes 1.3 s; a call in which a key was lost stays open for 20 s."""
TYPING_S: Final = (SILENCE_MS + KEY_EVERY_MS * (1 + len(PIN))) / 1000
DRAIN_S: Final = GOODBYE_WITHIN_MS / 1000 + 8.0

_DIALOGUE: Final = """Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:1370000[pid]@[local_ip]>;tag=[pid]T[call_number]
To: {to}
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70"""
_ANSWER_BYE: Final = """SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]"""


@dataclass(frozen=True, slots=True)
class Dialled:
    """What SIPp saw. `answer_ms` are the times from INVITE to 200 of the calls that were answered."""

    planned: int
    succeeded: int
    retransmissions: int
    exit_status: int
    offered: float
    answer_p95_ms: float
    fault: str = ""


def _begin() -> list[str]:
    invite = "INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n" + _DIALOGUE.format(
        to="<sip:[service]@[remote_ip]:[remote_port]>", number=1, method="INVITE"
    )
    return [
        send(invite, sdp=True).replace("<send ", '<send start_rtd="1" ', 1),
        *(f'<recv response="{status}" optional="true"/>' for status in (100, 180, 183)),
        '<recv response="200" rrs="true" rtd="1"/>',
        send(_in_dialogue("ACK", 1), retransmit=False),
    ]


def _in_dialogue(method: str, number: int) -> str:
    head = _DIALOGUE.format(to="{to}", number=number, method=method).replace("To: {to}", "[last_To:]")
    return f"{method} [next_url] SIP/2.0\n{head}"


def typing_scenario(folder: Path) -> str:
    """Return the scenario of callers who type; writes a capture for each menu key into `folder`."""
    steps = _begin()
    last = len(MENU_KEYS)
    for number in range(1, last):
        steps.append(f'<nop next="{number}" chance="{1 / (last - number + 1):.4f}"/>')
    for number, key in enumerate(reversed(MENU_KEYS)):
        # The last key has no label: who was not sent elsewhere falls through to it.
        capture = folder / f"keys-{key}.pcap"
        write_keys_pcap(capture, key + PIN, before_ms=SILENCE_MS, every_ms=KEY_EVERY_MS)
        if number:
            steps.append(f'<label id="{number}"/>')
        steps.append(f'<nop next="{last}"><action><exec play_pcap_audio="{capture}"/></action></nop>')
    steps += [
        f'<label id="{last}"/>',
        f'<recv request="BYE" timeout="{GOODBYE_WITHIN_MS}"/>',
        send(_ANSWER_BYE, retransmit=False),
    ]
    return scenario("caller types", *steps)


def holding_scenario(hold_ms: int) -> str:
    """Return the scenario of callers who press nothing and hang up after a time."""
    return scenario("caller holds", *_begin(), pause(hold_ms), send(_in_dialogue("BYE", 2)), '<recv response="200"/>')


@dataclass(frozen=True, slots=True)
class Callers:
    """Dial `number` at `host:port`; SIPp's files stand below `folder`."""

    folder: Path
    host: str
    port: int
    number: str

    async def type_keys(self, name: str, *, rate: int, calls: int) -> Dialled:
        """Place calls that type, and return what became of them when all have ended."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        sipp = Sipp(folder, "typing", typing_scenario(folder))
        return await self._dial(sipp, folder, rate=rate, calls=calls, within_s=calls / rate * 1.5 + DRAIN_S)

    async def hold(self, name: str, *, rate: int, calls: int, hold_s: float) -> Dialled:
        """Place calls that are held for some seconds each."""
        folder = self.folder / name
        folder.mkdir(parents=True)
        sipp = Sipp(folder, "holding", holding_scenario(round(hold_s * 1000)))
        return await self._dial(sipp, folder, rate=rate, calls=calls, within_s=calls / rate + hold_s + DRAIN_S)

    async def _dial(self, sipp: Sipp, folder: Path, *, rate: int, calls: int, within_s: float) -> Dialled:
        port, media = free_ports(2)
        try:
            await sipp.start(
                *(f"{self.host}:{self.port}", "-s", self.number, "-i", self.host, "-mi", self.host),
                *("-p", str(port), "-mp", str(media), "-m", str(calls), "-r", str(rate), "-l", str(calls)),
                *("-timer_resol", "1", "-trace_rtt", "-rtt_freq", "1", "-trace_counts"),
            )
            result = await sipp.ended(within_s=within_s)
        except SippError as error:
            return Dialled(calls, 0, 0, -1, 0.0, float("inf"), reason_in(str(error)))
        finally:
            await sipp.stop()
        answers = read_answers(_lines(folder, "*_rtt.csv"))
        repeated = max(result.retransmissions, read_retransmissions(_lines(folder, "*_counts.csv")))
        p95 = quantile([milliseconds for _, milliseconds in answers], 0.95)
        return Dialled(calls, result.succeeded, repeated, result.exit_status, offered_rate(answers), p95)


def _lines(folder: Path, files: str) -> list[str]:
    return [line for file in sorted(folder.glob(files)) for line in file.read_text().splitlines()]


def reason_in(printed: str) -> str:
    """Return the line of SIPp's output that says why it ended; its first one when none does (the rest is a screen)."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"error|unable|cannot|failed to|in use", line, re.IGNORECASE)]
    return " / ".join(dict.fromkeys([lines[0][:80], *(line[:200] for line in told[-1:])]))


def read_answers(lines: Iterable[str]) -> list[tuple[float, float]]:
    """Read SIPp's response times: (when the answer came, how long after the INVITE), both in milliseconds."""
    answers = []
    for line in lines:
        when, _, rest = line.partition(";")
        took = rest.partition(";")[0]
        try:
            answers.append((float(when), float(took)))
        except ValueError:
            continue  # the heading
    return answers


def read_retransmissions(lines: list[str]) -> int:
    """Sum up what SIPp says that it received again, or sent again, in the last line of its message counts."""
    rows = [*csv.DictReader(lines, delimiter=";")]
    if not rows:
        return 0
    return sum(int(value) for name, value in rows[-1].items() if name and name.endswith("_Retrans") and value)


def offered_rate(answers: list[tuple[float, float]]) -> float:
    """Return the calls a second that were really dialled, from the first INVITE to the last."""
    dialled = sorted(when - took for when, took in answers)
    if len(dialled) < 2 or dialled[-1] == dialled[0]:
        return 0.0
    return (len(dialled) - 1) / (dialled[-1] - dialled[0]) * 1000
