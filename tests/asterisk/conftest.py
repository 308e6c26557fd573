"""The hotline that tests with real calls share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ivr_engine.testcaller.recordings import Recordings
from tests.asterisk.hotline import RunningHotline, running_hotline


@pytest.fixture(scope="session")
def hotline() -> Iterator[RunningHotline]:
    """A hotline for tests that leave it as they found it; who breaks things starts one of their own."""
    with running_hotline() as running:
        yield running


@pytest.fixture(scope="session")
def recordings(hotline: RunningHotline) -> Recordings:
    """The recordings, read once."""
    return Recordings.load(hotline.sounds)
