"""What all steps that are answered by one key have in common: the words "press 1", and the keys that work everywhere.

Knows telephone keys, their prompts, the `everywhere` block of a file, and the keys that lead to no step (`repeat`,
`help`). Must not know any one kind of step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ivr_engine.channel.conversation import Interrupt, NoChoice, Timing
from ivr_engine.channel.line import ALL_KEYS
from ivr_engine.flow.call import Call
from ivr_engine.flow.fields import EVENTS, KeyEvent, telephone_keys
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part, Speaker
from ivr_engine.flow.step import Arm, By, Way
from ivr_engine.flow.wording import Text
from ivr_engine.values.utterance import Utterance

EVENTS_MAX: Final = 3
"""How often a caller who stays at a question may have it repeated, or be helped, in all."""
HELP: Final = "What the key for `help` says; then the question is asked again."
BACK: Final = "The question before this one, to which the key for `back` leads."

_WORDS: Final[Mapping[str, str]] = MappingProxyType({"*": "star", "#": "hash"})
_PRESS: Final[Mapping[str, str]] = MappingProxyType({key: f"press_{_WORDS.get(key, key)}" for key in ALL_KEYS})


def written(key: str) -> str:
    """Return a key as an author writes it."""
    return _WORDS.get(key, key)


def press(key: str) -> Part:
    """Return the words "press 1" for a key; they follow what the key does."""
    return Part(prompt=_PRESS[key])


def way_of(key: str) -> Way:
    """Return the way of a key that leads somewhere by itself; `key` as an author writes it."""
    return Way(f"key {key}", By.CALLER, Text("press {keys}", keys=key), len(telephone_keys(key) or key))


def event_of(scope: Scope, target: str) -> KeyEvent | None:
    """Return what a key does whose target is no step: `repeat`, `help` or `back`; None for a step's name."""
    return KeyEvent(target) if target in EVENTS and target not in _steps(scope) else None


def everywhere(scope: Scope, own: Collection[str], back: str | None = None) -> Mapping[str, Way]:
    """Return the keys of `everywhere` that lead on from a step which uses the keys `own` itself, each with its way.

    `back` is where the step goes back to. What is wrong with that block is told once, not by every step: here for its
    keys, by the compiler for its targets.
    """
    known = _steps(scope)
    taken: dict[str, Way] = {}
    for name, target in scope.everywhere.items():
        key = telephone_keys(name)
        leads = target in known or (event_of(scope, target) is KeyEvent.BACK and back is not None)
        if key is None or len(key) != 1:
            _tell_once(scope, name)
        elif key not in own and leads:
            taken[key] = way_of(name)
    return taken


def everywhere_arms(scope: Scope, own: Collection[str], back: str | None = None) -> dict[str, Arm]:
    """Return the arms of those keys."""
    ways = {way.outcome for way in everywhere(scope, own, back).values()}
    arms = {
        f"key {name}": Arm(step, ("everywhere", name)) if event_of(scope, step) is None else Arm(back or "", ("back",))
        for name, step in scope.everywhere.items()
    }
    return {outcome: arm for outcome, arm in arms.items() if outcome in ways}


def everywhere_events(scope: Scope, own: Collection[str], *, helps: bool) -> dict[str, KeyEvent]:
    """Return the keys of `everywhere` by which a step that does not use them is heard again, or helps."""
    found: dict[str, KeyEvent] = {}
    for name, target in scope.everywhere.items():
        key, event = telephone_keys(name), event_of(scope, target)
        heard_again = event is KeyEvent.REPEAT or (event is KeyEvent.HELP and helps)
        if event is not None and heard_again and key is not None and len(key) == 1 and key not in own:
            found[key] = event
    return found


def check_events(scope: Scope, words: Mapping[str, object], meant: Collection[KeyEvent | None]) -> None:
    """Note words that no key leads to; `words` are what the step has for each event, `meant` its own keys' events."""
    everywhere_meant = {event_of(scope, target) for target in scope.everywhere.values()}
    for name, written in words.items():
        if written is not None and KeyEvent(name) not in {*meant, *everywhere_meant}:
            message = Text("no key of this question means `{event}`", event=name)
            mend = Text("add for example `everywhere: {{8: {event}}}` at the top of the file", event=name)
            scope.finding("E226", (name,), message, mend, key=True)


@dataclass(frozen=True, slots=True)
class Help:
    """What a question says when it is asked for help, if it does, and how long being heard again may take."""

    words: Speaker | None
    events: Mapping[str, KeyEvent]

    def longest_ms(self, once_ms: int) -> int:
        """How much longer the question may take; `once_ms` is how long it takes to offer it once."""
        help_ms = self.words.longest_ms if self.words is not None else 0
        return EVENTS_MAX * (once_ms + help_ms) if self.events else 0

    def begin(self, call: Call) -> Rehearing:
        """Begin to count for a caller who has come to the question."""
        return Rehearing(call, self.words)


def helped(scope: Scope, parts: list[Part] | None, events: Mapping[str, KeyEvent]) -> Help:
    """Check what a question says for help, and return it with the keys that it takes for being heard again."""
    return Help(scope.speech(parts, ("help",)) if parts is not None else None, events)


class Rehearing:
    """Answers the keys by which a question is heard again, while a caller is at it; in all so often as may be."""

    def __init__(self, call: Call, words: Speaker | None) -> None:
        self._call = call
        self._words = words
        self._left = EVENTS_MAX

    def keys(self, events: Mapping[str, KeyEvent]) -> Mapping[str, KeyEvent]:
        """Return the keys that are still taken; when all was heard again often enough, none is."""
        return events if self._left else {}

    async def said(self, event: KeyEvent, prompt: Utterance) -> Utterance:
        """Count once, and return what is heard then."""
        self._left -= 1
        await self._call.keep_alive()
        if event is KeyEvent.HELP and self._words is not None:
            return self._words(self._call) + prompt
        return prompt

    async def choose(
        self,
        prompt: Utterance,
        options: frozenset[str],
        events: Mapping[str, KeyEvent],
        *,
        first: Utterance | None = None,
        interrupt: Interrupt,
        timing: Timing,
    ) -> str | NoChoice:
        """Offer options as a conversation does, and again by their keys; `first` is said instead the first time."""
        said = prompt if first is None else first
        while True:
            taken = self.keys(events)
            chosen = await self._call.conversation.choose(
                said, options | taken.keys(), interrupt=interrupt, timing=timing
            )
            if isinstance(chosen, NoChoice) or chosen not in taken:
                return chosen
            said = await self.said(taken[chosen], prompt)


def _steps(scope: Scope) -> Mapping[str, object]:
    steps = scope.source.data.get("steps") if isinstance(scope.source.data, dict) else None
    return steps if isinstance(steps, dict) else {}


def _tell_once(scope: Scope, name: str) -> None:
    place = scope.source.place(("everywhere", name), key=True)
    if not any(finding.place == place for finding in scope.source.findings):
        message = Text("'{written}' is not one key of a telephone", written=name)
        scope.source.finding("E208", place, message, Text("write one of 0-9, star or hash"))
