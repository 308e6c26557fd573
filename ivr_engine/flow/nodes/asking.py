"""What menus and entries have in common: tries, silences, and the words after a mistake."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.channel.keys import Entry, EntryEnd
from ivr_engine.flow.call import Call
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part, Speaker
from ivr_engine.flow.step import By, Way
from ivr_engine.flow.values import Value
from ivr_engine.flow.wording import Text
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

TRIES: Final = 3
FIRST_KEY_MS: Final = 6000
MENU_BETWEEN_KEYS_MS: Final = 3000
ENTRY_FIRST_KEY_MS: Final = 6000
ENTRY_BETWEEN_KEYS_MS: Final = 6000
"""The two silences of an entry are alike by default, so that an entry is one command to Asterisk; a slow caller has
time, a quick one ends with the hash key."""

COLLECTED: Final = "collected"
CANCELLED: Final = "cancelled"
NO_INPUT: Final = NoChoice.NO_INPUT.value
TOO_SHORT: Final = "too_short"
NOT_VALID: Final = "not_valid"


STAYS_SILENT: Final = Way(NO_INPUT, By.SILENCE, Text("stay silent"))
NO_CHOICE: Final = (STAYS_SILENT, Way(NoChoice.NO_MATCH.value, By.MISTAKE, Text("press keys that are not offered")))
"""The two ways of choosing nothing."""


class Refused(Enum):
    """Why a complete entry is not kept."""

    NO_DIGITS = auto()
    """A key among them is no digit: counts as too few of them, or as none where one would do."""
    NOT_VALID = auto()


Keep = Callable[[Call, SecretDigits], Value | Refused]
"""Makes a value of complete keys; keys that it does not keep are wiped."""

_OUTCOMES: Final[Mapping[EntryEnd | Refused, str]] = MappingProxyType(
    {EntryEnd.NO_INPUT: NO_INPUT, EntryEnd.TOO_SHORT: TOO_SHORT, Refused.NOT_VALID: NOT_VALID}
)


class Apologies:
    """What is said before a question is asked again; the prompts are the hotline's, the same everywhere."""

    def __init__(self, scope: Scope, not_valid: str = "") -> None:
        words = {NO_INPUT: "nothing_heard", NoChoice.NO_MATCH.value: "wrong_key", TOO_SHORT: "too_short"}
        if not_valid:
            words[NOT_VALID] = not_valid
        self._words = {why: scope.speech([Part(prompt=prompt)], ()) for why, prompt in words.items()}
        self.longest_ms = max(speech.longest_ms for speech in self._words.values())
        """How long any of them lasts."""

    def __call__(self, call: Call, why: str) -> Utterance:
        """Return the words after a try that ended in this outcome."""
        return self._words[why](call)


@dataclass(frozen=True, slots=True)
class Question:
    """How keys are asked for; `in_all_ms` is the time after which no further try begins, or None."""

    prompt: Speaker
    entry: Entry
    timing: Timing
    interrupt: Interrupt
    tries: int
    in_all_ms: int | None
    apologies: Apologies
    keep: Keep

    @property
    def longest_ms(self) -> int:
        """How long asking may take at most."""
        once_ms = self.prompt.longest_ms + self.timing.first_key_ms
        once_ms += self.timing.between_keys_ms * (self.entry.max_keys - 1)
        again_ms = (self.tries - 1) * (self.apologies.longest_ms + once_ms)
        if self.in_all_ms is not None:
            again_ms = min(again_ms, self.in_all_ms + self.apologies.longest_ms)
        return once_ms + again_ms

    async def ask(self, call: Call) -> tuple[str, Value | None]:
        """Ask until an entry is kept, given up, or the tries or the time are used up; a new try begins with no keys."""
        loop = asyncio.get_running_loop()  # its time is the one by which silences are counted
        began = loop.time()
        prompt = self.prompt(call)
        for left in range(self.tries - 1, -1, -1):
            outcome, value = await self._once(call, prompt)
            over = self.in_all_ms is not None and (loop.time() - began) * 1000 >= self.in_all_ms
            if outcome in (COLLECTED, CANCELLED) or over or not left:
                break
            await call.keep_alive()
            prompt = self.apologies(call, outcome) + self.prompt(call)
        return outcome, value

    async def _once(self, call: Call, prompt: Utterance) -> tuple[str, Value | None]:
        why: EntryEnd | Refused
        why, keys = await call.conversation.collect(prompt, self.entry, self.timing, interrupt=self.interrupt)
        if why is EntryEnd.COMPLETE:
            kept = self.keep(call, keys)
            if not isinstance(kept, Refused):
                return COLLECTED, kept
            why = kept
        keys.wipe()
        if why is EntryEnd.CANCELLED:
            return CANCELLED, None
        if why is Refused.NO_DIGITS:
            why = EntryEnd.TOO_SHORT if self.entry.min_keys > 1 else EntryEnd.NO_INPUT
        return _OUTCOMES[why], None
