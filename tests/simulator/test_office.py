"""The office in memory obeys the same contract as the one in the database."""

from __future__ import annotations

import pytest

from ivr_engine.simulator.office import MemoryOffice
from tests.banking.clock import SetClock
from tests.calls.office import Bench, OfficeContract, message


class TestMemoryOffice(OfficeContract):
    @pytest.fixture
    def bench(self) -> Bench:
        clock = SetClock()
        return Bench(MemoryOffice(clock), clock)


def test_what_is_personal_is_in_no_repr() -> None:
    clock = SetClock()
    shown = repr(message(1, Bench(MemoryOffice(clock), clock)))
    assert "call-1-1" in shown
    assert "13900000001" not in shown
    assert "10,755.35" not in shown
