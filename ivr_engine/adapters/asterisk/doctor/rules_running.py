"""D7xx: the Asterisk that runs now, by its own words: somebody may have switched something on by hand.

What cannot be asked: `agi set debug` and `rtp set debug` have no question that shows their state (seen on 22.10.1).
Both write at level verbose, so D705 and D113 keep them out of every file; a verbose console still shows them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from ivr_engine.adapters.asterisk.doctor.finding import Check, Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.rules_manager import LEAKING_EVENTS
from ivr_engine.adapters.asterisk.doctor.rules_modules import FORBIDDEN, NEEDED, matches
from ivr_engine.adapters.asterisk.doctor.subject import Running, words
from ivr_engine.adapters.asterisk.locate import LEAST_VERSION

PLACE: Final = "the running Asterisk"
FORBIDDEN_LEVELS: Final = frozenset({"DTMF", "VERBOSE", "DEBUG"})
_VERSION: Final = re.compile(r"(?:certified/)?(\d+)\.(\d+)\.(\d+)")


def unanswered(running: Running) -> Iterator[Flaw]:
    """D701: a question that could not be asked or was not answered in time."""
    for trouble in running.troubles:
        yield Flaw(PLACE, 0, trouble, "is it running, and are account and console of the right user?")


def old_version(running: Running) -> Iterator[Flaw]:
    """D702: known holes."""
    match = _VERSION.match(running.version)
    if running.version and (match is None or tuple(int(part) for part in match.groups()) < LEAST_VERSION):
        least = ".".join(map(str, LEAST_VERSION))
        yield Flaw(PLACE, 0, f"version {running.version} has known holes", f"Asterisk {least} or later")


def _says(label: str, good: Callable[[str], bool], what: str, mend: str) -> Check[Running]:
    def check(running: Running) -> Iterator[Flaw]:
        value = {**running.manager, **running.settings}.get(label)
        if value is not None and not good(value):
            yield Flaw(PLACE, 0, f"{label}: {value}: {what}", mend)

    return check


def logs_keys(running: Running) -> Iterator[Flaw]:
    """D705: a log was switched to a level that shows keys."""
    for line in running.loggers:
        levels = FORBIDDEN_LEVELS & set(re.findall(r"[A-Z]+", line))
        if levels:
            what = f"log {line.split()[0]} takes {','.join(sorted(levels))}"
            yield Flaw(PLACE, 0, what, "logger reload, with a good logger.conf")


def forbidden_module(running: Running) -> Iterator[Flaw]:
    """D706: loaded by hand, or by a configuration that was never rendered."""
    for name in sorted(running.modules or ()):
        if matches(name, FORBIDDEN):
            yield Flaw(PLACE, 0, f"{name} is loaded", f"module unload {name}.so, and mend modules.conf")


def needed_module(running: Running) -> Iterator[Flaw]:
    """D707: named in modules.conf perhaps, and yet not there."""
    if running.modules is None:
        return
    for name, why in NEEDED.items():
        if name not in running.modules:
            yield Flaw(PLACE, 0, f"{name} is not loaded: {why}", "read Asterisk's log of its start")


def events_on(running: Running) -> Iterator[Flaw]:
    """D708: AMI sends events with keys."""
    disabled = running.manager.get("Disabled events")
    if disabled is not None and LEAKING_EVENTS - words(disabled):
        names = ",".join(sorted(LEAKING_EVENTS - words(disabled)))
        yield Flaw(PLACE, 0, f"manager events with keys are sent: {names}", "disabledevents, then manager reload")


RULES: Final[tuple[Rule[Running], ...]] = (
    Rule("D701", Severity.ERROR, unanswered),
    Rule("D702", Severity.ERROR, old_version),
    Rule(
        "D703",
        Severity.ERROR,
        _says("Root console verbosity", lambda v: v == "0", "level 3 shows PINs and amounts", "core set verbose 0"),
    ),
    Rule("D704", Severity.ERROR, _says("Debug level", lambda v: v == "0", "level 4 shows keys", "core set debug 0")),
    Rule("D705", Severity.ERROR, logs_keys),
    Rule("D706", Severity.ERROR, forbidden_module),
    Rule("D707", Severity.ERROR, needed_module),
    Rule("D708", Severity.ERROR, events_on),
    Rule(
        "D709",
        Severity.ERROR,
        _says(
            "Shell on remote consoles",
            lambda v: v == "Disabled",
            "GHSA-c7p6-7mvq-8jq2",
            "disable_remote_console_shell = yes, then restart",
        ),
    ),
    Rule(
        "D710",
        Severity.ERROR,
        _says(
            "Dump core on crash", lambda v: v == "No", "a core file holds callers' audio", "dumpcore = no, then restart"
        ),
    ),
    Rule(
        "D711",
        Severity.ERROR,
        _says(
            "Web Manager (AMI/HTTP)",
            lambda v: v in ("No", "Disabled"),
            "GHSA-3rhj-hhw7-m6fw",
            "webenabled = no, then reload",
        ),
    ),
    Rule(
        "D712",
        Severity.ERROR,
        _says("Trace level", lambda v: v == "0", "traces show calls from inside", "core set trace 0"),
    ),
)
