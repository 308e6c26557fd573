"""What commands about tests share: the tests of a folder, with the flows and texts that they are run against.

Knows where tests stand and how they are read. Must not run any.
"""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ivr_engine.app.commands.common import complain, print_findings, shown
from ivr_engine.app.flow_world import flow_world
from ivr_engine.app.settings import Settings
from ivr_engine.calls.signatures import SIGNATURES
from ivr_engine.flow.findings import Finding, Place, did_you_mean
from ivr_engine.flow.library import TEST_SUFFIX, load_library
from ivr_engine.flow.model import Library
from ivr_engine.flow.wording import Text
from ivr_engine.scenarios.model import Scenario
from ivr_engine.scenarios.reading import Known, read_scenario
from ivr_engine.simulator.scenario import ScenarioRunner
from ivr_engine.speech.catalogue import Catalogue

FOLDER: Final = "tests"
"""Where below the flows their tests stand."""


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests that were found, what is wrong with those that cannot be read, and what they are run against."""

    library: Library
    catalogue: Catalogue
    known: Known
    scenarios: tuple[Scenario, ...]
    findings: tuple[Finding, ...]


def load_suite(paths: Sequence[pathlib.Path], given: Settings) -> Suite | None:
    """Return the tests of the folders and files, or None after saying why there is nothing to run."""
    library = load_library(shown(given.flows_dir), flow_world(given))
    if library.findings:
        print_findings(library.findings, as_json=False)
        return None
    if gone := [path for path in paths if not path.exists()]:
        complain(f"there is no file or folder {gone[0]}")
        return None
    files = test_files(paths or [shown(given.flows_dir) / FOLDER])
    if not files:
        where = ", ".join(map(str, paths)) or str(shown(given.flows_dir) / FOLDER)
        complain(f"there is no test in {where}: the name of a test ends in {TEST_SUFFIX}")
        return None
    catalogue = Catalogue.load(given.prompts_dir)
    known = Known(catalogue, library.flows, SIGNATURES)
    scenarios: list[Scenario] = []
    findings: list[Finding] = []
    for file in files:
        scenario, wrong = _read(file, known)
        findings.extend(wrong)
        if scenario is not None:
            scenarios.append(scenario)
    return Suite(library, catalogue, known, tuple(scenarios), tuple(findings))


def _read(file: pathlib.Path, known: Known) -> tuple[Scenario | None, tuple[Finding, ...]]:
    try:
        return read_scenario(str(file), file.read_text(encoding="utf-8"), known)
    except UnicodeDecodeError:
        message, mend = Text("the file is not UTF-8 text"), Text("save it again with encoding UTF-8")
    except OSError as error:
        message = Text("the file cannot be read: {cause}", cause=error.strerror)
        mend = Text("let the hotline's user read it")
    return None, (Finding(Place(str(file), 1, 1), "E101", message, mend),)


def test_files(paths: Sequence[pathlib.Path]) -> list[pathlib.Path]:
    """Return the files named, and the tests in the folders named, each once."""
    found: dict[pathlib.Path, None] = {}
    for path in paths:
        found.update(dict.fromkeys(sorted(path.rglob(f"*{TEST_SUFFIX}")) if path.is_dir() else [path]))
    return list(found)


def find_test(name: str, given: Settings) -> pathlib.Path | None:
    """Return the test of a name, which may be a file; None after saying which there are."""
    folder = given.flows_dir / FOLDER
    for path in (pathlib.Path(name), folder / f"{name}{TEST_SUFFIX}"):
        if path.is_file():
            return path
    names = [path.name.removesuffix(TEST_SUFFIX) for path in test_files([folder])]
    complain(f"there is no test '{name}': {did_you_mean(name, names)}")
    return None


def runner_for(suite: Suite, given: Settings) -> ScenarioRunner:
    """Return what runs the tests, as calls begin on this hotline; to be used as a context manager."""
    return ScenarioRunner(
        suite.library,
        suite.catalogue,
        first_flow=given.first_flow,
        language=given.default_language,
        zone=given.zone,
    )
