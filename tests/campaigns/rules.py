"""Break each timer and key rule in a copy of the engine, and see whether the tests of the rules notice.

`python -m tests.campaigns.rules` takes some minutes; `--only WORDS` breaks those rules whose words are like these. With
`--sip` it breaks what only a real call has, and places the named tests as real calls through that engine. Ends with 1
when a test does not notice, or a rule cannot be broken so any more.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ivr_engine.app.settings import PROJECT
from ivr_engine.flow.library import TEST_SUFFIX
from tests.campaigns.breaks import OF_KEYS, ON_REAL_LINES, Break
from tests.campaigns.breaks_of_steps import OF_STEPS

ENGINE: Final = "ivr_engine"
SHARED: Final = ("flows", "prompts", "asterisk-config", "dialplans", "tests", ".ivr")
WITHIN_S: Final = 300.0


@contextmanager
def broken(one: Break) -> Iterator[Path]:
    """Give a project whose engine is a copy with one rule broken; `ValueError` when it cannot be broken any more."""
    with tempfile.TemporaryDirectory(prefix="ivr-broken-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(PROJECT / ENGINE, folder / ENGINE, ignore=shutil.ignore_patterns("__pycache__"))
        for shared in SHARED:
            (folder / shared).symlink_to(PROJECT / shared)
        file = folder / ENGINE / one.file
        text = file.read_text(encoding="utf-8")
        if text.count(one.was) != 1:
            message = f"{one.file} has this {text.count(one.was)} times: {one.was}"
            raise ValueError(message)
        file.write_text(text.replace(one.was, one.becomes), encoding="utf-8")
        yield folder


def noticed(one: Break, *, sip: bool) -> Mapping[str, bool]:
    """Run all tests on the broken engine (the named ones, as real calls): which of them failed."""
    with broken(one) as folder:
        rules = folder / "tests" / "rules"
        files = [str(rules / f"{name}{TEST_SUFFIX}") for name in one.tests] if sip else [str(rules)]
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "IVR_FLOWS_DIR": str(rules / "flows"),
            "IVR_FIRST_FLOW": "numbers",
        }
        command = [sys.executable, "-m", ENGINE, "test", *files, "--json", *(["--sip"] if sip else [])]
        ran = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        if not ran.stdout:
            raise ValueError(ran.stderr.strip().splitlines()[-1])
        tests = json.loads(ran.stdout)["tests"]
        return {Path(test["file"]).name.removesuffix(TEST_SUFFIX): not test["passed"] for test in tests}


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Break every rule, tell who noticed, and return 1 when somebody did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="break the rules with these words only")
    parser.add_argument("--sip", action="store_true", help="break real lines, and place real calls")
    arguments = parser.parse_args()
    left = 0
    for one in ON_REAL_LINES if arguments.sip else (*OF_KEYS, *OF_STEPS):
        if arguments.only not in one.rule:
            continue
        try:
            failed = noticed(one, sip=arguments.sip)
        except ValueError as error:
            left += 1
            _say(f"CANNOT BE BROKEN  {one.rule}: {error}")
            continue
        missed = [name for name in one.tests if not failed.get(name, False)]
        others = sum(failed.values()) - len(one.tests) + len(missed)
        left += bool(missed)
        told = f"not noticed by {', '.join(missed)}" if missed else f"noticed by {', '.join(one.tests)}"
        _say(f"{'HOLE' if missed else 'ok  '}  {one.rule}: {told}; {others} others failed")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
