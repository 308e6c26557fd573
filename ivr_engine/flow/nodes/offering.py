"""What all steps that are answered by one key have in common: the words "press 1", and the keys that work everywhere.

Knows telephone keys, their prompts and the `everywhere` block of a file. Must not know any one kind of step.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final

from ivr_engine.channel.line import ALL_KEYS
from ivr_engine.flow.fields import telephone_keys
from ivr_engine.flow.scope import Scope
from ivr_engine.flow.speaking import Part
from ivr_engine.flow.step import Arm, By, Way
from ivr_engine.flow.wording import Text

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


def everywhere(scope: Scope, own: Collection[str]) -> Mapping[str, Way]:
    """Return the keys of `everywhere` that a step takes which uses the keys `own` itself, each with its way.

    What is wrong with that block is told once, not by every step: here for its keys, by the compiler for its targets.
    """
    steps = scope.source.data.get("steps") if isinstance(scope.source.data, dict) else None
    known = steps if isinstance(steps, dict) else {}
    taken: dict[str, Way] = {}
    for name, target in scope.everywhere.items():
        key = telephone_keys(name)
        if key is None or len(key) != 1:
            _tell_once(scope, name)
        elif key not in own and target in known:
            taken[key] = way_of(name)
    return taken


def everywhere_arms(scope: Scope, own: Collection[str]) -> dict[str, Arm]:
    """Return the arms of those keys."""
    ways = {way.outcome for way in everywhere(scope, own).values()}
    arms = {f"key {name}": Arm(step, ("everywhere", name)) for name, step in scope.everywhere.items()}
    return {outcome: arm for outcome, arm in arms.items() if outcome in ways}


def _tell_once(scope: Scope, name: str) -> None:
    place = scope.source.place(("everywhere", name), key=True)
    if not any(finding.place == place for finding in scope.source.findings):
        message = Text("'{written}' is not one key of a telephone", written=name)
        scope.source.finding("E208", place, message, Text("write one of 0-9, star or hash"))
