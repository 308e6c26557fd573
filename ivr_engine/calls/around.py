"""What stands between a call and its ports: nothing, unless somebody wants to note what is asked, or how it ends.

Knows the ports of a call by their protocols. Must not know who stands there. The hotline uses the default; tests of
flows that are placed as real calls let things end as they say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ivr_engine.calls.changes import LateChange
from ivr_engine.calls.queueing import CallQueues
from ivr_engine.flow.call import BackOffice, Queues
from ivr_engine.flow.leaving import Callbacks, Destinations, VoiceMessages
from ivr_engine.flow.operations import Operations

T = TypeVar("T")


class CallOperations(Operations, Protocol):
    """The operations of one call, with what becomes of those that a hang-up does not stop."""

    async def finish(self) -> LateChange | None:
        """Wait for a change that a hang-up left behind, and return what became of it; None when there was none."""
        ...


class Leaving(VoiceMessages, Callbacks, Destinations, Protocol):
    """What a call leaves behind, or whom it is handed to."""


def as_it_is(port: T) -> T:
    """Put nothing in between."""
    return port


def _as_it_is(port: CallQueues) -> Queues:
    return port


@dataclass(frozen=True, slots=True)
class Around:
    """Each takes a port of a new call and returns what the flow is given in its place."""

    operations: Callable[[CallOperations], CallOperations] = as_it_is
    back_office: Callable[[BackOffice], BackOffice] = as_it_is
    queues: Callable[[CallQueues], Queues] = _as_it_is
    leaving: Callable[[Leaving], Leaving] = as_it_is
