"""The life of an AMI connection, as a table.

Knows what may follow what. Must not know bytes.

Asterisk greets first, on its own. Until an account is accepted it obeys only Challenge, Login and Logoff, so
nothing else may be written then. A refused login is final for the connection: Asterisk answers a second or more
later and closes (seen on 22.10.1: after 1.2 s).

Being logged in is not being ready. AMI listens long before Asterisk has read its configuration, and lists fetched
in that time are empty or wrong. `FullyBooted` divides the two; it comes right behind the login when Asterisk
is up, and when booting ends otherwise, but only to an account that reads class `system` and has at least that class
switched on at login. With `Events: off` it never comes (main/manager.c, action_login; seen on 22.10.1), so the
login says `Events: system`. It may come twice, and the second one changes nothing.

Two rules keep the table small. End of stream is legal everywhere and always leads to CLOSED. Events and answers
move nothing except where the table says so; a trigger that has no entry in the current state is a
fault of whoever pulled it: ours for what is sent, the peer's for what is received.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from ivr_engine.protocols.ami.errors import LocalProtocolError, RemoteProtocolError


class State(Enum):
    """Where the connection stands."""

    AWAITING_GREETING = auto()
    ANONYMOUS = auto()
    AUTHENTICATING = auto()
    LOGGED_IN = auto()
    BOOTED = auto()
    REFUSED = auto()
    LEAVING = auto()
    CLOSED = auto()


class Trigger(Enum):
    """What moves it; `SEND_` is ours, `GET_` is the peer's."""

    GET_GREETING = auto()
    SEND_CHALLENGE = auto()
    SEND_LOGIN = auto()
    GET_LOGIN_ACCEPTED = auto()
    GET_LOGIN_REFUSED = auto()
    GET_FULLY_BOOTED = auto()
    SEND_ACTION = auto()
    SEND_LOGOFF = auto()
    GET_END = auto()


_OURS: Final = frozenset({Trigger.SEND_CHALLENGE, Trigger.SEND_LOGIN, Trigger.SEND_ACTION, Trigger.SEND_LOGOFF})

TRANSITIONS: Final[Mapping[State, Mapping[Trigger, State]]] = MappingProxyType(
    {
        State.AWAITING_GREETING: {
            Trigger.GET_GREETING: State.ANONYMOUS,
            Trigger.GET_END: State.CLOSED,
        },
        State.ANONYMOUS: {
            Trigger.SEND_CHALLENGE: State.ANONYMOUS,
            Trigger.SEND_LOGIN: State.AUTHENTICATING,
            Trigger.SEND_LOGOFF: State.LEAVING,
            Trigger.GET_END: State.CLOSED,
        },
        State.AUTHENTICATING: {
            Trigger.GET_LOGIN_ACCEPTED: State.LOGGED_IN,
            Trigger.GET_LOGIN_REFUSED: State.REFUSED,
            Trigger.GET_END: State.CLOSED,
        },
        State.LOGGED_IN: {
            Trigger.GET_FULLY_BOOTED: State.BOOTED,
            Trigger.SEND_ACTION: State.LOGGED_IN,
            Trigger.SEND_LOGOFF: State.LEAVING,
            Trigger.GET_END: State.CLOSED,
        },
        State.BOOTED: {
            Trigger.GET_FULLY_BOOTED: State.BOOTED,
            Trigger.SEND_ACTION: State.BOOTED,
            Trigger.SEND_LOGOFF: State.LEAVING,
            Trigger.GET_END: State.CLOSED,
        },
        State.REFUSED: {
            Trigger.GET_END: State.CLOSED,
        },
        State.LEAVING: {
            Trigger.GET_FULLY_BOOTED: State.LEAVING,
            Trigger.GET_END: State.CLOSED,
        },
        State.CLOSED: {
            Trigger.GET_END: State.CLOSED,
        },
    }
)


def follow(state: State, trigger: Trigger) -> State:
    """Return the state that follows.

    Raises `LocalProtocolError` when we may not send that now, `RemoteProtocolError` when the peer may not.
    """
    after = TRANSITIONS[state].get(trigger)
    if after is not None:
        return after
    error = LocalProtocolError if trigger in _OURS else RemoteProtocolError
    raise error(f"{trigger.name} is not possible while {state.name}")
