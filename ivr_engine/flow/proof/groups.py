"""Which flows can be proved although others have mistakes: groups of flows that have to do with one another.

A group is proved or not as a whole: what a flow is run from decides what is known in it. Must not know any proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ivr_engine.flow.graphs import reached_from
from ivr_engine.flow.model import CompiledFlow
from ivr_engine.flow.source import Source


def groups_to_prove(
    flows: Mapping[str, CompiledFlow], sources: Mapping[str, Source], *, all_are_there: bool
) -> Iterator[Mapping[str, CompiledFlow]]:
    """Return each group without a finding; `all_are_there` says that no file of the folder is missing in `flows`.

    A group of modules alone may be run from a file that cannot be read: of these nothing is said until it can be.
    """
    neighbours: dict[str, set[str]] = {name: set() for name in flows}
    for name, flow in flows.items():
        for step in flow.steps.values():
            for other in filter(None, (*step.inner, step.hands_over_to)):
                neighbours[name].add(other)
                neighbours.setdefault(other, set()).add(name)
    left = dict.fromkeys(flows)
    while left:
        group = reached_from(next(iter(left)), lambda name: neighbours[name])
        for name in group:
            left.pop(name, None)
        sound = group <= flows.keys() and not any(sources[name].findings for name in group)
        if sound and (all_are_there or any(not flows[name].interface.outcomes for name in group)):
            yield {name: flow for name, flow in flows.items() if name in group}
