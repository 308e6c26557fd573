"""D45x: features.conf: what keys do in a talk. One thing only, for agents alone: they ask the engine for a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ivr_engine.adapters.asterisk.doctor.dialplan import contexts, reachable
from ivr_engine.adapters.asterisk.doctor.finding import Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.rules_sip import of_type
from ivr_engine.adapters.asterisk.doctor.subject import Configuration

FILE: Final = "features.conf"
DIALPLAN: Final = "extensions.conf"
KEYS: Final = "DYNAMIC_FEATURES"
ALLOWED: Final = ("secure", "*7,self,UserEvent(IvrSecure)")


def key_is_a_command(configuration: Configuration) -> Iterator[Flaw]:
    """D451: a key that transfers, records or runs something is a command in the hands of whoever presses it."""
    for section in configuration.file(FILE).real_sections():
        if section.name == "general":
            continue
        for entry in section.entries:
            if entry.value and (section.name != "applicationmap" or (entry.key, entry.value) != ALLOWED):
                what = f"a key of a talk does something: {entry.key}"
                yield Flaw(entry.file, entry.line, what, f"nothing but {ALLOWED[0]} = {ALLOWED[1]} in [applicationmap]")


def callers_have_keys(configuration: Configuration) -> Iterator[Flaw]:
    """D452: keys are given to agents' channels alone; a caller who had them could send an agent away."""
    plan = contexts(configuration.file(DIALPLAN))
    callers = reachable(plan, [endpoint.get("context") for endpoint in of_type(configuration, "endpoint")])
    for context in plan.values():
        for step in context.steps:
            variable = step.arguments.partition("=")[0].strip()
            gives_keys = step.application == "set" and variable.lstrip("_") == KEYS
            if gives_keys and (context.name in callers or variable.startswith("_")):
                what = f"{KEYS} is set where it holds for callers too"
                yield Flaw(step.file, step.line, what, "set it, without underscores, where Dial runs option b only")


RULES: Final[tuple[Rule[Configuration], ...]] = (
    Rule("D451", Severity.ERROR, key_is_a_command),
    Rule("D452", Severity.ERROR, callers_have_keys),
)
