"""Measures one contender: memory of held calls, the highest rate, step times at 60 % of it, then processor time.

Knows the order and the lengths of the parts. Must not know how a contender is made, nor how figures are judged.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.bench.callers import Callers, Dialled
from tests.bench.contenders import Contender
from tests.bench.figures import (
    ENGINE_ROLE,
    Measured,
    Quantiles,
    Trial,
    held_call_kb,
    per_call_ms,
    quantiles,
    refusals,
)
from tests.bench.processes import CpuReading, resident_bytes
from tests.bench.search import highest_rate
from tests.bench.waiting import BenchError, pause, until
from tests.bench.wire import WireTap

LOAD_PART: Final = 0.6
"""Of the contender's highest rate: where step times are measured."""
COST_PART: Final = 0.4
"""Of the native dialplan's highest rate: where the processor time of every contender is measured.

All at one rate, because a call costs less on a busy machine, where several wake-ups become one.
"""
HELD_CALLS: Final = 500
HELD_RATE: Final = 80
HELD_SETTLE_S: Final = 1.5
WARM_CALLS: Final = 20
WARM_RATE: Final = 20
SETTLE_S: Final = 0.4
"""After a trial, so that journal and channels have come to rest."""

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Effort:
    """How long everything takes. `tries_per_rate`: a rate is refused only when it was refused so many times."""

    trial_s: float
    load_s: float
    closeness: float
    tries_max: int
    tries_per_rate: int


QUICK: Final = Effort(trial_s=2.5, load_s=4.0, closeness=1.15, tries_max=4, tries_per_rate=1)
FULL: Final = Effort(trial_s=5.0, load_s=12.0, closeness=1.06, tries_max=6, tries_per_rate=2)


@dataclass(slots=True)
class Measurement:
    """Measures one contender that runs."""

    contender: Contender
    effort: Effort
    tell: Tell
    memory: bool = True
    _trials: list[Trial] = field(default_factory=list)

    async def run(self, start_rate: int, cost_rate: int | None) -> Measured:
        """Measure everything, beginning the search at a rate; raises `BenchError` when nothing works at all.

        Without a `cost_rate` this contender sets it.
        """
        contender = self.contender
        place = contender.place
        callers = Callers(place.folder, place.settings.sip_bind, place.settings.sip_port, contender.number)
        warm = await self._trial(callers, "warm", WARM_RATE, WARM_CALLS)
        if warm.succeeded < WARM_CALLS:
            why = "; ".join(refusals(warm)) or "no reason found"
            message = f"{contender.TITLE}: even {WARM_RATE} calls/s do not work: {why}"
            raise BenchError(message)
        held_kb = await self._held(callers) if self.memory and ENGINE_ROLE in contender.processes else math.nan

        async def holds(rate: int) -> bool:
            return await self._holds(callers, rate)

        found = await highest_rate(
            holds, start=start_rate, closeness=self.effort.closeness, tries_max=self.effort.tries_max
        )
        load_rate = max(1, round(found.held * LOAD_PART))
        steps, commands = await self._load(callers, load_rate)
        if cost_rate is None:
            cost_rate = max(1, round(found.held * COST_PART))
        cost = await self._trial(callers, "cost", cost_rate, round(cost_rate * self.effort.load_s))
        return Measured(
            contender.NAME,
            contender.TITLE,
            found.held,
            found.refused,
            per_call_ms(cost.cpu_s, cost.planned),
            cost_rate,
            cost.planned,
            steps,
            commands,
            held_kb,
            cost.others_share,
            tuple(self._trials),
        )

    async def _holds(self, callers: Callers, rate: int) -> bool:
        why: list[str] = []
        for attempt in range(1, self.effort.tries_per_rate + 1):
            trial = await self._trial(callers, f"rate-{rate}-{attempt}", rate, round(rate * self.effort.trial_s))
            why = refusals(trial)
            noise = f"{trial.answer_p95_ms:.0f} ms to answer (p95), others took {trial.others_share:.0%}"
            self.tell(f"{rate} calls/s {'refused: ' + '; '.join(why) if why else 'held'} ({noise})")
            if not why:
                return True
        return False

    async def _load(self, callers: Callers, rate: int) -> tuple[Quantiles | None, float]:
        port = self.contender.agi_port
        if port is None:
            return None, math.nan
        async with WireTap(port) as tap:
            await self._trial(callers, "load", rate, round(rate * self.effort.load_s))
        steps = quantiles(tap.times.steps_ms)
        commands = steps.count / tap.times.calls if tap.times.calls else math.nan
        self.tell(f"{rate} calls/s for times of steps: p99 {steps.p99:.2f} ms")
        return steps, commands

    async def _trial(self, callers: Callers, name: str, rate: int, calls: int) -> Trial:
        contender = self.contender
        await contender.place.clear()
        whole_before = await contender.whole_calls()
        before = CpuReading.take(contender.processes)
        dialled = await callers.type_keys(name, rate=rate, calls=calls)
        await pause(SETTLE_S)
        after = CpuReading.take(contender.processes)
        whole = await contender.whole_calls()
        succeeded = dialled.succeeded
        if whole is not None and whole_before is not None:
            succeeded = min(succeeded, whole - whole_before)
        trial = _as_trial(rate, dialled, succeeded, before, after)
        self._trials.append(trial)
        return trial

    async def _held(self, callers: Callers) -> float:
        """Hold many calls and return the memory that one of them takes of the server, in KB."""
        contender = self.contender
        await contender.place.clear()
        pid = contender.processes[ENGINE_ROLE]
        ramp_s = HELD_CALLS / HELD_RATE
        hold_s = ramp_s + 2 * HELD_SETTLE_S + 4.0
        before = resident_bytes(pid)
        grown: list[float] = []

        async def all_there() -> bool:
            return await contender.held_calls() >= HELD_CALLS

        async def watch() -> None:
            await until(all_there, f"{HELD_CALLS} calls are held", ramp_s + 4.0)
            await pause(HELD_SETTLE_S)
            grown.append(held_call_kb(before, resident_bytes(pid), HELD_CALLS))

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(callers.hold("held", rate=HELD_RATE, calls=HELD_CALLS, hold_s=hold_s))
                group.create_task(watch())
        except ExceptionGroup as errors:
            raise errors.exceptions[0] from None
        self.tell(f"{HELD_CALLS} held calls take {grown[0]:.0f} KB each")
        return grown[0]


def _as_trial(rate: int, dialled: Dialled, succeeded: int, before: CpuReading, after: CpuReading) -> Trial:
    return Trial(
        rate,
        dialled.planned,
        succeeded,
        dialled.offered,
        dialled.answer_p95_ms,
        dialled.retransmissions,
        dialled.exit_status,
        after.at - before.at,
        after.others_share(before),
        after.own_share(before),
        after.since(before),
        dialled.fault,
    )
