"""What menus and entries have in common: tries, silences, and the words after a mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ivr_engine.channel.conversation import NoChoice, Timing
from ivr_engine.channel.keys import Entry, EntryEnd
from ivr_engine.flow.call import Call
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part
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


STAYS_SILENT: Final = Way(NO_INPUT, By.SILENCE, Text("stay silent"))
NO_CHOICE: Final = (STAYS_SILENT, Way(NoChoice.NO_MATCH.value, By.MISTAKE, Text("press keys that are not offered")))
"""The two ways of choosing nothing."""


class Apologies:
    """What is said before a question is asked again; the prompts are the hotline's, the same everywhere."""

    def __init__(self, scope: Scope) -> None:
        at = ()
        self._no_input = scope.speech([Part(prompt="nothing_heard")], at)
        self._no_match = scope.speech([Part(prompt="wrong_key")], at)
        self._too_short = scope.speech([Part(prompt="too_short")], at)
        self.longest_ms = max(speech.longest_ms for speech in (self._no_input, self._no_match, self._too_short))
        """How long any of them lasts."""

    def for_no_choice(self, call: Call, why: NoChoice) -> Utterance:
        """Return the words after silence or a wrong key."""
        return self._no_input(call) if why is NoChoice.NO_INPUT else self._no_match(call)

    def for_entry(self, call: Call, end: EntryEnd) -> Utterance:
        """Return the words after silence or too few keys."""
        return self._no_input(call) if end is EntryEnd.NO_INPUT else self._too_short(call)


async def ask(
    call: Call,
    prompt: Utterance,
    entry: Entry,
    timing: Timing,
    tries: int,
    apologies: Apologies,
    keep: Callable[[SecretDigits], Value | None],
) -> tuple[str, Value | None]:
    """Ask until the entry is complete, given up, or the tries are used up; a new try begins with no keys.

    `keep` makes a value of complete keys, or None of keys that cannot be kept: these count as too short, or as silence
    where one key would do.
    """
    again = prompt
    end = EntryEnd.NO_INPUT
    for attempt in range(1, tries + 1):
        end, keys = await call.conversation.collect(again, entry, timing)
        if end is EntryEnd.COMPLETE:
            value = keep(keys)
            if value is not None:
                return COLLECTED, value
            end = EntryEnd.TOO_SHORT if entry.min_keys > 1 else EntryEnd.NO_INPUT
        keys.wipe()
        if end is EntryEnd.CANCELLED:
            return CANCELLED, None
        if attempt < tries:
            await call.keep_alive()
            again = apologies.for_entry(call, end) + prompt
    return (NO_INPUT if end is EntryEnd.NO_INPUT else TOO_SHORT), None
