"""Agents' telephones: what AMI says of them, told to the dispatcher; and waking a waiting caller's line.

Knows both vocabularies, Asterisk's and the dispatcher's. Must not know rules of queues.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import structlog

from ivr_engine.acd.messages import AgentAppeared, AgentEngaged, AgentReachable, AgentUnreachable, Event, Resync
from ivr_engine.acd.model import AgentName, Device, Presence, QueueName
from ivr_engine.adapters.asterisk.ami import ActionOutcomeUnknownError, AmiClient, AmiError, AmiSnapshot, Delivery
from ivr_engine.adapters.asterisk.line import SECURE_CONTEXT
from ivr_engine.calls.queueing import AgentQueues
from ivr_engine.channel.line import WAKE
from ivr_engine.protocols.ami.actions import Getvar, PlayDTMF, Redirect
from ivr_engine.protocols.ami.events import DeviceState, DeviceStateChanged, DialEnded
from ivr_engine.protocols.ami.message import Event as Message

WAKE_WITHIN_S: Final = 2.0
LOOK_WITHIN_S: Final = 2.0
SECURE_EVENT: Final = "IvrSecure"
WANTED: Final = frozenset({"UserEvent"})
"""Events that are acted on here, beside those that have a type of their own."""
_HANGS_UP: Final = "CHANNEL(checkhangup)"
_NO_CHANNEL: Final = "No such channel"
_TECHNOLOGY: Final = "PJSIP/"


class Telephones:
    """Keeps the dispatcher's picture of the agents' telephones true."""

    def __init__(self, agents: Iterable[str], queue: str, skills: Mapping[str, frozenset[str]] | None = None) -> None:
        self._agents = tuple(agents)
        self._skills = skills or {}
        self._queue = QueueName(queue)
        self._queues: AgentQueues | None = None
        self._ami: AmiClient | None = None
        self._log = structlog.get_logger()

    def join(self, queues: AgentQueues, ami: AmiClient) -> None:
        """Sign every agent on, unreachable until Asterisk says otherwise."""
        self._queues, self._ami = queues, ami
        for name in self._agents:
            queues.tell(
                AgentAppeared(
                    AgentName(name),
                    f"{_TECHNOLOGY}{name}",
                    (self._queue,),
                    presence=Presence.UNREACHABLE,
                    skills=self._skills.get(name, frozenset()),
                )
            )

    async def deliver(self, item: Delivery) -> None:
        """Take what the AMI client hands over."""
        queues = self._queues
        if queues is None:
            return
        if isinstance(item, AmiSnapshot):
            devices = {AgentName(name): _device(item.device(f"{_TECHNOLOGY}{name}")) for name in self._agents}
            queues.tell(Resync(devices))
        elif isinstance(item, DeviceStateChanged):
            name = item.device.removeprefix(_TECHNOLOGY)
            if name in self._agents:
                queues.tell(_changed(AgentName(name), item.state))
        elif isinstance(item, DialEnded) and item.status == "ANSWER":
            queues.agent_answered(item.channel, item.to_channel)
        elif isinstance(item, Message) and item.get("UserEvent") == SECURE_EVENT:
            queues.secret_asked(item.get("Channel"))

    async def wake(self, channel: str) -> None:
        """End the waiting command of a line; a failure costs the caller at most one slice of waiting."""
        if self._ami is None:
            return
        try:
            await self._ami.request(PlayDTMF(channel, WAKE), within_s=WAKE_WITHIN_S)
        except AmiError as error:
            self._log.info("wake_failed", cause=str(error))

    async def fetch(self, channel: str) -> bool:
        """Take an agent out of the talk: their line comes to us next, and the caller's goes on."""
        if self._ami is None:
            return False
        try:
            told = await self._ami.request(Redirect(channel, SECURE_CONTEXT, "s"), within_s=LOOK_WITHIN_S)
        except ActionOutcomeUnknownError:
            return True  # perhaps done: whether the agent comes is seen
        except AmiError as error:
            self._log.info("fetch_failed", cause=str(error))
            return False
        return told.success

    async def has_left(self, channel: str) -> bool:
        """Say whether who is on a channel has hung up; while nobody can be asked, they have not."""
        if self._ami is None:
            return False
        try:
            told = await self._ami.request(Getvar(channel, _HANGS_UP), within_s=LOOK_WITHIN_S)
        except AmiError as error:
            self._log.info("look_failed", cause=str(error))
            return False
        return told.get("Value") == "1" if told.success else told.text == _NO_CHANNEL


def _device(state: DeviceState) -> Device:
    if not state.reachable:
        return Device.UNAVAILABLE
    if state.free:
        return Device.FREE
    return Device.RINGING if state is DeviceState.RINGING else Device.IN_USE


def _changed(agent: AgentName, state: DeviceState) -> Event:
    if not state.reachable:
        return AgentUnreachable(agent)
    return AgentReachable(agent) if state.free else AgentEngaged(agent)
