"""D0xx: the files themselves: that Asterisk reads them, and who else can."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ivr_engine.adapters.asterisk.doctor.finding import Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.subject import FILES, SECRET_FILES, Configuration


def unreadable(configuration: Configuration) -> Iterator[Flaw]:
    """D001: Asterisk skips a line it does not understand and starts without it."""
    for config in configuration.files.values():
        for fault in config.faults:
            yield Flaw(fault.file, fault.line, fault.what, "correct the line; Asterisk passes over it and says nothing")


def missing(configuration: Configuration) -> Iterator[Flaw]:
    """D002: without a file its module does not start, or runs on defaults nobody chose."""
    if not configuration.folder.is_dir():
        what = f"there is no folder {configuration.folder}: nothing has been configured yet"
        yield Flaw(configuration.folder.name, 0, what, "start the hotline once, with make run or ivr serve")
        return
    for name in FILES:
        if name not in configuration.files:
            yield Flaw(name, 0, "the file is missing: Asterisk's defaults apply", "render the configuration again")


def executing(configuration: Configuration) -> Iterator[Flaw]:
    """D003: #exec runs a program as Asterisk's user at every reload."""
    for config in configuration.files.values():
        for fault in config.executes:
            yield Flaw(fault.file, fault.line, fault.what, "write the settings themselves into the file")


def secrets_readable(configuration: Configuration) -> Iterator[Flaw]:
    """D004: who reads a secret can call in the bank's name or listen."""
    for name in SECRET_FILES:
        for path in configuration.file(name).paths:
            if path.stat().st_mode & stat.S_IROTH:
                yield Flaw(_name(configuration, path), 0, "holds secrets and everybody can read it", "chmod 0640")


def files_writable(configuration: Configuration) -> Iterator[Flaw]:
    """D005: who writes a configuration file is Asterisk."""
    paths = {path for config in configuration.files.values() for path in config.paths}
    if configuration.folder.is_dir():
        paths.add(configuration.folder)
    for path in sorted(paths):
        if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            yield Flaw(_name(configuration, path), 0, "others than its owner can write it", "chmod go-w")


def _name(configuration: Configuration, path: Path) -> str:
    return path.relative_to(configuration.folder).as_posix() if path.is_relative_to(configuration.folder) else str(path)


RULES: Final[tuple[Rule[Configuration], ...]] = (
    Rule("D001", Severity.ERROR, unreadable),
    Rule("D002", Severity.ERROR, missing),
    Rule("D003", Severity.ERROR, executing),
    Rule("D004", Severity.ERROR, secrets_readable),
    Rule("D005", Severity.ERROR, files_writable),
)
