"""A short campaign of `fuzz_ami` with each run of the tests."""

from __future__ import annotations

from tests.fuzz.fuzz_ami import campaign

INPUTS = 3_000


def test_mutated_dialogues_are_read_or_refused_and_nothing_else() -> None:
    read = campaign(INPUTS, seed=1)
    assert 0.2 * INPUTS < read < 0.98 * INPUTS, f"{read} of {INPUTS} inputs were read: the mutations test nothing"
