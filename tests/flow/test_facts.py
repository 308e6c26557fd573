"""What the bank knows of a caller decides where a flow leads, and a caller's number opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final

import pytest

from ivr_engine.app.flow_world import flow_world
from ivr_engine.app.settings import Settings
from ivr_engine.banking.model import Segment
from ivr_engine.flow.library import build_library
from ivr_engine.simulator.bank import MemoryBank
from ivr_engine.values.clock import Clock
from tests.flow.calls import Story, tell
from tests.flow.test_choose import SIGN_IN
from tests.flow.test_hotline import NUMBER, PIN, press
from tests.flow.test_runner import run
from tests.flow.world import findings_of, flow, library_of, proved_library_of

TOP: Final = """
    variables:
      segment: personal one of (standard, gold, private, corporate)
      age: personal number
    otherwise: {unavailable: away, none: away}
    """
KNOWN: Final = flow(
    """
    begin: {run: library/sign_in, when: {signed_in: ask, human: away, given_up: away}}
    ask:
      do: profile
      into: {segment: segment, age: age}
      when: {found: is_old, age_unknown: by_segment}
    is_old: {if: age >= 60, then: older, else: by_segment}
    by_segment:
      switch: segment
      when: {private: own_desk, corporate: company}
      else: others
    older: {hang_up: older}
    own_desk: {hang_up: own_desk}
    company: {hang_up: company}
    others: {hang_up: others}
    away: {hang_up: away}
    """,
    top=TOP,
)
LISTED: Final = flow(
    """
    begin: {do: listed, with: {list: vip}, when: {listed: known, not_listed: others, unavailable: away}}
    known: {hang_up: known}
    others: {hang_up: others}
    away: {hang_up: away}
    """
)


def bank_of(segment: Segment, born: date | None) -> Callable[[Clock], MemoryBank]:
    def build(clock: Clock) -> MemoryBank:
        bank = MemoryBank(clock)
        bank.add_customer(NUMBER.rstrip("#"), PIN.encode(), segment=segment, born=born)
        return bank

    return build


@pytest.mark.parametrize(
    ("segment", "born", "reason"),
    [
        (Segment.PRIVATE, date(1980, 5, 1), "own_desk"),
        (Segment.PRIVATE, date(1950, 5, 1), "older"),
        (Segment.CORPORATE, None, "company"),
        (Segment.GOLD, date(2000, 1, 1), "others"),
    ],
)
def test_flow_goes_by_segment_and_age_of_who_has_signed_in(segment: Segment, born: date | None, reason: str) -> None:
    library = library_of(a=KNOWN, **{"library/sign_in": SIGN_IN})
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    assert tell(Story(press(NUMBER, PIN), bank_of(segment, born)), library=library, flow="a").reason == reason


def test_age_that_the_bank_does_not_know_cannot_be_read() -> None:
    text = KNOWN.replace("age_unknown: by_segment", "age_unknown: is_old")
    found = library_of(a=text, **{"library/sign_in": SIGN_IN}).findings
    assert [finding.code for finding in found] == ["E305"]


def test_profile_of_a_caller_who_has_not_signed_in_is_not_asked_for() -> None:
    text = KNOWN.replace(
        "run: library/sign_in, when: {signed_in: ask, human: away, given_up: away}", "set: {age: 1}, then: ask"
    )
    assert [finding.code for finding in proved_library_of(a=text).findings] == ["E801"]


@pytest.mark.parametrize(("numbers", "reason"), [({"13800000000"}, "known"), ({"13800000001"}, "others")])
def test_flow_goes_by_the_list_that_the_number_is_on(numbers: set[str], reason: str) -> None:
    def bank(clock: Clock) -> MemoryBank:
        made = MemoryBank(clock)
        made.lists["vip"] = numbers
        return made

    assert run(LISTED, Story(bank=bank)).reason == reason


def test_list_that_the_bank_does_not_keep_is_found() -> None:
    (finding,) = findings_of(LISTED.replace("list: vip", "list: vpi"))
    assert (finding.code, finding.message) == ("E302", "'vpi' is not one of (vip)")


def test_lists_are_those_that_the_hotline_is_set_up_for() -> None:
    world = flow_world(Settings(caller_lists=("vip", "blocked")))
    library = build_library({"a": ("a.yaml", LISTED.replace("list: vip", "list: blocked"))}, world)
    assert library.findings == ()


def test_number_on_a_list_signs_nobody_in() -> None:
    steps = """
        begin: {do: listed, with: {list: vip}, when: {listed: ask, not_listed: human, unavailable: human}}
        ask: {do: balance, with: {account: "'1'"}, when: {found: end, not_yours: end, unavailable: end}}
        human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}
        end: {hang_up: done}
        """
    found = proved_library_of(a=flow(steps)).findings
    assert [finding.code for finding in found] == ["E801"]
