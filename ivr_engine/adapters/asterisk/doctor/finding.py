"""What the doctor says, as values, and as text and JSON for people and programs.

Knows how a finding looks. Must not know any rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, TypeVar


class Severity(StrEnum):
    """An error can cost a secret, a call or the server; a warning makes one of those likelier."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """What one rule found: where (line 0 is the file as a whole), what is wrong, and what to write instead."""

    file: str
    line: int
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A flaw with the code and severity of the rule that found it."""

    code: str
    severity: Severity
    file: str
    line: int
    what: str
    mend: str


Subject = TypeVar("Subject")
Check = Callable[[Subject], Iterator[Flaw]]


@dataclass(frozen=True, slots=True)
class Rule(Generic[Subject]):
    """One thing that must be so: its code, and the function that yields a flaw for each place where it is not."""

    code: str
    severity: Severity
    check: Check[Subject]


def apply(rules: Iterable[Rule[Subject]], subject: Subject) -> list[Finding]:
    """Ask every rule; return everything that is wrong at once, in the order of files and lines."""
    return in_order(
        Finding(rule.code, rule.severity, flaw.file, flaw.line, flaw.what, flaw.mend)
        for rule in rules
        for flaw in rule.check(subject)
    )


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort by place, then code."""
    return sorted(findings, key=lambda finding: (finding.file, finding.line, finding.code, finding.what))


NOTHING_FOUND: Final = "nothing found\n"


def render(findings: Iterable[Finding]) -> str:
    """Write findings for a person: a line that editors and grep understand, and the mend below it."""
    listed = list(findings)
    if not listed:
        return NOTHING_FOUND
    lines = []
    for finding in listed:
        place = f"{finding.file}:{finding.line}" if finding.line else finding.file
        lines.append(f"{place} {finding.code} {finding.severity.value}: {finding.what}\n    mend: {finding.mend}\n")
    errors = sum(finding.severity is Severity.ERROR for finding in listed)
    return "".join(lines) + f"{errors} errors, {len(listed) - errors} warnings\n"


def to_json(findings: Iterable[Finding]) -> str:
    """Write findings for a program: a list of objects with the fields of `Finding`."""
    fields = ("code", "severity", "file", "line", "what", "mend")
    return json.dumps([{name: getattr(finding, name) for name in fields} for finding in findings], ensure_ascii=False)
