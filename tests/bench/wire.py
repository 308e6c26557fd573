"""The time of an AGI step, taken from the loopback interface: from a reply of Asterisk to the server's next command.

Knows packets of IPv4 and TCP, and when the kernel saw them. Must not know which server it listens to, so that all are
measured alike; what is measured is what Asterisk waits for, the waiting for a processor included. Reading packets needs
the right to open raw sockets, which SIPp needs for sending keys as well.
"""

from __future__ import annotations

import asyncio
import ctypes
import socket
import struct
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from tests.bench.waiting import BenchError

HANGUP: Final = b"HANGUP\n"
"""Asterisk's notice, which is no reply (res/res_agi.c)."""
SNAP_BYTES: Final = 256
BUFFER_BYTES: Final = 32 * 1024 * 1024
_ETH_P_IP: Final = 0x0800
_SO_ATTACH_FILTER: Final = 26
_SO_TIMESTAMPNS: Final = 35
_SO_RCVBUFFORCE: Final = 33
_TIMESPEC: Final = struct.Struct("@ll")
_LINK_BYTES: Final = 14
_TCP: Final = 6


@dataclass(slots=True)
class StepTimes:
    """Collects steps from packets, each with its time in seconds; `steps_ms` are the times, `calls` the connections."""

    port: int
    steps_ms: list[float] = field(default_factory=list)
    calls: int = 0
    _replied: dict[int, float] = field(default_factory=dict)
    _met: set[int] = field(default_factory=set)

    def take(self, frame: bytes, at: float) -> None:
        """Take one link-level frame of the loopback interface."""
        ip = frame[_LINK_BYTES:]
        if len(ip) < 20 or ip[9] != _TCP:
            return
        tcp = ip[4 * (ip[0] & 0x0F) :]
        if len(tcp) < 20:
            return
        source, target = struct.unpack_from("!HH", tcp)
        payload_bytes = int.from_bytes(ip[2:4]) - 4 * (ip[0] & 0x0F) - 4 * (tcp[12] >> 4)
        if payload_bytes <= 0:
            if target == self.port and tcp[13] & 0x02:  # SYN: a new call, and a port number may be used again
                self.calls += 1
                self._replied.pop(source, None)
            return
        if target == self.port:
            payload = tcp[4 * (tcp[12] >> 4) :]
            if payload_bytes != len(HANGUP) or not payload.startswith(HANGUP):
                self._replied[source] = at
        elif source == self.port and (replied := self._replied.pop(target, None)) is not None:
            self.steps_ms.append((at - replied) * 1000)


class WireTap:
    """Listens on the loopback interface as long as the context lasts."""

    def __init__(self, port: int) -> None:
        self.times = StepTimes(port)
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_IP))
        except PermissionError:
            raise BenchError("the right to open raw sockets is missing (CAP_NET_RAW): run as root") from None
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
        self._filter_in_force(port)
        self._socket.bind(("lo", _ETH_P_IP))

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._read()
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                frame, ancillary, _, _ = self._socket.recvmsg(SNAP_BYTES, 64)
            except BlockingIOError:
                return
            for _, kind, data in ancillary:
                if kind == _SO_TIMESTAMPNS:
                    seconds, nanoseconds = _TIMESPEC.unpack(data)
                    self.times.take(frame, seconds + nanoseconds / 1e9)

    def _filter_in_force(self, port: int) -> None:
        """Let the kernel drop everything but TCP from or to the port (classic BPF, bpf(4))."""
        program = (
            (0x30, 0, 0, _LINK_BYTES + 9),  # the protocol
            (0x15, 0, 6, _TCP),
            (0xB1, 0, 0, _LINK_BYTES),  # the length of the IP header
            (0x48, 0, 0, _LINK_BYTES),  # the source port
            (0x15, 2, 0, port),
            (0x48, 0, 0, _LINK_BYTES + 2),  # the target port
            (0x15, 0, 1, port),
            (0x06, 0, 0, 0xFFFF),
            (0x06, 0, 0, 0),
        )
        code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
        memory = ctypes.create_string_buffer(code, len(code))
        fprog = struct.pack("HP", len(program), ctypes.addressof(memory))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, fprog)
