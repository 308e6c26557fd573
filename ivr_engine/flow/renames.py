"""Which step of an old flow is which of the new one: by name, else by what is written in it.

Knows compiled flows. Must not know what a difference means to callers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping

from ivr_engine.flow.model import CompiledFlow, CompiledStep

Sight = Callable[[CompiledStep], Hashable]


def matched_steps(old: CompiledFlow, new: CompiledFlow) -> dict[str, str]:
    """Return old name -> new name of every step that both have, renamed ones as well."""
    matched = {name: name for name in old.steps if name in new.steps}
    while True:
        # Steps alike in their words are told apart by where they lead, as far as that is known by now.
        before = len(matched)
        _match(
            old, new, matched, lambda step: (step.says, _leads(step, matched)), lambda step: (step.says, _leads(step))
        )
        if len(matched) == before:
            break
    _match(old, new, matched, lambda step: step.says, lambda step: step.says)
    return matched


def _match(old: CompiledFlow, new: CompiledFlow, matched: dict[str, str], see_old: Sight, see_new: Sight) -> None:
    """Match steps that look alike, the first of several with the first."""
    taken = set(matched.values())
    left: dict[Hashable, list[str]] = {}
    for step in new.steps.values():
        if step.name not in taken:
            left.setdefault(see_new(step), []).append(step.name)
    for step in old.steps.values():
        if step.name not in matched and (alike := left.get(see_old(step))):
            matched[step.name] = alike.pop(0)


def _leads(step: CompiledStep, matched: Mapping[str, str] | None = None) -> tuple[tuple[str, str], ...]:
    return tuple((outcome, (matched or {}).get(target, target)) for outcome, target in sorted(step.arms.items()))
