"""Feeds broken AGI to the engine's end: `python -m tests.fuzz.fuzz_agi --inputs 500000 --seed 1`.

Each input is a recorded dialogue (or a made one) whose bytes are mutated and cut anywhere, with commands
sent whenever that is allowed. Asserted each time:

- no exception but `RemoteProtocolError`, and after it nothing else;
- no more answers than commands, and no event after the end of the stream;
- the buffer holds no more than a line at its limit and one piece.

A failure prints its seed and number, which alone reproduce it.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from ivr_engine.protocols.agi import (
    AgiConnection,
    Command,
    EndOfStream,
    Environment,
    RemoteProtocolError,
    Reply,
    State,
)
from ivr_engine.protocols.agi.connection import MAX_LINE_BYTES
from tests.protocols.agi.dialogue import all_dialogues, from_asterisk
from tests.protocols.agi.told import kind_of

MAX_INPUT_BYTES = 100_000
TOKENS = (
    b"HANGUP\n", b"200 result=", b" (timeout)", b" endpos=", b"520-", b"520 End of proper usage.\n", b"511 dead\n",
    b"\n", b"\r", b"\x00", b"agi_arg_1: ", b"agi_", b": ", b"(", b")", b"-1", b"\xff\xfe", b"9" * 40, b"x" * 20_000,
    b"\xd5\xc5", b"200 result=1 (", b"200 result=0\n" * 5,
)  # fmt: skip


@dataclass
class Campaign:
    """What the inputs came to."""

    inputs: int = 0
    bytes: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)

    def told(self, seconds: float) -> str:
        ends = " ".join(f"{name}={count}" for name, count in sorted(self.ends.items()))
        events = " ".join(f"{name}={count}" for name, count in sorted(self.events.items()))
        return f"inputs={self.inputs} bytes={self.bytes} seconds={seconds:.1f} crashes=0 {ends} | {events}"


def fuzz(inputs: int, seed: int) -> Campaign:
    """Run a campaign; raises `AssertionError` naming the input that broke a rule."""
    corpus = [
        (from_asterisk(steps), [kind_of(step.line) for step in steps if step.who == ">"])
        for steps in all_dialogues().values()
    ]
    campaign = Campaign()
    for number in range(inputs):
        choose = random.Random(f"{seed}/{number}")
        stream, commands = choose.choice(corpus)
        try:
            _run(campaign, choose, _mutated(choose, stream), commands)
        except Exception as error:
            message = f"input {number} of seed {seed}: {error!r}"
            raise AssertionError(message) from error
    return campaign


def _mutated(choose: random.Random, stream: bytes) -> bytes:
    data = bytearray(stream)
    head = stream.index(b"\n\n") + 2
    for _ in range(choose.choice((0, 1, 1, 2, 3, 8))):
        # Mostly behind the environment: a broken one ends the matter at once.
        place = choose.randrange(0 if choose.random() < 0.25 else min(head, len(data)), len(data) + 1)
        match choose.randrange(5):
            case 0:
                data[place:place] = choose.choice(TOKENS)
            case 1:
                del data[place : place + choose.randrange(1, 30)]
            case 2:
                data[place : place + 1] = bytes([choose.randrange(256)])
            case 3:
                data[place:place] = data[place : place + choose.randrange(1, 200)]
            case _:
                data[place:place] = choose.randbytes(choose.randrange(1, 12))
    return bytes(data[:MAX_INPUT_BYTES])


def _run(campaign: Campaign, choose: random.Random, stream: bytes, commands: list[Command]) -> None:
    campaign.inputs += 1
    campaign.bytes += len(stream)
    connection = AgiConnection()
    asked = answered = place = 0
    end = "open"
    piece = choose.choice((1, 7, 80, 1_448, MAX_INPUT_BYTES)) if len(stream) < 4_000 else 1_448
    try:
        while end == "open":
            if place < len(stream):
                # A line at a time keeps question and answer together; a piece at a time tears them apart.
                stop = stream.find(b"\n", place) + 1 if choose.random() < 0.9 else place + piece
                stop = stop if stop > place else len(stream)
                connection.receive_data(stream[place:stop])
                place = stop
            else:
                connection.receive_eof()
            for event in connection.events():
                assert end == "open", "an event after the end"
                campaign.events[type(event).__name__] += 1
                answered += isinstance(event, Reply)
                assert answered <= asked, "an answer without a question"
                assert not isinstance(event, Environment) or not asked, "an environment after a command"
                end = "closed" if isinstance(event, EndOfStream) else end
            assert len(connection._buffer) <= MAX_LINE_BYTES + MAX_INPUT_BYTES
            if connection.state is State.IDLE and not connection._buffer and place < len(stream):
                connection.send(commands[asked % len(commands)] if commands else kind_of(b""))
                asked += 1
    except RemoteProtocolError:
        end = "refused"
        assert connection.state is State.BROKEN
    campaign.ends[end] += 1


def main() -> None:
    """Run a campaign from the command line and print its figure."""
    parser = argparse.ArgumentParser(description="Fuzz the AGI protocol.")
    parser.add_argument("--inputs", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    campaign = fuzz(arguments.inputs, arguments.seed)
    sys.stdout.write(f"seed={arguments.seed} {campaign.told(time.monotonic() - began)}\n")


if __name__ == "__main__":
    main()
