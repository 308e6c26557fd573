"""Events as plain values that can be compared, and a connection brought to the state that a test needs."""

from __future__ import annotations

from ivr_engine.protocols.agi import (
    AgiConnection,
    Answer,
    ChannelStatus,
    Command,
    EndOfStream,
    Environment,
    Event,
    Exec,
    GetData,
    GetVariable,
    Hangup,
    HangupNotice,
    RecordFile,
    Reply,
    SetMusic,
    SetVariable,
    StreamFile,
    WaitForDigit,
)
from tests.protocols.agi.dialogue import Step

ENVIRONMENT = b"agi_network: yes\nagi_channel: PJSIP/trunk-1\nagi_uniqueid: 1.1\nagi_arg_1: t\n\n"

_KINDS: tuple[tuple[bytes, Command], ...] = (
    (b"ANSWER", Answer()),
    (b"CHANNEL STATUS", ChannelStatus()),
    (b"HANGUP", Hangup()),
    (b"STREAM FILE", StreamFile("x")),
    (b"GET DATA", GetData("x", 1, 1)),
    (b"RECORD FILE", RecordFile("x", "ulaw", "#", 1)),
    (b"WAIT FOR DIGIT", WaitForDigit(1)),
    (b"SET VARIABLE", SetVariable("X", "")),
    (b"GET VARIABLE", GetVariable("X")),
    (b"GET FULL VARIABLE", GetVariable("X")),
    (b"SET MUSIC", SetMusic(on=True)),
    (b"EXEC", Exec("NoOp")),
)


def told(event: Event) -> tuple[object, ...]:
    """Everything in an event; keys are revealed, for what is compared must be seen."""
    match event:
        case Environment():
            return ("environment", dict(event.raw))
        case Reply():
            keys = None if event.digits is None else event.digits.reveal()
            return (
                event.code, event.result, keys, event.value, event.timed_out, event.end_position, event.text,
                event.usage,
            )  # fmt: skip
        case HangupNotice():
            return ("hangup",)
        case EndOfStream():
            return ("end", event.while_in)


def kind_of(line: bytes) -> Command:
    """A command of the kind that a recorded line has; an unknown one is read like ANSWER."""
    return next((command for words, command in _KINDS if line.startswith(words)), Answer())


def begun() -> AgiConnection:
    """A connection whose environment has been read."""
    connection = AgiConnection()
    connection.receive_data(ENVIRONMENT)
    assert connection.next_event() is not None
    return connection


def asked(command: Command) -> AgiConnection:
    connection = begun()
    connection.send(command)
    return connection


def answered(command: Command, answer: bytes) -> Reply:
    """The reply that `answer` is to `command`."""
    connection = asked(command)
    connection.receive_data(answer)
    (event,) = connection.events()
    assert isinstance(event, Reply)
    return event


def replayed(steps: list[Step], pieces: int = 0) -> list[tuple[object, ...]]:
    """What a connection tells of a recorded dialogue, whose bytes come `pieces` at a time (0: line by line)."""
    connection = AgiConnection()
    events: list[tuple[object, ...]] = []
    for step in steps:
        if step.who == ">":
            connection.send(kind_of(step.line))
        elif step.who == ".":
            connection.receive_eof()
        else:
            size = pieces or len(step.line)
            for start in range(0, len(step.line), size):
                connection.receive_data(step.line[start : start + size])
                events.extend(told(event) for event in connection.events())
        events.extend(told(event) for event in connection.events())
    return events
