"""The events the engine acts on, as values; every other event stays an `Event`.

Knows their headers (seen on Asterisk 22.10.1). Must not know what anybody does with them. One class per event, a
field per header that somebody uses, and nothing else: a customer's data does not travel where nobody asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from ivr_engine.protocols.ami.message import Event


class DeviceState(StrEnum):
    """Asterisk's device states (main/devicestate.c)."""

    UNKNOWN = "UNKNOWN"
    NOT_INUSE = "NOT_INUSE"
    INUSE = "INUSE"
    BUSY = "BUSY"
    INVALID = "INVALID"
    UNAVAILABLE = "UNAVAILABLE"
    RINGING = "RINGING"
    RINGINUSE = "RINGINUSE"
    ONHOLD = "ONHOLD"

    @property
    def reachable(self) -> bool:
        """Whether a call to the device could ring or be refused by a person."""
        return self not in (DeviceState.UNKNOWN, DeviceState.INVALID, DeviceState.UNAVAILABLE)

    @property
    def free(self) -> bool:
        """Whether the device is reachable and in no call."""
        return self is DeviceState.NOT_INUSE


_DEVICE_STATES: Final = frozenset(DeviceState)


@dataclass(frozen=True, slots=True)
class FullyBooted:
    """Asterisk has read its configuration; `uptime_s` seconds since it started."""

    uptime_s: int


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Asterisk is going down, to come back or not; every call ends."""

    restart: bool


@dataclass(frozen=True, slots=True)
class DeviceStateChanged:
    """A device, such as `PJSIP/agent1`, has another state."""

    device: str
    state: DeviceState


@dataclass(frozen=True, slots=True)
class ContactStatusChanged:
    """A phone registered, went away or stopped answering; `status` is Asterisk's word (`Reachable`, `Removed`...)."""

    aor: str
    uri: str
    status: str


@dataclass(frozen=True, slots=True)
class ChannelCreated:
    """A channel exists."""

    channel: str
    unique_id: str
    linked_id: str
    state: str
    caller_number: str


@dataclass(frozen=True, slots=True)
class ChannelStateChanged:
    """A channel's state changed (`Down`, `Ring`, `Ringing`, `Up`, `Busy`)."""

    channel: str
    unique_id: str
    state: str


@dataclass(frozen=True, slots=True)
class ChannelRenamed:
    """A channel goes by another name (a transfer did it); its unique id stays."""

    channel: str
    new_name: str
    unique_id: str


@dataclass(frozen=True, slots=True)
class ChannelHungUp:
    """A channel is gone; `cause` is the Q.850 number."""

    channel: str
    unique_id: str
    linked_id: str
    cause: int


@dataclass(frozen=True, slots=True)
class DialBegun:
    """A call leaves for `to_channel`; `channel` is empty when Asterisk itself calls."""

    channel: str
    to_channel: str
    to_unique_id: str


@dataclass(frozen=True, slots=True)
class DialEnded:
    """How a call to `to_channel` ended: `ANSWER`, `BUSY`, `NOANSWER`, `CANCEL`, `CONGESTION`, `CHANUNAVAIL`..."""

    channel: str
    to_channel: str
    to_unique_id: str
    status: str


@dataclass(frozen=True, slots=True)
class QueueCallerJoined:
    """A caller waits in a queue of Asterisk's own: the engine was away."""

    queue: str
    channel: str
    unique_id: str
    position: int


@dataclass(frozen=True, slots=True)
class QueueCallerLeft:
    """A caller left a queue of Asterisk's own."""

    queue: str
    channel: str
    unique_id: str


@dataclass(frozen=True, slots=True)
class OriginateEnded:
    """How an Originate ended; `reason` is Asterisk's number (4 answered, 3 no answer, 5 busy, 0 failed)."""

    action_id: str
    answered: bool
    channel: str
    unique_id: str
    reason: int


TypedEvent = (
    FullyBooted
    | Shutdown
    | DeviceStateChanged
    | ContactStatusChanged
    | ChannelCreated
    | ChannelStateChanged
    | ChannelRenamed
    | ChannelHungUp
    | DialBegun
    | DialEnded
    | QueueCallerJoined
    | QueueCallerLeft
    | OriginateEnded
)

NOT_ANSWERED_ID: Final = "<unknown>"
"""What Asterisk writes for the unique id of a call that never had a channel."""


def device_state(word: str) -> DeviceState:
    """Read a device state; a word that no state has is UNKNOWN."""
    return DeviceState(word) if word in _DEVICE_STATES else DeviceState.UNKNOWN


def whole_number(text: str) -> int:
    """Read a number of digits; anything else is 0, since the peer's numbers only inform."""
    # str.isdigit() would take digits of other scripts, and int() takes signs, blanks and underscores.
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("1000000000000000000") else 0


def _originate_ended(event: Event) -> OriginateEnded:
    unique_id = event.get("Uniqueid")
    return OriginateEnded(
        action_id=event.action_id,
        answered=event.get("Response") == "Success",
        channel=event.get("Channel"),
        unique_id="" if unique_id == NOT_ANSWERED_ID else unique_id,
        reason=whole_number(event.get("Reason")),
    )


_Maker = Callable[[Event], TypedEvent]

_TYPED: Final[Mapping[str, tuple[str, _Maker]]] = MappingProxyType(
    {
        # name on the wire: (header without which the event says nothing, how it is read)
        "FullyBooted": ("Event", lambda e: FullyBooted(whole_number(e.get("Uptime")))),
        "Shutdown": ("Event", lambda e: Shutdown(e.get("Restart").lower() == "true")),
        "DeviceStateChange": ("Device", lambda e: DeviceStateChanged(e.get("Device"), device_state(e.get("State")))),
        "ContactStatus": (
            "AOR",
            lambda e: ContactStatusChanged(e.get("AOR"), e.get("URI"), e.get("ContactStatus")),
        ),
        "Newchannel": (
            "Channel",
            lambda e: ChannelCreated(
                e.get("Channel"), e.get("Uniqueid"), e.get("Linkedid"), e.get("ChannelStateDesc"), e.get("CallerIDNum")
            ),
        ),
        "Newstate": (
            "Channel",
            lambda e: ChannelStateChanged(e.get("Channel"), e.get("Uniqueid"), e.get("ChannelStateDesc")),
        ),
        "Rename": ("Newname", lambda e: ChannelRenamed(e.get("Channel"), e.get("Newname"), e.get("Uniqueid"))),
        "Hangup": (
            "Channel",
            lambda e: ChannelHungUp(
                e.get("Channel"), e.get("Uniqueid"), e.get("Linkedid"), whole_number(e.get("Cause"))
            ),
        ),
        "DialBegin": (
            "DestChannel",
            lambda e: DialBegun(e.get("Channel"), e.get("DestChannel"), e.get("DestUniqueid")),
        ),
        "DialEnd": (
            "DestChannel",
            lambda e: DialEnded(e.get("Channel"), e.get("DestChannel"), e.get("DestUniqueid"), e.get("DialStatus")),
        ),
        "QueueCallerJoin": (
            "Queue",
            lambda e: QueueCallerJoined(
                e.get("Queue"), e.get("Channel"), e.get("Uniqueid"), whole_number(e.get("Position"))
            ),
        ),
        "QueueCallerLeave": (
            "Queue",
            lambda e: QueueCallerLeft(e.get("Queue"), e.get("Channel"), e.get("Uniqueid")),
        ),
        "OriginateResponse": ("ActionID", _originate_ended),
    }
)

TYPED_NAMES: Final[frozenset[str]] = frozenset(_TYPED)


def typed(event: Event) -> TypedEvent | Event:
    """Return the event as its own type; the event itself when it has none or lacks the header it is about."""
    entry = _TYPED.get(event.name)
    if entry is None or not event.get(entry[0]):
        return event
    return entry[1](event)
