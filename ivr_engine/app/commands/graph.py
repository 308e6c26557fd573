"""`ivr graph`: a flow as a picture, in Mermaid."""

from __future__ import annotations

import argparse

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, complain, print_findings, say, settings, shown
from ivr_engine.app.engine import flow_world
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.graph import mermaid
from ivr_engine.flow.library import load_library


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("graph", help="print a flow as a picture (Mermaid)")
    parser.add_argument("flow", nargs="?", help="a flow, as a path within flows/ without .yaml (default: first_flow)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the picture; 2 when the flows have findings, for then it would show what nobody can call."""
    given = settings()
    library = load_library(shown(given.flows_dir), flow_world(given))
    if library.findings:
        print_findings(library.findings, as_json=False)
        return COULD_NOT
    flow = arguments.flow or given.first_flow
    if flow not in library.flows:
        complain(f"there is no flow '{flow}': {did_you_mean(flow, library.flows)}")
        return COULD_NOT
    say(mermaid(library, flow))
    return FINE
