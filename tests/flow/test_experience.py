"""Advice about what callers live through: given where it is due, never in the way of a call."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest

from ivr_engine.flow.library import build_library
from ivr_engine.flow.limits import Limits
from ivr_engine.flow.scope import Prompts
from ivr_engine.values.language import Language
from tests.flow.mistakes import mistakes
from tests.flow.world import FLOWS, flow, proved_library_of, shipped, world

HUMAN = (
    "human: {queue: service, when: {answered: end, no_agents: end, full: end, timed_out: end}}\nend: {hang_up: done}\n"
)
MENU = "begin: {menu: main_menu, keys: {1: end, 0: human}, when: {no_input: human, no_match: human}}\n"


@dataclass(frozen=True)
class OtherWords:
    """The shipped prompts, one of which says something else in one language."""

    whole: Prompts
    language: Language
    words: str

    def has(self, language: Language, prompt: str) -> bool:
        return self.whole.has(language, prompt)

    def ids(self, language: Language) -> Iterable[str]:
        return self.whole.ids(language)

    def lasts_ms(self, language: Language, prompt: str) -> int:
        return self.whole.lasts_ms(language, prompt)

    def text(self, language: Language, prompt: str) -> str:
        other = language is self.language and prompt == "main_menu"
        return self.words if other else self.whole.text(language, prompt)


@pytest.mark.parametrize(
    ("language", "words", "advised"),
    [
        (Language.ENGLISH, "Press 1 for your balance.", True),
        (Language.ENGLISH, "Press one to transfer money.", True),
        (Language.ENGLISH, "For your balance, press 1. To hear this again, press star.", False),
        (Language.MANDARIN, "按一查询余额。", True),
        (Language.MANDARIN, "查询余额，请按一。", False),
        (Language.CANTONESE, "按一字轉人工。", True),
        (Language.CANTONESE, "查詢結餘，請按一。", False),
    ],
)
def test_key_that_comes_before_what_it_is_for_gets_advice(language: Language, words: str, *, advised: bool) -> None:
    known = world()
    given = build_library(
        {"a": ("a.yaml", flow(MENU + HUMAN))}, replace(known, prompts=OtherWords(known.prompts, language, words))
    )
    assert [advice.code for advice in given.advice] == (["W903"] if advised else [])


def test_flow_with_advice_may_be_called() -> None:
    library = proved_library_of(**mistakes()["more options than anybody keeps in mind"].files)
    assert library.findings == ()
    assert library.advice


def test_limits_are_those_of_the_hotline() -> None:
    text = mistakes()["more options than anybody keeps in mind"].files["a"]
    patient = replace(world(), limits=Limits(options=6))
    assert build_library({"a": ("a.yaml", text)}, patient).advice == ()


def test_flow_with_a_finding_gets_no_advice_before_it_is_mended() -> None:
    text = mistakes()["more options than anybody keeps in mind"].files["a"].replace("begin: {menu", "begin: {menyu")
    assert proved_library_of(a=text).advice == ()


def test_shipped_flows_need_no_advice() -> None:
    assert (FLOWS / "hotline.yaml").exists()
    assert shipped().advice == ()


TOLD = """
    begin: {{say: [your_balance_is, {{amount: balance}}], then: {after}}}
    one: {{menu: main_menu, keys: {{1: {to}, 0: human}}, when: {{no_input: human, no_match: human}}}}
    two: {{menu: balance_menu, keys: {{1: send, 0: human}}, when: {{no_input: human, no_match: human}}}}
    send: {{sms: pin_changed_by_sms, then: human, when: {{no_address: human, unavailable: human}}}}
"""
TOLD_TOP = "outcomes: [good]\ninputs: {balance: personal money}\n"


@pytest.mark.parametrize(
    ("after", "to", "advised"),
    [("one", "send", False), ("send", "one", False), ("one", "two", True)],
)
def test_message_is_offered_with_at_most_one_question(after: str, to: str, *, advised: bool) -> None:
    steps = textwrap.dedent(TOLD).format(after=after, to=to) + HUMAN
    if after == "send":
        steps = "\n".join(line for line in steps.splitlines() if not line.strip().startswith(("one:", "two:")))
    if to == "send":
        steps = "\n".join(line for line in steps.splitlines() if not line.strip().startswith("two:"))
    steps = steps.replace("end: {hang_up: done}", "end: {return: good}")
    library = proved_library_of(a=flow(steps, top=TOLD_TOP))
    codes = [advice.code for advice in library.advice]
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    assert ("W907" in codes) is advised


SEND = "send: {sms: pin_changed_by_sms, then: human, when: {no_address: human, unavailable: human}}\n"
INNER = flow(
    "begin: {say: [your_balance_is, {amount: balance}], then: done}\ndone: {return: read}\n",
    top="outcomes: [read]\ninputs: {balance: personal money}\n",
)


@pytest.mark.parametrize(("then", "advised"), [("send", False), ("human", True)])
def test_what_a_library_flow_reads_out_may_be_offered_by_the_flow_that_runs_it(then: str, *, advised: bool) -> None:
    outer = flow(
        f"begin: {{run: inner, with: {{balance: balance}}, when: {{read: {then}}}}}\n"
        + SEND * (not advised)
        + HUMAN.replace("end: {hang_up: done}", "end: {return: good}"),
        top=TOLD_TOP,
    )
    library = proved_library_of(outer=outer, inner=INNER)
    assert library.findings == (), "\n".join(finding.render() for finding in library.findings)
    assert [advice.code for advice in library.advice] == ["W907"] * advised


def test_advice_to_write_down_what_is_read_out_can_be_turned_off() -> None:
    outer = flow(
        "begin: {run: inner, with: {balance: balance}, when: {read: end}}\nend: {return: good}\n", top=TOLD_TOP
    )
    texts = {"outer": ("outer.yaml", outer), "inner": ("inner.yaml", INNER)}
    assert [advice.code for advice in build_library(texts, world()).advice] == ["W907"]
    off = replace(world(), limits=replace(world().limits, written_results=False))
    assert build_library(texts, off).advice == ()
