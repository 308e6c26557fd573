"""Keys that repeat, help and lead back, and the rates, in real calls: what is heard is as in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.app.commands.suite import load_suite, runner_for
from ivr_engine.app.placing import Placed, Placer, rehearse
from ivr_engine.app.settings import PROJECT
from tests.asterisk.hotline import RunningHotline, running_hotline

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

FLOWS: Final = Path(__file__).parent / "flows"
TESTS: Final = PROJECT / "flows" / "tests"
RATES: Final = (TESTS / "rates_exchange_cmn.test.yaml", TESTS / "rates_interest_yue.test.yaml")


def placed(hotline: RunningHotline, *files: Path) -> list[Placed]:
    """Rehearse these tests in virtual time and place them all at once."""
    suite = load_suite([*files], hotline.settings)
    assert suite is not None
    assert suite.findings == ()
    with runner_for(suite, hotline.settings) as runner:
        ready = [rehearse(scenario, runner, hotline.settings) for scenario in suite.scenarios]

    async def place() -> list[Placed]:
        async with Placer(hotline.settings) as placer:
            return await asyncio.gather(*(placer.place(one) for one in ready))

    return asyncio.run(place())


def assert_alike(one: Placed) -> None:
    assert one.skipped is None
    assert one.differences == (), "\n".join(one.differences)
    assert one.report is not None
    assert one.report.heard_whole


def test_questions_are_repeated_explained_and_gone_back_from_over_a_real_line() -> None:
    with running_hotline(flows_dir=str(FLOWS)) as hotline:
        (one,) = placed(hotline, FLOWS / "key_events.test.yaml")
    assert_alike(one)
    assert [step for _, step, outcome in one.virtual.told.steps if outcome == "key 9"] == ["second", "ready"]


def test_rates_are_heard_over_a_real_line_as_the_bank_has_them(hotline: RunningHotline) -> None:
    for one in placed(hotline, *RATES):
        assert_alike(one)
