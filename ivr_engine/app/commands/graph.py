"""`ivr graph`: a flow as a picture, in SVG or in Mermaid."""

from __future__ import annotations

import argparse
import pathlib

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, say, settings, shown
from ivr_engine.app.commands.one_flow import library_with
from ivr_engine.flow.pictures.mermaid import mermaid
from ivr_engine.flow.pictures.svg import svg


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "graph",
        help="draw a flow: steps, outcomes, the longest way to a human",
        epilog="Without --svg, --mermaid or --out the picture is printed as Mermaid. A browser shows an SVG file.",
    )
    parser.add_argument("flow", nargs="?", help="a flow, as a path within flows/ without .yaml (default: first_flow)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--svg", action="store_true", help="as SVG; what --out writes unless --mermaid is given")
    form.add_argument("--mermaid", action="store_true", help="as Mermaid, for pages that draw it themselves")
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="write it to a file: hotline.svg")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw; 2 when the flows have findings, for then the picture would show what nobody can call."""
    given = settings()
    flow = arguments.flow or given.first_flow
    library = library_with(given, flow)
    if library is None:
        return COULD_NOT
    as_svg = arguments.svg or (arguments.out is not None and not arguments.mermaid)
    picture = svg(library, flow) if as_svg else mermaid(library, flow)
    if arguments.out is None:
        say(picture.rstrip("\n"))
    else:
        arguments.out.write_text(picture, encoding="utf-8")
        say(f"drawn: {shown(arguments.out)}")
    return FINE
