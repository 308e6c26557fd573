"""How many calls a second `ivr test` makes in virtual time, for some of the hotline's own tests.

Run it on a quiet machine: `python -m tests.simulator.measure`. The best of some rounds is told: others only add to it.
"""

from __future__ import annotations

import sys
import time
from typing import Final

from ivr_engine.scenarios.reading import read_scenario
from ivr_engine.simulator.scenario import ScenarioRunner
from tests.flow.world import FLOWS, catalogue, shipped
from tests.scenarios.world import known

TESTS: Final = ("menu_again", "no_agents", "balance_en", "transactions")
CALLS: Final = 200
ROUNDS: Final = 10


def main() -> None:
    with ScenarioRunner(shipped(), catalogue()) as runner:
        for name in TESTS:
            path = FLOWS / "tests" / f"{name}.test.yaml"
            scenario, _ = read_scenario(str(path), path.read_text(encoding="utf-8"), known())
            assert scenario is not None
            steps = len(runner.run(scenario).told.trace)
            best = float("inf")
            for _ in range(ROUNDS):
                began = time.process_time()
                for _ in range(CALLS):
                    assert not runner.run(scenario).failures
                best = min(best, (time.process_time() - began) / CALLS)
            sys.stdout.write(f"{name:14} {steps:3} steps  {best * 1000:5.2f} ms  {1 / best:6.0f} calls/s\n")


if __name__ == "__main__":
    main()
