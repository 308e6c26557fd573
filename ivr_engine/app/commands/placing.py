"""What commands share that place tests as real calls: how each went, for people and for machines."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from ivr_engine.app import logs
from ivr_engine.app.commands.common import COULD_NOT, FINE, FOUND, complain, language_in_force, print_findings, say
from ivr_engine.app.commands.suite import Suite, runner_for
from ivr_engine.app.placing import Placed
from ivr_engine.app.prepare import Narrator
from ivr_engine.app.settings import Settings
from ivr_engine.app.staging.stages import place_on_stages
from ivr_engine.app.worker import loop_factory
from ivr_engine.flow.wording import say_in

_SILENT: Final = "critical"
T = TypeVar("T")


def place_all(suite: Suite, given: Settings, *, stages: int, as_json: bool) -> int:
    """Run every test in virtual time, then place it as a real call on a hotline of our own; say where they differ."""
    print_findings(suite.findings, as_json=False)
    with runner_for(suite, given) as runner:
        results = [runner.run(scenario) for scenario in suite.scenarios]
    logs.set_up(_SILENT)  # a bank that is away to order is no news
    told = _Teller(len(results), as_json=as_json)
    with asyncio.Runner(loop_factory=loop_factory(given)) as calls:
        work = place_on_stages(results, given, Narrator(), stages=stages, on_placed=told)
        try:
            placed = calls.run(_until_stopped(work))
        except asyncio.CancelledError:
            complain("ivr: stopped; nothing is left behind")
            return COULD_NOT
    if as_json:
        say(json.dumps({"tests": [_as_data(one) for one in placed]}, ensure_ascii=False, indent=1))
    passed = sum(one.passed for one in placed)
    if not as_json:
        say(f"{passed} passed, {len(placed) - passed} failed")
    return FINE if passed == len(placed) and not suite.findings else FOUND


@dataclass(slots=True)
class _Teller:
    """Says of each test, as soon as it is placed, how it went."""

    tests: int
    as_json: bool
    placed: int = 0

    def __call__(self, one: Placed) -> None:
        self.placed += 1
        if not self.as_json:
            for number, line in enumerate(_lines(one)):
                say(f"{self.placed:4} of {self.tests}  {line}" if number == 0 else line)
            sys.stdout.flush()


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """Do the work; Ctrl-C and SIGTERM cancel it, so that all is taken down."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 # a coroutine runs in a task
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    return await work


def nobody_answered(placed: list[Placed]) -> bool:
    """Say whether one of these calls was not answered."""
    return any(one.report is not None and one.report.answered_s is None for one in placed)


def not_running(given: Settings) -> str:
    """Return what to tell when nobody answers."""
    return f"nobody answered at {given.sip_bind}:{given.sip_port}; is the hotline running (`make run`)?"


def _lines(one: Placed) -> Iterator[str]:
    verdict = "ok    " if one.passed else "FAILED"
    lasted = f"{one.report.lasted_s:6.1f} s" if one.report is not None else " " * 8
    language = language_in_force(None)
    yield f"{verdict}  {one.scenario.file}  {lasted}  {one.scenario.title}"
    for difference in one.differences:
        yield f"    {say_in(difference, language)}"


def _as_data(one: Placed) -> dict[str, object]:
    return {
        "file": one.scenario.file,
        "title": one.scenario.title,
        "passed": one.passed,
        "differences": list(one.differences),
        "lasted_s": one.report.lasted_s if one.report is not None else None,
    }
