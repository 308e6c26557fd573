"""What flows may ask of the queues: how full one is, and where this caller stands.

Knows the dispatcher's state and what may honestly be said of it. Must not know the bank, nor how anything is spoken.
Nothing is asked of anybody else, so the answer is there at once and nobody can be away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Protocol

from ivr_engine.acd.estimate import expected_wait_of_next_s, expected_wait_s, position
from ivr_engine.acd.model import QueueName
from ivr_engine.acd.state import AcdState
from ivr_engine.channel.line import CalledAway
from ivr_engine.flow.operations import Performed, Signature
from ivr_engine.flow.values import NUMBER, QUEUE, YES_NO, DataClass, Value, Variable
from ivr_engine.values.ids import CallId

QUEUE_STATE: Final = "queue_state"
PLACE_IN_QUEUE: Final = "place_in_queue"
KNOWN: Final = "known"
WAIT_UNKNOWN: Final = "wait_unknown"

_NUMBER: Final = Variable(NUMBER, DataClass.PUBLIC)
_STATE: Final = MappingProxyType({"waiting": _NUMBER, "staffed": Variable(YES_NO, DataClass.PUBLIC)})
_PLACE: Final = MappingProxyType({"position": _NUMBER})
_MINUTES: Final = MappingProxyType({"minutes": _NUMBER})

QUEUE_SIGNATURES: Final = (
    Signature(
        QUEUE_STATE,
        {"queue": QUEUE},
        {KNOWN: {**_STATE, **_MINUTES}, WAIT_UNKNOWN: _STATE},
        "How many callers wait in a queue, whether anybody serves it, and how many minutes the next one would wait.",
        at_once=True,
    ),
    Signature(
        PLACE_IN_QUEUE,
        {},
        {KNOWN: {**_PLACE, **_MINUTES}, WAIT_UNKNOWN: _PLACE},
        "The place of the caller, 1 being the next, and how many minutes that takes. In an in-queue flow only.",
        at_once=True,
        of_who_waits=True,
    ),
)


class SeesQueues(Protocol):
    """Shows the queues as they are at this moment."""

    @property
    def state(self) -> AcdState:
        """The dispatcher's state."""
        ...


class QueueQuestions:
    """The questions about queues, for one call."""

    def __init__(self, queues: SeesQueues, call: CallId) -> None:
        self._queues = queues
        self._call = call

    def queue_state(self, queue: str) -> Performed:
        """Return how a queue stands; `minutes` only where they are known."""
        state, name = self._queues.state, QueueName(queue)
        results: dict[str, Value] = {"waiting": len(state.lines[name]), "staffed": state.staff[name] > 0}
        return _performed(results, expected_wait_of_next_s(state, name))

    def place_in_queue(self) -> Performed:
        """Return where the caller stands; raise `CalledAway` when they wait no longer: an agent is there, or nobody."""
        state = self._queues.state
        place = position(state, self._call)
        if not place:
            raise CalledAway
        return _performed({"position": place}, expected_wait_s(state, self._call))


def _performed(results: Mapping[str, Value], expected_s: float | None) -> Performed:
    """Add the minutes, where they are known: rounded up, since nobody minds an agent who comes early."""
    if expected_s is None:
        return Performed(WAIT_UNKNOWN, results)
    return Performed(KNOWN, {**results, "minutes": max(1, math.ceil(expected_s / 60))})
