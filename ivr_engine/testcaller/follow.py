"""A caller who follows a script, and the report of the call.

Knows scripts and callers. Must not know files of flows or what the engine intended; it only knows what was heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ivr_engine.testcaller.caller import (
    BARGE_IN_WITHIN_MS,
    END_WITHIN_MS,
    HEAR_WITHIN_MS,
    Caller,
    CallError,
    KeyHeard,
    Press,
)
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone, Target
from ivr_engine.testcaller.recognise import Heard, Kind
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.script import CallScript, Ended, HangUp, Hear, PressKeys, Step, Wait
from ivr_engine.values.secret import SecretDigits

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
    """Why the caller could not follow the script, with its line; None when all went as written."""
    answered_s: float | None
    lasted_s: float
    ended_by: EndedBy | None
    dialled_at: float
    """Dialling, on the clock of `heard` and `presses` (the event loop's)."""
    heard: tuple[Heard, ...]
    presses: tuple[Press, ...]
    keys_heard: tuple[KeyHeard, ...]
    late_packets: int

    @property
    def barge_ins(self) -> tuple[BargeIn, ...]:
        """Return every prompt that a key cut; negative latency is a prompt cut before the key's end packet."""
        cut = [stretch for stretch in self.heard if stretch.kind is Kind.PROMPT and not stretch.complete]
        found = (_barge_in(stretch, self.presses) for stretch in cut)
        return tuple(barge_in for barge_in in found if barge_in is not None)

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


def _barge_in(cut: Heard, presses: tuple[Press, ...]) -> BargeIn | None:
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


async def follow(script: CallScript, phone: Phone, *, secrets: Mapping[str, SecretDigits]) -> CallReport:
    """Place the call and do what the script says; a call that goes otherwise is a report with a failure.

    Raises `KeyError` before dialling when a secret is missing.
    """
    for name in script.secrets:
        if name not in secrets:
            raise KeyError(name)
    failure = None
    async with phone.ring(script.dial, caller=script.caller) as caller:
        line = 0
        try:
            await caller.answered()
            for step in script.steps:
                line = step.line
                await _do(step, caller, secrets)
        except CallError as error:
            failure = f"line {line}: {error}" if line else str(error)
        await caller.wait(GOODBYE_MS)
        ended_by = caller.call.ended_by
        now = caller.ended_at or caller.now()
    return CallReport(
        title=script.title,
        failure=failure,
        answered_s=None if caller.answered_at is None else caller.answered_at - caller.dialled_at,
        lasted_s=now - caller.dialled_at,
        ended_by=ended_by,
        dialled_at=caller.dialled_at,
        heard=tuple(caller.heard),
        presses=tuple(caller.presses),
        keys_heard=tuple(caller.keys_heard),
        late_packets=caller.listener.late,
    )


async def place_call(
    script: CallScript, target: Target, sounds: Path, *, secrets: Mapping[str, SecretDigits]
) -> CallReport:
    """Place one call with a phone of its own, hearing the recordings in the folder `sounds`; as `follow`.

    For many calls at once, open one `Phone` and `follow` with it: the recordings are then read once.
    """
    async with Phone.at(target, Recordings.load(sounds)) as phone:
        return await follow(script, phone, secrets=secrets)


async def _do(step: Step, caller: Caller, secrets: Mapping[str, SecretDigits]) -> None:
    match step.action:
        case Hear(prompts, after_others, within_ms):
            for position, prompt in enumerate(prompts):
                await caller.hear(prompt, others=position in after_others, within_ms=within_ms or HEAR_WITHIN_MS)
        case PressKeys() as press:
            if press.during is not None:
                await caller.hear_beginning(press.during, after_ms=press.after_ms)
            keys = secrets[press.secret] if press.secret is not None else press.keys or ""
            await caller.press(keys, every_ms=press.every_ms, tone=press.tone)
        case Wait(milliseconds, silent):
            await (caller.hear_nothing(for_ms=milliseconds) if silent else caller.wait(milliseconds))
        case HangUp():
            caller.hang_up()
        case Ended(within_ms):
            by = await caller.ended(within_ms=within_ms or END_WITHIN_MS)
            if by is not EndedBy.FAR_END:
                raise CallError(f"the engine was expected to hang up, but the call was ended by: {by}")
