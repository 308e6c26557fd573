"""The benchmark's result as a table for people and as JSON for machines.

Knows what is shown. Must not know how anything was measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Final

from tests.bench.figures import (
    ASTERISK_ROLE,
    DATABASE_ROLE,
    ENGINE_ROLE,
    NATIVE,
    Goal,
    Measured,
    Verdict,
    goals,
    ratio,
)

NOTHING: Final = "-"
HEADINGS: Final = (
    "contender",
    "calls/s",
    "x native",
    "Asterisk ms",
    "server ms",
    "database ms",
    "total x native",
    "step p50",
    "p95",
    "p99 ms",
    "commands",
    "KB held",
    "others",
)
REMARKS: Final = """\
calls/s: the highest rate held, then the lowest refused. ms: processor time per call, of all at one rate,
40 % of what native holds. step: from a reply of Asterisk to the next command, on the wire, at 60 % of the own rate.
KB held: memory of the server for each of 500 held calls.
others: what foreign processes took of the machine meanwhile; above some percent, measure again."""
_MARKS: Final[Mapping[Verdict, str]] = {Verdict.MET: "+", Verdict.MISSED: "!", Verdict.UNKNOWN: "?"}


def table(measured: Mapping[str, Measured]) -> str:
    """Return the table, one contender a line, with ratios to the native dialplan of the same run."""
    native = measured.get(NATIVE)
    rows = [HEADINGS, *(_row(one, native) for one in measured.values())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        "  ".join(_cell(text, width, column) for column, (text, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    ]
    return "\n".join([*lines, "", REMARKS])


def verdicts(measured: Mapping[str, Measured]) -> str:
    """Return one line for each goal."""
    return "\n".join(_goal_line(goal) for goal in goals(measured))


def as_json(measured: Mapping[str, Measured], facts: Mapping[str, object]) -> str:
    """Return everything, trials included; what was not measured is null."""
    data = {
        **facts,
        "contenders": {name: _with_ratios(one, measured.get(NATIVE)) for name, one in measured.items()},
        "goals": [asdict(goal) for goal in goals(measured)],
    }
    return json.dumps(_without_nan(data), indent=1, ensure_ascii=False)


def _with_ratios(one: Measured, native: Measured | None) -> dict[str, object]:
    return {**asdict(one), "total_cpu_ms": one.total_cpu_ms, **ratios(one, native)}


def ratios(one: Measured, native: Measured | None) -> dict[str, float]:
    """Return rate and total processor time by the native dialplan's; NaN without it."""
    if native is None:
        return {"rate_by_native": math.nan, "cpu_by_native": math.nan}
    return {
        "rate_by_native": ratio(one.rate, native.rate),
        "cpu_by_native": ratio(one.total_cpu_ms, native.total_cpu_ms),
    }


def _row(one: Measured, native: Measured | None) -> tuple[str, ...]:
    by_native = ratios(one, native)
    steps = (
        (NOTHING,) * 3
        if one.steps is None
        else tuple(_number(value, 2) for value in (one.steps.p50, one.steps.p95, one.steps.p99))
    )
    return (
        one.title,
        f"{one.rate}" + (f" ({one.refused})" if one.refused is not None else " (no limit met)"),
        _number(by_native["rate_by_native"], 2),
        *(_number(one.cpu(role), 2) for role in (ASTERISK_ROLE, ENGINE_ROLE, DATABASE_ROLE)),
        _number(by_native["cpu_by_native"], 2),
        *steps,
        _number(one.commands_per_call, 1),
        _number(one.held_call_kb, 0),
        f"{one.others_share:.0%}" if not math.isnan(one.others_share) else NOTHING,
    )


def _cell(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column == 0 else text.rjust(width)


def _number(value: float, places: int) -> str:
    return NOTHING if math.isnan(value) else f"{value:.{places}f}"


def _goal_line(goal: Goal) -> str:
    reached = _number(goal.reached, 2)
    return f"{_MARKS[goal.verdict]} {goal.verdict.value:<12}  {goal.what}: {reached} (goal {goal.limit})"


def _without_nan(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _without_nan(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_nan(one) for one in value]
    return value
