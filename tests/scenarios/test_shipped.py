"""The hotline's own tests: all pass, and together they reach every step, arm, handler and language of its flows."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import Final

import pytest

from ivr_engine.flow.source import read_source
from ivr_engine.scenarios.coverage import Coverage, What, totals
from ivr_engine.scenarios.model import Scenario
from ivr_engine.scenarios.reading import read_scenario
from ivr_engine.simulator.scenario import Result, ScenarioRunner
from ivr_engine.values.language import Language
from tests.flow.world import FLOWS, catalogue, shipped
from tests.scenarios.world import known, messages

FILES: Final = MappingProxyType(
    {path.name.removesuffix(".test.yaml"): path for path in sorted((FLOWS / "tests").glob("*.test.yaml"))}
)


def read(name: str) -> Scenario:
    path = FILES[name]
    scenario, findings = read_scenario(str(path), path.read_text(encoding="utf-8"), known())
    assert scenario is not None, "\n".join(finding.render() for finding in findings)
    return scenario


def run_all() -> list[Result]:
    with ScenarioRunner(shipped(), catalogue()) as runner:
        return [runner.run(read(name)) for name in FILES]


def coverage_of(results: list[Result]) -> Coverage:
    files = {name: FLOWS / f"{name}.yaml" for name in shipped().flows}
    sources = {name: read_source(str(file), file.read_text(encoding="utf-8")) for name, file in files.items()}
    coverage = Coverage(shipped(), sources)
    for result in results:
        coverage.add(result.told.trace)
    return coverage


@pytest.mark.parametrize("name", FILES)
def test_hotlines_own_test_passes(name: str) -> None:
    with ScenarioRunner(shipped(), catalogue()) as runner:
        assert messages(runner.run(read(name))) == []


def test_every_step_arm_handler_and_language_of_the_flows_is_reached() -> None:
    flows = coverage_of(run_all()).by_flow()
    never = [f"{item.place}: {item.what.value}: {item.name}" for flow in flows for item in flow.never]
    assert never == []
    assert {flow.flow for flow in flows} == set(shipped().flows)
    reached, there = totals(flows)
    assert reached == there > 100


def test_each_language_is_spoken_by_several_tests() -> None:
    languages = Counter(read(name).language for name in FILES)
    assert all(languages[language] >= 5 for language in Language)


def test_arm_that_no_test_takes_is_told_with_its_line() -> None:
    results = [result for result in run_all() if "menu_again" not in result.scenario.file]
    (item,) = [item for flow in coverage_of(results).by_flow() for item in flow.never]
    text = (FLOWS / "hotline.yaml").read_text(encoding="utf-8").splitlines()
    assert (item.what, item.name) == (What.ARM, "main_menu: key star")
    assert text[item.place.line - 1].strip().startswith("star:")


def test_flow_that_nothing_reaches_has_nothing_of_it_reached() -> None:
    silent = [result for result in run_all() if "language_silence" in result.scenario.file]
    sign_in = next(flow for flow in coverage_of(silent).by_flow() if flow.flow == "library/sign_in")
    assert all(sign_in.reached(what) == 0 for what in What)


def test_test_in_the_manual_is_one_that_passes() -> None:
    manual = (FLOWS / "tests" / "README.md").read_text(encoding="utf-8")
    text = manual.partition("```yaml\n")[2].partition("```")[0]
    scenario, findings = read_scenario("manual.test.yaml", text, known())
    assert scenario is not None, "\n".join(finding.render() for finding in findings)
    with ScenarioRunner(shipped(), catalogue()) as runner:
        assert messages(runner.run(scenario)) == []
