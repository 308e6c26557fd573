"""The tests of the timer and key rules, with the flows that bring each rule about.

Knows where they stand. Must not place calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ivr_engine.app.commands.suite import load_suite, runner_for
from ivr_engine.app.settings import Settings, load_settings
from ivr_engine.flow.library import TEST_SUFFIX
from ivr_engine.simulator.scenario import Result

FOLDER: Final = Path(__file__).parent
FLOWS: Final = FOLDER / "flows"
FILES: Final[Mapping[str, Path]] = MappingProxyType(
    {path.name.removesuffix(TEST_SUFFIX): path for path in sorted(FOLDER.glob(f"*{TEST_SUFFIX}"))}
)


def settings_of_rules(state: Path) -> Settings:
    """Return the settings of a hotline that has these flows, with its state in this folder."""
    environment = {"IVR_STATE_DIR": str(state), "IVR_FLOWS_DIR": str(FLOWS), "IVR_FIRST_FLOW": "numbers"}
    return load_settings(state, environment)


def in_virtual_time(settings: Settings) -> dict[str, Result]:
    """Live every test through in virtual time; return what became of each, by its name."""
    suite = load_suite([*FILES.values()], settings)
    assert suite is not None, "the flows of the rules are not sound"
    assert suite.findings == (), [finding.render() for finding in suite.findings]
    with runner_for(suite, settings) as runner:
        return dict(zip(FILES, map(runner.run, suite.scenarios), strict=True))
