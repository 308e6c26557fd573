"""Free ports for servers that are started on this machine to be called.

Knows which ports systems do not give out by themselves. Must not know who listens on them.
"""

from __future__ import annotations

import functools
import itertools
import os
import socket
from collections.abc import Iterator
from typing import Final

HOST: Final = "127.0.0.1"
_PORTS: Final = range(11_000, 19_000)
"""Below those that Linux gives to whoever asks for any port: calls open many of them while a server starts."""


def free_ports(count: int) -> list[int]:
    """Return ports of this machine's loopback address that are free for TCP and UDP at this moment.

    Each call returns others, until all have had their turn, and each process begins with another one, for others may
    start servers as well. Raises `OSError` when there are not so many.
    """
    candidates = itertools.islice(_turns_of(os.getpid()), len(_PORTS))
    found = list(itertools.islice(filter(_is_free, candidates), count))
    if len(found) < count:
        message = f"there are no {count} free ports from {_PORTS[0]} to {_PORTS[-1]}"
        raise OSError(message)
    return found


@functools.cache
def _turns_of(process: int) -> Iterator[int]:
    first = process * 1009 % len(_PORTS)  # processes that begin together have numbers beside one another
    return itertools.cycle([*_PORTS[first:], *_PORTS[:first]])


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
    return True
