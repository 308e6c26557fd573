"""Opening hours: days, holidays, midnight, and clocks that are put forward and back."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr_engine.flow.hours import Opening, OpeningHours, read_hours
from ivr_engine.flow.library import build_library
from ivr_engine.flow.source import read_source
from tests.flow.calls import Story, tell
from tests.flow.world import flow, world

COUNTER: Final = (
    "{mon-fri: 08:30 to 17:30, sat: [09:00 to 12:00, 14:00 to 16:00], "
    "closed: [2026-10-01 to 2026-10-07], open: {2026-10-10: 10:00 to 11:00}}"
)
NIGHT: Final = "{fri: 22:00 to 02:00, closed: 2026-01-10, open: {2026-01-17: 23:00 to 24:00}}"


def hours(block: str) -> OpeningHours:
    source = read_source("a.yaml", f"counter: {block}\n")
    assert isinstance(source.data, dict)
    read = read_hours(source, source.data)["counter"]  # type: ignore[arg-type] # a block of blocks
    assert source.findings == []
    return read


def says(block: str, moment: str) -> str:
    return hours(block).at(datetime.fromisoformat(moment)).value


@pytest.mark.parametrize(
    ("moment", "says_so"),
    [
        ("2026-01-05 08:29:59", "closed"),  # a Monday
        ("2026-01-05 08:30", "open"),
        ("2026-01-05 17:29:59", "open"),
        ("2026-01-05 17:30", "closed"),
        ("2026-01-10 11:59", "open"),  # a Saturday
        ("2026-01-10 12:30", "closed"),
        ("2026-01-10 14:00", "open"),
        ("2026-01-11 10:00", "closed"),  # a Sunday
        ("2026-09-30 17:00", "open"),
        ("2026-10-01 00:00", "holiday"),
        ("2026-10-07 23:59", "holiday"),
        ("2026-10-08 08:30", "open"),
        ("2026-10-10 09:30", "closed"),  # a Saturday with hours of its own
        ("2026-10-10 10:30", "open"),
    ],
)
def test_hours_of_a_counter(moment: str, says_so: str) -> None:
    assert says(COUNTER, moment) == says_so


@pytest.mark.parametrize(
    ("moment", "says_so"),
    [
        ("2026-01-02 23:59", "open"),  # a Friday
        ("2026-01-03 00:00", "open"),
        ("2026-01-03 01:59", "open"),
        ("2026-01-03 02:00", "closed"),
        ("2026-01-02 01:00", "closed"),  # nobody was there on Thursday evening
        ("2026-01-09 23:00", "open"),
        ("2026-01-10 00:30", "holiday"),  # a holiday begins at midnight
        ("2026-01-17 23:30", "open"),
        ("2026-01-18 00:00", "closed"),
    ],
)
def test_hours_past_midnight_belong_to_the_day_on_which_they_begin(moment: str, says_so: str) -> None:
    assert says(NIGHT, moment) == says_so


def test_days_may_go_over_the_end_of_the_week() -> None:
    assert [bool(spans) for spans in hours("{sat-mon: 09:00 to 12:00}").week] == [True, *[False] * 4, True, True]


@given(st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)))  # noqa: DTZ001 # as on a wall
def test_whole_day_is_open_at_every_moment(moment: datetime) -> None:
    assert hours("{mon-sun: 00:00 to 24:00}").at(moment) is Opening.OPEN
    assert hours("{}").at(moment) is Opening.CLOSED


@pytest.mark.parametrize(
    ("zone", "moment", "says_so"),
    [
        ("Asia/Shanghai", "2026-01-05T00:30", "open"),
        ("Asia/Shanghai", "2026-01-05T09:30", "closed"),
        ("Asia/Shanghai", "2026-09-30T16:00", "holiday"),  # midnight in Shanghai
        ("Europe/Berlin", "2026-03-27T07:29", "closed"),  # winter: one hour ahead of UTC
        ("Europe/Berlin", "2026-03-27T07:30", "open"),
        ("Europe/Berlin", "2026-03-30T06:30", "open"),  # summer: two hours
        ("Europe/Berlin", "2026-03-30T15:30", "closed"),
        ("Europe/Berlin", "2026-10-26T16:29", "open"),  # winter again
    ],
)
def test_clock_on_the_wall_counts_in_every_zone(zone: str, moment: str, says_so: str) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    assert hours(COUNTER).at(at.astimezone(ZoneInfo(zone))).value == says_so


def test_hour_that_comes_twice_is_open_twice_and_the_one_left_out_never() -> None:
    berlin = ZoneInfo("Europe/Berlin")

    def minutes_open(day: datetime) -> int:
        night = hours("{sun: 02:00 to 03:00}")
        moments = (day + timedelta(minutes=minute) for minute in range(24 * 60))
        return sum(night.at(moment.astimezone(berlin)) is Opening.OPEN for moment in moments)

    assert minutes_open(datetime(2026, 10, 24, 22, tzinfo=UTC)) == 120
    assert minutes_open(datetime(2026, 3, 28, 22, tzinfo=UTC)) == 0
    assert minutes_open(datetime(2026, 6, 13, 22, tzinfo=UTC)) == 60


@pytest.mark.parametrize(
    ("zone", "outcome"), [("Asia/Shanghai", "open"), ("America/New_York", "closed"), ("Pacific/Auckland", "closed")]
)
def test_step_asks_the_clock_of_the_hotline_in_its_zone(zone: str, outcome: str) -> None:
    """Virtual time begins on Monday, 2026-01-05, at 09:00 UTC."""
    steps = "begin: {hours: counter, then: end, when: {closed: no, holiday: no}}\n"
    text = flow(steps + "end: {hang_up: open}\nno: {hang_up: closed}\n", top=f"hours: {{counter: {COUNTER}}}\n")
    library = build_library({"a": ("a.yaml", text)}, dataclasses.replace(world(), zone=zone))
    assert library.findings == ()
    assert tell(Story(), library=library, flow="a").reason == outcome
