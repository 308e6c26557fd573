"""The engine's side of FastAGI as bytes in, messages out; no socket, no clock, no log."""

from ivr_engine.protocols.agi.commands import (
    Answer,
    ChannelStatus,
    Command,
    Exec,
    GetData,
    GetVariable,
    Hangup,
    RecordFile,
    SetMusic,
    SetVariable,
    StreamFile,
    WaitForDigit,
)
from ivr_engine.protocols.agi.connection import AgiConnection, EndOfStream, Event, HangupNotice
from ivr_engine.protocols.agi.environment import Environment
from ivr_engine.protocols.agi.errors import (
    AgiProtocolError,
    CommandFailedError,
    LocalProtocolError,
    RemoteProtocolError,
)
from ivr_engine.protocols.agi.replies import Reply
from ivr_engine.protocols.agi.states import State

__all__ = [
    "AgiConnection",
    "AgiProtocolError",
    "Answer",
    "ChannelStatus",
    "Command",
    "CommandFailedError",
    "EndOfStream",
    "Environment",
    "Event",
    "Exec",
    "GetData",
    "GetVariable",
    "Hangup",
    "HangupNotice",
    "LocalProtocolError",
    "RecordFile",
    "RemoteProtocolError",
    "Reply",
    "SetMusic",
    "SetVariable",
    "State",
    "StreamFile",
    "WaitForDigit",
]
