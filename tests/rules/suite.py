"""The tests of the timer and key rules, with the flows that bring each rule about.

Knows where they stand. Must not place calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ivr_engine.app.commands.suite import load_suite, runner_for
from ivr_engine.app.settings import Settings, load_settings
from ivr_engine.flow.library import TEST_SUFFIX
from ivr_engine.scenarios.model import HangUp, Scenario
from ivr_engine.simulator.scenario import Result

FOLDER: Final = Path(__file__).parent
FLOWS: Final = FOLDER / "flows"
FILES: Final[Mapping[str, Path]] = MappingProxyType(
    {path.name.removesuffix(TEST_SUFFIX): path for path in sorted(FOLDER.glob(f"*{TEST_SUFFIX}"))}
)
WHOLE: Final = "answer_whole_at_hang_up"


def settings_of_rules(state: Path) -> Settings:
    """Return the settings of a hotline that has these flows, with its state in this folder."""
    environment = {"IVR_STATE_DIR": str(state), "IVR_FLOWS_DIR": str(FLOWS), "IVR_FIRST_FLOW": "numbers"}
    return load_settings(state, environment)


def in_virtual_time(settings: Settings, *, hang_up_ms: int | None = None) -> dict[str, Result]:
    """Live every test through in virtual time; return what became of each, by its name.

    With `hang_up_ms` callers who hang up do so that long after what they did before.
    """
    suite = load_suite([*FILES.values()], settings)
    assert suite is not None, "the flows of the rules are not sound"
    assert suite.findings == (), [finding.render() for finding in suite.findings]
    scenarios = dict(zip(FILES, suite.scenarios, strict=True))
    if hang_up_ms is not None:
        hanging_up = {
            name: one for name, one in scenarios.items() if any(isinstance(step, HangUp) for step in one.steps)
        }
        scenarios = {name: _after(one, hang_up_ms) for name, one in hanging_up.items()}
    with runner_for(suite, settings) as runner:
        return {name: runner.run(one) for name, one in scenarios.items()}


def _after(scenario: Scenario, hang_up_ms: int) -> Scenario:
    steps = (replace(step, after_ms=hang_up_ms) if isinstance(step, HangUp) else step for step in scenario.steps)
    return replace(scenario, steps=tuple(steps))
