"""Events per second, ours beside panoramisk in one run: `python -m tests.protocols.ami.bench_ami`.

The same bytes, cut into the same reads, up to a parsed event with its own callback or list entry.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable

from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol

from ivr_engine.protocols.ami.actions import Login
from ivr_engine.protocols.ami.connection import Connection

EVENTS = 100_000
READ_BYTES = 65_536
CHANNEL = (
    "ChannelState: 6\r\nChannelStateDesc: Up\r\nCallerIDNum: 13900001111\r\nCallerIDName: <unknown>\r\n"
    "ConnectedLineNum: <unknown>\r\nConnectedLineName: <unknown>\r\nLanguage: cmn\r\nAccountCode: \r\n"
    "Context: hotline\r\nExten: s\r\nPriority: 5\r\nUniqueid: 1795443635.{n}\r\nLinkedid: 1795443635.{n}\r\n"
)
NEWEXTEN = (
    "Event: Newexten\r\nPrivilege: dialplan,all\r\nChannel: PJSIP/trunk-{n:08x}\r\n"
    + CHANNEL
    + "Extension: s\r\nApplication: AGI\r\nAppData: agi://127.0.0.1:4573/incoming\r\n\r\n"
)
HANGUP = (
    "Event: Hangup\r\nPrivilege: call,all\r\nChannel: PJSIP/trunk-{n:08x}\r\n"
    + CHANNEL
    + "Cause: 16\r\nCause-txt: Normal Clearing\r\n\r\n"
)


def reads(template: str) -> list[bytes]:
    """Return the bytes of all events, cut into reads."""
    data = b"".join(template.format(n=number).encode() for number in range(EVENTS))
    return [data[start : start + READ_BYTES] for start in range(0, len(data), READ_BYTES)]


def per_second(feed: Callable[[bytes], object], pieces: list[bytes]) -> float:
    """Return events per second of processor time."""
    begun = time.process_time()
    for piece in pieces:
        feed(piece)
    return EVENTS / (time.process_time() - begun)


def ours(wanted: frozenset[str] | None) -> Callable[[bytes], object]:
    """Return our protocol, logged in."""
    connection = Connection(wanted=wanted)
    connection.receive_data(b"Asterisk Call Manager/11.0.0\r\n")
    connection.send(Login("engine", "1", "2"), "in")
    connection.receive_data(b"Response: Success\r\nActionID: in\r\n\r\n")
    return connection.receive_data


def panoramisk() -> Callable[[bytes], object]:
    """Return panoramisk's protocol with one pattern and a callback that does nothing."""
    manager = Manager(loop=asyncio.get_running_loop())
    manager.register_event("*", lambda _manager, _event: None)
    protocol = AMIProtocol()
    protocol.connection_made(asyncio.Transport())
    protocol.queue, protocol.factory, protocol.responses = deque(), manager, {}
    protocol.log, protocol.config, protocol.encoding = manager.log, manager.config, "utf8"
    feed: Callable[[bytes], object] = protocol.data_received
    return feed


async def main() -> None:
    """Measure and print, each one three times, the best counts."""
    newexten, hangup = reads(NEWEXTEN), reads(HANGUP)
    rows: list[tuple[str, Callable[[], Callable[[bytes], object]], list[bytes]]] = [
        ("panoramisk, every event", panoramisk, newexten),
        ("ours, every event as headers", lambda: ours(None), newexten),
        ("ours, every event as its type (Hangup)", lambda: ours(frozenset()), hangup),
        ("panoramisk, Hangup", panoramisk, hangup),
        ("ours, unwanted events skipped", lambda: ours(frozenset()), newexten),
    ]
    for name, make, pieces in rows:
        best = max(per_second(make(), pieces) for _ in range(3))
        sys.stdout.write(f"{name:42} {best:12,.0f} events/s\n")


if __name__ == "__main__":
    asyncio.run(main())
