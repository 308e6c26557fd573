"""Advice about what callers live through: given where it is due, never in the way of a call."""

from __future__ import annotations

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
