"""A scripted caller: the `Line` port in memory.

Knows how keys, prompts and silence follow one another on a real channel, key by key. Must not know flows. It obeys the
same contract tests as the line on a real Asterisk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ivr_engine.channel.line import (
    ALL_KEYS,
    TERMINATOR,
    WAKE,
    CallerHungUp,
    Dialled,
    DialResult,
    KeysEnd,
    KeysRead,
    Played,
    Recorded,
    RecordEnd,
    RecordingFailedError,
)
from ivr_engine.values.recording import RECORDED_BYTES_PER_MS
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

PROMPT_MS: Final = 1000
"""How long a prompt lasts unless its length is given."""


@dataclass(frozen=True, slots=True)
class Press:
    """Press keys, `every_ms` apart, `after_ms` from the end of the action before."""

    keys: str
    after_ms: int = 0
    every_ms: int = 100


@dataclass(frozen=True, slots=True)
class HearOut:
    """Do nothing until a prompt has ended and the line is listening to silence."""


@dataclass(frozen=True, slots=True)
class Speak:
    """Speak while a message is recorded, for so long; then be silent."""

    for_ms: int = 3000


@dataclass(frozen=True, slots=True)
class HangUp:
    """Hang up, `after_ms` from the end of the action before."""

    after_ms: int = 0


Deed = Press | HearOut | Speak | HangUp

VOICE: Final = b"\x35"
"""One sample of a simulated voice."""
HUSH: Final = b"\xff"
"""One sample of silence (µ-law zero)."""


def message_of(spoken_ms: int, end: RecordEnd) -> bytes:
    """Return what Asterisk leaves of a message: of the silence that ended it, one second stays."""
    hush = HUSH * 8000 if end is RecordEnd.SILENCE_OR_LONGEST else b""
    return VOICE * (RECORDED_BYTES_PER_MS * spoken_ms) + hush


@dataclass(frozen=True, slots=True)
class Heard:
    """A prompt, and whether it was heard to its end."""

    prompt: str
    complete: bool


@dataclass(slots=True)
class ScriptedLine:
    """A caller who does deeds in order and never presses anything else.

    `agents` are the results of successive `dial`s (answered when they run out). `heard` is what was heard.
    """

    deeds: Sequence[Deed] = ()
    agents: Sequence[Dialled] = ()
    prompt_ms: Callable[[str], int] = lambda _: PROMPT_MS
    heard: list[Heard] = field(default_factory=list)
    dialled: list[str] = field(default_factory=list)
    whispered: list[Utterance] = field(default_factory=list)
    answered: bool = False
    hung_up_by: str = ""
    cannot_record: bool = False
    agent_asks: Callable[[], None] | None = None
    """Called once, at the end of the first talk in which an agent may ask for a secret."""
    played_back: list[bytes] = field(default_factory=list)
    _due: deque[tuple[float, str]] = field(default_factory=deque)
    _left: deque[Deed] = field(default_factory=deque)
    _agents_left: deque[Dialled] = field(default_factory=deque)
    _begun: bool = False
    _asleep: asyncio.Future[None] | None = None

    async def answer(self) -> None:
        """Answer; the caller's first deed is counted from here."""
        self._check()
        self.answered = True
        if not self._begun:
            self._begun = True
            self._left.extend(self.deeds)
            self._agents_left.extend(self.agents)
            self._schedule(_now())

    async def play(self, what: Utterance, *, stop_on: str = ALL_KEYS, from_ms: int = 0) -> Played:
        """Play in virtual time until the end or a key in `stop_on`."""
        self._check()
        began = _now()
        left_ms = sum(self.prompt_ms(prompt) for prompt in what.prompts) - from_ms
        while True:
            key, at = await self._next_key(began + left_ms / 1000, woken=WAKE in stop_on)
            if key is None or key in stop_on:
                break
        heard_ms = left_ms if key is None else round((at - began) * 1000)
        self._note(what, from_ms, from_ms + heard_ms)
        return Played(key, heard_ms)

    async def read_key(self, *, within_ms: int) -> str | None:
        """Wait for one key."""
        self._check()
        self._silence()
        key, _ = await self._next_key(_now() + within_ms / 1000, woken=True)
        return key if key != WAKE else None

    def wake(self) -> None:
        """End the verb that runs, if it can be woken; else nothing happens, as on a real line."""
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)

    async def read_keys(self, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
        """Play, then read keys, as GET DATA does."""
        self._check()
        typed = bytearray()
        if what is not None and what.prompts:
            played = await self.play(what)
            if played.key == TERMINATOR:
                return KeysRead(SecretDigits(b""), KeysEnd.TERMINATOR)
            if played.key is not None:
                typed.extend(played.key.encode())
        while len(typed) < max_keys:
            self._silence()
            key, _ = await self._next_key(_now() + within_ms / 1000)
            if key is None or key == TERMINATOR:
                return KeysRead(SecretDigits(typed), KeysEnd.TIME_OUT if key is None else KeysEnd.TERMINATOR)
            typed.extend(key.encode())
        return KeysRead(SecretDigits(typed), KeysEnd.FULL)

    async def record(self, *, most_ms: int, silence_s: int, finish: str) -> Recorded:
        """Record what a `Speak` says, then silence; keys and a hang-up come at their own times."""
        self._check()
        if self.cannot_record:
            raise RecordingFailedError("the disk is full")
        began, spoken_ms = _now(), 0
        self._silence()  # a prompt was heard out before this
        if self._left and isinstance(self._left[0], Speak) and not self._due:
            spoken_ms = min(self._left[0].for_ms, most_ms)
            self._left.popleft()
            self._schedule(began + spoken_ms / 1000)
        lasts_ms = min(most_ms, spoken_ms + silence_s * 1000)
        end = RecordEnd.SILENCE_OR_LONGEST
        try:
            while (key := (await self._next_key(began + lasts_ms / 1000))[0]) is not None:
                if key == finish:
                    end = RecordEnd.KEY
                    break
        except CallerHungUp:
            end = RecordEnd.HUNG_UP
        heard_ms = round((_now() - began) * 1000)
        return Recorded(message_of(min(spoken_ms, heard_ms), end), end)

    async def play_back(self, audio: bytes, *, stop_on: str = ALL_KEYS) -> Played:
        """Play what was recorded."""
        self._check()
        self.played_back.append(audio)
        began = _now()
        while True:
            key, at = await self._next_key(began + len(audio) / 8000)
            if key is None or key in stop_on:
                return Played(key, round(((at if key else _now()) - began) * 1000))

    async def music(self, *, on: bool) -> None:
        """Music makes no difference to a scripted caller."""
        del on
        self._check()

    async def dial(
        self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None, secure: bool = False
    ) -> Dialled:
        """Let the next scripted agent answer, or not; the first who may asks for a secret, if one is to."""
        self._check()
        self.dialled.append(endpoint)
        if whisper is not None:
            self.whispered.append(whisper)
        dialled = self._agents_left.popleft() if self._agents_left else Dialled(DialResult.ANSWERED, 60)
        unanswered_s = ring_s if dialled.result is DialResult.NO_ANSWER else 0
        await self._pass_time(max(dialled.talk_seconds, unanswered_s))
        if secure and self.agent_asks is not None and dialled.result is DialResult.ANSWERED:
            asks, self.agent_asks = self.agent_asks, None
            asks()
        return dialled

    def _check(self) -> None:
        if self.hung_up_by:
            raise CallerHungUp

    async def _pass_time(self, seconds: float) -> None:
        until = _now() + seconds
        while (await self._next_key(until))[0] is not None:
            pass

    async def _next_key(self, until: float, *, woken: bool = False) -> tuple[str | None, float]:
        """Return the next key due before `until` (and when), or None at `until`; raise at the caller's hang-up.

        With `woken` a wake-up ends it as well, and is returned like a key.
        """
        if self._due and self._due[0][0] <= until:
            at, key = self._due[0]
            if await self._sleep_until(at, woken=woken):
                return WAKE, _now()
            self._due.popleft()
            if not self._due:
                self._schedule(max(at, _now()))
            if key == "hang up":
                self.hung_up_by = "caller"
                raise CallerHungUp
            return key, _now()
        if await self._sleep_until(until, woken=woken):
            return WAKE, _now()
        return None, until

    async def _sleep_until(self, when: float, *, woken: bool) -> bool:
        """Return whether a wake-up ended it before its time."""
        self._asleep = asyncio.get_running_loop().create_future() if woken else None
        if self._asleep is None:
            await asyncio.sleep(max(0.0, when - _now()))
            return False
        await asyncio.wait({self._asleep}, timeout=max(0.0, when - _now()))
        is_woken, self._asleep = self._asleep.done(), None
        return is_woken

    def _silence(self) -> None:
        if self._left and isinstance(self._left[0], HearOut) and not self._due:
            self._left.popleft()
            self._schedule(_now())

    def _schedule(self, at: float) -> None:
        if not self._left or isinstance(self._left[0], HearOut | Speak):
            return
        deed = self._left.popleft()
        if isinstance(deed, HangUp):
            self._due.append((at + deed.after_ms / 1000, "hang up"))
        elif isinstance(deed, Press):
            first = at + deed.after_ms / 1000
            self._due.extend((first + deed.every_ms * place / 1000, key) for place, key in enumerate(deed.keys))

    def _note(self, what: Utterance, begin_ms: int, end_ms: int) -> None:
        position = 0
        for prompt in what.prompts:
            length = self.prompt_ms(prompt)
            if position + length > begin_ms and position < end_ms:
                name = prompt if "/" in prompt else f"{what.language.value}/{prompt}"
                self.heard.append(Heard(name, complete=position + length <= end_ms))
            position += length


def _now() -> float:
    return asyncio.get_running_loop().time()
