"""Every timer and key rule placed as a real call: each goes as it does in virtual time."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.app.placing import Placed
from ivr_engine.app.prepare import Narrator
from ivr_engine.app.staging.stages import place_on_stages
from tests.asterisk.hotline import SHARED_SOUNDS, make_recordings
from tests.rules.suite import FILES, WHOLE, in_virtual_time, settings_of_rules

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

STAGES: Final = 5
"""Calls at a time: other files place theirs beside them."""
RACES: Final = tuple((after_ms, call) for after_ms in (0, 20, 60) for call in (1, 2, 3))
"""Milliseconds from the last key to the hang-up, and which of the calls like that it is."""
NOT_GIVEN: Final = (
    "step 2 was nothing, not numbers, ask_number, collected",
    "these milestones were reached: nothing, not number_given",
)


@dataclass(frozen=True, slots=True)
class AllPlaced:
    """What became of every rule, by its name, and of the races."""

    rules: dict[str, Placed]
    races: dict[tuple[int, int], Placed]


@pytest.fixture(scope="module")
def placed() -> Iterator[AllPlaced]:
    """Place all of them once."""
    with tempfile.TemporaryDirectory(prefix="ivr-rules-") as folder:
        Path(folder).chmod(0o755)
        make_recordings()
        (Path(folder) / "sounds").symlink_to(SHARED_SOUNDS)
        settings = settings_of_rules(Path(folder))
        rules = in_virtual_time(settings)
        hung_up = {after_ms: in_virtual_time(settings, hang_up_ms=after_ms)[WHOLE] for after_ms, _ in RACES}
        results = [*rules.values(), *(hung_up[after_ms] for after_ms, _ in RACES)]
        narrator = Narrator(io.StringIO())
        found = asyncio.run(place_on_stages(results, settings, narrator, stages=STAGES, on_placed=lambda _: None))
        count = len(rules)
        yield AllPlaced(dict(zip(rules, found[:count], strict=True)), dict(zip(RACES, found[count:], strict=True)))


@pytest.mark.parametrize("name", FILES)
def test_rule_holds_in_a_real_call_as_in_virtual_time(placed: AllPlaced, name: str) -> None:
    one = placed.rules[name]
    assert one.differences == (), "\n".join(one.differences)
    assert one.report is not None
    assert one.report.presses or one.report.heard_whole
    assert one.virtual.told.steps


@pytest.mark.parametrize("race", RACES)
def test_hang_up_that_races_with_the_last_key_leaves_a_whole_answer_or_none(
    placed: AllPlaced, race: tuple[int, int]
) -> None:
    """Key and hang-up come to Asterisk on two ways, and to two of its threads: which it hears first, nobody can say."""
    one = placed.races[race]
    assert one.differences in ((), NOT_GIVEN)
    assert one.report is not None
    assert one.report.answered_s is not None
