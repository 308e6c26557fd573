"""`ivr call`: place one test as a real call to a running hotline and print what was heard."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Mapping

from ivr_engine.app.commands.common import (
    COULD_NOT,
    FINE,
    FOUND,
    Subparsers,
    add_json,
    complain,
    language_in_force,
    say,
    settings,
)
from ivr_engine.app.commands.placing import not_running
from ivr_engine.app.commands.suite import find_test, load_suite, runner_for
from ivr_engine.app.placing import Placed, Placer, rehearse
from ivr_engine.app.settings import Settings
from ivr_engine.flow.wording import say_in
from ivr_engine.speech.catalogue import Catalogue
from ivr_engine.testcaller.follow import CallReport
from ivr_engine.testcaller.recordings import PromptName
from ivr_engine.values.language import Language


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("call", help="place a test as a real call to the running hotline, and print the call")
    parser.add_argument("test", help="a test of a flow: a file, or a name in flows/tests")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Place one call; 1 when it did not go as written or not as in virtual time, 2 when it could not be placed."""
    given = settings()
    path = find_test(arguments.test, given)
    suite = load_suite([path], given) if path is not None else None
    if suite is None or not suite.scenarios:
        for finding in suite.findings if suite is not None else ():
            complain(finding.render())
        return COULD_NOT
    with runner_for(suite, given) as runner:
        rehearsed = rehearse(suite.scenarios[0], runner, given)
    placed = asyncio.run(_place(rehearsed, given))
    if placed.report is None:
        said = [say_in(why, language_in_force(None)) for why in (placed.skipped, *placed.differences) if why]
        complain(f"the call was not placed: {'; '.join(said)}")
        return COULD_NOT
    say(_as_json(placed, placed.report) if arguments.json else placed.report.transcript(_texts(suite.catalogue)))
    if placed.report.answered_s is None:
        complain(not_running(given))
        return COULD_NOT
    for difference in placed.differences if not arguments.json else ():
        say(say_in(difference, language_in_force(None)))
    return FINE if placed.passed else FOUND


async def _place(rehearsed: Placed, given: Settings) -> Placed:
    async with Placer(given) as placer:
        return await placer.place(rehearsed)


def _texts(catalogue: Catalogue) -> Mapping[PromptName, str]:
    return {
        PromptName(language, prompt): catalogue.text(language, prompt)
        for language in Language
        for prompt in catalogue.ids(language)
    }


def _as_json(placed: Placed, report: CallReport) -> str:
    heard = [
        {"prompt": str(stretch.name), "kind": stretch.kind.value, "complete": stretch.complete, "ms": stretch.heard_ms}
        for stretch in report.heard
    ]
    facts = {
        "title": report.title,
        "failure": report.failure,
        "differences": list(placed.differences),
        "answered_s": report.answered_s,
        "lasted_s": report.lasted_s,
        "ended_by": report.ended_by,
        "heard": heard,
        "gaps_ms": report.gaps_ms,
        "barge_ins_ms": [cut.latency_ms for cut in report.barge_ins],
        "unknown_ms": report.unknown_ms,
    }
    return json.dumps(facts, ensure_ascii=False, indent=1, default=str)
