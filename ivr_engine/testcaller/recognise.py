"""What was heard, from the packets that arrived: names, order, completeness, cut positions, gaps.

Knows frames and the order of packets. Must not know sockets, SIP, or what the caller should have heard.

Every packet is looked up exactly. Where a frame has several places, each is followed as a *reading* with a cost;
readings that the next packet contradicts die, so at nearly all times there is one. The costs only rank readings:
going on costs nothing, a new recording 1, a cut 2, starting in the middle 6, unknown sound 10. Readings that
end a recording at the same cost and place cannot be told apart: they become the set of candidates.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ivr_engine.testcaller.recordings import Place, PromptName, Recordings
from ivr_engine.testcaller.rtp import FRAME_BYTES, FRAME_MS, SILENCE

_START, _CUT, _MIDDLE, _UNKNOWN = 1, 2, 6, 10
_BEAM: Final = 8
"""Readings dearer than the cheapest by more than this are given up."""
MAX_BRIDGED_PACKETS: Final = 250
"""A larger hole (5 s) in the sequence numbers is a new beginning, not a loss."""

MISSED_AT_FIRST: Final = 10
"""The first packets of a stream can be lost without a trace: a prompt first heard this early began at 0."""


class Kind(StrEnum):
    """What a stretch of sound is."""

    PROMPT = "prompt"
    MUSIC = "music"
    SILENCE = "silence"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Heard:
    """One stretch of sound.

    `candidates` has several names when the bytes heard belong to several recordings. `from_ms` and `to_ms` are
    positions in the recording: `to_ms` is where it was cut, or its length. `began_at` and `ended_at` are
    seconds on the listener's clock: first arrival, and the end of the last packet's play-out. `gap_ms` is the
    time without any packet before it, None at the beginning. `lost` counts packets bridged inside,
    `longest_pause_ms` the longest time between two of its packets less the 20 ms that are due.
    """

    kind: Kind
    candidates: frozenset[PromptName]
    complete: bool
    from_ms: int
    to_ms: int
    began_at: float
    ended_at: float
    gap_ms: float | None
    lost: int
    longest_pause_ms: float

    @property
    def name(self) -> PromptName | None:
        """Return the first candidate in order of name, None for silence and unknown sound."""
        return min(self.candidates, key=str) if self.candidates else None

    @property
    def heard_ms(self) -> int:
        """Return how much of the recording was heard."""
        return self.to_ms - self.from_ms

    def could_be(self, prompt: str | PromptName) -> bool:
        """Return whether this is a candidate; a bare id is one in any language."""
        if isinstance(prompt, PromptName):
            return prompt in self.candidates
        return any(name.prompt == prompt for name in self.candidates)

    def __str__(self) -> str:
        label = "|".join(sorted(map(str, self.candidates))) or self.kind
        if self.kind is Kind.PROMPT and not self.complete:
            return f"{label} (cut at {self.to_ms} ms)"
        return label


@dataclass(slots=True)
class _Ended:
    """A reading up to the end of one stretch; a chain through `before`."""

    heard: Heard
    before: _Ended | None


@dataclass(slots=True)
class _Reading:
    """One explanation of all packets so far; its last stretch is still running."""

    cost: int
    kind: Kind
    place: Place
    last_frame: int
    from_frame: int
    began_at: float
    last_at: float
    gap_ms: float | None
    before: _Ended | None
    lost: int = 0
    pause_ms: float = 0.0

    def go_on(self, step: int, at: float) -> None:
        """Take the frame `step` places further, arrived at `at`."""
        self.place = Place(self.place.recording, self.place.frame + step)
        self.lost += step - 1
        pause = (at - self.last_at) * 1000 - FRAME_MS * step
        self.pause_ms = max(self.pause_ms, pause)
        self.last_at = at

    def end_cost(self, hidden: int) -> int:
        """Return what it costs to end here when up to `hidden` further frames may have been lost."""
        cut = self.kind is Kind.PROMPT and self.last_frame - self.place.frame > hidden
        return _CUT if cut else 0


class Listener:
    """Packets in, stretches of sound out; one per received stream. Sequence numbers place the packets."""

    def __init__(self, recordings: Recordings) -> None:
        self._recordings = recordings
        self._readings: list[_Reading] = []
        self._settled: list[Heard] = []
        self._source: int | None = None
        self._sequence = 0
        self.packets = 0
        self.late = 0
        """Packets that came after a later one, or twice: not looked at."""

    def feed(self, sequence: int, source: int, payload: bytes, at: float) -> bool:
        """Take one µ-law packet that arrived `at`, in seconds of any steady clock.

        Returns False when it only carried on what was being heard, True when something began or came to its end.
        """
        step = self._step(sequence, source)
        if step <= 0:
            self.late += 1
            return False
        self.packets += 1
        if len(payload) < FRAME_BYTES:  # the last packet of a file that was not padded
            payload += SILENCE[len(payload) :]
        places = self._recordings.places(payload)
        if len(self._readings) == 1 and places is not None and len(places) == 1:
            reading, place = self._readings[0], places[0]
            if place.recording == reading.place.recording and place.frame == reading.place.frame + step:
                reading.go_on(step, at)  # nearly always: one reading, and it goes on
                return place.frame == reading.last_frame
        self._branch(payload, places, step, at)
        return True

    @property
    def certain(self) -> bool:
        """Return whether the last prompt cannot turn out to be a longer one that begins alike."""
        if len(self._readings) <= 1:
            return True
        best = min(self._readings, key=lambda reading: reading.cost + reading.end_cost(0))
        return not any(
            reading.began_at == best.began_at
            and reading.kind is Kind.PROMPT
            and reading.place.frame < reading.last_frame
            for reading in self._readings
            if reading is not best
        )

    @property
    def unambiguous(self) -> bool:
        """Return whether only one reading of all that was heard is left."""
        return len(self._readings) <= 1

    def heard(self, since: int = 0) -> list[Heard]:
        """Return the stretches from number `since` on as if the sound ended now."""
        tail: list[Heard] = []
        end = self._end(self._readings, 0)[0] if self._readings else None
        while end is not None:
            tail.append(end.heard)
            end = end.before
        settled = self._settled[since:]
        return settled + tail[::-1][max(0, since - len(self._settled)) :]

    def _step(self, sequence: int, source: int) -> int:
        """Return 1 for the next packet, 1 + lost after a loss, 0 or less for a late one."""
        step = ((sequence - self._sequence + 0x8000) & 0xFFFF) - 0x8000
        if source != self._source or abs(step) > MAX_BRIDGED_PACKETS:
            self._source, step = source, 1
        if step > 0:
            self._sequence = sequence
        return step

    def _branch(self, payload: bytes, places: tuple[Place, ...] | None, step: int, at: float) -> None:
        before = self._readings
        step = step if before else MISSED_AT_FIRST
        ends: dict[int, tuple[_Ended, int]] = {}
        born = [self._begin(before, place, step, at, ends) for place in places or ()]
        if payload == SILENCE:
            born.append(self._begin(before, Kind.SILENCE, step, at, ends))
        elif places is None:
            born.append(self._begin(before, Kind.UNKNOWN, step, at, ends))
        kept = [reading for reading in before if self._goes_on(reading, payload, step, known=places is not None)]
        for reading in kept:
            reading.go_on(step, at)
        if not kept and not born:  # a common frame out of its place, such as a pause played from its middle
            born.append(self._begin(before, Kind.UNKNOWN, step, at, ends))
        best: dict[tuple[Kind, Place | None], _Reading] = {}
        for reading in kept + born:  # of two readings with one future, the cheaper; the older if equal
            key = (reading.kind, reading.place if reading.place.recording >= 0 else None)
            if key not in best or reading.cost < best[key].cost:
                best[key] = reading
        cheapest = min(reading.cost for reading in best.values())
        self._readings = [reading for reading in best.values() if reading.cost <= cheapest + _BEAM]
        if len(self._readings) == 1:
            self._settle(self._readings[0])

    def _goes_on(self, reading: _Reading, payload: bytes, step: int, *, known: bool) -> bool:
        if reading.kind is Kind.SILENCE:
            return payload == SILENCE
        if reading.kind is Kind.UNKNOWN:
            return not known and payload != SILENCE
        frames = self._recordings.all[reading.place.recording].frames
        position = reading.place.frame + step
        return position < len(frames) and frames[position] == payload

    def _begin(
        self,
        before: list[_Reading],
        what: Place | Kind,
        step: int,
        at: float,
        ends: dict[int, tuple[_Ended, int]],
    ) -> _Reading:
        """Start a stretch here, after the cheapest way to end what was heard before (kept in `ends`)."""
        if isinstance(what, Kind):
            kind, place, first, last, missed = what, Place(-1, 0), 0, 0, 0
            cost = _UNKNOWN if kind is Kind.UNKNOWN else _START
        else:
            recording, place = self._recordings.all[what.recording], what
            kind, last = Kind.MUSIC if recording.music else Kind.PROMPT, len(recording.frames) - 1
            offset = place.frame - recording.head
            missed = offset if offset < step else 0
            cost = _START if offset == missed or recording.music else _MIDDLE
            first = 0 if offset == missed else place.frame
        if not before:
            return _Reading(cost, kind, place, last, first, at, at, None, None, lost=missed)
        hidden = step - 1 - missed
        if hidden not in ends:
            ends[hidden] = self._end(before, hidden)
        end, cost_before = ends[hidden]
        gap = (at - end.heard.ended_at) * 1000 - FRAME_MS * (step - 1)
        return _Reading(cost + cost_before, kind, place, last, first, at, at, gap, end, lost=missed)

    def _end(self, readings: list[_Reading], hidden: int) -> tuple[_Ended, int]:
        """Return the end of the cheapest reading and its cost; readings as cheap are its other candidates."""
        cheapest = min(reading.cost + reading.end_cost(hidden) for reading in readings)
        tied = [reading for reading in readings if reading.cost + reading.end_cost(hidden) == cheapest]
        named = [reading for reading in tied if reading.place.recording >= 0]
        best = (named or tied)[0]
        names: Iterable[frozenset[PromptName]] = (
            self._recordings.all[reading.place.recording].names for reading in named
        )
        complete = best.kind is not Kind.PROMPT or best.end_cost(hidden) == 0
        end_frame = best.last_frame if complete and best.kind is Kind.PROMPT else best.place.frame
        heard = Heard(
            kind=best.kind,
            candidates=frozenset().union(*names),
            complete=complete and (best.kind is not Kind.PROMPT or best.from_frame == 0),
            from_ms=best.from_frame * FRAME_MS,
            to_ms=(end_frame + 1) * FRAME_MS,
            began_at=best.began_at,
            ended_at=best.last_at + FRAME_MS / 1000,
            gap_ms=best.gap_ms,
            lost=best.lost + (end_frame - best.place.frame),
            longest_pause_ms=best.pause_ms,
        )
        return _Ended(heard, best.before), cheapest

    def _settle(self, reading: _Reading) -> None:
        """The one reading left is the truth: what it has ended will not change."""
        chain: list[Heard] = []
        end = reading.before
        while end is not None:
            chain.append(end.heard)
            end = end.before
        self._settled += chain[::-1]
        reading.before = None
