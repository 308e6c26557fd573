"""What commands share: exit statuses, settings, and how results are printed."""

from __future__ import annotations

import argparse
import json
import pathlib
import sys
from collections.abc import Sequence
from typing import Final, TypeAlias

from ivr_engine.app.settings import Settings, load_settings
from ivr_engine.flow.findings import Finding

FINE: Final = 0
FOUND: Final = 1
COULD_NOT: Final = 2

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 # argparse has no public name


def say(text: str) -> None:
    """Print for people or machines to read."""
    sys.stdout.write(f"{text}\n")


def complain(text: str) -> None:
    """Print what is wrong."""
    sys.stderr.write(f"{text}\n")


def write(path: pathlib.Path, text: str, said: str) -> int:
    """Write a file that was asked for, say so, and return the exit status."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        complain(f"ivr: {path} cannot be written: {error.strerror}")
        return COULD_NOT
    say(f"{said}: {shown(path)}")
    return FINE


def settings() -> Settings:
    """Return the settings in force in the current folder; raises `SettingsError`."""
    return load_settings(pathlib.Path.cwd())


def add_json(parser: argparse.ArgumentParser) -> None:
    """Let a machine read the result."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def shown(path: pathlib.Path) -> pathlib.Path:
    """Return a path as people like to read it: relative to the current folder where it is below it."""
    try:
        return path.relative_to(pathlib.Path.cwd())
    except ValueError:
        return path


def print_findings(findings: Sequence[Finding], *, as_json: bool) -> int:
    """Print findings and return the exit status."""
    if as_json:
        rows = [
            {
                "file": finding.place.file,
                "line": finding.place.line,
                "column": finding.place.column,
                "code": finding.code,
                "message": finding.message,
                "mend": finding.mend,
            }
            for finding in findings
        ]
        say(json.dumps({"findings": rows}, ensure_ascii=False, indent=1))
    else:
        for finding in findings:
            say(finding.render())
    return FOUND if findings else FINE
