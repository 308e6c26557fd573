"""How long flows are checked, by the number of their steps: `python -m tests.flow.measure_check`.

Run it on a quiet machine. The ratio is the time of a step to that among a thousand: it shows whether the time grows
with the number of steps alone. The best of some rounds is told: others only add to it.
"""

from __future__ import annotations

import sys
import time
from typing import Final

from ivr_engine.flow.library import build_library
from tests.flow.large import large_texts
from tests.flow.world import world

SIZES: Final = (100, 1_000, 2_000, 5_000, 10_000)
COMPARED_WITH: Final = 1_000
CHECKS_LEAST: Final = 3
CHECKS_FOR_STEPS: Final = 20_000
"""How many steps are checked in all for one size, however small."""


def main() -> None:
    sys.stdout.write(" steps     check   a step   ratio\n")
    found: dict[int, tuple[int, float]] = {}
    for size in sorted(SIZES, key=lambda size: size != COMPARED_WITH):
        texts, best, steps = large_texts(size), float("inf"), 0
        for _ in range(max(CHECKS_LEAST, CHECKS_FOR_STEPS // size)):
            began = time.process_time()
            library = build_library(texts, world())
            best = min(best, time.process_time() - began)
            assert library.findings == ()
            steps = sum(len(flow.steps) for flow in library.flows.values())
        found[size] = steps, best
    usual = found[COMPARED_WITH][1] / found[COMPARED_WITH][0]
    for size in SIZES:
        steps, seconds = found[size]
        each = seconds / steps
        sys.stdout.write(f"{steps:6} {seconds:7.3f} s {each * 1e6:5.0f} us {each / usual:7.2f}\n")


if __name__ == "__main__":
    main()
