"""Keys in real calls: every one reaches the engine, sound stops at once, and joined recordings have no gap.

The bank is slow here (a core behind REST), so that keys also fall into bank operations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

import pytest

from ivr_engine.testcaller.recordings import Recordings
from tests.campaigns.keys import KeysPlan, KeysResult, hotline_of_keys, press_keys

pytestmark = [pytest.mark.asterisk, pytest.mark.alone]

BANK_DELAY_S: Final = 0.25
PLAN: Final = KeysPlan(calls=20, at_once=23, keys=50, listeners=3, seed=1)
SIGN_IN_KEYS: Final = 13
JOINT_MS_MAX: Final = 20
STOP_MS_MAX: Final = 50
HELD_UP_MS: Final = 20
"""A beat of the callers' clock that was so late says that this machine was held up: times heard then prove nothing."""


@pytest.fixture(scope="module")
def pressed() -> Iterator[KeysResult]:
    with hotline_of_keys(bank_delay_s=BANK_DELAY_S) as (hotline, bank):
        result = asyncio.run(press_keys(hotline, bank, Recordings.load(hotline.sounds), PLAN))
        assert bank.questions > 2 * PLAN.calls, "keys were to be pressed while the bank works"
        yield result


def test_each_of_a_thousand_keys_at_random_moments_reaches_the_engine(pressed: KeysResult) -> None:
    assert not pressed.failures, "\n".join(pressed.failures)
    assert pressed.sent == PLAN.calls * PLAN.keys + (PLAN.calls + PLAN.listeners) * SIGN_IN_KEYS
    assert pressed.taken == pressed.sent, pressed.summary()


def test_joined_recordings_have_no_gap_that_can_be_heard(pressed: KeysResult) -> None:
    assert len(pressed.joints_ms) >= 10 * PLAN.listeners
    assert max(pressed.joints_ms) <= JOINT_MS_MAX + _held_up_ms(pressed), pressed.summary()


def test_sound_stops_within_50_ms_of_a_key(pressed: KeysResult) -> None:
    """Counted from the key's first end packet: Asterisk tells of a key when it is released."""
    assert len(pressed.stops) >= 50
    assert max(stop.after_release_ms for stop in pressed.stops) <= STOP_MS_MAX + _held_up_ms(pressed), pressed.summary()


def _held_up_ms(result: KeysResult) -> float:
    return result.late_ms if result.late_ms > HELD_UP_MS else 0.0
