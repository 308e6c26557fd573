"""`split`: the same caller always goes the same way, in every process, and the parts are as great as written."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final

import pytest

from ivr_engine.flow.nodes.split import part_of
from tests.flow.calls import Story, tell
from tests.flow.test_hotline import NUMBER, PIN, press
from tests.flow.world import PROJECT, flow, library_of

PARTS: Final = {"new": 10, "old": 90}
NUMBERS: Final = [f"1380000{number:04}" for number in range(10_000)]
ENDS: Final = "new: {hang_up: new}\nold: {hang_up: old}\n"
STEP: Final = "begin: {split: {new: 50, old: 50}, when: {new: new, old: old}}\n"


def test_parts_are_as_great_as_they_are_written() -> None:
    share = sum(part_of(PARTS, number) == "new" for number in NUMBERS) / len(NUMBERS)
    assert share == pytest.approx(0.1, abs=0.01)


def test_callers_of_a_part_stay_in_it_when_it_grows() -> None:
    before = {number for number in NUMBERS if part_of(PARTS, number) == "new"}
    after = {number for number in NUMBERS if part_of({"new": 25, "old": 75}, number) == "new"}
    assert before < after


def test_nobody_goes_where_the_part_is_nought() -> None:
    assert {part_of({"new": 0, "old": 100}, number) for number in NUMBERS[:500]} == {"old"}


def test_splits_with_other_names_part_callers_independently() -> None:
    new = [number for number in NUMBERS if part_of({"new": 50, "old": 50}, number) == "new"]
    both = sum(part_of({"short": 50, "long": 50}, number) == "short" for number in new)
    assert both / len(new) == pytest.approx(0.5, abs=0.03)


def test_another_process_parts_callers_alike() -> None:
    code = (
        "from ivr_engine.flow.nodes.split import part_of\n"
        "print(*(part_of({'new': 10, 'old': 90}, f'1380000{n:04}') for n in range(50)))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(PROJECT)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.split() == [part_of(PARTS, number) for number in NUMBERS[:50]]


def test_caller_goes_by_the_number_and_a_customer_by_the_customer_number() -> None:
    library = library_of(a=flow(STEP + ENDS))
    assert library.findings == ()
    by_number = {tell(Story(caller=number), library=library, flow="a").reason for number in NUMBERS[:20]}
    assert by_number == {"new", "old"}
    steps = """
        first: {collect: customer, prompt: enter_customer_number, length: 6 to 10, then: ask_pin}
        ask_pin: {secret: pin, prompt: enter_pin, length: 6, then: check}
        check: {do: sign_in, with: {customer: customer, pin: pin}, then: begin}
        wrong: {hang_up: wrong}
        """
    wrong = ("no_input", "too_short", "refused", "attempts_used", "locked", "unavailable")
    top = (
        f"variables: {{customer: digits, pin: secret}}\notherwise: {{{', '.join(f'{way}: wrong' for way in wrong)}}}\n"
    )
    begin, *rest = flow(steps, top=top, start="first").splitlines(keepends=True)
    library = library_of(a="".join([begin, *rest, *(f"  {line}\n" for line in (STEP + ENDS).splitlines())]))
    assert library.findings == ()
    signed_in = Story(press(NUMBER, PIN))
    reasons = {tell(Story(signed_in.deeds, caller=number), library=library, flow="a").reason for number in NUMBERS[:10]}
    assert reasons == {part_of({"new": 50, "old": 50}, "620001")}
