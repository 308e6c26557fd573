"""Constants and environments: typed by how they are written, read like variables, other ones where one tries."""

from __future__ import annotations

import dataclasses
from datetime import date, time
from typing import Final

import pytest

from ivr_engine.flow.constants import read_constants
from ivr_engine.flow.library import build_library
from ivr_engine.flow.model import Library
from ivr_engine.flow.source import read_source
from ivr_engine.flow.values import DATE, DIGITS, MONEY, NUMBER, RATE, TEXT, TIME, YES_NO, Constant
from ivr_engine.speech.grammars import grammar_for
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money
from ivr_engine.values.rate import Rate
from tests.flow.calls import Story, tell
from tests.flow.world import findings_of, flow, library_of, world

END: Final = "end: {hang_up: done}\nother: {hang_up: other}\n"
BY_ENVIRONMENT: Final = flow(
    "begin: {say: [{amount: limit}], then: look}\nlook: {if: limit = 100.00 CNY, then: end, else: other}\n" + END,
    top="environments: {production: {limit: 5000.00 CNY}, test: {limit: 100.00 CNY}}\n",
)


def library_in(environment: str, text: str) -> Library:
    return build_library({"a": ("a.yaml", text)}, dataclasses.replace(world(), environment=environment))


@pytest.mark.parametrize(
    ("written", "constant"),
    [
        ("5000.00 CNY", Constant(MONEY, Money(500_000, Currency.CNY))),
        ("3", Constant(NUMBER, 3)),
        ("1 + 2", Constant(NUMBER, 3)),
        ("'0012'", Constant(DIGITS, "0012")),
        ("0012", Constant(DIGITS, "0012")),
        ("'12'", Constant(DIGITS, "12")),
        ("2026-10-01", Constant(DATE, date(2026, 10, 1))),
        ("2.35%", Constant(RATE, Rate(235_000))),
        ("712.35 CNY per 100 USD", Constant(RATE, Rate.parse("712.35 CNY per 100 USD"))),
        ("17:30", Constant(TIME, time(17, 30))),
        ("true", Constant(YES_NO, True)),
        ("\"'gold card'\"", Constant(TEXT, "gold card")),
    ],
)
def test_constant_has_the_type_of_what_is_written(written: str, constant: Constant) -> None:
    source = read_source("a.yaml", f"constants: {{it: {written}}}\n")
    assert isinstance(source.data, dict)
    block = source.data["constants"]
    assert isinstance(block, dict)
    value = block["it"]
    assert isinstance(value, (str, int))
    assert read_constants(source, {"it": value}, {}, "production") == {"it": constant}
    assert source.findings == []


def test_constant_is_not_made_of_rates_of_two_kinds() -> None:
    text = flow("begin: {if: floor, then: end, else: end}\n" + END, top="constants: {floor: 2% < 1 CNY per 100 USD}\n")
    assert [(finding.code, finding.place.line) for finding in findings_of(text)][:1] == [("E302", 5)]


def test_constant_is_compared_and_read_out_like_a_variable() -> None:
    steps = """
        first: {set: {n: most - 1}, then: begin}
        begin: {say: [{number: most}, {digits: reference}], then: look}
        look: {if: n <= most, then: end, else: other}
        end: {hang_up: done}
        other: {hang_up: other}
        """
    top = "variables: {n: number}\nconstants: {most: 3, reference: '007'}\n"
    library = library_of(a=flow(steps, top=top, start="first"))
    assert library.findings == ()
    told = tell(Story(), library=library, flow="a")
    english = grammar_for(Language.ENGLISH)
    assert told.words == [f"en/{prompt}" for prompt in (*english.cardinal(3), *english.digits("007"))]
    assert told.reason == "done"
    assert told.variables == {"n": 2}


@pytest.mark.parametrize(("environment", "reason"), [("production", "other"), ("test", "done")])
def test_setting_says_which_environment_is_in_force(environment: str, reason: str) -> None:
    library = library_in(environment, BY_ENVIRONMENT)
    assert library.findings == ()
    assert tell(Story(), library=library, flow="a").reason == reason


def test_environment_that_is_not_in_force_is_checked_as_well() -> None:
    found = findings_of(BY_ENVIRONMENT.replace("100.00 CNY}}", "100.00}}"))
    assert [(finding.code, finding.message) for finding in found] == [("E303", "an amount needs its currency")]


def test_flow_without_environments_does_not_care_in_which_the_hotline_runs() -> None:
    text = flow("begin: {hang_up: done}\n")
    assert library_in("test", text).findings == ()


def test_constant_meant_for_a_read_out_of_another_type_is_found() -> None:
    text = flow("begin: {say: [{amount: most}], then: end}\nend: {hang_up: done}\n", top="constants: {most: 3}\n")
    assert [(finding.code, finding.message) for finding in findings_of(text)] == [
        ("E302", "money is expected here, this is number")
    ]
