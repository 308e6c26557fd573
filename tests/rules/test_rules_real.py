"""Every timer and key rule placed as a real call: each goes as it does in virtual time."""

from __future__ import annotations

import asyncio
import io
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.app.placing import Placed
from ivr_engine.app.prepare import Narrator
from ivr_engine.app.stages import place_on_stages
from tests.asterisk.hotline import SHARED_SOUNDS
from tests.rules.suite import FILES, in_virtual_time, settings_of_rules

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

STAGES: Final = 12
"""Calls at a time: so many that the longest call, and not their number, says how long all of them take."""


@pytest.fixture(scope="module")
def placed() -> Iterator[dict[str, Placed]]:
    """Place all of them once."""
    with tempfile.TemporaryDirectory(prefix="ivr-rules-") as folder:
        Path(folder).chmod(0o755)
        (Path(folder) / "sounds").symlink_to(SHARED_SOUNDS)
        settings = settings_of_rules(Path(folder))
        lived = in_virtual_time(settings)
        work = place_on_stages(
            [*lived.values()], settings, Narrator(io.StringIO()), stages=STAGES, on_placed=lambda _: None
        )
        yield dict(zip(lived, asyncio.run(work), strict=True))


@pytest.mark.parametrize("name", FILES)
def test_rule_holds_in_a_real_call_as_in_virtual_time(placed: dict[str, Placed], name: str) -> None:
    one = placed[name]
    assert one.differences == (), "\n".join(one.differences)
    assert one.report is not None
    assert one.report.presses or one.report.heard_whole
    assert one.virtual.told.steps
