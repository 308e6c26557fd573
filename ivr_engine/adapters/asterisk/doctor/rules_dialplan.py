"""D5xx: extensions.conf: no caller is lost when an engine dies or freezes, and no caller runs anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ivr_engine.adapters.asterisk.doctor.dialplan import Context, Step, contexts, reachable
from ivr_engine.adapters.asterisk.doctor.finding import Flaw, Rule, Severity
from ivr_engine.adapters.asterisk.doctor.rules_sip import of_type
from ivr_engine.adapters.asterisk.doctor.subject import Configuration

FILE: Final = "extensions.conf"
FORBIDDEN_APPLICATIONS: Final = frozenset(
    [
        "system",
        "trysystem",
        "exec",
        "tryexec",
        "execif",
        "externalivr",
        "disa",
        "read",
        "readexten",
        "mixmonitor",
        "monitor",
        "record",
        "chanspy",
        "extenspy",
        "senddtmf",
        "dumpchan",
        "originate",
        "authenticate",
    ]
)
"""They run programs, take or write keys, record, or give a dial tone."""
WRITING_APPLICATIONS: Final = frozenset({"verbose", "noop", "log"})
"""They write their arguments to a log: harmless words, but never a variable."""
FORBIDDEN_FUNCTIONS: Final = re.compile(r"\b(SHELL|FILE|CURL|EVAL|SYSINFO|ENV|DB|ODBC_\w+)\(")
STRANGERS_TEXT: Final = re.compile(r"\$\{(EXTEN|CALLERID\(|DNID|RDNIS|CALLERIDNUM|CALLERIDNAME|SIPDOMAIN|PJSIP_HEADER)")
_FILTERED: Final = re.compile(r"\$\{FILTER\([^,]*,\$\{[^{}]*\}\)\}")
CONSULT: Final = "consult"
OF_OTHERS: Final = frozenset({CONSULT, "hold"})
"""Scripts of AGI sessions with who was dialled: asked before they are joined to a caller, or waiting for one."""
_DONE_FLAG: Final = "IVR_DONE"


def _sessions(configuration: Configuration, scripts: frozenset[str]) -> Iterator[tuple[Context, list[Step], int]]:
    """Give each AGI step of these scripts with its context, its extension's steps and its place among them."""
    for context in contexts(configuration.file(FILE)).values():
        for steps in context.extensions().values():
            for position, step in enumerate(steps):
                if step.application == "agi" and _script(step) in scripts:
                    yield context, steps, position


def _script(step: Step) -> str:
    """Return which session begins: that of a caller ("") or, by name, of who was dialled."""
    name = step.arguments.partition(",")[0].rpartition("/")[2]
    return name if name in OF_OTHERS else ""


def _agi_steps(configuration: Configuration) -> Iterator[tuple[Context, list[Step], int]]:
    return _sessions(configuration, frozenset({""}))


def _sets(steps: list[Step], variable: str) -> list[Step]:
    return [step for step in steps if step.application == "set" and step.arguments.startswith(variable)]


def no_engine(configuration: Configuration) -> Iterator[Flaw]:
    """D501: no caller ever reaches an engine."""
    if FILE in configuration.files and not any(_agi_steps(configuration)):
        yield Flaw(FILE, 0, "no extension hands callers to an engine", "AGI(agi://127.0.0.1:4573/incoming)")


def hung_up_for_ever(configuration: Configuration) -> Iterator[Flaw]:
    """D502: without it a frozen engine keeps the channel of a caller who has long hung up."""
    for _, steps, position in (*_agi_steps(configuration), *_sessions(configuration, OF_OTHERS)):
        values = [step.arguments.partition("=")[2].lower() for step in _sets(steps[:position], "AGIEXITONHANGUP")]
        if values[-1:] not in (["yes"], ["1"], ["true"]):
            step = steps[position]
            what = "a caller who hangs up stays for ever when the engine is frozen"
            yield Flaw(step.file, step.line, what, "Set(AGIEXITONHANGUP=yes) before AGI")


def no_backstop(configuration: Configuration) -> Iterator[Flaw]:
    """D503: without it callers of a frozen engine wait for ever."""
    for _, steps, position in _agi_steps(configuration):
        if not _sets(steps[:position], "TIMEOUT(absolute)"):
            step = steps[position]
            what = "nothing ends the wait for a frozen engine"
            yield Flaw(step.file, step.line, what, "Set(TIMEOUT(absolute)=seconds) before AGI")


def backstop_ends_the_call(configuration: Configuration) -> Iterator[Flaw]:
    """D504: when TIMEOUT(absolute) is over, a context without extension T hangs up on the caller."""
    for context, steps, position in _agi_steps(configuration):
        if "T" not in context.extensions():
            step = steps[position]
            what = f"context {context.name} has no extension T: the backstop hangs up on the caller"
            yield Flaw(step.file, step.line, what, "exten => T,1,Goto(fallback,s,1)")


def death_not_noticed(configuration: Configuration) -> Iterator[Flaw]:
    """D505: AGISTATUS is SUCCESS also when the engine was killed; only a flag that the engine sets tells."""
    for _, steps, position in _agi_steps(configuration):
        step = steps[position]
        following = steps[position + 1 : position + 3]
        if not any(after.application == "gotoif" and _DONE_FLAG in after.arguments for after in following):
            yield Flaw(
                step.file,
                step.line,
                f"what follows AGI does not ask {_DONE_FLAG}: an engine's death looks like success",
                f'GotoIf($["${{{_DONE_FLAG}}}" = "1"]?done) right after AGI, then the fallback',
            )


def flag_not_cleared(configuration: Configuration) -> Iterator[Flaw]:
    """D506: a flag left over from an earlier dialogue would end the call."""
    for _, steps, position in _agi_steps(configuration):
        if not _sets(steps[:position], _DONE_FLAG):
            step = steps[position]
            yield Flaw(
                step.file, step.line, f"{_DONE_FLAG} is not cleared before AGI", f"Set({_DONE_FLAG}=0) before AGI"
            )


def no_queue_to_fall_to(configuration: Configuration) -> Iterator[Flaw]:
    """D507: with no engine at all, callers must get to people."""
    plan = contexts(configuration.file(FILE))
    for context, steps, position in _agi_steps(configuration):
        names = reachable(plan, [context.name])
        if not any(step.application == "queue" for name in names for step in plan[name].steps):
            step = steps[position]
            yield Flaw(step.file, step.line, "no Queue() is reached when no engine answers", "Goto a Queue() of agents")


def any_length(configuration: Configuration) -> Iterator[Flaw]:
    """D508: `_X.` matches `1&PJSIP/trunk/900` too."""
    for context in contexts(configuration.file(FILE)).values():
        for exten, steps in context.extensions().items():
            if exten.startswith("_") and exten.endswith((".", "!")):
                what = f"extension {exten} takes any text of any length"
                yield Flaw(steps[0].file, steps[0].line, what, "a pattern of fixed length, such as _XXXX")


def strangers_text_used(configuration: Configuration) -> Iterator[Flaw]:
    """D509: what a stranger sent as his number can be a piece of dialplan."""
    for context in contexts(configuration.file(FILE)).values():
        for step in context.steps:
            match = STRANGERS_TEXT.search(_FILTERED.sub("", step.arguments))
            if match:
                what = f"{match[1].rstrip('(')} is used as the stranger sent it"
                yield Flaw(step.file, step.line, what, "${FILTER(0-9+,${...})}")


def dangerous_step(configuration: Configuration) -> Iterator[Flaw]:
    """D510: runs programs, records, or shows keys and variables."""
    for context in contexts(configuration.file(FILE)).values():
        for step in context.steps:
            function = FORBIDDEN_FUNCTIONS.search(step.arguments)
            writes_variable = step.application in WRITING_APPLICATIONS and "${" in step.arguments
            if step.application in FORBIDDEN_APPLICATIONS or writes_variable:
                what = f"{step.application}() runs programs, records, or shows keys and variables"
                yield Flaw(step.file, step.line, what, "let the engine do it")
            elif function:
                yield Flaw(
                    step.file, step.line, f"{function[1]}() reaches outside the dialplan", "let the engine do it"
                )


def callers_dial_out(configuration: Configuration) -> Iterator[Flaw]:
    """D511: a caller on the trunk who reaches Dial() can call at the bank's cost."""
    plan = contexts(configuration.file(FILE))
    for endpoint in of_type(configuration, "endpoint"):
        if endpoint.get("auth"):
            continue
        for name in sorted(reachable(plan, [endpoint.get("context")])):
            for step in plan[name].steps:
                if step.application in ("dial", "page", "originate", "followme"):
                    what = f"callers of {endpoint.name} reach {step.application}() in context {name}"
                    yield Flaw(step.file, step.line, what, "no dialling in a context that callers reach")


def context_missing(configuration: Configuration) -> Iterator[Flaw]:
    """D512: an endpoint whose context does not exist answers every call with 404."""
    plan = contexts(configuration.file(FILE))
    for endpoint in of_type(configuration, "endpoint"):
        name = endpoint.get("context", "default")
        if FILE in configuration.files and name not in plan:
            what = f"endpoint {endpoint.name} leads to context {name}, which does not exist"
            yield Flaw(endpoint.file, endpoint.line_of("context"), what, f"add [{name}] to {FILE}")


def written_back(configuration: Configuration) -> Iterator[Flaw]:
    """D513: `dialplan save` on a console would overwrite the file."""
    section = configuration.section(FILE, "general")
    if FILE in configuration.files and not section.is_on("writeprotect", default=False):
        yield Flaw(FILE, section.line, "the console can overwrite the dialplan", "writeprotect = yes")


def joined_unasked(configuration: Configuration) -> Iterator[Flaw]:
    """D514: an engine that is away, or dies while it asks, must not join both: Dial does, unless it is told not to."""
    for _, steps, position in _sessions(configuration, frozenset({CONSULT})):
        values = [step.arguments.partition("=")[2] for step in _sets(steps[:position], "GOSUB_RESULT")]
        if values[-1:] != ["CONGESTION"]:
            step = steps[position]
            what = "who is asked first is joined to the caller unasked when the engine is away"
            yield Flaw(step.file, step.line, what, "Set(GOSUB_RESULT=CONGESTION) before AGI")


RULES: Final[tuple[Rule[Configuration], ...]] = (
    Rule("D501", Severity.ERROR, no_engine),
    Rule("D502", Severity.ERROR, hung_up_for_ever),
    Rule("D503", Severity.ERROR, no_backstop),
    Rule("D504", Severity.ERROR, backstop_ends_the_call),
    Rule("D505", Severity.ERROR, death_not_noticed),
    Rule("D506", Severity.WARNING, flag_not_cleared),
    Rule("D507", Severity.ERROR, no_queue_to_fall_to),
    Rule("D508", Severity.ERROR, any_length),
    Rule("D509", Severity.ERROR, strangers_text_used),
    Rule("D510", Severity.ERROR, dangerous_step),
    Rule("D511", Severity.ERROR, callers_dial_out),
    Rule("D512", Severity.ERROR, context_missing),
    Rule("D513", Severity.WARNING, written_back),
    Rule("D514", Severity.ERROR, joined_unasked),
)
