"""`ivr`: the command line. Knows which commands there are and how their failures are told."""

from __future__ import annotations

import argparse
import sys
from typing import Final

from ivr_engine.app.commands import call, check, db, doctor, explain, graph, impact, play, prompts, schema, serve, test
from ivr_engine.app.commands.common import COULD_NOT, complain
from ivr_engine.app.failures import expected

COMMANDS: Final = (serve, check, play, test, call, graph, impact, explain, prompts, schema, doctor, db)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every command."""
    parser = argparse.ArgumentParser(
        prog="ivr",
        description="A telephone hotline for banks: YAML call flows over Asterisk.",
        epilog="Exit status: 0 fine, 1 something was found, 2 could not run. Settings: ivr.toml or IVR_... variables.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    return parser


def main() -> int:
    """Run one command and return its exit status."""
    arguments = build_parser().parse_args()
    try:
        status: int = arguments.run(arguments)
    except BrokenPipeError:
        return COULD_NOT
    except Exception as error:
        message = expected(error)
        if message is None:
            raise
        if message:
            complain(f"ivr: {message}")
        return COULD_NOT
    return status


if __name__ == "__main__":
    sys.exit(main())
