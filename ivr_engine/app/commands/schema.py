"""`ivr schema`: what editors need to complete and check a flow while it is written."""

from __future__ import annotations

import argparse
import json
import pathlib

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, say, settings, shown
from ivr_engine.app.commands.one_flow import sound_library
from ivr_engine.app.engine import flow_world
from ivr_engine.flow.impact import known_names
from ivr_engine.flow.schema import Schema, fields_with_names, flow_schema
from ivr_engine.flow.uses import FLOWS


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "schema",
        help="print the JSON Schema of flow files, for editors",
        epilog="An editor with yaml-language-server finds it by the first line of a flow: "
        "# yaml-language-server: $schema=flow.schema.json",
    )
    parser.add_argument("--out", type=pathlib.Path, metavar="FILE", help="write it: flows/flow.schema.json")
    parser.add_argument(
        "--with-names", action="store_true", help="allow only the prompts, operations, queues and flows of this hotline"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the schema; 2 when names are asked for and the flows have findings."""
    schema = _with_names() if arguments.with_names else flow_schema()
    if schema is None:
        return COULD_NOT
    text = as_text(schema)
    if arguments.out is None:
        say(text.rstrip("\n"))
    else:
        arguments.out.write_text(text, encoding="utf-8")
        say(f"written: {shown(arguments.out)}")
    return FINE


def as_text(schema: Schema) -> str:
    """Return the schema as it stands in a file."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def _with_names() -> Schema | None:
    given = settings()
    library = sound_library(given)
    if library is None:
        return None
    world = flow_world(given)
    names = known_names(library, world)
    names[FLOWS] = frozenset(name for name, flow in library.flows.items() if flow.interface.outcomes)
    texts = {
        name: (str(given.flows_dir / f"{name}.yaml"), (given.flows_dir / f"{name}.yaml").read_text(encoding="utf-8"))
        for name in library.flows
    }
    return flow_schema(names, fields_with_names(world, texts))
