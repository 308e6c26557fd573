"""Proved here: a caller is never left in silence for long.

A step is silent when nothing is heard in it and nobody is waited for, and so is a way to end on which a step that may
speak says nothing (`Way.quiet_ms`), such as a choice among one. From one to the next the longest times add up, through
flows that are run as well. Circles of silent steps are ruled out before (`endless`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from ivr_engine.flow.graphs import strong_parts
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.proof.exploring import Explorer
from ivr_engine.flow.source import Source
from ivr_engine.flow.wording import Text


@dataclass(slots=True)
class Quiet:
    """How long it may stay silent from each step of a flow on (`after_ms`), and from its start to each return."""

    after_ms: dict[str, int] = field(default_factory=dict)
    returns_ms: dict[str, int] = field(default_factory=dict)


def check_silence(explorer: Explorer, sources: Mapping[str, Source], limits: Limits) -> None:
    """Note each step with which a silence begins that may last longer than is promised."""
    quiets = _Quiets(explorer.flows)
    for flow in explorer.flows.values():
        quiet = quiets.of(flow.name)
        inside = {step.arms[outcome] for step in flow.steps.values() for outcome in _quiet(step)}
        for name, silent_ms in quiet.after_ms.items():
            if silent_ms > limits.silence_s * 1000 and (name not in inside or name == flow.start):
                _tell(flow.steps[name], silent_ms, limits, sources[flow.name])


class _Quiets:
    """Found by rounds: how silently a flow begins counts where callers are handed over to it, maybe in a circle."""

    def __init__(self, flows: Mapping[str, CompiledFlow]) -> None:
        self._flows = flows
        steps = (step for flow in flows.values() for step in flow.steps.values())
        self._handed_ms = {step.hands_over_to: 0 for step in steps if step.hands_over_to is not None}
        while True:
            self.of = cache(self._of)
            now_ms = {name: self.of(name).after_ms[flows[name].start] for name in self._handed_ms}
            if now_ms == self._handed_ms:
                break
            self._handed_ms = now_ms

    def _of(self, name: str) -> Quiet:
        flow = self._flows[name]
        edges = {step.name: [step.arms[outcome] for outcome in _quiet(step)] for step in flow.steps.values()}
        quiet = Quiet()
        # A part comes before those that lead to it: what follows a step is known when the step is looked at.
        for part in strong_parts(edges):
            for step in part:
                quiet.after_ms[step] = self._after_ms(flow.steps[step], quiet)
        self._note_returns(flow, quiet)
        return quiet

    def _after_ms(self, step: CompiledStep, quiet: Quiet) -> int:
        own_ms = _quiet(step)
        most = max(own_ms.values(), default=step.longest_ms if _is_silent(step) else 0)
        if step.hands_over_to is not None:
            most = self._handed_ms[step.hands_over_to]
        if step.runs is not None:
            own_ms = self._inner_ms(step)
            most = max([self.of(step.runs).after_ms[self._flows[step.runs].start], *own_ms.values()])
        return max([most, *(own_ms[outcome] + quiet.after_ms.get(step.arms[outcome], 0) for outcome in own_ms)])

    def _inner_ms(self, step: CompiledStep) -> dict[str, int]:
        """Return how long the flow that a step runs may be silent until each return, all its repetitions together."""
        returns_ms = self.of(step.runs or "").returns_ms
        times = 1 if step.repeated is None or step.repeated.again_on not in returns_ms else step.repeated.times
        before_ms = (times - 1) * returns_ms[step.repeated.again_on] if step.repeated is not None and times > 1 else 0
        return {outcome: before_ms + took_ms for outcome, took_ms in returns_ms.items()}

    def _note_returns(self, flow: CompiledFlow, quiet: Quiet) -> None:
        """Walk on from the start through silent steps only, with the longest time to each."""
        reached_ms = {flow.start: 0}
        order = [
            step
            for part in strong_parts({name: list(flow.steps[name].arms.values()) for name in flow.steps})
            for step in part
        ]
        for name in reversed(order):
            step = flow.steps[name]
            if name not in reached_ms:
                continue
            if step.returns is not None:
                quiet.returns_ms[step.returns] = max(quiet.returns_ms.get(step.returns, 0), reached_ms[name])
            own_ms = _quiet(step) if step.runs is None else self._inner_ms(step)
            for outcome, took_ms in own_ms.items():
                target = step.arms[outcome]
                reached_ms[target] = max(reached_ms.get(target, 0), reached_ms[name] + took_ms)


def _quiet(step: CompiledStep) -> dict[str, int]:
    """Return the outcomes that a step comes to in silence, each with how long that takes at most."""
    told: dict[str, int] = {}
    for way in step.ways:
        if way.quiet_ms is not None:
            told[way.outcome] = max(way.quiet_ms, told.get(way.outcome, 0))
    return told or (dict.fromkeys(step.arms, step.longest_ms) if _is_silent(step) else {})


def _is_silent(step: CompiledStep) -> bool:
    return step.heard_ms == 0 and not step.asks and not step.rescues


def _tell(step: CompiledStep, silent_ms: int, limits: Limits, source: Source) -> None:
    message = Text(
        "from step '{step}' on the caller may hear nothing for {seconds} s; promised are {limit}",
        step=step.name,
        seconds=silent_ms // 1000,
        limit=limits.silence_s,
    )
    source.finding("E806", step.place, message, Text("say something in between, or give an operation a `filler`"))
