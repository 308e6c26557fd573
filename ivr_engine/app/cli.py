"""`ivr`: the command line. Knows which commands there are and how their failures are told."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Final

from ivr_engine.app.commands.common import COULD_NOT, complain

COMMANDS: Final = (
    "serve",
    "check",
    "play",
    "test",
    "call",
    "graph",
    "impact",
    "diff",
    "explain",
    "prompts",
    "schema",
    "messages",
    "callbacks",
    "doctor",
    "db",
)
"""Each is a module in `commands`, loaded when it is wanted: who asks what a code means does not wait for a database."""


def build_parser(*names: str) -> argparse.ArgumentParser:
    """Return the parser with these commands, or with all."""
    parser = argparse.ArgumentParser(
        prog="ivr",
        description="A telephone hotline for banks: YAML call flows over Asterisk.",
        epilog="Exit status: 0 fine, 1 something was found, 2 could not run. Settings: ivr.toml or IVR_... variables.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in names or COMMANDS:
        importlib.import_module(f"ivr_engine.app.commands.{name}").add(commands)
    return parser


def main() -> int:
    """Run one command and return its exit status."""
    wanted = [name for name in sys.argv[1:2] if name in COMMANDS]
    arguments = build_parser(*wanted).parse_args()
    try:
        status: int = arguments.run(arguments)
    except BrokenPipeError:
        return COULD_NOT
    except Exception as error:
        from ivr_engine.app.failures import expected  # knows every part's failures, and so loads every part

        message = expected(error)
        if message is None:
            raise
        if message:
            complain(f"ivr: {message}")
        return COULD_NOT
    return status


if __name__ == "__main__":
    sys.exit(main())
