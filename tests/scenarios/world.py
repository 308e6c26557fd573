"""Tests written within tests, read against the hotline's own prompts, flows and operations."""

from __future__ import annotations

import textwrap

from ivr_engine.calls.signatures import SIGNATURES
from ivr_engine.flow.model import Library
from ivr_engine.scenarios.model import Scenario
from ivr_engine.scenarios.reading import Known, read_scenario
from ivr_engine.simulator.scenario import Limits, Result, ScenarioRunner
from ivr_engine.values.language import Language
from tests.flow.world import catalogue, shipped


def known(library: Library | None = None) -> Known:
    """Return what the hotline's own tests are checked against, with other flows where they are given."""
    return Known(catalogue(), (library or shipped()).flows, SIGNATURES)


def scenario_of(text: str, *, library: Library | None = None) -> Scenario:
    """Read a test that has no mistakes; its head is added unless it is there."""
    written = textwrap.dedent(text).lstrip("\n")
    if not written.startswith("ivr_test"):
        written = f"ivr_test: 1\ntitle: A test\n{written}"
    scenario, findings = read_scenario("a.test.yaml", written, known(library))
    assert scenario is not None, "\n".join(finding.render() for finding in findings)
    return scenario


def run(text: str, *, library: Library | None = None, flow: str = "hotline", limits: Limits | None = None) -> Result:
    """Run a test that was written in a test, in virtual time; `flow` is the first unless the test names one."""
    with ScenarioRunner(
        library or shipped(), catalogue(), first_flow=flow, language=Language.MANDARIN, limits=limits
    ) as runner:
        return runner.run(scenario_of(text, library=library))


def messages(result: Result) -> list[str]:
    """Return why a test failed, each with its line."""
    return [f"{failure.place.line}: {failure.message}" for failure in result.failures]
