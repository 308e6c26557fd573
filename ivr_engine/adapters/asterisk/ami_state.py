"""What Asterisk holds, as far as AMI tells: channels, device states, queues.

Knows how lists and events become one picture. Pure: no socket, no clock, no logging. Must not know the engine's
own calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from ivr_engine.protocols.ami.events import (
    ChannelCreated,
    ChannelHungUp,
    ChannelRenamed,
    ChannelStateChanged,
    ContactStatusChanged,
    DeviceState,
    DeviceStateChanged,
    TypedEvent,
    device_state,
    whole_number,
)
from ivr_engine.protocols.ami.message import Event

GONE_CONTACTS: Final = frozenset({"Removed"})


@dataclass(frozen=True, slots=True)
class ChannelState:
    """One channel of Asterisk. `application` is known from lists only; no event that the engine may read tells it."""

    name: str
    unique_id: str
    linked_id: str
    state: str
    application: str = ""
    application_data: str = field(default="", repr=False)
    context: str = ""
    exten: str = ""
    priority: str = ""
    bridge_id: str = ""
    age_s: int = 0


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue of Asterisk's own: who serves it, and the channels that wait in it, first one first."""

    name: str
    members: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AmiSnapshot:
    """All that AMI tells at one moment.

    `channels` by unique id, `devices` by name (`PJSIP/agent1`), `queues` by name. `contacts` is the status by address
    of record, as far as events told it since the last gap: the engine's account may not list contacts (write class
    `system`), and whether a phone can be reached is what `devices` says. `refused` names the lists that Asterisk
    would not give, with its words; what such a list held stays as last known. `asterisk_restarted`: every call from
    before is gone. `corrections`: how many channels and devices were not as the events had told.
    """

    taken_at: datetime
    channels: Mapping[str, ChannelState] = field(default_factory=dict)
    devices: Mapping[str, DeviceState] = field(default_factory=dict)
    contacts: Mapping[str, str] = field(default_factory=dict)
    queues: Mapping[str, QueueState] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    asterisk_restarted: bool = False
    corrections: int = 0

    def device(self, name: str) -> DeviceState:
        """Return a device's state; a device that Asterisk never mentioned is UNKNOWN."""
        return self.devices.get(name, DeviceState.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Lists:
    """The items of the lists as they came; None for a list that was refused."""

    channels: tuple[Event, ...] | None = None
    devices: tuple[Event, ...] | None = None
    queues: tuple[Event, ...] | None = None
    refused: Mapping[str, str] = field(default_factory=dict)


class Picture:
    """The picture as it changes: events are applied one by one, lists replace what they list."""

    def __init__(self) -> None:
        self._channels: dict[str, ChannelState] = {}
        self._devices: dict[str, DeviceState] = {}
        self._contacts: dict[str, str] = {}
        self._queues: dict[str, QueueState] = {}
        self._hears_channels = False

    def apply(self, event: TypedEvent | Event) -> None:
        """Take one event; applying it twice, or after a list that already shows it, does no harm at the end."""
        match event:
            case DeviceStateChanged():
                self._devices[event.device] = event.state
            case ChannelCreated():
                self._hears_channels = True
                self._channels[event.unique_id] = ChannelState(
                    event.channel, event.unique_id, event.linked_id, event.state
                )
            case ChannelStateChanged() if event.unique_id in self._channels:
                known = self._channels[event.unique_id]
                self._channels[event.unique_id] = replace(known, state=event.state)
            case ChannelRenamed() if event.unique_id in self._channels:
                known = self._channels[event.unique_id]
                self._channels[event.unique_id] = replace(known, name=event.new_name)
            case ChannelHungUp():
                self._channels.pop(event.unique_id, None)
            case ContactStatusChanged() if event.status in GONE_CONTACTS:
                self._contacts.pop(event.aor, None)
            case ContactStatusChanged():
                self._contacts[event.aor] = event.status
            case _:
                pass

    def replace_by(self, lists: Lists, events: Iterable[TypedEvent | Event], *, after_gap: bool) -> int:
        """Take fresh lists and the events that came while they were fetched; return how many entries were corrected.

        Both pictures, the old one and the listed one, are brought up to the last event before they are compared:
        an event that travels slower than a list is no correction.
        """
        fresh = Picture()
        fresh._channels = dict(self._channels) if lists.channels is None else _channels(lists.channels)
        fresh._devices = dict(self._devices) if lists.devices is None else _devices(lists.devices)
        fresh._queues = dict(self._queues) if lists.queues is None else _queues(lists.queues)
        fresh._contacts = {} if after_gap else dict(self._contacts)
        for event in events:
            self.apply(event)
            fresh.apply(event)
        corrections = _differences(self._devices, fresh._devices)
        if self._hears_channels:  # else lists alone tell of channels, and nothing was claimed about them in between
            corrections += _differences(
                {key: channel.state for key, channel in self._channels.items()},
                {key: channel.state for key, channel in fresh._channels.items()},
            )
        self._channels, self._devices = fresh._channels, fresh._devices
        self._contacts, self._queues = fresh._contacts, fresh._queues
        return corrections

    def forget(self) -> None:
        """Know nothing: Asterisk started anew."""
        for part in (self._channels, self._devices, self._contacts, self._queues):
            part.clear()

    def at(self, when: datetime, refused: Mapping[str, str] = MappingProxyType({})) -> AmiSnapshot:
        """Return the picture as it is now, unchanging."""
        return AmiSnapshot(
            taken_at=when,
            channels=MappingProxyType(dict(self._channels)),
            devices=MappingProxyType(dict(self._devices)),
            contacts=MappingProxyType(dict(self._contacts)),
            queues=MappingProxyType(dict(self._queues)),
            refused=refused,
        )

    def device(self, name: str) -> DeviceState:
        """Return a device's state without copying the picture."""
        return self._devices.get(name, DeviceState.UNKNOWN)


def _channels(items: Iterable[Event]) -> dict[str, ChannelState]:
    return {
        item.get("Uniqueid"): ChannelState(
            name=item.get("Channel"),
            unique_id=item.get("Uniqueid"),
            linked_id=item.get("Linkedid"),
            state=item.get("ChannelStateDesc"),
            application=item.get("Application"),
            application_data=item.get("ApplicationData"),
            context=item.get("Context"),
            exten=item.get("Exten"),
            priority=item.get("Priority"),
            bridge_id=item.get("BridgeId"),
            age_s=_seconds(item.get("Duration")),
        )
        for item in items
        if item.get("Uniqueid")
    }


def _devices(items: Iterable[Event]) -> dict[str, DeviceState]:
    return {item.get("Device"): device_state(item.get("State")) for item in items if item.get("Device")}


def _queues(items: Iterable[Event]) -> dict[str, QueueState]:
    queues: dict[str, QueueState] = {}
    for item in items:
        name = item.get("Queue")
        queue = queues.get(name, QueueState(name))
        if item.name == "QueueMember":
            queue = replace(queue, members=(*queue.members, item.get("StateInterface") or item.get("Location")))
        elif item.name == "QueueEntry":
            # Entries are listed in the order of their positions (apps/app_queue.c, manager_queues_status).
            queue = replace(queue, waiting=(*queue.waiting, item.get("Channel")))
        queues[name] = queue
    return queues


def _seconds(duration: str) -> int:
    """Read `hh:mm:ss`; hours may have more than two digits."""
    total = 0
    for part in duration.split(":"):
        total = total * 60 + whole_number(part)
    return total


def _differences(old: Mapping[str, object], new: Mapping[str, object]) -> int:
    return sum(1 for key in old.keys() | new.keys() if old.get(key) != new.get(key))
