"""A running engine is not held up by collecting garbage among the code that it has loaded."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import gc
from ivr_engine.app import worker
before = len(gc.get_objects())
worker._leave_loaded_code_to_itself()
print(before, len(gc.get_objects()), gc.get_freeze_count())
"""


def test_garbage_collector_never_looks_again_at_what_was_loaded_before_the_first_call() -> None:
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    before, after, frozen = map(int, done.stdout.split())
    assert before > 50_000
    assert after < before / 100
    assert frozen > before / 2
