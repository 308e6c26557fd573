"""One AGI session without input or output: bytes in, events out, commands to bytes.

Knows framing, limits and, through `states`, what may follow what. Must not know sockets, clocks, logs, or
what a call is for. Use it so: give every byte that arrives to `receive_data`, take `events()` until none is
left, then write what `send` returns. `receive_eof` says that no more will arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ivr_engine.protocols.agi.commands import Command
from ivr_engine.protocols.agi.environment import Environment, EnvironmentBuilder
from ivr_engine.protocols.agi.errors import LocalProtocolError, RemoteProtocolError
from ivr_engine.protocols.agi.replies import Reply, parse_reply, usage_reply
from ivr_engine.protocols.agi.states import TRANSITIONS, Signal, State

MAX_LINE_BYTES: Final = 16_384
"""Bytes of one received line: twice what a variable set by AGI can hold."""

MAX_USAGE_LINES: Final = 200
"""Lines of one usage page; Asterisk's longest has about 40."""

_PAGE_BEGINS = b"520-"
_PAGE_ENDS = b"520 End of proper usage."


@dataclass(frozen=True, slots=True)
class HangupNotice:
    """Asterisk said `HANGUP`: the channel is dead for this session; a pending command is still answered."""


@dataclass(frozen=True, slots=True)
class EndOfStream:
    """The peer closed the stream; `while_in` is the state that it ended."""

    while_in: State


Event = Environment | Reply | HangupNotice | EndOfStream


class AgiConnection:
    """The engine's end of one AGI session."""

    __slots__ = ("_buffer", "_builder", "_command", "_eof", "_page", "_scanned", "_state", "hung_up")

    def __init__(self) -> None:
        self._state = State.ENVIRONMENT
        self._buffer = bytearray()
        self._scanned = 0
        self._eof = False
        self._builder: EnvironmentBuilder | None = EnvironmentBuilder()
        self._command: Command | None = None
        self._page: list[bytes] = []
        self.hung_up = False
        """Whether `HANGUP` or the end of the stream was among the events so far."""

    @property
    def state(self) -> State:
        """Where the session stands after the events taken so far."""
        return self._state

    def receive_data(self, data: bytes) -> None:
        """Take bytes in, cut anywhere; raises `LocalProtocolError` after `receive_eof`."""
        if self._eof:
            raise LocalProtocolError("bytes after the end of the stream")
        self._buffer += data

    def receive_eof(self) -> None:
        """Note that no more bytes will come; harmless when repeated."""
        self._eof = True

    def events(self) -> Iterator[Event]:
        """Yield what has arrived and was not yet taken; raises `RemoteProtocolError` where it breaks AGI."""
        while (event := self.next_event()) is not None:
            yield event

    def next_event(self) -> Event | None:
        """Return the next event, or None until more bytes come.

        Raises `RemoteProtocolError` for what AGI does not allow; the state is then `BROKEN` and stays so.
        """
        if self._state is State.BROKEN:
            raise RemoteProtocolError("the session is broken")
        if not self._buffer and not self._eof:
            return None  # asked after every event, and most often so
        try:
            if self._state is State.ENVIRONMENT:
                environment = self._take_environment()
                if environment is not None:
                    return environment
            else:
                while (line := self._next_line()) is not None:
                    event = self._take(line)
                    if event is not None:
                        return event
            if self._eof and self._state is not State.CLOSED:
                was = self._state
                self._move(Signal.EOF)
                self.hung_up = True
                self._buffer.clear()
                return EndOfStream(while_in=was)
        except RemoteProtocolError:
            self._state = State.BROKEN
            self._wipe_buffer()
            raise
        return None

    def send(self, command: Command) -> bytes:
        """Return the bytes of `command` and await its reply.

        Raises `LocalProtocolError`, and changes nothing, if a command is outstanding, if the stream has
        ended, if bytes that arrived were not yet taken as events, or if AGI cannot carry the command.
        """
        if Signal.COMMAND not in TRANSITIONS[self._state]:
            message = f"{command.name} cannot be sent: the session is {self._state.value}"
            raise LocalProtocolError(message)
        if self._buffer or self._eof:
            # A stray reply in there would become the answer to this command.
            message = f"{command.name} cannot be sent before everything received was read"
            raise LocalProtocolError(message)
        line = command.encode()
        self._move(Signal.COMMAND)
        self._command = command
        return line

    def _next_line(self) -> bytes | None:
        buffer = self._buffer
        end = buffer.find(b"\n", self._scanned)
        if end < 0:
            self._scanned = len(buffer)
            if self._scanned > MAX_LINE_BYTES:
                raise _line_too_long()
            return None
        if end > MAX_LINE_BYTES:
            raise _line_too_long()
        line = bytes(buffer[:end])
        if self._command is not None and self._command.secret_result:
            buffer[:end] = bytes(end)  # keys do not stay in the buffer's spare memory
        del buffer[: end + 1]
        self._scanned = 0
        return line

    def _take(self, line: bytes) -> Event | None:
        """Turn one line into an event, or into nothing if it is a part of one."""
        if self._state is State.AWAITING_USAGE:
            return self._take_usage(line)
        if line == b"HANGUP":
            self._move(Signal.HANGUP)
            self.hung_up = True
            return HangupNotice()
        if line.startswith(_PAGE_BEGINS):
            self._move(Signal.USAGE_BEGINS)
            self._page = [line[len(_PAGE_BEGINS) :]]
            return None
        self._move(Signal.REPLY)
        command, self._command = self._command, None
        if command is None:
            raise AssertionError("a reply is legal only while a command waits")  # the table says so
        return parse_reply(command, line)

    def _take_environment(self) -> Environment | None:
        """Take every whole line at once: the 23 lines of an environment are most of what a session ever reads."""
        if self._builder is None:
            raise AssertionError("the environment has ended")  # the table says so
        buffer = self._buffer
        taken = buffer.rfind(b"\n") + 1
        if len(buffer) - taken > MAX_LINE_BYTES:
            raise _line_too_long()
        lines = b"\n" + bytes(buffer[:taken])  # so that a blank line is two line feeds, also at the beginning
        blank = lines.find(b"\n\n")
        if blank >= 0:
            taken = blank + 1
        del buffer[:taken]
        if whole := lines[1 : blank if blank >= 0 else taken].removesuffix(b"\n"):
            parts = whole.split(b"\n")
            if max(map(len, parts)) > MAX_LINE_BYTES:
                raise _line_too_long()
            self._move(Signal.ENVIRONMENT_LINE)  # each of them leads back to the same state
            self._builder.add(parts)
        if blank < 0:
            return None
        self._move(Signal.ENVIRONMENT_END)
        builder, self._builder = self._builder, None
        return builder.build()

    def _take_usage(self, line: bytes) -> Reply | None:
        if line.endswith(_PAGE_ENDS):
            self._move(Signal.USAGE_ENDS)
            last = line.removesuffix(_PAGE_ENDS)
            page, self._page = self._page + ([last] if last else []), []
            self._command = None
            return usage_reply(page)
        self._move(Signal.USAGE_LINE)
        if len(self._page) > MAX_USAGE_LINES:
            message = f"a usage page has more than {MAX_USAGE_LINES} lines"
            raise RemoteProtocolError(message)
        self._page.append(line)
        return None

    def _move(self, signal: Signal) -> None:
        after = TRANSITIONS[self._state].get(signal)
        if after is None:
            message = f"{signal.value} arrived {self._state.value}"
            raise RemoteProtocolError(message)
        self._state = after

    def _wipe_buffer(self) -> None:
        self._buffer[:] = bytes(len(self._buffer))
        self._buffer.clear()


def _line_too_long() -> RemoteProtocolError:
    message = f"a line is longer than {MAX_LINE_BYTES} bytes"
    return RemoteProtocolError(message)
