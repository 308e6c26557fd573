"""`ivr test`: run the tests of the flows, in virtual time or over real calls."""

from __future__ import annotations

import argparse
import json
import pathlib
import threading
from collections.abc import Sequence
from typing import Final

from ivr_engine.app.commands.common import (
    COULD_NOT,
    FINE,
    FOUND,
    Subparsers,
    add_json,
    print_findings,
    say,
    settings,
    shown,
)
from ivr_engine.app.commands.placing import place_all
from ivr_engine.app.commands.suite import Suite, load_suite, runner_for
from ivr_engine.app.settings import Settings
from ivr_engine.flow.library import SUFFIX
from ivr_engine.flow.source import read_source
from ivr_engine.scenarios.coverage import Coverage, FlowCoverage, percent, totals
from ivr_engine.scenarios.model import Listing
from ivr_engine.scenarios.reading import HEARD, read_scenario
from ivr_engine.scenarios.reading_steps import read_list
from ivr_engine.scenarios.report import as_data, coverage_data, coverage_lines, failure_lines
from ivr_engine.scenarios.updating import rewritten
from ivr_engine.simulator.scenario import Result, ScenarioRunner
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.values.language import Language

LOOKED_AT_EVERY_S: Final = 0.3
STAGES: Final = 8
"""Real calls at a time, unless said otherwise; 14 went well on two busy cores."""


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("test", help="run the tests of the flows, and say which went as written")
    parser.add_argument("paths", nargs="*", type=pathlib.Path, help="folders or files (default: tests below flows_dir)")
    add_json(parser)
    parser.add_argument("--watch", action="store_true", help="run again whenever a flow, a text or a test changes")
    parser.add_argument("--update", action="store_true", help=f"rewrite `{HEARD}` where it differs from what was heard")
    parser.add_argument("--coverage", action="store_true", help="show which lines of the flows were never reached")
    parser.add_argument("--least", type=float, metavar="PERCENT", help="with --coverage: fail below so much")
    parser.add_argument(
        "--sip", action="store_true", help="place them as real calls too, through Asterisk on hotlines of our own"
    )
    parser.add_argument(
        "--stages",
        type=int,
        default=STAGES,
        metavar="N",
        help=f"with --sip: so many calls at a time (default: {STAGES})",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the tests; 1 when one fails, 2 when none can be run. A watch goes on until Ctrl-C."""
    given = settings()
    if not arguments.watch:
        return _run_once(arguments, given)
    seen = None
    try:
        while True:
            looked = _looks_of(_watched(arguments, given))
            if looked != seen:
                seen = looked
                _run_once(arguments, given)
            threading.Event().wait(LOOKED_AT_EVERY_S)
    except KeyboardInterrupt:
        return FINE


def _run_once(arguments: argparse.Namespace, given: Settings) -> int:
    suite = load_suite(arguments.paths, given)
    if suite is None:
        return COULD_NOT
    if arguments.sip:
        return place_all(suite, given, stages=max(1, arguments.stages), as_json=arguments.json)
    with runner_for(suite, given) as runner:
        results = [runner.run(scenario) for scenario in suite.scenarios]
        if arguments.update:
            results = [_updated(result, suite, runner) for result in results]
    covered = _coverage(suite, given, results) if arguments.coverage or arguments.least is not None else None
    _print(suite, results, covered, as_json=arguments.json)
    too_little = covered is not None and percent(*totals(covered)) < (arguments.least or 0)
    failed = any(result.failures for result in results)
    return FOUND if suite.findings or failed or too_little else FINE


def _print(suite: Suite, results: Sequence[Result], covered: Sequence[FlowCoverage] | None, *, as_json: bool) -> None:
    if as_json:
        data = {
            "findings": [str(finding.place) + f" {finding.code} {finding.message}" for finding in suite.findings],
            "tests": [as_data(result.scenario, result.failures, result.told) for result in results],
            **({"coverage": coverage_data(covered)} if covered is not None else {}),
        }
        say(json.dumps(data, ensure_ascii=False, indent=1))
        return
    print_findings(suite.findings, as_json=False)
    for result in results:
        verdict = "FAILED" if result.failures else "ok    "
        say(f"{verdict}  {result.scenario.file}  {result.scenario.title}")
        if result.failures:
            for line in failure_lines(result.failures, result.told, lambda name: _words(suite.catalogue, name)):
                say(line)
    if covered is not None:
        for line in coverage_lines(covered):
            say(line)
    failed = sum(bool(result.failures) for result in results)
    unread = f", {len(suite.findings)} mistakes in test files" if suite.findings else ""
    say(f"{len(results) - failed} passed, {failed} failed{unread}")


def _coverage(suite: Suite, given: Settings, results: Sequence[Result]) -> tuple[FlowCoverage, ...]:
    folder = shown(given.flows_dir)
    files = {name: folder / f"{name}{SUFFIX}" for name in suite.library.flows}
    sources = {name: read_source(str(file), file.read_text(encoding="utf-8")) for name, file in files.items()}
    coverage = Coverage(suite.library, sources)
    for result in results:
        coverage.add(result.told.trace)
    return coverage.by_flow()


def _updated(result: Result, suite: Suite, runner: ScenarioRunner) -> Result:
    """Rewrite what the test expects to be heard, and run it again; other failures stay."""
    scenario = result.scenario
    place = scenario.expected.places.get(HEARD)
    if place is None or all(failure.place != place for failure in result.failures):
        return result
    path = pathlib.Path(scenario.file)

    def read(item: str) -> Listing:
        return read_list(item, scenario.language)

    text = rewritten(path.read_text(encoding="utf-8"), scenario.language, result.told.whole, read)
    path.write_text(text, encoding="utf-8")
    again, _ = read_scenario(scenario.file, text, suite.known)
    return runner.run(again) if again is not None else result


def _words(catalogue: Catalogue, name: str) -> str:
    language, _, prompt = name.partition("/")
    return catalogue.text(Language(language), prompt)


def _watched(arguments: argparse.Namespace, given: Settings) -> list[pathlib.Path]:
    folders = [given.flows_dir, given.prompts_dir, *arguments.paths]
    return [file for path in folders for file in (sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path])]


def _looks_of(files: Sequence[pathlib.Path]) -> list[tuple[str, int, int]]:
    """Return what changes when a file does; a file that has just gone is not looked at."""
    looks = []
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue
        looks.append((str(file), status.st_mtime_ns, status.st_size))
    return looks
