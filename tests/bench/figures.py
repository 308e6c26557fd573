"""The benchmark's arithmetic: what a trial was, whether a rate was held, ratios and verdicts.

Knows figures, limits and goals. Must not know processes, SIPp or how anything was measured.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

SUCCESS_MIN: Final = 0.995
"""The part of the planned calls that has to succeed."""
ANSWER_P95_MAX_MS: Final = 50.0
"""From INVITE to 200."""
RETRANSMISSIONS_MAX: Final = 0
OFFERED_MIN: Final = 0.97
"""The part of the wanted rate that the callers have to reach; below it, the callers were measured."""
SIPP_DONE: Final = frozenset({0, 1})
"""SIPp's exit statuses after a whole run: every call went well, or some did not."""

ENGINE_CPU_MAX_MS: Final = 1.4
ENGINE_CPU_RATIO_MAX: Final = 0.22
"""The same by the native dialplan, of which a call took 6.5 ms where that goal was set: machines differ by a factor."""
RATE_RATIO_MIN: Final = 0.9
BANK_CPU_RATIO_MAX: Final = 1.6
STEP_P99_MAX_MS: Final = 5.0
HELD_CALL_MAX_KB: Final = 40.0

NATIVE: Final = "native"
ENGINE: Final = "engine"
ENGINE_POSTGRES: Final = "engine-postgres"


@dataclass(frozen=True, slots=True)
class Quantiles:
    """What half, 95 and 99 of 100 samples did not exceed; milliseconds."""

    p50: float
    p95: float
    p99: float
    count: int


def quantile(samples: Sequence[float], part: float) -> float:
    """Return the smallest sample that at least `part` of all do not exceed; NaN of none."""
    if not samples:
        return math.nan
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)]


def quantiles(samples: Sequence[float]) -> Quantiles:
    """Return the three quantiles that are reported."""
    return Quantiles(quantile(samples, 0.5), quantile(samples, 0.95), quantile(samples, 0.99), len(samples))


@dataclass(frozen=True, slots=True)
class Trial:
    """Calls at one rate. `offered` is the rate at which the callers really dialled.

    `succeeded` are calls that SIPp saw end as planned, and that the server counted as whole where it can count.
    `cpu_s` is processor time of the whole trial by role; `others_share` is what foreign processes took of the machine,
    `callers_share` what the callers and the benchmark itself took, 0 to 1.
    """

    rate: int
    planned: int
    succeeded: int
    offered: float
    answer_p95_ms: float
    retransmissions: int
    exit_status: int
    lasted_s: float
    others_share: float
    callers_share: float = 0.0
    cpu_s: Mapping[str, float] = field(default_factory=dict)
    fault: str = ""


def refusals(trial: Trial) -> list[str]:
    """Say why a rate was not held; nothing when it was."""
    why = []
    if trial.fault:
        why.append(trial.fault)
    if trial.exit_status not in SIPP_DONE:
        why.append(f"SIPp ended with {trial.exit_status}")
    if trial.succeeded < SUCCESS_MIN * trial.planned:
        why.append(f"{trial.succeeded} of {trial.planned} calls succeeded")
    if not trial.answer_p95_ms <= ANSWER_P95_MAX_MS:
        why.append(f"answered after {trial.answer_p95_ms:.0f} ms (p95)")
    if trial.retransmissions > RETRANSMISSIONS_MAX:
        why.append(f"{trial.retransmissions} retransmissions")
    if not trial.offered >= OFFERED_MIN * trial.rate:
        why.append(f"callers reached {trial.offered:.0f}/s only")
    return why


@dataclass(frozen=True, slots=True)
class Measured:
    """All figures of one contender. Times in milliseconds, memory in KB (1,024 bytes); NaN or None: not measured."""

    name: str
    title: str
    rate: int
    refused: int | None = None
    cpu_ms: Mapping[str, float] = field(default_factory=dict)
    cpu_at_rate: int = 0
    cpu_calls: int = 0
    steps: Quantiles | None = None
    commands_per_call: float = math.nan
    held_call_kb: float = math.nan
    others_share: float = math.nan
    trials: tuple[Trial, ...] = ()

    @property
    def total_cpu_ms(self) -> float:
        """Processor time per call of all servers together; NaN when it was not measured."""
        return sum(self.cpu_ms.values()) if self.cpu_ms else math.nan

    def cpu(self, role: str) -> float:
        """Processor time per call of one role; NaN when there is none."""
        return self.cpu_ms.get(role, math.nan)


def per_call_ms(cpu_s: Mapping[str, float], calls: int) -> dict[str, float]:
    """Turn processor seconds of a trial into milliseconds per call; nothing for no calls."""
    return {role: 1000 * seconds / calls for role, seconds in cpu_s.items()} if calls else {}


def held_call_kb(before_bytes: int, held_bytes: int, calls: int) -> float:
    """Return the memory of one held call; NaN for none."""
    return (held_bytes - before_bytes) / calls / 1024 if calls else math.nan


def ratio(value: float, base: float) -> float:
    """Return value / base; NaN where that is nothing."""
    return value / base if base and not math.isnan(base) else math.nan


class Verdict(StrEnum):
    """What became of a goal."""

    MET = "met"
    MISSED = "missed"
    UNKNOWN = "not measured"


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal, the figure reached, and the verdict."""

    what: str
    limit: str
    reached: float
    verdict: Verdict


def goals(measured: Mapping[str, Measured]) -> list[Goal]:
    """Judge every goal; a figure that is missing makes its goal unknown, never met."""
    nothing = Measured("", "", 0)
    native, engine = measured.get(NATIVE, nothing), measured.get(ENGINE, nothing)
    bank = measured.get(ENGINE_POSTGRES, nothing)
    step_p99 = engine.steps.p99 if engine.steps is not None else math.nan
    rate_ratio = ratio(engine.rate, native.rate) if ENGINE in measured else math.nan
    engine_ratio = ratio(engine.cpu(ENGINE_ROLE), native.total_cpu_ms)
    bank_ratio = ratio(bank.total_cpu_ms, native.total_cpu_ms)
    return [
        _at_most("engine's processor time per call, ms", engine.cpu(ENGINE_ROLE), ENGINE_CPU_MAX_MS),
        _at_most("the same, by all of native's", engine_ratio, ENGINE_CPU_RATIO_MAX),
        _at_least("rate without bank operations, by native", rate_ratio, RATE_RATIO_MIN),
        _at_most("processor time with PIN and balance, by native", bank_ratio, BANK_CPU_RATIO_MAX),
        _below("engine's time per step, p99 at 60 % load, ms", step_p99, STEP_P99_MAX_MS),
        _at_most("memory of a held call, KB", engine.held_call_kb, HELD_CALL_MAX_KB),
    ]


ASTERISK_ROLE: Final = "asterisk"
ENGINE_ROLE: Final = "engine"
DATABASE_ROLE: Final = "database"


def _at_most(what: str, reached: float, limit: float) -> Goal:
    return Goal(what, f"<= {limit:g}", reached, _verdict(reached, holds=reached <= limit))


def _at_least(what: str, reached: float, limit: float) -> Goal:
    return Goal(what, f">= {limit:g}", reached, _verdict(reached, holds=reached >= limit))


def _below(what: str, reached: float, limit: float) -> Goal:
    return Goal(what, f"< {limit:g}", reached, _verdict(reached, holds=reached < limit))


def _verdict(reached: float, *, holds: bool) -> Verdict:
    if math.isnan(reached):
        return Verdict.UNKNOWN
    return Verdict.MET if holds else Verdict.MISSED
