"""`ivr doctor`: check a running Asterisk and its files against the rules of the house, and say how to mend."""

from __future__ import annotations

import argparse
import asyncio

from ivr_engine.adapters.asterisk.ami import AmiTarget
from ivr_engine.adapters.asterisk.doctor import DoctorTarget, examine, render, to_json
from ivr_engine.adapters.asterisk.locate import find_asterisk
from ivr_engine.app.commands.common import FINE, FOUND, Subparsers, add_json, say, settings
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.app.settings import PROJECT, AsteriskMode


def add(commands: Subparsers) -> None:
    """Add the parser."""
    parser = commands.add_parser("doctor", help="check Asterisk, running and as configured, and say how to mend it")
    parser.add_argument("--files-only", action="store_true", help="look at the files, ask nobody")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Examine; 1 when there are findings."""
    given = settings()
    ami = console = None
    if not arguments.files_only:
        secrets = load_or_make(given.state_dir, given.agents)
        ami = AmiTarget(given.ami_host, given.ami_port, "doctor", secrets.ami_doctor)
        if given.asterisk is AsteriskMode.EMBEDDED:
            install = find_asterisk(PROJECT)
            console = (*install.command, "-C", str(given.asterisk_conf_dir / "asterisk.conf"))
    findings = asyncio.run(examine(DoctorTarget(given.asterisk_conf_dir, ami, console)))
    say(to_json(findings) if arguments.json else render(findings))
    return FOUND if findings else FINE
