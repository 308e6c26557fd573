"""`ivr explain`: what a finding's code means."""

from __future__ import annotations

import argparse

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, complain, say
from ivr_engine.flow.findings import CODES, did_you_mean
from ivr_engine.scenarios.findings import TEST_CODES


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("explain", help="say what a finding's code means")
    parser.add_argument("code", nargs="?", help="for example E204; without it, all codes")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Explain one code, or list all."""
    codes = {**CODES, **TEST_CODES}
    if arguments.code is None:
        for code, meaning in codes.items():
            say(f"{code}  {meaning.title}")
        return FINE
    code = arguments.code.upper()
    if code not in codes:
        complain(f"there is no code {code}: {did_you_mean(code, codes)}")
        return COULD_NOT
    say(f"{code}: {codes[code].title}\n\n{codes[code].explanation}")
    return FINE
