"""One examination: files read, Asterisk asked, every rule applied.

Knows which rules there are. Must not print.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.adapters.asterisk.ami_link import AmiTarget
from ivr_engine.adapters.asterisk.doctor import (
    rules_core,
    rules_dialplan,
    rules_features,
    rules_files,
    rules_manager,
    rules_modules,
    rules_running,
    rules_sip,
)
from ivr_engine.adapters.asterisk.doctor.asking import ask
from ivr_engine.adapters.asterisk.doctor.finding import Finding, Rule, apply, in_order
from ivr_engine.adapters.asterisk.doctor.subject import Configuration, Running

FILE_RULES: Final[tuple[Rule[Configuration], ...]] = (
    *rules_files.RULES,
    *rules_core.RULES,
    *rules_modules.RULES,
    *rules_manager.RULES,
    *rules_sip.RULES,
    *rules_features.RULES,
    *rules_dialplan.RULES,
)
RUNNING_RULES: Final[tuple[Rule[Running], ...]] = rules_running.RULES


@dataclass(frozen=True, slots=True)
class DoctorTarget:
    """What to examine; each part may be left out.

    `config` is the folder of Asterisk's files; `ami` its manager interface with an account that reads class
    reporting at most; `console` the command of its console on this machine without `-rx`
    (`("asterisk", "-C", "/etc/asterisk/asterisk.conf")`); `within_s` the deadline of each question.
    """

    config: Path | None = None
    ami: AmiTarget | None = None
    console: tuple[str, ...] | None = None
    within_s: float = 5.0


async def examine(target: DoctorTarget) -> list[Finding]:
    """Return everything that is wrong, files first; what cannot be asked is a finding too, never an exception."""
    findings: list[Finding] = []
    if target.config is not None:
        # Files are small, but a network file system can hang: not on the event loop.
        configuration = await asyncio.to_thread(Configuration.read, target.config)
        findings += await asyncio.to_thread(apply, FILE_RULES, configuration)
    if target.ami is not None or target.console is not None:
        running = await ask(target.ami, target.console, within_s=target.within_s)
        findings += apply(RUNNING_RULES, running)
    return in_order(findings)
