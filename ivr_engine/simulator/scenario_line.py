"""The `Line` port in memory, with a caller who follows a test.

Knows how recordings, keys and silence follow one another. Must not know flows, nor what the caller's steps mean. It is
held against a real Asterisk by `ivr test --sip`, which makes the same calls on both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ivr_engine.channel.line import (
    ALL_KEYS,
    WAKE,
    CallerHungUp,
    Dialled,
    DialResult,
    KeysRead,
    Played,
    Recorded,
    RecordEnd,
)
from ivr_engine.channel.watching import keys_one_by_one
from ivr_engine.simulator.caller import HANG_UP, ScenarioCaller
from ivr_engine.simulator.line import message_of
from ivr_engine.simulator.virtual_time import VirtualTimeLoop
from ivr_engine.values.recording import RECORDED_BYTES_PER_MS
from ivr_engine.values.utterance import Utterance

TALK_S: Final = 1
"""How long people talk whom a test lets answer."""


class TooLongError(Exception):
    """The call goes on for longer than any test may."""


@dataclass(slots=True)
class ScenarioLine:
    """The line of a caller in virtual time. `lasts_ms` is how long a recording (`<language>/<id>`) is heard.

    Raises `TooLongError` when the loop's time would pass `ends_at`.
    """

    loop: VirtualTimeLoop
    caller: ScenarioCaller
    lasts_ms: Callable[[str], int]
    ends_at: float
    hung_up: bool = False
    _asleep: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """End the verb that runs, if it can be woken; else nothing happens, as on a real line."""
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)

    async def renew_backstop(self, seconds: int) -> None:
        """No dialplan stands behind a simulated caller."""
        del seconds
        self._check()

    async def mark_done(self) -> None:
        """No dialplan stands behind a simulated caller."""
        self._check()

    async def mark_agent_spoke(self, *, spoke: bool) -> None:
        """No dialplan stands behind a simulated caller."""
        del spoke
        self._check()

    async def answer(self) -> None:
        """The call is answered at once."""
        self._check()

    async def play(self, what: Utterance, *, stop_on: str = ALL_KEYS, from_ms: int = 0) -> Played:
        """Let the caller hear recording after recording, until the end or a key in `stop_on`."""
        self._check()
        began = self.loop.time()
        begins = began - from_ms / 1000
        for prompt in what.prompts:
            name = prompt if "/" in prompt else f"{what.language.value}/{prompt}"
            ends = begins + self.lasts_ms(name) / 1000
            if ends <= began:
                begins = ends
                continue
            heard_from = self.caller.goes_on(name) if begins < began else None
            if heard_from is None:
                heard_from = max(begins, began)
            self.caller.begins(name, heard_from)
            try:
                pressed = await self._key(ends, stop_on)
            except CallerHungUp:
                self.caller.hears(name, heard_from, self.loop.time(), cut=True)
                raise
            if pressed is not None:
                away = pressed == WAKE
                self.caller.hears(name, heard_from, self.loop.time(), cut=True, called_away=away)
                return Played(pressed, round((self.loop.time() - began) * 1000))
            self.caller.hears(name, heard_from, ends, cut=False)
            begins = ends
        await self._pass_until(begins)
        return Played(None, round((begins - began) * 1000))

    async def read_key(self, *, within_ms: int) -> str | None:
        """Wait for the caller's next key."""
        self._check()
        until = self.loop.time() + within_ms / 1000
        key = await self._key(until, ALL_KEYS + WAKE)
        return key if key != WAKE else None

    async def read_keys(self, what: Utterance | None, *, max_keys: int, within_ms: int) -> KeysRead:
        """Play, then read keys, as GET DATA does."""
        self._check()
        return await keys_one_by_one(self, what, max_keys=max_keys, within_ms=within_ms)

    async def record(self, *, most_ms: int, silence_s: int, finish: str) -> Recorded:
        """Record what the caller says for as long as the test lets them speak, then silence."""
        self._check()
        began = self.loop.time()
        speaks_s = min(self.caller.speaks(began), most_ms / 1000)
        ends = began + min(most_ms / 1000, speaks_s + silence_s)
        end = RecordEnd.SILENCE_OR_LONGEST
        try:
            if await self._key(ends, finish) is not None:
                end = RecordEnd.KEY
            else:
                await self._pass_until(ends)
        except CallerHungUp:
            end = RecordEnd.HUNG_UP
        spoken_s = min(speaks_s, self.loop.time() - began)
        return Recorded(message_of(round(spoken_s * 1000), end), end)

    async def play_back(self, audio: bytes, *, stop_on: str = ALL_KEYS) -> Played:
        """Let the caller hear what they have said."""
        self._check()
        began = self.loop.time()
        ends = began + len(audio) / RECORDED_BYTES_PER_MS / 1000
        key = await self._key(ends, stop_on)
        if key is None:
            await self._pass_until(ends)
        return Played(key, round((self.loop.time() - began) * 1000))

    async def music(self, *, on: bool) -> None:
        """Music is not heard by a simulated caller."""
        del on
        self._check()

    async def dial(self, endpoint: str, *, ring_s: int, whisper: Utterance | None = None) -> Dialled:
        """Whoever is dialled answers and talks for a while; the caller hears no whisper."""
        del endpoint, ring_s, whisper
        self._check()
        ends = self.loop.time() + TALK_S
        await self._key(ends, "")
        await self._pass_until(ends)
        return Dialled(DialResult.ANSWERED, TALK_S)

    async def _key(self, until: float, wanted: str) -> str | None:
        """Return the first key in `wanted` that is pressed before a time, at its time; other keys are not seen.

        None when there is none; where `WAKE` is wanted, that time has passed then, and a wake-up ends it sooner.
        """
        woken = WAKE in wanted
        while (deed := self.caller.next_deed) is not None and deed[0] <= until:
            at, key = deed
            if (key == HANG_UP or key in wanted) and await self._pass_until(at, woken=woken):
                return WAKE
            self.caller.do_next()
            if key == HANG_UP:
                self.hung_up = True
                raise CallerHungUp
            if key in wanted:
                return key
        return WAKE if woken and await self._pass_until(until, woken=True) else None

    async def _pass_until(self, when: float, *, woken: bool = False) -> bool:
        """Return whether a wake-up ended it before its time, where one may."""
        if when > self.ends_at:
            await self.loop.pass_until(self.ends_at)
            raise TooLongError
        if not woken or not self.loop.is_awaited_before(when):
            await self.loop.pass_until(when)
            return False
        self._asleep = self.loop.create_future()
        await asyncio.wait({self._asleep}, timeout=max(0.0, when - self.loop.time()))
        is_woken, self._asleep = self._asleep.done(), None
        return is_woken

    def _check(self) -> None:
        if self.hung_up:
            raise CallerHungUp
