"""Asterisk's manager interface, client side: bytes in, messages out. No sockets, no clock, no logging."""

from ivr_engine.protocols.ami.connection import Answer, Connection, Counts, Received
from ivr_engine.protocols.ami.errors import AmiProtocolError, LocalProtocolError, RemoteProtocolError
from ivr_engine.protocols.ami.events import DeviceState, TypedEvent
from ivr_engine.protocols.ami.framing import Limits
from ivr_engine.protocols.ami.message import Event, Message, Response
from ivr_engine.protocols.ami.state import State

__all__ = [
    "AmiProtocolError",
    "Answer",
    "Connection",
    "Counts",
    "DeviceState",
    "Event",
    "Limits",
    "LocalProtocolError",
    "Message",
    "Received",
    "RemoteProtocolError",
    "Response",
    "State",
    "TypedEvent",
]
