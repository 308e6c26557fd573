"""`ivr check`: say whether the flows are fit to be called."""

from __future__ import annotations

import argparse
import pathlib

from ivr_engine.app.commands.common import (
    FINE,
    Subparsers,
    add_json,
    add_language,
    language_in_force,
    print_findings,
    say,
    settings,
    shown,
)
from ivr_engine.app.flow_world import flow_world
from ivr_engine.flow.library import load_library
from ivr_engine.flow.model import Library
from ivr_engine.flow.wording import Text, say_in


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("check", help="check the flows, and say what is wrong where")
    parser.add_argument("flows", nargs="?", type=pathlib.Path, help="the folder of the flows (default: flows_dir)")
    parser.add_argument("--strict", action="store_true", help="advice counts as a finding")
    add_json(parser)
    add_language(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check; 1 when there are findings."""
    given = settings()
    folder = arguments.flows or shown(given.flows_dir)
    library = load_library(folder, flow_world(given))
    language = language_in_force(arguments.language)
    shown_all = (*library.findings, *library.advice)
    status = print_findings(shown_all, as_json=arguments.json, language=language)
    if not library.findings and not arguments.strict:
        status = FINE
    if not arguments.json:
        say(say_in(_summary(library), language))
    return status


def _summary(library: Library) -> Text:
    steps = sum(len(flow.steps) for flow in library.flows.values())
    found = Text("no findings")
    if library.findings:
        count = len(library.findings)
        found = Text("1 finding") if count == 1 else Text("{count} findings", count=count)
    if not library.advice:
        return Text("{flows} flows, {steps} steps: {found}", flows=len(library.flows), steps=steps, found=found)
    count = len(library.advice)
    advice = Text("1 piece of advice") if count == 1 else Text("{count} pieces of advice", count=count)
    return Text(
        "{flows} flows, {steps} steps: {found}, {advice}",
        flows=len(library.flows),
        steps=steps,
        found=found,
        advice=advice,
    )
