"""Which message may follow which in one AGI session: the table, and why it looks as it does.

Two rules hold in every state.

1. *One command is outstanding at most.* Asterisk reads the next command only after it has answered the last
   one, and some commands treat a second one as "stop, and never mind the answer" (`STREAM FILE`, `GET DATA`:
   `res_agi.c`, handle_streamfile, handle_getdata). So `COMMAND` is legal in `IDLE` alone.
2. *An answer belongs to the one command that waits for it.* A reply that nobody asked for is not dropped and
   not kept for later: it breaks the session, because after it every answer would be read by the wrong
   question, and in a bank that is somebody else's balance. Asterisk does produce such replies: `EXEC` of an
   application that returns 1 is answered twice (`200 result=1`, then a 520 page), and a variable whose value
   holds a line feed is answered in two lines.

`HANGUP` stands apart from question and answer. Asterisk writes it between two commands when the caller has
gone, and once more when the session ends; the engine may see it after it has already sent its next command.
That command is still answered (511, or 200 if it works on a dead channel), so `HANGUP` moves no state: it
never stands for a reply. Asterisk with AGIEXITONHANGUP closes the stream instead of answering.

`EOF` is legal everywhere. While a reply is awaited it means that the caller hung up; before the environment is
complete it means that somebody only knocked (a port scan, a health check).

A wrong use of a command has a one-line answer (`520 text`) or a page: `520-` begins it, the usage text
follows, and a line that *ends* with `520 End of proper usage.` closes it (releases without a line feed
after the text glue the two). No `HANGUP` can come inside a page, and a usage text may well hold that word.

Whatever is not in the table is an error: ours if the signal is `COMMAND`, the peer's otherwise. `BROKEN` is
entered then, and never left. Tests walk this table; do not write a transition anywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a session stands."""

    ENVIRONMENT = "reading the environment"
    IDLE = "between two commands"
    AWAITING_REPLY = "awaiting a reply"
    AWAITING_USAGE = "reading a usage page"
    CLOSED = "closed"
    BROKEN = "broken"


class Signal(StrEnum):
    """What can happen; `COMMAND` is ours, everything else is the peer's."""

    ENVIRONMENT_LINE = "an environment line"
    ENVIRONMENT_END = "the end of the environment"
    COMMAND = "a command"
    REPLY = "a reply"
    USAGE_BEGINS = "the beginning of a usage page"
    USAGE_LINE = "a line of a usage page"
    USAGE_ENDS = "the end of a usage page"
    HANGUP = "HANGUP"
    EOF = "the end of the stream"


TRANSITIONS: Final[Mapping[State, Mapping[Signal, State]]] = MappingProxyType(
    {
        State.ENVIRONMENT: {
            Signal.ENVIRONMENT_LINE: State.ENVIRONMENT,
            Signal.ENVIRONMENT_END: State.IDLE,
            Signal.EOF: State.CLOSED,
        },
        State.IDLE: {
            Signal.COMMAND: State.AWAITING_REPLY,
            Signal.HANGUP: State.IDLE,
            Signal.EOF: State.CLOSED,
        },
        State.AWAITING_REPLY: {
            Signal.REPLY: State.IDLE,
            Signal.USAGE_BEGINS: State.AWAITING_USAGE,
            Signal.HANGUP: State.AWAITING_REPLY,
            Signal.EOF: State.CLOSED,
        },
        State.AWAITING_USAGE: {
            Signal.USAGE_LINE: State.AWAITING_USAGE,
            Signal.USAGE_ENDS: State.IDLE,
            Signal.EOF: State.CLOSED,
        },
        State.CLOSED: {Signal.EOF: State.CLOSED},
        State.BROKEN: {Signal.EOF: State.BROKEN},
    }
)
