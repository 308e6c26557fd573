"""What commands share that place tests as real calls: how each went, for people and for machines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

from ivr_engine.app.commands.common import COULD_NOT, FINE, FOUND, complain, language_in_force, print_findings, say
from ivr_engine.app.commands.suite import Suite, runner_for
from ivr_engine.app.placing import Placed, Placer, rehearse
from ivr_engine.app.settings import Settings
from ivr_engine.flow.wording import say_in


def place_all(suite: Suite, given: Settings, *, as_json: bool) -> int:
    """Place every test that can be brought about on the running hotline; say which were not, and why."""
    print_findings(suite.findings, as_json=False)
    with runner_for(suite, given) as runner:
        rehearsed = [rehearse(scenario, runner, given) for scenario in suite.scenarios]
    placed = asyncio.run(_place(rehearsed, given, as_json=as_json))
    if as_json:
        say(json.dumps({"tests": [_as_data(one) for one in placed]}, ensure_ascii=False, indent=1))
    if nobody_answered(placed[-1:]):
        complain(not_running(given))
        return COULD_NOT
    skipped = sum(one.skipped is not None for one in placed)
    passed = sum(one.passed for one in placed)
    if not as_json:
        say(f"{passed} passed, {len(placed) - passed - skipped} failed, {skipped} skipped")
    return FINE if passed + skipped == len(placed) and not suite.findings else FOUND


def nobody_answered(placed: list[Placed]) -> bool:
    """Say whether one of these calls was not answered."""
    return any(one.report is not None and one.report.answered_s is None for one in placed)


def not_running(given: Settings) -> str:
    """Return what to tell when nobody answers."""
    return f"nobody answered at {given.sip_bind}:{given.sip_port}; is the hotline running (`make run`)?"


async def _place(rehearsed: list[Placed], given: Settings, *, as_json: bool) -> list[Placed]:
    placed: list[Placed] = []
    async with Placer(given) as placer:
        for one in rehearsed:
            placed.append(await placer.place(one))
            for line in [] if as_json else _lines(placed[-1]):
                say(line)
            if nobody_answered(placed[-1:]):
                break  # the others would not be answered either
    return placed


def _lines(one: Placed) -> Iterator[str]:
    verdict = "skipped" if one.skipped is not None else "ok     " if one.passed else "FAILED "
    lasted = f"{one.report.lasted_s:6.1f} s" if one.report is not None else " " * 8
    language = language_in_force(None)
    yield f"{verdict}  {one.scenario.file}  {lasted}  {say_in(one.skipped or one.scenario.title, language)}"
    for difference in one.differences:
        yield f"    {say_in(difference, language)}"


def _as_data(one: Placed) -> dict[str, object]:
    return {
        "file": one.scenario.file,
        "title": one.scenario.title,
        "passed": one.passed,
        "skipped": one.skipped,
        "differences": list(one.differences),
        "lasted_s": one.report.lasted_s if one.report is not None else None,
    }
