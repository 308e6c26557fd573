"""The table and the JSON say what was measured, and nothing where nothing was."""

from __future__ import annotations

import json
import math

from tests.bench.figures import ENGINE, NATIVE, Measured, Quantiles
from tests.bench.report import as_json, table, verdicts

MEASURED = {
    NATIVE: Measured(NATIVE, "native dialplan", 200, 210, {"asterisk": 6.0}),
    ENGINE: Measured(
        ENGINE,
        "this engine",
        180,
        cpu_ms={"asterisk": 7.2, "engine": 1.8},
        steps=Quantiles(0.25, 1.0, 3.0, 10),
        held_call_kb=14.0,
    ),
}


def words(row: str) -> list[str]:
    return row.split()


def test_table_shows_ratios_to_the_native_dialplan() -> None:
    heading, native, engine = table(MEASURED).splitlines()[:3]
    assert len(heading) == len(native) == len(engine)
    assert engine.split()[2:] == words("180 (no limit met) 0.90 7.20 1.80 - 1.50 0.25 1.00 3.00 - 14 -")
    assert native.split()[2:] == words("200 (210) 1.00 6.00 - - 1.00 - - - - - -")


def test_verdict_of_a_goal_names_figure_and_limit() -> None:
    assert "! missed        engine's processor time per call, ms: 1.80 (goal <= 1.4)" in verdicts(MEASURED)
    assert "? not measured" in verdicts({})


def test_json_is_readable_by_machines_and_has_null_for_what_was_not_measured() -> None:
    data = json.loads(as_json(MEASURED, {"quick": True, "load": math.nan}))
    assert data["contenders"][ENGINE]["rate_by_native"] == 0.9
    assert data["contenders"][NATIVE]["held_call_kb"] is None
    assert data["load"] is None
    assert [goal["verdict"] for goal in data["goals"]] == ["missed", "missed", "met", "not measured", "met", "met"]


def test_without_the_native_dialplan_no_ratio_is_shown() -> None:
    row = table({ENGINE: MEASURED[ENGINE]}).splitlines()[1]
    assert row.split()[6] == "-"
