"""What can go wrong on an AMI connection, as exceptions.

Knows whose fault it was. Must not know sockets or reconnecting.

    AmiProtocolError
    ├── LocalProtocolError     we asked for something that must never reach the wire
    └── RemoteProtocolError    the peer sent something that is not AMI, or more of it than we hold
"""

from __future__ import annotations


class AmiProtocolError(Exception):
    """Base of both kinds; raised only as one of them."""


class LocalProtocolError(AmiProtocolError):
    """Our side broke the protocol: nothing was written and the connection is as good as before."""


class RemoteProtocolError(AmiProtocolError):
    """The peer broke the protocol: the stream cannot be trusted any more and has to be closed."""
