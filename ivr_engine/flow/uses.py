"""What a step uses of the hotline: prompts, operations, queues, other flows. Noted while the step is compiled.

Knows the names that a step looks up, and where in the file they are written. Must not know kinds of steps: a kind that
looks a name up in its world is noted without saying so.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, ItemsView, Iterable, Iterator, Mapping, ValuesView
from typing import Any, Final, TypeVar

from ivr_engine.flow.findings import Place
from ivr_engine.flow.scope import Prompts, Scope, World
from ivr_engine.flow.source import Path
from ivr_engine.flow.speaking import PROMPTS as PROMPTS
from ivr_engine.values.language import Language

V = TypeVar("V")

OPERATIONS: Final = "operations"
QUEUES: Final = "queues"
FLOWS: Final = "flows"

_ARM_KEYS: Final = (("then",), ("when",))
_PLACEHOLDER: Final = re.compile(r"\\\{\w+\\\}")


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Use:
    """One name that a step uses: of which sort (`prompts`, `operations`, `queues`, `flows`, ...), and where."""

    sort: str
    name: str
    place: Place


class Notes:
    """What one step looks up while it is compiled."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], None] = {}

    def note(self, sort: str, name: str) -> None:
        """Note that a name that there is was looked up."""
        self._seen[sort, name] = None

    def watched(self, world: World) -> World:
        """Return the same world, which notes whatever is looked up in it."""
        watched: dict[str, Any] = {}
        for field in dataclasses.fields(world):
            known = getattr(world, field.name)
            if field.name == PROMPTS:
                watched[field.name] = _WatchedPrompts(known, self)
            elif isinstance(known, Mapping):
                watched[field.name] = WatchedMapping(known, field.name, self)
            elif isinstance(known, frozenset):
                watched[field.name] = _WatchedSet(known, field.name, self)
        return dataclasses.replace(world, **watched)

    def uses(self, scope: Scope, word: str, written: Mapping[str, Any], arms: Iterable[Path]) -> frozenset[Use]:
        """Return what was looked up, each name at the place in the step where it is most likely written.

        `arms` are the paths under which names of steps are written: a step may be called like a prompt.
        """
        elsewhere = set(arms)
        leaves = [(path, text) for path, text in _leaves(written, ()) if path not in elsewhere]
        # An operation may be called like one of its arguments: what stands behind the step's own word comes first.
        leaves.sort(key=lambda leaf: leaf[0][:1] != (word,))
        return frozenset(
            Use(sort, name, self._place(scope, name, leaves, prompts=sort == PROMPTS)) for sort, name in self._seen
        )

    def _place(self, scope: Scope, name: str, leaves: Collection[tuple[Path, str]], *, prompts: bool) -> Place:
        for path, text in leaves:
            if text == name or (prompts and "{" in text and _pattern(text).fullmatch(name)):
                return scope.source.place((*scope.path, *path))
        return scope.source.place(scope.path, key=True)  # the kind's own words, such as those after silence


class WatchedMapping(Mapping[str, V]):
    """A mapping that notes each name that is looked up and found."""

    def __init__(self, known: Mapping[str, V], sort: str, notes: Notes) -> None:
        self._known, self._sort, self._notes = known, sort, notes

    def __getitem__(self, name: str) -> V:
        value = self._known[name]
        self._notes.note(self._sort, name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def items(self) -> ItemsView[str, V]:
        """Return all of it, which is no use of any one name."""
        return self._known.items()

    def values(self) -> ValuesView[V]:
        """Return all of it, which is no use of any one name."""
        return self._known.values()


class _WatchedSet(frozenset[str]):
    """A set that notes each name that is looked up and found."""

    _sort: str
    _notes: Notes

    def __new__(cls, known: Iterable[str], sort: str, notes: Notes) -> _WatchedSet:
        made = super().__new__(cls, known)
        made._sort, made._notes = sort, notes
        return made

    def __contains__(self, name: object) -> bool:
        found = super().__contains__(name)
        if found:
            self._notes.note(self._sort, str(name))
        return found


class _WatchedPrompts:
    """Prompts that note each one that is looked up and found."""

    def __init__(self, known: Prompts, notes: Notes) -> None:
        self._known, self._notes = known, notes

    def has(self, language: Language, prompt: str) -> bool:
        found = self._known.has(language, prompt)
        if found:
            self._notes.note(PROMPTS, prompt)
        return found

    def ids(self, language: Language) -> Iterable[str]:
        return self._known.ids(language)

    def lasts_ms(self, language: Language, prompt: str) -> int:
        return self._known.lasts_ms(language, prompt)

    def text(self, language: Language, prompt: str) -> str:
        return self._known.text(language, prompt)


def said_in(written: Mapping[str, Any], arms: Iterable[Path]) -> str:
    """Return what is written in a step in one form, without the names of the steps that its arms lead to."""
    elsewhere = set(arms)
    return "\n".join(
        f"{' '.join(map(str, path))}: {text!r}"
        for path, text in sorted(_leaves(written, ()), key=lambda leaf: tuple(map(str, leaf[0])))
        if path not in elsewhere and path[:1] not in _ARM_KEYS
    )


def _leaves(written: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(written, Mapping):
        for key, value in written.items():
            yield from _leaves(value, (*path, str(key)))
    elif isinstance(written, list):
        for index, value in enumerate(written):
            yield from _leaves(value, (*path, index))
    else:
        yield path, str(written)


def _pattern(text: str) -> re.Pattern[str]:
    """Return what a prompt with a choice's word in its name may be called."""
    return re.compile(_PLACEHOLDER.sub(r"\\w+", re.escape(text)))
