"""Proved here: a key for `back` leads to a question before this one, and over nothing that cannot be undone.

A step says itself where `back` leads, so it is an arm like any other, and every other proof holds of it. What is left
to prove is that it means what it says: the caller can have come from there, and on no way from there to here has money
moved, or the level of the sign-in changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from ivr_engine.flow.graphs import reached_from
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.source import Source
from ivr_engine.flow.wording import Text


def check_going_back(flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source]) -> None:
    """Note each step that goes back to where a caller cannot have been, or over what cannot be undone."""

    @cache
    def cannot_be_undone(name: str) -> bool:
        return any(_is_border(step) or (step.runs and cannot_be_undone(step.runs)) for step in _steps(flows, name))

    for name, flow in flows.items():
        for step in flow.steps.values():
            if step.goes_back_to is None or step.goes_back_to not in step.arms.values():
                continue
            between = _between(flow, flow.steps[step.goes_back_to], step)
            border = next(
                (one for one in between if _is_border(one) or (one.runs and cannot_be_undone(one.runs))), None
            )
            if not flow.steps[step.goes_back_to].asks or not between:
                message = Text("'{step}' is no question that comes before this one", step=step.goes_back_to)
                mend = Text("name a question from which the caller can have come")
            elif border is not None:
                message = Text("`back` would lead over step '{step}', which cannot be undone", step=border.name)
                mend = Text("name a question after it, or remove `back`")
            else:
                continue
            source = sources[name]
            source.finding("E809", source.place(("steps", step.name, "back")), message, mend)


def _steps(flows: Mapping[str, CompiledFlow], name: str) -> Iterator[CompiledStep]:
    yield from flows[name].steps.values()


def _is_border(step: CompiledStep) -> bool:
    return step.spends is not None or any(way.level is not None for way in step.ways)


def _between(flow: CompiledFlow, first: CompiledStep, last: CompiledStep) -> list[CompiledStep]:
    """Return the steps on all ways from one to another, the first included; none when there is no way."""
    if first is last:
        return []

    def onward(name: str) -> Iterator[str]:
        if name != last.name:
            yield from (target for target in flow.steps[name].arms.values() if target != first.name)

    after = reached_from(first.name, onward)
    if last.name not in after:
        return []
    before: dict[str, set[str]] = {}
    for name in after:
        for target in onward(name):
            before.setdefault(target, set()).add(name)
    there = reached_from(last.name, lambda name: before.get(name, ()))
    return [step for step in flow.steps.values() if step.name in there and step is not last]
