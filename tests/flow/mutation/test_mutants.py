"""No mistake that an operator can make in the shipped flows gets past the check."""

from __future__ import annotations

import random

from tests.flow.mutation.files import build, read_flows
from tests.flow.mutation.harness import MUTATORS, judge, mutants
from tests.flow.world import FLOWS, shipped, world

PART = 12
"""One mutant of so many is made here; `python -m tests.flow.mutation` makes them all."""


def test_flows_that_are_written_again_are_the_same_flows() -> None:
    again = build(read_flows(FLOWS), world())
    assert not again.findings
    for name, flow in shipped().flows.items():
        assert {step.name: (step.ways, step.arms) for step in flow.steps.values()} == {
            step.name: (step.ways, step.arms) for step in again.flows[name].steps.values()
        }


def test_every_kind_of_mistake_can_be_made_in_the_shipped_flows() -> None:
    flows = read_flows(FLOWS)
    idle = [mutator.__name__ for mutator in MUTATORS if next(iter(mutator(flows)), None) is None]
    assert idle == []


def test_every_mutant_of_a_sample_is_refused_or_explained() -> None:
    flows = read_flows(FLOWS)
    everything = list(mutants(flows))
    sample = random.Random(1).sample(everything, len(everything) // PART)
    report = judge(flows, sample, world())
    assert not report.holes, report.table()
