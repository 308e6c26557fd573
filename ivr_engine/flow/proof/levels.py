"""Proved here: nothing personal is read out, and no operation that needs a sign-in is asked, before that sign-in.

Every state that can be reached carries its level; a step is refused when one of its states is below what it needs.
"""

from __future__ import annotations

from collections.abc import Mapping

from ivr_engine.flow.findings import Place
from ivr_engine.flow.model import CompiledStep
from ivr_engine.flow.operations import Level
from ivr_engine.flow.proof.exploring import Explorer, Visit
from ivr_engine.flow.proof.paths import path_to
from ivr_engine.flow.source import Source
from ivr_engine.flow.wording import Text


def check_levels(explorer: Explorer, sources: Mapping[str, Source]) -> None:
    """Note each step that can be reached with less sign-in than it needs, once, with a shortest way to it."""
    told: set[Place] = set()
    for visit in tuple(explorer.visits.values()):
        for step, level in visit.states():
            if step.place not in told and level < _needed(step):
                told.add(step.place)
                _tell(explorer, visit, step, level, sources[visit.flow.name])


def _needed(step: CompiledStep) -> Level:
    return max(step.needs, Level.SIGNED_IN) if step.tells else step.needs


def _tell(explorer: Explorer, visit: Visit, step: CompiledStep, level: Level, source: Source) -> None:
    path = path_to(explorer, visit, (step.name, level))
    if level < step.needs:
        if step.needs is Level.STEPPED_UP and level is Level.SIGNED_IN:
            message = Text("step '{step}' can be reached without the second proof that it needs", step=step.name)
            mend = Text("lead every path to it through a step-up, such as a code by SMS")
        else:
            message = Text(
                "step '{step}' asks the bank for what needs a sign-in, and can be reached without one", step=step.name
            )
            mend = Text("lead every path to it through a sign-in, or ask `if: signed_in` before it")
        source.finding("E801", step.place, message, mend, path=path)
        return
    names = ", ".join(sorted(step.tells))
    message = Text(
        "step '{step}' reads out what is personal ({names}), and can be reached without a sign-in",
        step=step.name,
        names=names,
    )
    mend = Text("lead every path to it through a sign-in, or ask `if: signed_in` before it")
    source.finding("E802", step.place, message, mend, path=path)
