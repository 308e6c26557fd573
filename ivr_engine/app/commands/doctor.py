"""`ivr doctor`: check a running Asterisk and its files against the rules of the house, and say how to mend.

What callers were promised is looked at as well: messages and callbacks that have waited too long are warnings.
"""

from __future__ import annotations

import argparse
import asyncio
from datetime import timedelta

from ivr_engine.adapters.asterisk.ami import AmiTarget
from ivr_engine.adapters.asterisk.doctor import DoctorTarget, examine, render, to_json
from ivr_engine.adapters.asterisk.doctor.finding import Finding, Severity
from ivr_engine.adapters.asterisk.locate import find_asterisk
from ivr_engine.adapters.store.faults import DatabaseUnavailableError
from ivr_engine.app.commands.common import FINE, FOUND, Subparsers, add_json, say, settings
from ivr_engine.app.commands.left import at, left_behind
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.app.settings import PROJECT, AsteriskMode, Settings
from ivr_engine.values.clock import SystemClock


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
    if not arguments.files_only:
        findings = [*findings, *asyncio.run(_left_too_long(given))]
    say(to_json(findings) if arguments.json else render(findings))
    return FOUND if findings else FINE


async def _left_too_long(given: Settings) -> list[Finding]:
    """Return a warning for each sort of promise of which one has waited longer than the setting says.

    A hotline that was never started has made none.
    """
    if not given.state_dir.is_dir() and not given.database_url:
        return []
    async with left_behind(given) as left:
        try:
            if not await left.is_there():
                return [_finding("LEFT02", "it has no tables yet, or older ones", "ivr db upgrade")]
            waiting = await left.open()
        except DatabaseUnavailableError as error:
            return [_finding("LEFT03", f"it is away: {error}", "start it; see ivr db check")]
    latest = SystemClock().now() - timedelta(hours=given.left_open_h)
    found = []
    for what, oldest, count in (
        ("messages", waiting.oldest_message, waiting.messages),
        ("callbacks", waiting.oldest_callback, waiting.callbacks),
    ):
        if oldest is not None and oldest < latest:
            told = f"{count} {what} wait, the oldest since {at(oldest, given)}; promised are {given.left_open_h} h"
            found.append(_finding("LEFT01", told, f"see ivr {what}"))
    return found


def _finding(code: str, what: str, mend: str) -> Finding:
    return Finding(code, Severity.WARNING, "database", 0, what, mend)
