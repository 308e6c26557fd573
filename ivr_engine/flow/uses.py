"""What a step uses of the hotline: prompts, operations, queues, other flows; and what is written in it.

Knows names, and where in the file they are written. Must not know kinds of steps, nor how names are looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ivr_engine.flow.findings import Place
from ivr_engine.flow.source import Path

PROMPTS: Final = "prompts"
OPERATIONS: Final = "operations"
QUEUES: Final = "queues"
FLOWS: Final = "flows"
SKILLS: Final = "skills"

_ARM_KEYS: Final = (("then",), ("when",))


@dataclass(frozen=True, slots=True, order=True)
class Use:
    """One name that a step uses: of which sort (`prompts`, `operations`, `queues`, `flows`, `skills`), and where."""

    sort: str
    name: str
    place: Place


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
