"""One caller in a real call: hears recordings as they are played, presses keys, hangs up at any instant.

Knows the listener, the sender and the call; reacts to what it hears. Must not know scripts, or how many callers
there are. Its `Phone` gives it sockets and time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ivr_engine.testcaller.answering import IncomingCall
from ivr_engine.testcaller.dialogue import CallState, EndedBy, OutgoingCall
from ivr_engine.testcaller.recognise import Heard, Kind, Listener
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.rtp import (
    PCMU,
    USUAL_TONE,
    RtpError,
    SpeakingStream,
    Tone,
    parse_key_event,
    parse_rtp,
)
from ivr_engine.values.secret import SecretDigits

ANSWER_WITHIN_MS: Final = 20_000
HEAR_WITHIN_MS: Final = 25_000
END_WITHIN_MS: Final = 15_000
PRESS_WITHIN_MS: Final = 5_000
QUIET_BEATS: Final = 10
"""Without a packet for so many beats of 20 ms, a recording is over, even if a longer one begins alike.

Counted in beats, not in time: when this machine was late, packets may lie unread. Longer than usual jitter.
"""
CUT_BEATS: Final = 50
"""Without a packet for so many beats, a recording that was not heard to its end was cut: a server that does too much at
once sends nothing for some tenths of a second, and goes on where it was."""
LAST_BEATS: Final = 2
"""Without a packet for so many beats after the end of the call, no more will come."""
BARGE_IN_WITHIN_MS: Final = 200
"""A prompt cut later than this after a key was not cut by the key."""
HIDDEN_KEY: Final = "•"


class CallError(AssertionError):
    """The call did not go as the caller expected; the text tells what was heard instead."""


@dataclass(slots=True)
class Press:
    """One key: what a transcript may show, and when its first packet and its first end packet left (s)."""

    shown: str
    began_at: float | None = None
    ended_at: float | None = None


class KeyHeard(NamedTuple):
    """A key that the far end sent us as a telephone event, and when it arrived (s)."""

    key: str
    at: float


class Caller:
    """One call, seen from the caller, or from an agent who was called; made by `Phone`.

    Times are seconds of the event loop's clock; `source` (32 bits) marks our RTP.
    """

    def __init__(
        self,
        call: OutgoingCall | IncomingCall,
        recordings: Recordings,
        send_rtp: Callable[[bytes], None],
        send_sip: Callable[[], None],
        source: int,
    ) -> None:
        self.call = call
        self.listener = Listener(recordings)
        self.presses: list[Press] = []
        self.keys_heard: list[KeyHeard] = []
        self.not_understood = 0
        """Media packets that were neither µ-law nor a telephone event."""
        self.dialled_at = self.now()
        self.answered_at: float | None = None
        self.ended_at: float | None = None
        self._send_rtp = send_rtp
        self._send_sip = send_sip
        self._speech = SpeakingStream(source=source, sequence=source & 0xFFFF)
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._cursor = 0
        self._begun = 0
        self._beats_without_packet = 0
        self._last_event = -1
        call.on_change = self._call_changed

    # What happens to the caller, told by its phone.

    def media_arrived(self, datagram: bytes, at: float) -> None:
        """Take one RTP datagram."""
        self._beats_without_packet = 0
        try:
            packet = parse_rtp(datagram)
            if packet.payload_type == PCMU:
                if self.listener.feed(packet.sequence, packet.source, packet.payload, at):
                    self._check()
            elif packet.payload_type == self._speech.event_type:
                event = parse_key_event(packet.payload)
                if packet.timestamp != self._last_event:
                    self._last_event = packet.timestamp
                    self.keys_heard.append(KeyHeard(event.key, at))
            else:
                self.not_understood += 1
        except RtpError:
            self.not_understood += 1

    def tick(self, now: float, *, late: bool) -> None:
        """Send what is due; called every 20 ms. A late beat proves no silence, for packets may lie unread."""
        self._beats_without_packet += not late
        if self.call.state is CallState.TALKING:
            for datagram in self._speech.tick():
                self._send_rtp(datagram)
            pressed = self._speech.pressed
            if pressed is not None:
                press = self.presses[pressed.number]
                press.began_at = now if pressed.began else press.began_at
                press.ended_at = now if pressed.ended else press.ended_at
        self._check()

    def _call_changed(self) -> None:
        now = self.now()
        if self.call.state is CallState.TALKING:
            self.answered_at = now
            media = self.call.remote_media
            if media is not None and media.event_type is not None:
                self._speech.event_type = media.event_type
        elif self.call.state is CallState.ENDED:
            self.ended_at = now
        self._check()

    # What the caller does.

    @property
    def heard(self) -> list[Heard]:
        """Return everything heard so far; the last stretch may still be running."""
        return self.listener.heard()

    @property
    def sounds(self) -> list[Heard]:
        """Return the prompts and unknown sounds heard so far, without silence and music."""
        return [stretch for stretch in self.heard if stretch.kind in {Kind.PROMPT, Kind.UNKNOWN}]

    async def answered(self, *, within_ms: int = ANSWER_WITHIN_MS) -> None:
        """Wait for the answer; raise `CallError` when the call is refused or not answered."""
        await self._until(lambda: self.call.state in {CallState.TALKING, CallState.ENDED}, within_ms, "an answer")
        if self.answered_at is None:
            raise CallError(f"the call was not answered: {self.call.ended_by}, status {self.call.status}")

    async def hear(
        self, *prompts: str | PromptName, within_ms: int = HEAR_WITHIN_MS, others: bool = False
    ) -> tuple[Heard, ...]:
        """Wait until these recordings were heard to their ends, in this order, with no other sound between.

        A bare id is right in any language.
        Silence and hold music do not count, nor does a prompt that our own key cut. With `others`, other recordings
        may come before each. `within_ms` is for each recording. Raises `CallError` as soon as something else is
        heard, for unknown sound, for a cut recording, at the end of the call, or when time is up.
        """
        found = []
        for prompt in prompts:
            await self._until(lambda: self._finds(prompt, others=others), within_ms, str(prompt))  # noqa: B023  # awaited here
            found.append(self.heard[self._cursor])
            self._cursor += 1
        return tuple(found)

    async def hear_beginning(
        self,
        prompt: str | PromptName,
        *,
        after_ms: int = 0,
        within_ms: int = HEAR_WITHIN_MS,
        others: bool = False,
        to_its_end: bool = False,
    ) -> Heard:
        """Wait until `after_ms` of this recording were heard, to do something while it plays; else as `hear`.

        With `to_its_end`, it and all that came before may still be what `hear` waits for; what is waited for here the
        next time is a later recording.
        """
        cursor, self._cursor = self._cursor, max(self._cursor, self._begun)
        await self._until(lambda: self._finds(prompt, others=others, enough_ms=after_ms), within_ms, str(prompt))
        self._begun = self._cursor + 1
        self._cursor = cursor if to_its_end else self._begun
        return self.heard[self._begun - 1]

    async def hear_nothing(self, *, for_ms: int) -> None:
        """Wait `for_ms` and raise `CallError` if any recording or unknown sound is heard meanwhile."""
        await asyncio.sleep(for_ms / 1000)
        stretch, _ = self._next_sound()
        if stretch is not None:
            raise CallError(f"silence was expected, but {stretch} was heard\n{self.story()}")

    async def press(
        self,
        keys: str | SecretDigits,
        *,
        every_ms: int = 160,
        tone: Tone = USUAL_TONE,
    ) -> list[Press]:
        """Press the keys one after the other and return when the last is released; secret ones are never shown.

        Raises `CallError` when the call ends before.
        """
        shown = HIDDEN_KEY if isinstance(keys, SecretDigits) else None
        plain = keys.reveal().decode("ascii") if isinstance(keys, SecretDigits) else keys
        presses = []
        for key in plain:
            self._speech.press(key, every_ms=every_ms, tone=tone)
            presses.append(Press(shown or key))
            self.presses.append(presses[-1])
        if presses:
            await self._until(
                lambda: presses[-1].ended_at is not None or self.call.state is CallState.ENDED,
                len(presses) * every_ms + PRESS_WITHIN_MS,
                "the last key",
            )
            if presses[-1].ended_at is None:
                raise CallError(f"the call ended before the last key was pressed\n{self.story()}")
        return presses

    async def say(self, audio: bytes) -> None:
        """Say something (8 kHz µ-law) and return when the last of it has been sent; `CallError` when the call ends."""
        self._speech.say(audio)
        within_ms = len(audio) // 8 + PRESS_WITHIN_MS
        await self._until(
            lambda: not self._speech.speaking or self.call.state is CallState.ENDED, within_ms, "the end of speech"
        )
        if self._speech.speaking:
            raise CallError(f"the call ended before all was said\n{self.story()}")

    async def wait(self, milliseconds: int) -> None:
        """Do nothing for a while, whatever happens."""
        await asyncio.sleep(milliseconds / 1000)

    async def ended(self, *, within_ms: int = END_WITHIN_MS) -> EndedBy:
        """Wait until the call is over and its last sound is heard; return who ended it."""
        await self._until(
            lambda: self.call.state is CallState.ENDED and self._quiet(), within_ms, "the end of the call"
        )
        return self.call.ended_by or EndedBy.NO_ANSWER

    def hang_up(self) -> None:
        """Hang up at this instant; harmless when the call is over."""
        self.call.hang_up(self.now())
        self._send_sip()

    def story(self) -> str:
        """Return what was heard and pressed, in one line each, with seconds since dialling; no secret keys."""
        lines = [(stretch.began_at, f"heard {stretch}") for stretch in self.heard]
        lines += [(press.began_at, f"pressed {press.shown}") for press in self.presses if press.began_at]
        if self.ended_at is not None:
            lines.append((self.ended_at, f"ended by {self.call.ended_by}"))
        return "\n".join(f"{at - self.dialled_at:8.3f} s  {what}" for at, what in sorted(lines))

    # Inside.

    def _next_sound(self) -> tuple[Heard | None, bool]:
        """Return the stretch at the cursor, after moving it over silence and music, and whether it is the last."""
        stretches = self.listener.heard(self._cursor)
        for left, stretch in enumerate(stretches, 1 - len(stretches)):
            if stretch.kind in {Kind.PROMPT, Kind.UNKNOWN}:
                return stretch, left == 0
            if left == 0:
                break  # still running: it may yet turn out to be the quiet head of a recording
            self._cursor += 1
        return None, False

    def _finds(self, prompt: str | PromptName, *, others: bool, enough_ms: int | None = None) -> bool:
        """Return whether the prompt is at the cursor, complete or with `enough_ms`; raise if it cannot come."""
        while True:
            stretch, last = self._next_sound()
            if stretch is None:
                self._expect_more(prompt)
                return False
            over = not last or self._quiet()
            if stretch.kind is Kind.UNKNOWN:
                raise CallError(f"{prompt} was expected, but unknown sound was heard\n{self.story()}")
            if others and enough_ms is None and over and not stretch.complete and self._cut_by_key(stretch):
                self._cursor += 1  # even of this prompt: it may be heard again
                continue
            if stretch.could_be(prompt):
                return self._enough(stretch, prompt, over=over, enough_ms=enough_ms)
            if not others and not self._cut_by_key(stretch):
                if over or self.listener.unambiguous:
                    raise CallError(f"{prompt} was expected, but {stretch} was heard\n{self.story()}")
                return False
            if not over:
                return False
            self._cursor += 1

    def _enough(self, stretch: Heard, prompt: str | PromptName, *, over: bool, enough_ms: int | None) -> bool:
        if enough_ms is not None and stretch.heard_ms >= enough_ms:
            return True
        if stretch.complete and (over or self.listener.certain):
            return True
        _, last = self._next_sound()
        if over and (not last or self._quiet(CUT_BEATS)):
            raise CallError(f"{prompt} was expected to its end, but was cut: {stretch}\n{self.story()}")
        return False

    def _expect_more(self, prompt: str | PromptName) -> None:
        if self.call.state is CallState.ENDED and self._quiet():
            raise CallError(f"{prompt} was expected, but the call ended\n{self.story()}")

    def _quiet(self, beats: int = QUIET_BEATS) -> bool:
        enough = LAST_BEATS if self.call.state is CallState.ENDED else beats
        return self._beats_without_packet >= enough

    def _cut_by_key(self, stretch: Heard) -> bool:
        """Return whether a key of ours is about to cut, or has cut, this prompt."""
        return any(
            press.began_at is not None
            and press.began_at <= stretch.ended_at
            and (press.ended_at is None or press.ended_at + BARGE_IN_WITHIN_MS / 1000 >= stretch.ended_at)
            and (press.ended_at is None or press.ended_at >= stretch.began_at)
            for press in self.presses
        )

    async def _until(self, condition: Callable[[], bool], within_ms: int, what: str) -> None:
        """Wait for a condition that only packets, ticks and the call's state can change."""
        if condition():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, future)
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(within_ms / 1000):
                await future
        except TimeoutError:
            raise CallError(f"waited {within_ms} ms for {what}\n{self.story()}") from None
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(entry)

    def _check(self) -> None:
        for condition, future in self._waiting:
            if future.done():
                continue
            try:
                if condition():
                    future.set_result(None)
            except CallError as error:
                future.set_exception(error)

    @staticmethod
    def now() -> float:
        """Return seconds on the clock of all times here."""
        return asyncio.get_running_loop().time()
