"""Commands with which operators see and compare flows: what they print, and their exit status."""

from __future__ import annotations

import json
from pathlib import Path

from tests.app.command import ivr


def test_impact_tells_file_line_column_step_and_first_flow(tmp_path: Path) -> None:
    ran = ivr("impact", "service", folder=tmp_path)
    assert ran.status == 0
    lines = ran.printed.splitlines()
    assert lines[0] == "queue service: used by 1 step"
    assert lines[1].endswith("  to_human (queue) in hotline")
    assert lines[2] == "  calls that begin with hotline reach it"
    found = json.loads(ivr("impact", "service", "--json", folder=tmp_path).printed)["impacts"]
    assert [(one["sort"], one["used_by"][0]["step"]) for one in found] == [("queue", "to_human")]


def test_impact_of_an_unknown_name_says_the_nearest(tmp_path: Path) -> None:
    ran = ivr("impact", "welcom", folder=tmp_path)
    assert ran.status == 2
    assert "did you mean 'welcome'?" in ran.complained


def test_impact_knows_what_callers_hear_without_a_flow(tmp_path: Path) -> None:
    assert "said by the engine itself" in ivr("impact", "sorry_technical", folder=tmp_path).printed
    assert "read out in cmn, yue, en" in ivr("impact", "number_1", folder=tmp_path).printed
