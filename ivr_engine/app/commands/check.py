"""`ivr check`: say whether the flows are fit to be called."""

from __future__ import annotations

import argparse
import pathlib

from ivr_engine.app.commands.common import Subparsers, add_json, print_findings, say, settings, shown
from ivr_engine.app.engine import flow_world
from ivr_engine.flow.library import load_library


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("check", help="check the flows, and say what is wrong where")
    parser.add_argument("flows", nargs="?", type=pathlib.Path, help="the folder of the flows (default: flows_dir)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check; 1 when there are findings."""
    given = settings()
    folder = arguments.flows or shown(given.flows_dir)
    library = load_library(folder, flow_world(given))
    status = print_findings(library.findings, as_json=arguments.json)
    if not arguments.json:
        steps = sum(len(flow.steps) for flow in library.flows.values())
        count = len(library.findings)
        found = "no findings" if not count else f"{count} finding{'s' if count > 1 else ''}"
        say(f"{len(library.flows)} flows, {steps} steps: {found}")
    return status
