"""What a waiting caller may be told: the place in line and an honest guess of the wait.

Knows one simple formula. Must not know how it is spoken; a caller for whom nothing is known is told nothing.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from ivr_engine.acd.model import QueueName
from ivr_engine.acd.state import AcdState, place_of
from ivr_engine.values.ids import CallId

TALKS_NEEDED: Final = 5
"""With fewer handled callers the mean says nothing."""


def position(state: AcdState, call: CallId) -> int | None:
    """Return the place in the line of the caller's queue: 1 is next, 0 is being offered, None is not waiting.

    Asked when it is about to be announced. Telling every change would be one decision per waiting caller and event.
    """
    caller = state.callers.get(call)
    if caller is None:
        return None
    if call in state.offers:
        return 0
    return bisect_left(state.lines[caller.queue], place_of(caller)) + 1


def expected_wait_s(state: AcdState, call: CallId) -> float | None:
    """Return position x recent mean handling time / agents at work, in seconds; None when that is not known.

    Agents who also serve other queues are counted whole, so the guess is low when those queues are busy. Who still
    waits for a skill is not told anything: how long those agents are busy is counted for all of the queue together.
    """
    place = position(state, call)
    if place is None or state.callers[call].needs(state.now):
        return None
    return _wait_at_place_s(state, state.callers[call].queue, place)


def expected_wait_of_next_s(state: AcdState, queue: QueueName) -> float | None:
    """Return what somebody would be told who entered the queue now, in seconds; None when that is not known."""
    return _wait_at_place_s(state, queue, 0 if state.idle[queue] else len(state.lines[queue]) + 1)


def _wait_at_place_s(state: AcdState, queue: QueueName, place: int) -> float | None:
    handling = state.handling.get(queue)
    agents_at_work = state.staff[queue]
    if handling is None or handling.talks < TALKS_NEEDED or agents_at_work == 0:
        return None
    return place * handling.mean_s / agents_at_work
