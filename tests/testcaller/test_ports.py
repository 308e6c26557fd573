"""Free ports: free for both kinds, another one each time."""

from __future__ import annotations

import socket

import pytest

from ivr_engine.testcaller.ports import HOST, free_ports


def test_each_call_returns_other_ports() -> None:
    ports = free_ports(3) + free_ports(3)
    assert len(set(ports)) == 6


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_port_that_somebody_holds_is_passed_over(kind: socket.SocketKind) -> None:
    (port,) = free_ports(1)
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind((HOST, port + 1))
        assert port + 1 not in free_ports(1)


def test_more_ports_than_there_are_is_an_error() -> None:
    with pytest.raises(OSError, match="no 9000 free ports"):
        free_ports(9000)
