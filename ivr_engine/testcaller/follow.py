"""A caller who follows the steps of a test, and the report of the call.

Knows steps and callers. Must not know files or what the engine intended; it only knows what was heard.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ivr_engine.scenarios.model import REACTION_MS, HangUp, Hear, Press, Speak, Step, Wait
from ivr_engine.testcaller.caller import BARGE_IN_WITHIN_MS, Caller, CallError, KeyHeard
from ivr_engine.testcaller.caller import Press as PressedKey
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recognise import Heard, Kind
from ivr_engine.testcaller.recordings import PromptName
from ivr_engine.testcaller.voice import speech
from ivr_engine.values.secret import SecretDigits

KeysOf = Callable[[Press], Awaitable[str | SecretDigits]]
"""Gives the keys that a step presses; what the caller was sent may have to be looked up."""
STAYS_MS = 120_000
"""How long a caller who has done everything stays on the line, at most."""
GOODBYE_MS = 200
"""How long the report goes on listening after the last step, for sound that should not come."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """A prompt that a key cut: how much was heard, and ms from the key's first end packet to the end of sound."""

    prompt: PromptName
    heard_ms: int
    latency_ms: float


@dataclass(frozen=True, slots=True)
class CallReport:
    """What happened in one call; times are seconds since dialling."""

    title: str
    failure: str | None
    """Why the caller could not follow the steps, with the line; None when all went as written."""
    answered_s: float | None
    lasted_s: float
    ended_by: EndedBy | None
    dialled_at: float
    """Dialling, on the clock of `heard` and `presses` (the event loop's)."""
    heard: tuple[Heard, ...]
    presses: tuple[PressedKey, ...]
    keys_heard: tuple[KeyHeard, ...]
    late_packets: int
    about_to_press: tuple[tuple[float, float], ...] = ()
    """From when to when the caller was about to press a step's keys, and pressed them."""

    @property
    def barge_ins(self) -> tuple[BargeIn, ...]:
        """Return every prompt that a key cut; negative latency is a prompt cut before the key's end packet."""
        cut = [stretch for stretch in self.heard if stretch.kind is Kind.PROMPT and not stretch.complete]
        found = (_barge_in(stretch, self.presses) for stretch in cut)
        return tuple(barge_in for barge_in in found if barge_in is not None)

    @property
    def heard_whole(self) -> tuple[frozenset[PromptName], ...]:
        """Return what each recording may be that was heard to its end, without those that began by chance.

        A recording that begins while the caller is about to press a key is heard or cut by how quick the caller is.
        """
        return tuple(stretch.candidates for stretch in self._heard_by_no_chance() if stretch.complete)

    @property
    def heard_cut(self) -> tuple[frozenset[PromptName], ...]:
        """Return what each recording may be of which the beginning was heard, without those that began by chance."""
        return tuple(stretch.candidates for stretch in self._heard_by_no_chance() if not stretch.complete)

    def _heard_by_no_chance(self) -> Iterator[Heard]:
        for stretch in self.heard:
            by_chance = any(since <= stretch.began_at < until for since, until in self.about_to_press)
            if stretch.kind is Kind.PROMPT and not by_chance:
                yield stretch

    @property
    def gaps_ms(self) -> tuple[float, ...]:
        """Return the time without any packet before each prompt but the first."""
        prompts = [stretch for stretch in self.heard if stretch.kind is Kind.PROMPT]
        return tuple(stretch.gap_ms for stretch in prompts if stretch.gap_ms is not None)

    @property
    def unknown_ms(self) -> int:
        """Return how much sound was heard that is in no recording."""
        return sum(stretch.heard_ms for stretch in self.heard if stretch.kind is Kind.UNKNOWN)

    def transcript(self, texts: Mapping[PromptName, str]) -> str:
        """Return the dialogue, one line each: seconds, who, the words of the recording (or its name), cut marks."""
        lines = [(stretch.began_at, f"engine  {_words(stretch, texts)}") for stretch in self.heard]
        lines += [(press.began_at, f"caller  presses {press.shown}") for press in self.presses if press.began_at]
        text = [f"{at - self.dialled_at:7.2f} s  {what}" for at, what in sorted(lines)]
        if self.ended_by is not None:
            text.append(f"{self.lasted_s:7.2f} s  ended by {self.ended_by}")
        return "\n".join([*text, *([self.failure] if self.failure else [])])


def _barge_in(cut: Heard, presses: tuple[PressedKey, ...]) -> BargeIn | None:
    """Find the last key whose first packet left before the cut and whose end is close to it."""
    for press in reversed(presses):
        if press.began_at is None or press.ended_at is None or cut.name is None:
            continue
        latency_ms = (cut.ended_at - press.ended_at) * 1000
        if press.began_at <= cut.ended_at and latency_ms <= BARGE_IN_WITHIN_MS and press.ended_at >= cut.began_at:
            return BargeIn(cut.name, cut.heard_ms, latency_ms)
    return None


def _words(stretch: Heard, texts: Mapping[PromptName, str]) -> str:
    if stretch.name is None:
        return f"({stretch.kind}, {stretch.heard_ms} ms)"
    words = texts.get(stretch.name, str(stretch.name))
    if stretch.kind is Kind.MUSIC:
        return f"(music: {words}, {stretch.ended_at - stretch.began_at:.1f} s)"
    return words if stretch.complete else f"{words} — cut at {stretch.to_ms} ms"


async def follow(
    steps: Sequence[Step],
    phone: Phone,
    dial: str,
    *,
    keys_of: KeysOf,
    caller: str | None = None,
    title: str = "",
    stays_ms: int = STAYS_MS,
) -> CallReport:
    """Call a number and do the steps of a test; a call that goes otherwise is a report with a failure.

    `keys_of` gives the keys that a step presses. When the steps are done, the caller stays until the call ends,
    at most `stays_ms`.
    """
    failure = None
    about_to_press: list[tuple[float, float]] = []
    async with phone.ring(dial, caller=caller) as speaker:
        line = 0
        try:
            await speaker.answered()
            for step in steps:
                line = step.place.line
                began = await _hear_enough(step, speaker) if isinstance(step, Press) else 0.0
                await _do(step, speaker, keys_of)
                if isinstance(step, Press):
                    about_to_press.append((began, speaker.presses[-1].ended_at or speaker.now()))
            if not any(isinstance(step, HangUp) for step in steps):
                await speaker.ended(within_ms=stays_ms)
        except CallError as error:
            failure = f"line {line}: {error}" if line else str(error)
        await speaker.wait(GOODBYE_MS)
        ended_by = speaker.call.ended_by
        now = speaker.ended_at or speaker.now()
    return CallReport(
        title=title,
        failure=failure,
        answered_s=None if speaker.answered_at is None else speaker.answered_at - speaker.dialled_at,
        lasted_s=now - speaker.dialled_at,
        ended_by=ended_by,
        dialled_at=speaker.dialled_at,
        heard=tuple(speaker.heard),
        presses=tuple(speaker.presses),
        keys_heard=tuple(speaker.keys_heard),
        late_packets=speaker.listener.late,
        about_to_press=tuple(about_to_press),
    )


async def _do(step: Step, caller: Caller, keys_of: KeysOf) -> None:
    match step:
        case Hear(_, listing, within_ms):
            until = caller.now() + within_ms / 1000
            for position, wanted in enumerate(listing.wanted):
                name = wanted.prompt if wanted.language is None else PromptName(wanted.language, wanted.prompt)
                others = position == 0 or position in listing.others_before
                left_ms = max(1, round((until - caller.now()) * 1000))
                await caller.hear(name, others=others, within_ms=left_ms)
        case Press():
            await caller.press(await keys_of(step), every_ms=step.every_ms)
        case Wait(_, milliseconds):
            await caller.wait(milliseconds)
        case Speak(_, milliseconds):
            await caller.say(speech(milliseconds))
        case HangUp(_, after_ms):
            if after_ms:
                await caller.wait(after_ms)
            caller.hang_up()


async def _hear_enough(step: Press, caller: Caller) -> float:
    """Wait for the recording in which a step's keys are pressed, where there is one; else for a moment, as people do.

    Return since when the caller is about to press: what begins from then on is heard or cut by chance.
    """
    if (during := step.during) is not None:
        name = during.prompt if during.language is None else PromptName(during.language, during.prompt)
        heard = await caller.hear_beginning(name, after_ms=step.after_ms, others=True, to_its_end=True)
        return math.nextafter(heard.began_at, math.inf)  # that recording itself is no chance
    began = caller.now()
    await caller.wait(REACTION_MS)
    return began
