"""Asking the other side of an attended transfer, before it is joined to the caller.

Knows what it is told, which keys it has, and which call it belongs to. Must not know Asterisk: whoever answers comes to
us as a line of their own, with the id that this engine gave for them. Whatever goes wrong here, both are not joined.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import structlog
from structlog.typing import FilteringBoundLogger

from ivr_engine.calls.ports import AskedLine
from ivr_engine.channel.conversation import Conversation, Interrupt, Timing
from ivr_engine.flow.leaving import CONSULT_TRIES, DECLINE_KEY, TAKE_KEY
from ivr_engine.values.ids import Ids
from ivr_engine.values.utterance import Utterance

KEY_WITHIN_MS: Final = 8000
"""How long the other side has for its key, after each time that it is asked."""
LOOK_EVERY_S: Final = 0.5
"""How soon the other side is let go, at the latest, when the caller has hung up meanwhile."""

HasLeft = Callable[[str], Awaitable[bool]]
"""Says whether the caller on a channel has hung up; False as well where nobody knows."""


async def nobody_knows(channel: str) -> bool:
    """Say of every caller that nothing is known."""
    del channel
    return False


@dataclass(slots=True)
class Consultation:
    """One question to the other side: of which caller, what is said, and what has come of it.

    `begun` when somebody has answered and is being told, `taken` when they have taken the call.
    """

    caller: str
    words: Utterance
    begun: bool = False
    taken: bool = False


@dataclass(slots=True)
class Consultations:
    """All attended transfers of this engine that ring or ask at this moment, by the id that was given for each."""

    ids: Ids
    has_left: HasLeft = nobody_knows
    log: FilteringBoundLogger = field(default_factory=structlog.get_logger)
    running: int = 0
    """How many are asked just now."""
    _open: dict[str, Consultation] = field(default_factory=dict)

    @contextmanager
    def expected(self, caller: str, words: Utterance) -> Iterator[tuple[str, Consultation]]:
        """Expect, inside, whoever answers for the caller on a channel; give the id that they come with.

        Nobody can guess an id (80 random bits), and each lets one line in.
        """
        consultation = Consultation(caller, words)
        number = self.ids.new()
        self._open[number] = consultation
        try:
            yield number, consultation
        finally:
            self._open.pop(number, None)

    async def ask(self, number: str, line: AskedLine) -> None:
        """Tell and ask who has answered; let the two be joined when they take the call.

        When this returns, or raises `CallerHungUp` because they have hung up, their line is let go or joined. A line
        with an id that is not, or no longer, expected is let go at once.
        """
        consultation = self._open.pop(number, None)
        if consultation is None:
            self.log.warning("consultation_unknown")
            return
        consultation.begun = True
        asking = asyncio.create_task(self._takes(line, consultation.words))
        watching = asyncio.create_task(self._until_left(consultation.caller))
        self.running += 1
        try:
            await asyncio.wait({asking, watching}, return_when=asyncio.FIRST_COMPLETED)
            if asking.done() and asking.result():
                await line.take_call()
                consultation.taken = True
        finally:
            self.running -= 1
            for task in (asking, watching):
                task.cancel()
            await asyncio.wait({asking, watching})
            if not asking.cancelled():
                asking.exception()  # seen, so that asyncio does not report it as forgotten
            self.log.info("consultation_ended", taken=consultation.taken)

    @staticmethod
    async def _takes(line: AskedLine, words: Utterance) -> bool:
        """Say whether the other side has pressed the key that takes the call."""
        talk = Conversation(line)
        options = frozenset({TAKE_KEY, DECLINE_KEY})
        timing = Timing(KEY_WITHIN_MS, KEY_WITHIN_MS)
        for _ in range(CONSULT_TRIES):
            chosen = await talk.choose(words, options, interrupt=Interrupt.VALID, timing=timing)
            if chosen in options:
                return chosen == TAKE_KEY
        return False

    async def _until_left(self, channel: str) -> None:
        while not await self.has_left(channel):  # noqa: ASYNC110 # Asterisk is asked, and tells no event
            await asyncio.sleep(LOOK_EVERY_S)
