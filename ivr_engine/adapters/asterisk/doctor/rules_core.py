"""D1xx: asterisk.conf, logger.conf, cel.conf: the places where Asterisk itself writes keys down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ivr_engine.adapters.asterisk.doctor.finding import Check, Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.subject import Configuration, is_no, is_yes, must_be, words

CORE: Final = "asterisk.conf"


def directories_ignored(configuration: Configuration) -> Iterator[Flaw]:
    """D101: the sample file comes with `[directories](!)`, and then every path in it is ignored."""
    for section in configuration.file(CORE).sections:
        if section.name == "directories" and section.is_template:
            yield Flaw(
                section.file, section.line, "[directories](!) is a template: its paths are ignored", "remove (!)"
            )


def _levels(value: str) -> frozenset[str]:
    # A formatter may stand before the levels: `[json]notice,warning`. verbose may carry a number: verbose(3).
    return frozenset(word.split("(")[0].lower() for word in words(value.split("]")[-1]))


def _logs(level: str, why: str) -> Check[Configuration]:
    def check(configuration: Configuration) -> Iterator[Flaw]:
        for entry in configuration.section("logger.conf", "logfiles").entries:
            if level in _levels(entry.value):
                yield Flaw(
                    entry.file,
                    entry.line,
                    f"log {entry.key} takes level {level}: {why}",
                    "write notice,warning,error; and security into a file of its own",
                )

    return check


def no_security_log(configuration: Configuration) -> Iterator[Flaw]:
    """D115: failed sign-ins by SIP and AMI are seen only there."""
    if "logger.conf" not in configuration.files:
        return
    section = configuration.section("logger.conf", "logfiles")
    if not any("security" in _levels(entry.value) for entry in section.entries):
        yield Flaw("logger.conf", section.line, "no log takes level security", "write `security.log => security`")


def cel_takes_keys(configuration: Configuration) -> Iterator[Flaw]:
    """D121: CEL's DTMF event carries each key a caller presses."""
    section = configuration.section("cel.conf", "general")
    if section.is_on("enable", default=False) and words(section.get("events").upper()) & {"ALL", "DTMF"}:
        yield Flaw("cel.conf", section.line_of("events"), "channel events with every key are written", "enable = no")


RULES: Final[tuple[Rule[Configuration], ...]] = (
    Rule("D101", Severity.ERROR, directories_ignored),
    Rule(
        "D102",
        Severity.ERROR,
        must_be(CORE, "options", "verbose", lambda v: v == "0", "0", "level 3 shows PINs and amounts", "verbose = 0"),
    ),
    Rule(
        "D103",
        Severity.ERROR,
        must_be(CORE, "options", "debug", lambda v: v == "0", "0", "level 4 shows every key", "debug = 0"),
    ),
    Rule(
        "D104",
        Severity.ERROR,
        must_be(CORE, "options", "dumpcore", is_no, "no", "a core file holds every caller's audio", "dumpcore = no"),
    ),
    Rule(
        "D105",
        Severity.ERROR,
        must_be(
            CORE,
            "options",
            "live_dangerously",
            is_no,
            "no",
            "manager and AGI may then run programs and read files",
            "live_dangerously = no",
        ),
    ),
    Rule(
        "D106",
        Severity.ERROR,
        must_be(
            CORE,
            "options",
            "disable_remote_console_shell",
            is_yes,
            "no",
            "a remote console gives a shell of Asterisk's user (GHSA-c7p6-7mvq-8jq2)",
            "disable_remote_console_shell = yes",
        ),
    ),
    Rule(
        "D107",
        Severity.WARNING,
        must_be(
            CORE,
            "options",
            "maxcalls",
            lambda v: v.isdigit() and int(v) > 0,
            "0",
            "without a limit overload spoils the calls in progress",
            "maxcalls = what this machine was measured to carry",
        ),
    ),
    Rule(
        "D108",
        Severity.ERROR,
        must_be(CORE, "options", "execincludes", is_no, "no", "#exec would run programs", "execincludes = no"),
    ),
    Rule("D111", Severity.ERROR, _logs("dtmf", "it is the callers' keys")),
    Rule("D112", Severity.ERROR, _logs("debug", "from 4 on it shows every manager event, keys included")),
    Rule("D113", Severity.ERROR, _logs("verbose", "it shows PINs and the names of spoken amounts")),
    Rule("D114", Severity.ERROR, _logs("*", "it takes every level, dtmf included")),
    Rule("D115", Severity.WARNING, no_security_log),
    Rule("D121", Severity.ERROR, cel_takes_keys),
    Rule(
        "D122",
        Severity.ERROR,
        must_be("cel.conf", "manager", "enabled", is_no, "no", "keys go to AMI class call", "enabled = no"),
    ),
    Rule(
        "D123",
        Severity.WARNING,
        must_be(
            "cel.conf", "general", "enable", is_no, "no", "a second record of calls that nobody reads", "enable = no"
        ),
    ),
)
