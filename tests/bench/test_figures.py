"""A rate is held only when everything held; a goal is met only when it was measured."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.bench.figures import (
    ENGINE,
    ENGINE_POSTGRES,
    NATIVE,
    Measured,
    Quantiles,
    Trial,
    Verdict,
    goals,
    held_call_kb,
    per_call_ms,
    quantile,
    quantiles,
    ratio,
    refusals,
)

GOOD = Trial(
    rate=100,
    planned=1000,
    succeeded=995,
    offered=99.0,
    answer_p95_ms=50.0,
    retransmissions=0,
    exit_status=1,
    lasted_s=11.0,
    others_share=0.0,
)


def test_trial_at_every_limit_is_held() -> None:
    assert refusals(GOOD) == []


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"succeeded": 994}, "994 of 1000 calls succeeded"),
        ({"answer_p95_ms": 51.0}, "answered after 51 ms (p95)"),
        ({"answer_p95_ms": math.nan}, "answered after nan ms (p95)"),
        ({"retransmissions": 1}, "1 retransmissions"),
        ({"exit_status": 97}, "SIPp ended with 97"),
        ({"offered": 96.0}, "callers reached 96/s only"),
        ({"fault": "SIPp was not done"}, "SIPp was not done"),
    ],
)
def test_trial_is_refused_for_each_single_fault(broken: dict[str, object], why: str) -> None:
    assert refusals(replace(GOOD, **broken)) == [why]  # type: ignore[arg-type]  # one field of each row


def test_success_is_counted_over_planned_calls_not_over_those_that_began() -> None:
    assert refusals(replace(GOOD, planned=2000, succeeded=1000)) == ["1000 of 2000 calls succeeded"]


def test_quantile_is_a_sample_that_so_many_do_not_exceed() -> None:
    samples = [float(number) for number in range(100, 0, -1)]
    assert quantiles(samples) == Quantiles(50.0, 95.0, 99.0, 100)
    assert quantile([7.0], 0.01) == 7.0
    assert math.isnan(quantile([], 0.5))


def test_processor_time_is_shared_out_over_calls() -> None:
    assert per_call_ms({"asterisk": 6.5, "engine": 1.4}, 1000) == {"asterisk": 6.5, "engine": 1.4}
    assert per_call_ms({"asterisk": 6.5}, 0) == {}
    assert held_call_kb(10 * 1024, 510 * 1024, 500) == 1.0
    assert math.isnan(held_call_kb(0, 0, 0))


def test_ratio_to_nothing_is_unknown() -> None:
    assert ratio(180, 200) == 0.9
    assert math.isnan(ratio(180, 0))
    assert math.isnan(ratio(180, math.nan))


def measured() -> dict[str, Measured]:
    return {
        NATIVE: Measured(NATIVE, "native", 200, cpu_ms={"asterisk": 6.5}),
        ENGINE: Measured(
            ENGINE,
            "engine",
            180,
            cpu_ms={"asterisk": 7.0, "engine": 1.4},
            steps=Quantiles(0.2, 1.0, 4.9, 1000),
            held_call_kb=40.0,
        ),
        ENGINE_POSTGRES: Measured(
            ENGINE_POSTGRES, "bank", 120, cpu_ms={"asterisk": 7.0, "engine": 2.0, "database": 1.4}
        ),
    }


def test_every_goal_is_met_at_its_limit() -> None:
    assert [goal.verdict for goal in goals(measured())] == [Verdict.MET] * 6


@pytest.mark.parametrize(
    ("contender", "change", "place"),
    [
        (ENGINE, {"cpu_ms": {"engine": 1.41}}, 0),
        (ENGINE, {"rate": 179}, 2),
        (ENGINE_POSTGRES, {"cpu_ms": {"asterisk": 7.0, "engine": 2.0, "database": 1.5}}, 3),
        (ENGINE, {"steps": Quantiles(0.1, 0.2, 5.0, 1)}, 4),
        (ENGINE, {"held_call_kb": 40.1}, 5),
    ],
)
def test_a_goal_is_missed_just_beyond_its_limit(contender: str, change: dict[str, object], place: int) -> None:
    figures = measured()
    figures[contender] = replace(figures[contender], **change)  # type: ignore[arg-type]  # one field of each row
    verdicts = [goal.verdict for goal in goals(figures)]
    assert verdicts == [Verdict.MISSED if number == place else Verdict.MET for number in range(6)]


def test_same_milliseconds_are_too_many_by_native_on_a_faster_machine() -> None:
    figures = measured()
    for name in (NATIVE, ENGINE_POSTGRES):
        figures[name] = replace(figures[name], cpu_ms={"asterisk": 6.3})
    verdicts = [goal.verdict for goal in goals(figures)]
    assert verdicts == [Verdict.MISSED if number == 1 else Verdict.MET for number in range(6)]


def test_without_the_native_dialplan_no_ratio_is_met() -> None:
    figures = measured()
    del figures[NATIVE]
    verdicts = [goal.verdict for goal in goals(figures)]
    assert verdicts == [Verdict.MET, *[Verdict.UNKNOWN] * 3, Verdict.MET, Verdict.MET]


def test_nothing_measured_meets_no_goal() -> None:
    assert {goal.verdict for goal in goals({})} == {Verdict.UNKNOWN}


def test_native_dialplan_alone_meets_and_misses_no_goal() -> None:
    assert {goal.verdict for goal in goals({NATIVE: measured()[NATIVE]})} == {Verdict.UNKNOWN}
