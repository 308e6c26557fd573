"""`make bench`: the same call by several servers in turn on one machine, with SIPp beside them; all on loopback.

Knows the command line and the order. Exit status: 0 every goal that was measured is met, 1 one was missed, 2 could not
run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench.contenders import CONTENDERS, Contender
from tests.bench.figures import NATIVE, Measured, Verdict, goals
from tests.bench.measure import FULL, QUICK, Effort, Measurement, Tell
from tests.bench.report import as_json, table, verdicts
from tests.bench.waiting import BenchError

FINE: Final = 0
MISSED: Final = 1
COULD_NOT: Final = 2
FIRST_RATE: Final = 120
BEHIND_NATIVE: Final = 0.9
"""Where the other searches begin, by the native rate: near where they end, which saves tries."""
QUICK_MEMORY: Final = "engine"
"""The contender whose memory is measured also when there is little time: a goal hangs on it."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    names = [contender.NAME for contender in CONTENDERS]
    parser.add_argument("--quick", action="store_true", help="about 3 minutes, rougher figures (else about 11)")
    parser.add_argument(
        "--only", action="append", choices=names, metavar="CONTENDER", help=f"one of {', '.join(names)}"
    )
    parser.add_argument("--rate", type=int, default=FIRST_RATE, help="calls a second at which the search begins")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures, trials included")
    return parser.parse_args()


def main() -> int:
    """Run, print, and say by the exit status how it went."""
    given = arguments()
    began = time.monotonic()

    def tell(text: str) -> None:
        sys.stderr.write(f"[{time.monotonic() - began:4.0f} s] {text}\n")
        sys.stderr.flush()

    chosen = [contender for contender in CONTENDERS if given.only is None or contender.NAME in given.only]
    try:
        check_programs()
        measured = asyncio.run(run(chosen, QUICK if given.quick else FULL, given.rate, tell))
    except BenchError as error:
        sys.stderr.write(f"bench: {error}\n")
        return COULD_NOT
    except KeyboardInterrupt:
        return COULD_NOT
    speed = f"Python {platform.python_version()}, a fixed loop takes {python_speed_ms():.0f} ms of it here"
    sys.stdout.write(f"\n{table(measured)}\n{speed}.\n\n{verdicts(measured)}\n")
    if given.json is not None:
        facts = {
            "quick": given.quick,
            "seconds": round(time.monotonic() - began),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "python_loop_ms": round(python_speed_ms(), 1),
        }
        given.json.write_text(as_json(measured, facts) + "\n", encoding="utf-8")
    missed = any(goal.verdict is Verdict.MISSED for goal in goals(measured))
    return MISSED if missed else FINE


def python_speed_ms() -> float:
    """Return the processor time of a fixed piece of Python: builds of one version differ by a third (PGO)."""

    def once() -> float:
        began = time.thread_time()
        seen = {}
        for number in range(300_000):
            seen[number & 255] = str(number).encode()
        return (time.thread_time() - began) * 1000

    return min(once() for _ in range(3))


def check_programs() -> None:
    """Raise `BenchError` when something is missing that no contender can do without."""
    if shutil.which("sipp") is None:
        raise BenchError("there is no program sipp: install the package sip-tester (`make bench` does)")
    if os.geteuid() != 0:
        raise BenchError("SIPp plays keys through raw sockets: run the benchmark as root")


async def run(chosen: Sequence[type[Contender]], effort: Effort, first_rate: int, tell: Tell) -> dict[str, Measured]:
    """Measure the contenders one after the other; later searches begin near the native rate, if it was measured."""
    measured: dict[str, Measured] = {}
    rate, cost_rate = first_rate, None
    for kind in chosen:
        tell(f"{kind.TITLE}: starts")
        contender = kind()
        try:
            await contender.start()
            memory = effort is FULL or kind.NAME == QUICK_MEMORY
            name = kind.NAME
            one = await Measurement(contender, effort, _prefixed(tell, name), memory=memory).run(rate, cost_rate)
        finally:
            await contender.close()
        measured[name] = one
        cost_rate = one.cpu_at_rate
        if name == NATIVE and one.rate:
            rate = round(one.rate * BEHIND_NATIVE)
    return measured


def _prefixed(tell: Tell, name: str) -> Tell:
    return lambda text: tell(f"{name}: {text}")


if __name__ == "__main__":
    sys.exit(main())
