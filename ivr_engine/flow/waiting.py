"""What is true of flows that run while a caller, or an agent, waits: what they must not do, and what only they can ask.

Knows compiled flows as graphs, and signatures of operations. Must not know kinds of steps.

A caller who waits has a place in the queue, and each of these would take it away or leave it to nobody: to wait for
somebody else, to go over into another flow for good, to end the call. And no money is moved: an agent may be there at
any moment, between the words that confirm a transfer and those that say what has become of it.

Nobody calls a caller away from what an agent has asked for: there money may be moved. But the agent waits, so the rest
holds there as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ivr_engine.flow.graphs import reached_from
from ivr_engine.flow.model import CompiledFlow, CompiledStep
from ivr_engine.flow.operations import Signature
from ivr_engine.flow.source import Source
from ivr_engine.flow.uses import OPERATIONS
from ivr_engine.flow.wording import Text


def check_waiting(
    flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source], operations: Mapping[str, Signature]
) -> None:
    """Note what cannot be done while waiting, and what is asked of who waits where nobody does; each step once."""
    steps = [step for flow in flows.values() for step in flow.steps.values()]
    in_queue = _reached(flows, {step.runs for step in steps if step.stays}, hands_over=False)
    for name in in_queue:
        for step in flows[name].steps.values():
            _check_step(step, sources[name])
    in_talk = _reached(flows, {step.secures for step in steps}, hands_over=False)
    for name in in_talk - in_queue:
        for step in flows[name].steps.values():
            _check_step_in_talk(step, sources[name])
    for name in _reached(flows, (flows.keys() - in_queue) | in_talk, hands_over=True):
        for step in flows[name].steps.values():
            _check_place(step, sources[name], operations)


def _reached(flows: Mapping[str, CompiledFlow], starts: Iterable[str | None], *, hands_over: bool) -> frozenset[str]:
    """Return these flows and all that run because of them, but for what runs only while a caller waits."""

    def onward(name: str) -> Iterator[str]:
        for step in flows[name].steps.values():
            for other in (None if step.stays else step.runs, step.hands_over_to if hands_over else None):
                if other is not None and other in flows:
                    yield other

    return frozenset(name for start in starts if start in flows for name in reached_from(str(start), onward))


def _check_step(step: CompiledStep, source: Source) -> None:
    if step.rescues:
        what = Text("waits for a human, which its caller does already")
    elif step.spends is not None:
        what = Text("moves money, and an agent may call the caller away at any moment")
    elif step.hands_over_to is not None:
        what = Text("hands the call over, and nobody would wait any longer")
    elif not step.ways and step.returns is None:
        what = Text("ends the call of somebody who waits for a human")
    else:
        return
    message = Text("step '{step}' runs while a caller waits in a queue, and {what}", step=step.name, what=what)
    mend = Text("`return` an outcome instead, and let the `queue` step lead it there")
    source.finding("E703", step.place, message, mend)


def _check_step_in_talk(step: CompiledStep, source: Source) -> None:
    if step.rescues:
        what = Text("waits for another human")
    elif step.hands_over_to is not None:
        what = Text("hands the call over, and does not come back")
    elif not step.ways and step.returns is None:
        what = Text("ends the call")
    else:
        return
    message = Text(
        "step '{step}' runs while an agent waits for the caller to come back, and {what}", step=step.name, what=what
    )
    source.finding("E703", step.place, message, Text("`return` an outcome instead: whichever it is, the talk goes on"))


def _check_place(step: CompiledStep, source: Source, operations: Mapping[str, Signature]) -> None:
    for use in step.uses:
        signature = operations.get(use.name) if use.sort == OPERATIONS else None
        if signature is not None and signature.of_who_waits:
            message = Text("'{operation}' is asked here of a caller who waits in no queue", operation=use.name)
            mend = Text("ask it in a flow that a `queue` step runs with `meanwhile`, and nowhere else")
            source.finding("E704", use.place, message, mend)
