"""A caller's line while something else is expected: what is heard and asked meanwhile is given up when it comes.

Knows that a line can be woken, and asks whether there is news. Must not know what is expected, nor flows. News comes as
`CalledAway`, which rises through whatever the caller was doing like a hang-up: what must be finished first looks after
itself (`hold_off`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from ivr_engine.channel.line import (
    ALL_KEYS,
    TERMINATOR,
    WAKE,
    CalledAway,
    Dialled,
    KeysEnd,
    KeysRead,
    Line,
    Played,
    Recorded,
)
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

LISTEN_SLICE_MS: Final = 1000
"""How late news is noticed at most, where somebody is listened to and the wake-up was lost."""


class WatchedLine:
    """A `Line` whose verbs raise `CalledAway` as soon as `news()` is true; each is ended by a wake-up.

    Several keys are read one by one: the one command by which a real line reads them cannot be ended from outside.
    """

    def __init__(self, line: Line, news: Callable[[], bool]) -> None:
        self.line = line
        self._news = news
        self._held_off = 0

    @contextmanager
    def hold_off(self) -> Iterator[None]:
        """Let nobody call the caller away inside; what is done inside is short."""
        self._held_off += 1
        try:
            yield
        finally:
            self._held_off -= 1

    async def answer(self) -> None:
        """Answer the call; harmless when already answered."""
        await self.line.answer()

    async def play(self, what: Utterance, *, stop_on: str = ALL_KEYS, from_ms: int = 0) -> Played:
        """Play as the line does; a wake-up without news costs no word."""
        heard_ms = 0
        while True:
            self._look()
            played = await self.line.play(what, stop_on=stop_on + WAKE, from_ms=from_ms + heard_ms)
            heard_ms += played.heard_ms
            if played.key != WAKE:
                return Played(played.key, heard_ms)

    async def read_key(self, *, within_ms: int) -> str | None:
        """Return the next key, or None when none was pressed in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + within_ms / 1000
        while True:
            self._look()
            left_ms = round((until - loop.time()) * 1000)
            if left_ms <= 0:
                return None
            key = await self.line.read_key(within_ms=min(left_ms, LISTEN_SLICE_MS))
            if key is not None:
                return key

    async def read_keys(self, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
        """Play and read keys one by one; what was typed until the caller is called away is overwritten."""
        return await keys_one_by_one(self, what, max_keys=max_keys, within_ms=within_ms)

    async def music(self, *, on: bool) -> None:
        """Play hold music under `read_key`, or stop it."""
        await self.line.music(on=on)

    async def dial(
        self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None, secure: bool = False
    ) -> Dialled:
        """Join the caller to an agent's telephone, as the line does."""
        return await self.line.dial(endpoint, ring_s=ring_s, whisper=whisper, secure=secure)

    async def record(self, *, most_ms: int, silence_s: int, finish: str) -> Recorded:
        """Record to the end, as the line does: what is being said is not cut."""
        self._look()
        return await self.line.record(most_ms=most_ms, silence_s=silence_s, finish=finish)

    async def play_back(self, audio: bytes, *, stop_on: str = ALL_KEYS) -> Played:
        """Play what was recorded, as the line does."""
        self._look()
        return await self.line.play_back(audio, stop_on=stop_on)

    def _look(self) -> None:
        if not self._held_off and self._news():
            raise CalledAway


async def keys_one_by_one(line: Line, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
    """Read keys as `Line.read_keys` does, by a line's other verbs; what was typed so far is overwritten."""
    typed = bytearray()
    try:
        key = (await line.play(what)).key if what is not None and what.prompts else None
        while True:
            if key == TERMINATOR:
                return KeysRead(SecretDigits(typed), KeysEnd.TERMINATOR)
            if key is not None:
                typed.extend(key.encode("ascii"))
            if len(typed) >= max_keys:
                return KeysRead(SecretDigits(typed), KeysEnd.FULL)
            key = await line.read_key(within_ms=within_ms)
            if key is None:
                return KeysRead(SecretDigits(typed), KeysEnd.TIME_OUT)
    finally:
        typed[:] = bytes(len(typed))
