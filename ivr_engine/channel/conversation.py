"""Speaking with one caller: say, offer, ask, and listen while something else is done.

Knows the order in which audio is played and keys are taken, and that no key is lost between two steps. Must not
know why something is said, nor what the keys mean to the bank. Every method raises `CallerHungUp`, and `CalledAway`
while it is watched for news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from ivr_engine.channel.keys import (
    Entry,
    EntryEnd,
    KeyBuffer,
    Match,
    TerminatorSwallower,
    first_keys,
    judge_entry,
    match,
)
from ivr_engine.channel.line import ALL_KEYS, TERMINATOR, KeysEnd, Line
from ivr_engine.channel.watching import WatchedLine
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

LISTEN_GRACE_S: Final = 0.005
"""Work faster than this is not listened through. A key is lost when nobody listens for some 80 ms, in which it both
begins and ends; so this is a small part of that, and the rest is left to an engine that is busy for a moment (with
30 ms here, 3 of 1,260 keys were lost on a machine under load)."""
LISTEN_SLICE_MS: Final = 200
"""How long one listening command may outlast the work that the caller waits for."""

T = TypeVar("T")


class Interrupt(StrEnum):
    """Which keys stop a prompt."""

    NONE = "none"
    VALID = "valid"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Timing:
    """Silences in milliseconds: before the first key, from the end of the prompt; and between two keys."""

    first_key_ms: int = 6000
    between_keys_ms: int = 4000


class NoChoice(StrEnum):
    """Why a menu was left without a choice."""

    NO_INPUT = "no_input"
    NO_MATCH = "no_match"


class Conversation:
    """A caller's line together with the keys they have typed ahead.

    `keys_taken` counts every key that reached the engine, whatever became of it.
    """

    def __init__(self, line: Line) -> None:
        self.line: Line = line
        self.keys = KeyBuffer()
        self.keys_taken = 0
        self._swallower = TerminatorSwallower()
        self._watched: WatchedLine | None = None
        self._finishes_entries = False

    def watch(self, news: Callable[[], bool]) -> None:
        """Let `CalledAway` rise from now on as soon as there is news, until `unwatch()`."""
        self.unwatch()
        self.line = self._watched = WatchedLine(self.line, news)

    def unwatch(self) -> None:
        """Call the caller away no longer; harmless when repeated."""
        if self._watched is not None:
            self.line, self._watched = self._watched.line, None

    @contextmanager
    def hold_off(self) -> Iterator[None]:
        """Let nobody call the caller away inside: for what must be finished once it has begun, and is short."""
        with self._watched.hold_off() if self._watched is not None else nullcontext():
            yield

    @contextmanager
    def finishing_entries(self) -> Iterator[None]:
        """Let entries that have begun be finished inside: the rest of a PIN would be heard by who comes next."""
        self._finishes_entries = True
        try:
            yield
        finally:
            self._finishes_entries = False

    async def say(self, what: Utterance, *, interrupt: Interrupt = Interrupt.ANY) -> None:
        """Play `what`; skip it when keys are already typed ahead, unless `interrupt` is `none`.

        A key that stops it is kept for the next question. With `none` keys are kept too and the audio goes on.
        """
        must_hear = interrupt is Interrupt.NONE
        if self.keys and not must_hear:
            return
        heard_ms = 0
        while True:
            played = await self.line.play(what, stop_on=ALL_KEYS, from_ms=heard_ms)
            if played.key is None:
                return
            heard_ms += played.heard_ms
            self.keys_taken += 1
            belongs_to_entry_before = self._swallower.swallows(played.key)
            if not belongs_to_entry_before:
                self.keys.add(played.key)
            if not must_hear and not belongs_to_entry_before:
                return

    async def choose(
        self, prompt: Utterance, options: frozenset[str], *, interrupt: Interrupt, timing: Timing
    ) -> str | NoChoice:
        """Offer `options` (key sequences) and return the one chosen, or why there is none.

        The prompt is skipped when keys are typed ahead, unless `interrupt` is `none`.
        """
        if interrupt is Interrupt.NONE:
            await self.say(prompt, interrupt=interrupt)
            typed = await self.wait_key(timing.first_key_ms)
        else:
            typed = self._next_typed_ahead() or await self._first_key(prompt, options, interrupt, timing)
        if typed is None:
            return NoChoice.NO_INPUT
        while True:
            found = match(typed, options)
            if found is Match.EXACT:
                return typed
            if found is Match.NOTHING:
                return NoChoice.NO_MATCH
            key = self._next_typed_ahead() or await self._read_key(timing.between_keys_ms)
            if key is None or (key == TERMINATOR and match(typed + key, options) is Match.NOTHING):
                return typed if found is Match.EXACT_OR_PREFIX else NoChoice.NO_MATCH
            typed += key

    async def read_back(self, what: Utterance, *, stop_on: str) -> str | None:
        """Play what a caller is to confirm; return the key that stopped it, or None when it was heard to its end.

        Keys typed ahead are dropped before it speaks: who has not heard it cannot agree to it. A key that is not in
        `stop_on` neither stops it nor is kept.
        """
        self._drop_typed_ahead()
        heard_ms = 0
        while True:
            played = await self.line.play(what, stop_on=stop_on, from_ms=heard_ms)
            if played.key is None:
                self._swallower.disarm()  # a '#' so long after an entry does not belong to it
                return None
            self.keys_taken += 1
            if not self._swallower.swallows(played.key):
                return played.key
            heard_ms += played.heard_ms

    async def collect(
        self, prompt: Utterance | None, entry: Entry, timing: Timing, *, interrupt: Interrupt = Interrupt.ANY
    ) -> tuple[EntryEnd, SecretDigits]:
        """Ask for keys and judge them; the keys are secret until the asker says otherwise.

        A prompt is skipped when keys are typed ahead, unless `interrupt` is `none`. The terminator `#` is not part of
        the keys; a `#` after the greatest length is swallowed.
        """
        if prompt is not None and interrupt is not Interrupt.ANY:
            await self._say_before_entry(prompt, entry, interrupt)
            prompt = None
        digits = bytearray()
        try:
            end = self._take_typed_ahead(digits, entry)
            if end is None:
                end = await self._read_entry(None if digits else prompt, digits, entry, timing)
            if end is KeysEnd.FULL and not self.keys.take(TERMINATOR):
                self._swallower.arm()
            keys = SecretDigits(digits)
        finally:
            for position in range(len(digits)):
                digits[position] = 0
        return judge_entry(entry, keys), keys

    async def listen_while(self, work: Coroutine[object, object, T]) -> T:
        """Await `work` and lose no key meanwhile; a hang-up cancels the work and is raised.

        Work that must not be cancelled (money) shields itself.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task}, timeout=LISTEN_GRACE_S)
            while not task.done():
                key = await self._read_key(LISTEN_SLICE_MS)
                if key is not None:
                    self.keys.add(key)
        except BaseException:
            task.cancel()
            await asyncio.wait({task})
            if not task.cancelled():
                task.exception()  # seen, so that asyncio does not report it as forgotten
            raise
        return task.result()

    async def wait_key(self, within_ms: int) -> str | None:
        """Return a key typed ahead, or the next within the time, or None."""
        return self._next_typed_ahead() or await self._read_key(within_ms)

    def forget_typed_ahead(self) -> None:
        """Drop keys typed ahead (before a confirmation, and after anything secret)."""
        self.keys.wipe()

    def _drop_typed_ahead(self) -> None:
        if self._next_typed_ahead() is not None:  # a '#' of the entry before is not waited for any longer
            self.keys.wipe()

    async def _read_key(self, within_ms: int) -> str | None:
        while True:
            key = await self.line.read_key(within_ms=within_ms)
            if key is None:
                return None
            self.keys_taken += 1
            if not self._swallower.swallows(key):
                return key

    def _next_typed_ahead(self) -> str | None:
        while (key := self.keys.pop()) is not None:
            if not self._swallower.swallows(key):
                return key
        return None

    async def _first_key(
        self, prompt: Utterance, options: frozenset[str], interrupt: Interrupt, timing: Timing
    ) -> str | None:
        if interrupt is Interrupt.ANY:
            return await self._first_key_in_one_command(prompt, timing)
        heard_ms = 0
        while True:
            played = await self.line.play(prompt, stop_on=first_keys(options), from_ms=heard_ms)
            if played.key is None:
                return await self._read_key(timing.first_key_ms)
            self.keys_taken += 1
            if not self._swallower.swallows(played.key):
                return played.key
            heard_ms += played.heard_ms

    async def _first_key_in_one_command(self, prompt: Utterance, timing: Timing) -> str | None:
        heard: Utterance | None = prompt
        while True:
            read = await self.line.read_keys(heard, max_keys=1, within_ms=timing.first_key_ms)
            if read.end is KeysEnd.TIME_OUT:
                return None
            key = TERMINATOR if read.end is KeysEnd.TERMINATOR else read.keys.reveal().decode("ascii")
            self.keys_taken += 1
            if not self._swallower.swallows(key):
                return key
            # The '#' of the entry before stopped the prompt: it is played again from its beginning.

    async def _say_before_entry(self, prompt: Utterance, entry: Entry, interrupt: Interrupt) -> None:
        """Play a prompt that not every key stops; the key that does, and keys that are kept, begin the entry."""
        if interrupt is Interrupt.NONE:
            await self.say(prompt, interrupt=Interrupt.NONE)
        elif not self.keys:
            played = await self.line.play(prompt, stop_on=entry.first_keys + (entry.cancel_key or ""))
            if played.key is not None:
                self.keys_taken += 1
                self.keys.add(played.key)

    def _take_typed_ahead(self, digits: bytearray, entry: Entry) -> KeysEnd | None:
        while len(digits) < entry.max_keys:
            key = self._next_typed_ahead()
            if key is None:
                return None
            if key == TERMINATOR:
                return KeysEnd.TERMINATOR
            digits.extend(key.encode("ascii"))
            if key == entry.cancel_key:
                return KeysEnd.TERMINATOR
        return KeysEnd.FULL

    async def _read_entry(self, prompt: Utterance | None, digits: bytearray, entry: Entry, timing: Timing) -> KeysEnd:
        """Read the rest of an entry: one command where both silences are alike, else one more for the first key.

        Where an entry that has begun is finished, the first key also parts what is given up from what is not.
        """
        max_keys = entry.max_keys - len(digits)
        finishes = self._finishes_entries and self._watched is not None
        if not digits and (finishes or timing.first_key_ms != timing.between_keys_ms):
            end = await self._read_part(prompt, digits, max_keys=1, within_ms=timing.first_key_ms)
            if end is not KeysEnd.FULL or max_keys == 1:
                return end
            prompt, max_keys = None, max_keys - 1
        with self.hold_off() if finishes else nullcontext():
            return await self._read_part(prompt, digits, max_keys=max_keys, within_ms=timing.between_keys_ms)

    async def _read_part(
        self, prompt: Utterance | None, digits: bytearray, *, max_keys: int, within_ms: int
    ) -> KeysEnd:
        while True:
            read = await self.line.read_keys(prompt, max_keys=max_keys, within_ms=within_ms)
            ended_by_key = read.end is KeysEnd.TERMINATOR
            self.keys_taken += len(read.keys) + ended_by_key
            if ended_by_key and not len(read.keys) and not digits and self._swallower.swallows(TERMINATOR):
                continue  # the '#' of the entry before; an own empty entry would also be judged as no input
            if len(read.keys):
                self._swallower.disarm()
            digits.extend(read.keys.reveal())
            read.keys.wipe()
            return read.end
