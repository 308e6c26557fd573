"""`ivr explain`: what a finding's code means."""

from __future__ import annotations

import argparse

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, complain, say
from ivr_engine.flow.findings import CODES, did_you_mean


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("explain", help="say what a finding's code means")
    parser.add_argument("code", nargs="?", help="for example E204; without it, all codes")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Explain one code, or list all."""
    if arguments.code is None:
        for code, meaning in CODES.items():
            say(f"{code}  {meaning.title}")
        return FINE
    code = arguments.code.upper()
    if code not in CODES:
        complain(f"there is no code {code}: {did_you_mean(code, CODES)}")
        return COULD_NOT
    say(f"{code}: {CODES[code].title}\n\n{CODES[code].explanation}")
    return FINE
