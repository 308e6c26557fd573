"""What a picture of a flow shows: a box for each step, an arm for each place to which its outcomes lead.

Knows compiled flows and what is worth a colour. Must not know coordinates, SVG, or kinds of steps by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from ivr_engine.flow.model import BUDGET_EXCEEDED, CompiledFlow, CompiledStep, Library
from ivr_engine.flow.step import By
from ivr_engine.flow.timing import HUMAN, LongWay, Timing
from ivr_engine.flow.uses import OPERATIONS, QUEUES


class Nature(Enum):
    """What a step is to a caller, with the words of the legend."""

    ASKS = "asks the caller"
    SPEAKS = "speaks"
    DECIDES = "decides or notes"
    BANK = "asks the bank"
    HUMAN = "a human"
    FLOW = "another flow"
    ENDS = "ends"
    ENTRY = "from anywhere in the call"


def nature_of(step: CompiledStep) -> Nature:
    """Return what a step is to a caller, by its properties alone."""
    if step.rescues:
        return Nature.HUMAN
    if step.runs is not None or step.hands_over_to is not None:
        return Nature.FLOW
    if not step.ways:
        return Nature.ENDS
    if step.asks:
        return Nature.ASKS
    if any(way.by is By.WORLD for way in step.ways):
        return Nature.BANK
    return Nature.SPEAKS if step.heard_ms else Nature.DECIDES


@dataclass(frozen=True, slots=True)
class Box:
    """One step, or what leads to one from anywhere.

    `detail` is its word and what it names; `at_s` the seconds at which the longest way reaches it.
    """

    name: str
    detail: str
    nature: Nature
    tooltip: str
    at_s: int | None


@dataclass(frozen=True, slots=True)
class Arm:
    """The outcomes of one step that lead to one place; `grey` when they are written at the top of the file."""

    source: str
    target: str
    lines: tuple[str, ...]
    tooltip: str
    grey: bool
    worst: bool


@dataclass(frozen=True, slots=True)
class Outline:
    """A flow as boxes and arms, in the order of the file, and the longest way to a human.

    `begins` are the boxes to which no arm needs to lead, the start first.
    """

    name: str
    title: str
    begins: tuple[str, ...]
    boxes: Mapping[str, Box]
    arms: tuple[Arm, ...]
    worst: LongWay | None


def outline_of(library: Library, flow: str) -> Outline:
    """Return what is to be drawn; raise `KeyError` when the library has no such flow."""
    drawn = library.flows[flow]
    worst = Timing(library).to_task(flow, HUMAN)
    at = dict(zip(worst.steps, worst.at_ms, strict=True)) if worst is not None else {}
    boxes = {step.name: _box(step, at.get(step.name)) for step in drawn.steps.values()}
    entries = dict(_entries(drawn))
    boxes |= {box.name: box for box in entries}
    arms = (*_arms(drawn, worst), *(_entry_arm(box, target) for box, target in entries.items()))
    return Outline(flow, drawn.title, (drawn.start, *(box.name for box in entries)), boxes, arms, worst)


def _entries(flow: CompiledFlow) -> Iterator[tuple[Box, str]]:
    """Return what leads to a step from anywhere in the call, as a box, and that step."""
    for key, detail, target in (
        (f"otherwise: {BUDGET_EXCEEDED}", "when a call takes too much", flow.budget_exceeded),
        ("finally:", "when the caller has hung up", flow.finally_),
    ):
        if target is not None:
            yield Box(key, detail, Nature.ENTRY, f"{key} {detail}, go on with {target}", None), target


def _entry_arm(box: Box, target: str) -> Arm:
    return Arm(box.name, target, (), f"{box.detail}, then {target}", grey=True, worst=False)


def _box(step: CompiledStep, at_ms: int | None) -> Box:
    named = [name for name in (*step.inner, step.hands_over_to, step.returns) if name is not None]
    named += [f"up to {step.repeated.times} times"] if step.repeated is not None else []
    named += sorted(use.name for use in step.uses if use.sort in (OPERATIONS, QUEUES))
    detail = " ".join([step.word, *named])
    takes = f", takes {step.longest_ms / 1000:.0f} s at most" if step.longest_ms else ""
    tooltip = f"{step.place}  {step.name}: {detail}{takes}"
    return Box(step.name, detail, nature_of(step), tooltip, None if at_ms is None else round(at_ms / 1000))


def _arms(flow: CompiledFlow, worst: LongWay | None) -> Iterator[Arm]:
    follows = dict(zip(worst.steps, worst.steps[1:], strict=False)) if worst is not None else {}
    for step in flow.steps.values():
        together: dict[tuple[str, bool], list[str]] = {}
        for outcome in step.outcomes:
            if outcome in step.arms:
                together.setdefault((step.arms[outcome], outcome in step.by_default), []).append(outcome)
        slow = [way.outcome for way in step.ways if way.by in (By.SILENCE, By.MISTAKE)]
        longest = [key for key in together if key[0] == follows.get(step.name)]
        longest.sort(key=lambda key: not set(slow) & set(together[key]))  # used at once
        for (target, grey), outcomes in together.items():
            worst_arm = longest[:1] == [(target, grey)]
            lines = () if len(step.outcomes) == 1 else tuple(outcome.replace("_", " ") for outcome in outcomes)
            tooltip = f"{step.name}: {', '.join(_deed(step, outcome) for outcome in outcomes)}, then {target}"
            yield Arm(step.name, target, lines, tooltip, grey, worst_arm)


def _deed(step: CompiledStep, outcome: str) -> str:
    deed = next(way.deed for way in step.ways if way.outcome == outcome)
    return deed or outcome.replace("_", " ")
