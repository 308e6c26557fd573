"""`ivr graph`: a flow as a picture, in Mermaid."""

from __future__ import annotations

import argparse

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, say, settings
from ivr_engine.app.commands.one_flow import library_with
from ivr_engine.flow.graph import mermaid


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("graph", help="print a flow as a picture (Mermaid)")
    parser.add_argument("flow", nargs="?", help="a flow, as a path within flows/ without .yaml (default: first_flow)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the picture; 2 when the flows have findings, for then it would show what nobody can call."""
    given = settings()
    flow = arguments.flow or given.first_flow
    library = library_with(given, flow)
    if library is None:
        return COULD_NOT
    say(mermaid(library, flow))
    return FINE
