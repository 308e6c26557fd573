"""extensions.conf as contexts, extensions and steps.

Knows how a step is written and where it can lead. Must not know which steps are good.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from ivr_engine.adapters.asterisk.doctor.config import ConfigFile

_STEP: Final = re.compile(r"\s*([^,]+?)\s*(?:\(([^)]*)\))?\s*,\s*(.*)$", re.DOTALL)
_CALL: Final = re.compile(r"\s*(\w+)\s*(?:\((.*)\))?\s*$", re.DOTALL)
_GENERAL: Final = frozenset({"general", "globals"})


@dataclass(frozen=True, slots=True)
class Step:
    """One application of one extension, such as `Queue(humans,tn)`."""

    exten: str
    priority: str
    label: str
    application: str
    arguments: str
    file: str
    line: int


@dataclass(slots=True)
class Context:
    """One context: its steps in order, and the contexts it includes."""

    name: str
    file: str
    line: int
    steps: list[Step] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)

    def extensions(self) -> dict[str, list[Step]]:
        """Return the steps of each extension, in order."""
        found: dict[str, list[Step]] = {}
        for step in self.steps:
            found.setdefault(step.exten, []).append(step)
        return found


def contexts(config: ConfigFile) -> dict[str, Context]:
    """Read the dialplan; contexts of one name are one context."""
    found: dict[str, Context] = {}
    for section in config.real_sections():
        if section.name.lower() in _GENERAL:
            continue
        context = found.setdefault(section.name, Context(section.name, section.file, section.line))
        exten = ""
        for entry in section.entries:
            key = entry.key.lower()
            if key == "include":
                context.includes.append(entry.value)
            if key not in ("exten", "same"):
                continue
            value = entry.value
            if key == "exten":
                exten, _, value = value.partition(",")
            step = _STEP.match(value)
            call = _CALL.match(step[3]) if step else None
            if step and call:
                context.steps.append(
                    Step(exten.strip(), step[1], step[2] or "", call[1].lower(), call[2] or "", entry.file, entry.line)
                )
    return found


def reachable(plan: dict[str, Context], start: Iterable[str]) -> set[str]:
    """Return the contexts that a call can get to, going by Goto, Gosub and include."""
    found: set[str] = set()
    to_visit = list(start)
    while to_visit:
        name = to_visit.pop()
        if name in found or name not in plan:
            continue
        found.add(name)
        to_visit += plan[name].includes
        for step in plan[name].steps:
            to_visit += [target for target in _targets(step) if target in plan]
    return found


def _targets(step: Step) -> Iterator[str]:
    if step.application not in ("goto", "gotoif", "gosub", "gosubif", "gotoiftime", "execiftime"):
        return
    # Whatever stands as a context in any arm: `Goto(fallback,s,1)`, `GotoIf($[...]?fallback,s,1:done)`.
    for arm in re.split(r"[?:]", step.arguments):
        parts = arm.split(",")
        if len(parts) >= 3:  # context, extension, priority
            yield parts[0].strip()
