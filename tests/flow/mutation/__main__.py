"""`python -m tests.flow.mutation`: every mutant of the shipped flows, as a table. Exit status 1 for a hole."""

from __future__ import annotations

import sys
import time

from tests.flow.mutation.files import read_flows
from tests.flow.mutation.harness import judge, mutants
from tests.flow.world import FLOWS, world


def main() -> int:
    """Judge them all."""
    flows = read_flows(FLOWS)
    began = time.monotonic()
    report = judge(flows, mutants(flows), world())
    seconds = time.monotonic() - began
    codes = ", ".join(f"{code} {count}" for code, count in sorted(report.codes.items()))
    sys.stdout.write(f"{report.table()}\n\nrefused with: {codes}\n{seconds:.0f} s\n")
    return 1 if report.holes else 0


if __name__ == "__main__":
    sys.exit(main())
