from __future__ import annotations

import pytest

from ivr_engine.protocols.agi import connection
from tests.fuzz.fuzz_agi import fuzz


def test_five_thousand_broken_dialogues_end_only_in_documented_ways() -> None:
    campaign = fuzz(5_000, seed=20)
    assert campaign.inputs == 5_000
    assert set(campaign.ends) == {"closed", "refused"}
    # The campaign reaches what it is meant to reach.
    assert campaign.ends["closed"] > 500
    assert campaign.ends["refused"] > 500
    assert campaign.events["Reply"] > 5_000
    assert campaign.events["HangupNotice"] > 500


def test_a_fault_in_the_protocol_would_be_found_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(command: object, line: bytes) -> object:
        del command
        return int(line.split(b"=")[1])

    monkeypatch.setattr(connection, "parse_reply", broken)
    with pytest.raises(AssertionError, match=r"input \d+ of seed 1"):
        fuzz(200, seed=1)
