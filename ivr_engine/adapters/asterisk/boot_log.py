"""What Asterisk writes while it starts, in words an operator can act on.

Knows the sentences of Asterisk's source that mean that calls would fail. Must not know where they were read.
"""

from __future__ import annotations

import re
from typing import Final

REMARKS_MAX: Final = 20

_EXPLANATIONS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (
        # res/res_pjsip/config_transport.c
        re.compile(r"Transport '(?P<what>[^']+)' could not be started: Address already in use"),
        "another program uses the address of {what} (pjsip.conf). End it, or choose another SIP port.",
    ),
    (
        # main/tcptls.c
        re.compile(r"Unable to bind (?P<what>.+?) to (?P<where>\S+): Address already in use"),
        "another program uses {where}, wanted for: {what}. End it, or choose another port.",
    ),
    (
        re.compile(r"Transport '(?P<what>[^']+)' could not be started: (?P<why>.+)"),
        "{what} (pjsip.conf) cannot be opened: {why}. Is the address one of this machine's?",
    ),
    (
        re.compile(r"Unable to bind (?P<what>.+?) to (?P<where>\S+): (?P<why>.+)"),
        "{where}, wanted for {what}, cannot be opened: {why}. Is the address one of this machine's?",
    ),
    (
        # main/loader.c: the first of these names the cause
        re.compile(r"Error loading module '(?P<what>[^']+)': (?P<why>.+)"),
        "module {what} does not load: {why}. Is the package asterisk-modules complete and of the same version?",
    ),
    (
        re.compile(r"Failed to load module (?P<what>\S+) - Required"),
        "module {what} does not load; the lines above it in log/messages.log say why.",
    ),
    (
        # main/config.c
        re.compile(r"parse error: (?P<why>.+) at line (?P<line>\d+) of (?P<what>\S+)"),
        "{what}, line {line} is not understood: {why}.",
    ),
    (
        # main/config_options.c
        re.compile(r"In (?P<what>\S+\.conf): Processing options for (?P<where>\S+) failed"),
        "section [{where}] of {what} holds something that this Asterisk does not know.",
    ),
    (
        # res/res_sorcery_config.c
        re.compile(
            r"Could not create an object of type '(?P<kind>[^']+)' with id '(?P<where>[^']+)' .* '(?P<what>[^']+)'"
        ),
        "section [{where}] ({kind}) of {what} was refused; the lines above it in log/messages.log say why.",
    ),
    (
        # main/asterisk.c
        re.compile(r"Asterisk already running on (?P<what>\S+)"),
        "another Asterisk already uses {what}.",
    ),
    (
        re.compile(r"Unable to open (?P<what>.+?): Permission denied"),
        "{what} may not be opened by the user Asterisk runs as.",
    ),
)

_LINE = re.compile(r"^\[[^\]]*\] (?P<level>ERROR|WARNING)\[\d+\][^ ]* (?P<text>.+)$", re.MULTILINE)


def explain(text: str) -> str | None:
    """Return why calls would fail after this start, or None."""
    for pattern, sentence in _EXPLANATIONS:
        found = pattern.search(text)
        if found:
            return sentence.format(**found.groupdict())
    return None


def remarks(text: str) -> list[str]:
    """Return the other errors and warnings, as written, at most REMARKS_MAX."""
    return [f"Asterisk {found['level'].lower()}: {found['text']}" for found in _LINE.finditer(text)][:REMARKS_MAX]
