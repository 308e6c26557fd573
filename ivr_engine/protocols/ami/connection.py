"""Our side of one AMI connection: bytes in, answers and events out.

Knows which answer belongs to which action: by ActionID alone, never by order and never by English words. Must not
know sockets, clocks or deadlines; whoever owns the socket gives up on an action with `forget`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ivr_engine.protocols.ami.actions import Action, Challenge, Login, Logoff, encode
from ivr_engine.protocols.ami.errors import LocalProtocolError, RemoteProtocolError
from ivr_engine.protocols.ami.events import TYPED_NAMES, FullyBooted, TypedEvent, typed
from ivr_engine.protocols.ami.framing import Framer, Limits, parse, unwanted
from ivr_engine.protocols.ami.message import Event, Response
from ivr_engine.protocols.ami.state import State, Trigger, follow

_LIST_START: Final = "start"
_LIST_COMPLETE: Final = "complete"
_LIST_CANCELLED: Final = "cancelled"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an action brought: its response and, for a list, the items.

    `damage` says in words why a list cannot be trusted (cancelled, or another number of items than announced).
    """

    action_id: str
    response: Response
    items: tuple[Event, ...] = ()
    is_list: bool = False
    damage: str = ""


Received = Answer | TypedEvent | Event


@dataclass(slots=True)
class Counts:
    """What was read and not handed over, so that nothing is dropped in silence."""

    messages: int = 0
    skipped_events: int = 0
    unmatched_answers: int = 0


@dataclass(slots=True)
class _Pending:
    action: Action
    response: Response | None = None
    items: list[Event] = field(default_factory=list)


class Connection:
    """One connection's protocol; a new connection takes a new object.

    `wanted` are names of events beside the typed ones that are handed over; None hands over all of them.
    """

    def __init__(
        self,
        *,
        wanted: frozenset[str] | None = frozenset(),
        limits: Limits | None = None,
        pending_actions: int = 1_000,
        list_items: int = 100_000,
    ) -> None:
        self._limits = limits or Limits()
        self._framer = Framer(self._limits)
        self._wanted = None if wanted is None else frozenset(name.encode() for name in wanted | TYPED_NAMES)
        self._pending_limit = pending_actions
        self._items_limit = list_items
        self._pending: dict[str, _Pending] = {}
        self._out: list[Received] = []
        self._state = State.AWAITING_GREETING
        self.counts = Counts()

    @property
    def state(self) -> State:
        """Where the connection stands (see `state.py`)."""
        return self._state

    @property
    def pending(self) -> frozenset[str]:
        """Actions written and not answered yet."""
        return frozenset(self._pending)

    def send(self, action: Action, action_id: str) -> bytes:
        """Return the bytes to write for an action.

        Raises `LocalProtocolError`, having changed nothing, for a bad value, an ActionID still in use, too many
        unanswered actions, or an action that the state of the connection does not allow.
        """
        if action_id in self._pending:
            raise LocalProtocolError(f"ActionID {action_id} is waiting for its answer")
        if len(self._pending) >= self._pending_limit:
            raise LocalProtocolError(f"{self._pending_limit} actions wait for an answer")
        after = follow(self._state, _trigger_of(action))
        data = encode(action, action_id)
        self._state = after
        self._pending[action_id] = _Pending(action)
        return data

    def forget(self, action_id: str) -> None:
        """Give up waiting; what still comes for this action is thrown away and counted. Harmless when unknown."""
        self._pending.pop(action_id, None)

    def receive_data(self, data: bytes) -> list[Received]:
        """Take bytes, return what they completed, in order.

        Raises `RemoteProtocolError`: what was complete before the fault is lost, the connection has to be closed.
        """
        frames = self._framer.feed(data)
        if self._state is State.AWAITING_GREETING and self._framer.banner is not None:
            self._state = follow(self._state, Trigger.GET_GREETING)
        for frame in frames:
            self._take(frame)
        received, self._out = self._out, []
        return received

    def receive_eof(self) -> frozenset[str]:
        """Take the end of the stream; return the actions whose outcome will never be known. Harmless when repeated."""
        self._state = follow(self._state, Trigger.GET_END)
        unknown = frozenset(self._pending)
        self._pending.clear()
        return unknown

    def _take(self, frame: bytes) -> None:
        frame = frame.lstrip(b"\r\n")
        if not frame:
            return
        self.counts.messages += 1
        if self._wanted is not None and unwanted(frame, self._wanted):
            self.counts.skipped_events += 1
            return
        message = parse(frame, self._limits)
        if isinstance(message, Response):
            self._take_response(message)
        elif isinstance(message, Event):
            self._take_event(message)

    def _take_response(self, response: Response) -> None:
        action_id = response.action_id
        pending = self._pending.get(action_id)
        if pending is None:
            self.counts.unmatched_answers += 1
            return
        if pending.response is not None:
            raise RemoteProtocolError(f"two responses to {pending.action.name}")
        if response.success and response.get("EventList").lower() == _LIST_START:
            pending.response = response
            return
        del self._pending[action_id]
        if isinstance(pending.action, Login):
            accepted = Trigger.GET_LOGIN_ACCEPTED if response.success else Trigger.GET_LOGIN_REFUSED
            self._state = follow(self._state, accepted)
        self._out.append(Answer(action_id, response))

    def _take_event(self, event: Event) -> None:
        action_id = event.action_id
        pending = self._pending.get(action_id) if action_id else None
        if pending is not None and pending.response is not None:
            self._take_item(action_id, pending, pending.response, event)
            return
        value = typed(event)
        if action_id and event.name != "OriginateResponse":
            # Items of a list that was given up look like real events (DeviceStateChange) but are older.
            self.counts.unmatched_answers += 1
            return
        if isinstance(value, FullyBooted):
            self._state = follow(self._state, Trigger.GET_FULLY_BOOTED)
        self._out.append(value)

    def _take_item(self, action_id: str, pending: _Pending, response: Response, event: Event) -> None:
        ending = event.get("EventList").lower()
        if ending not in (_LIST_COMPLETE, _LIST_CANCELLED):
            pending.items.append(event)
            if len(pending.items) > self._items_limit:
                raise RemoteProtocolError(f"a list of more than {self._items_limit} items")
            return
        del self._pending[action_id]
        announced = event.get("ListItems")
        damage = ""
        if ending == _LIST_CANCELLED:
            damage = "Asterisk cancelled the list"
        elif announced != str(len(pending.items)):
            damage = f"{announced or 'no number of'} items announced, {len(pending.items)} came"
        self._out.append(Answer(action_id, response, tuple(pending.items), is_list=True, damage=damage))


def _trigger_of(action: Action) -> Trigger:
    if isinstance(action, Challenge):
        return Trigger.SEND_CHALLENGE
    if isinstance(action, Login):
        return Trigger.SEND_LOGIN
    if isinstance(action, Logoff):
        return Trigger.SEND_LOGOFF
    return Trigger.SEND_ACTION
