"""Mutates recorded AMI dialogues: `python -m tests.fuzz.fuzz_ami --inputs 500000 --seed 1`.

Whatever a peer sends, our side either reads it or raises `RemoteProtocolError`; it never hangs, never holds more than
its limits, and reads the same however the bytes were cut. A failure prints its seed, which repeats it alone.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from random import Random

from ivr_engine.protocols.ami.actions import Login, Ping
from ivr_engine.protocols.ami.connection import Connection, Received
from ivr_engine.protocols.ami.errors import RemoteProtocolError
from ivr_engine.protocols.ami.framing import Limits
from tests.protocols.ami import dialogue

GREETING = b"Asterisk Call Manager/11.0.0\r\n"
LIMITS = Limits(line_bytes=2_000, headers=100, message_bytes=4_000)
MESSAGES_EACH = 6
PIECES = (
    b"\r\n",
    b"\r\n\r\n",
    b"\n",
    b"\r",
    b":",
    b": ",
    b"\0",
    b"\xff",
    "张".encode(),
    b"EventList: start\r\n",
    b"EventList: Complete\r\n",
    b"EventList: cancelled\r\n",
    b"ListItems: 99999999999999999999\r\n",
    b"ActionID: 1\r\n",
    b"ActionID: login\r\n",
    b"Response: Success\r\n",
    b"Response: Error\r\n",
    b"Event: FullyBooted\r\n",
    b"Event: OriginateResponse\r\n",
    b"Uptime: -1_0\r\n",
)


def corpus() -> list[bytes]:
    """Return every recorded message, greetings left out."""
    found: list[bytes] = []
    for name in dialogue.names():
        found += [block + b"\r\n\r\n" for block in dialogue.read(name).received.split(b"\r\n\r\n")[:-1]]
    return [block.removeprefix(GREETING) for block in found]


def _flip(data: bytearray, random: Random, at: int) -> None:
    data[at] ^= 1 << random.randrange(8)


def _cut(data: bytearray, random: Random, at: int) -> None:
    del data[at : at + random.randrange(1, 40)]


def _insert(data: bytearray, random: Random, at: int) -> None:
    data[at:at] = random.choice(PIECES)


def _repeat(data: bytearray, random: Random, at: int) -> None:
    data[at:at] = data[at : at + random.randrange(1, 60)] * random.randrange(1, 60)


def _any(data: bytearray, random: Random, at: int) -> None:
    data[at:at] = random.randbytes(random.randrange(1, 20))


MUTATIONS: tuple[Callable[[bytearray, Random, int], None], ...] = (_flip, _cut, _insert, _insert, _repeat, _any)


def mutated(messages: list[bytes], random: Random) -> bytes:
    """Return some recorded messages with some faults."""
    data = bytearray(b"".join(random.choices(messages, k=random.randrange(1, MESSAGES_EACH))))
    for _ in range(random.randrange(5)):
        if data:
            random.choice(MUTATIONS)(data, random, random.randrange(len(data)))
    return bytes(data)


def connection() -> Connection:
    """Return a connection that waits for the answers of the recorded actions."""
    opened = Connection(wanted=None, limits=LIMITS, list_items=200)
    opened.receive_data(GREETING)
    opened.send(Login("engine", "1", "2"), "in")
    opened.receive_data(b"Response: Success\r\nActionID: in\r\n\r\n")
    for number in range(1, 14):
        opened.send(Ping(), str(number))
    return opened


def read(data: bytes, cuts: list[int]) -> list[Received] | None:
    """Feed bytes in pieces; None when the peer's fault was found. Anything else than that error escapes."""
    opened = connection()
    received: list[Received] = []
    try:
        for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            received += opened.receive_data(data[start:end])
    except RemoteProtocolError:
        return None
    opened.receive_eof()
    return received


def run(seed: int, messages: list[bytes]) -> bool:
    """Try one input twice, cut differently; return whether it was read. Raises AssertionError when cuts matter."""
    random = Random(seed)
    data = mutated(messages, random)
    whole = read(data, [])
    cuts = sorted(random.randrange(len(data) + 1) for _ in range(random.randrange(6)))
    # A message above its limit may be refused before its end has come; then only the pieces are refused.
    pieces = read(data, cuts)
    assert pieces == whole or (whole is None) != (pieces is None), f"seed {seed}: another reading when cut at {cuts}"
    if (whole is None) != (pieces is None):
        assert len(data) > LIMITS.message_bytes, f"seed {seed}: refused only when cut at {cuts}"
    return whole is not None


def campaign(inputs: int, seed: int) -> int:
    """Try so many inputs from a seed on; return how many were read to their end."""
    messages = corpus()
    return sum(run(number, messages) for number in range(seed, seed + inputs))


def main() -> None:
    """Run a campaign and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    begun = time.perf_counter()
    read_to_end = campaign(arguments.inputs, arguments.seed)
    took_s = time.perf_counter() - begun
    sys.stdout.write(
        f"inputs={arguments.inputs} seed={arguments.seed} read={read_to_end} "
        f"refused={arguments.inputs - read_to_end} crashes=0 seconds={took_s:.0f}\n"
    )


if __name__ == "__main__":
    main()
