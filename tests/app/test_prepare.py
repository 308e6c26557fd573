"""What Asterisk's configuration is made from: settings of the hotline, and room for everybody when no engine runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ivr_engine.adapters.asterisk.locate import AsteriskInstall, find_asterisk
from ivr_engine.adapters.asterisk.render import render
from ivr_engine.app.prepare import asterisk_settings
from ivr_engine.app.secrets_file import load_or_make
from ivr_engine.app.settings import PROJECT, Settings
from ivr_engine.values.language import Language

pytestmark = pytest.mark.asterisk


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for a control socket in it, whoever runs the tests."""
    with TemporaryDirectory(prefix="ivr-test-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def install() -> AsteriskInstall:
    return find_asterisk(PROJECT)


@pytest.mark.parametrize(("ring_s", "rings_in_the_fallback_s"), [(1, 5), (15, 15), (120, 120)])
def test_every_ring_time_that_is_allowed_can_be_rendered(
    folder: Path, install: AsteriskInstall, ring_s: int, rings_in_the_fallback_s: int
) -> None:
    assert f"\ntimeout = {rings_in_the_fallback_s}\n" in queues(folder, install, Settings(ring_s=ring_s))


def test_the_fallback_queue_has_a_place_for_every_call_that_asterisk_takes(
    folder: Path, install: AsteriskInstall
) -> None:
    assert "\nmaxlen = 5000\n" in queues(folder, install, Settings(max_calls=5000))


def test_agents_have_the_same_pause_after_a_talk_with_and_without_an_engine(
    folder: Path, install: AsteriskInstall
) -> None:
    assert "\nwrapuptime = 25\n" in queues(folder, install, Settings(wrap_up_s=24.6))


def test_nothing_is_said_before_the_fallback_queue_and_the_queue_says_it_in_the_hotlines_language(
    folder: Path, install: AsteriskInstall
) -> None:
    announced = queues(folder, install, Settings(default_language=Language.ENGLISH))
    assert "/en/connecting_to_agent\n" in announced
    steps = (folder / "conf" / "extensions.conf").read_text().split("[fallback]")[1].split("Queue(humans")[0]
    assert "Playback" not in steps


def queues(folder: Path, install: AsteriskInstall, settings: Settings) -> str:
    """Return queues.conf as these settings make it."""
    given = settings.model_copy(update={"state_dir": folder / "state"})
    render(asterisk_settings(given, load_or_make(given.state_dir, given.agents), install), folder / "conf")
    return (folder / "conf" / "queues.conf").read_text()
