"""`ivr explain`: what a finding's code means."""

from __future__ import annotations

import argparse

from ivr_engine.app.commands.common import COULD_NOT, FINE, Subparsers, add_language, complain, language_in_force, say
from ivr_engine.flow.codes import CODES, explained
from ivr_engine.flow.findings import did_you_mean
from ivr_engine.flow.wording import Text, Wording, say_in
from ivr_engine.scenarios import findings as tests


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("explain", help="say what a finding's code means")
    parser.add_argument("code", nargs="?", help="for example E204; without it, all codes")
    add_language(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Explain one code, or list all."""
    language = language_in_force(arguments.language)
    codes = {code: explained(code, language) for code in CODES}
    codes |= {code: tests.explained(code, language) for code in tests.TEST_CODES}
    if arguments.code is None:
        for code, meaning in codes.items():
            say(f"{code}  {meaning.title}")
        return FINE
    code = arguments.code.upper()
    if code not in codes:
        complain(say_in(Text("there is no code {code}: {mend}", code=code, mend=did_you_mean(code, codes)), language))
        return COULD_NOT
    meaning = codes[code]
    colon = "：" if language is Wording.CHINESE else ": "
    say(f"{code}{colon}{meaning.title}\n\n{meaning.explanation}")
    return FINE
