"""What commands share: exit statuses, settings, and how results are printed."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import sys
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from ivr_engine.app.settings import Settings, SettingsError, load_settings
from ivr_engine.flow.findings import Finding
from ivr_engine.flow.wording import Text, Wording, in_chinese

FINE: Final = 0
FOUND: Final = 1
COULD_NOT: Final = 2
_LOCALES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Where a terminal says its language; the first that is not empty counts."""

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


def add_language(parser: argparse.ArgumentParser) -> None:
    """Let an author choose the language of the words about a flow."""
    parser.add_argument(
        "--language",
        type=Wording,
        choices=tuple(Wording),
        help="en or zh (default: IVR_LANGUAGE_OF_FINDINGS, else zh where LC_ALL or LANG begin with it)",
    )


def language_in_force(chosen: Wording | None = None, environment: Mapping[str, str] | None = None) -> Wording:
    """Return the language for authors: the one chosen, else the setting, else the terminal's."""
    if chosen is not None:
        return chosen
    with contextlib.suppress(SettingsError):  # whoever needs the settings says what is wrong with them
        if (set_up := settings().language_of_findings) is not None:
            return set_up
    given = os.environ if environment is None else environment
    terminal = next((given[name] for name in _LOCALES if given.get(name)), "")
    return Wording.CHINESE if terminal.startswith(Wording.CHINESE) else Wording.ENGLISH


def print_findings(findings: Sequence[Finding], *, as_json: bool, language: Wording | None = None) -> int:
    """Print findings and return the exit status; JSON holds both languages."""
    if as_json:
        say(json.dumps({"findings": [_row(finding) for finding in findings]}, ensure_ascii=False, indent=1))
    else:
        wording = language_in_force(language)
        for finding in findings:
            say(finding.render(wording))
    return FOUND if findings else FINE


def _row(finding: Finding) -> dict[str, object]:
    return {
        "file": finding.place.file,
        "line": finding.place.line,
        "column": finding.place.column,
        "end_column": finding.end_column,
        "code": finding.code,
        "message": finding.message,
        "message_zh": in_chinese(finding.message),
        "mend": finding.mend,
        "mend_zh": in_chinese(finding.mend),
        "path": finding.path,
        "path_zh": in_chinese(finding.path) if finding.path is not None else None,
        "facts": {"message": _facts(finding.message), "mend": _facts(finding.mend)},
    }


def _facts(text: str) -> dict[str, object]:
    facts = text.facts if isinstance(text, Text) else {}
    return {name: _fact(fact) for name, fact in facts.items()}


def _fact(fact: object) -> object:
    if isinstance(fact, tuple):
        return [str(name) for name in fact]
    return fact if isinstance(fact, int) else str(fact)
