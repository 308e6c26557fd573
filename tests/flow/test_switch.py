"""`switch`: an arm for each word of a choice."""

from __future__ import annotations

import pytest

from ivr_engine.flow.operations import Level
from ivr_engine.values.language import Language
from tests.flow.calls import Story, tell
from tests.flow.world import flow, library_of

ENDS = "".join(f"{name}: {{hang_up: {name}}}\n" for name in ("mandarin", "cantonese", "other"))
BY_LANGUAGE = "begin: {switch: language, when: {cmn: mandarin, yue: cantonese}, else: other}\n" + ENDS


@pytest.mark.parametrize(
    ("language", "reason"),
    [(Language.MANDARIN, "mandarin"), (Language.CANTONESE, "cantonese"), (Language.ENGLISH, "other")],
)
def test_each_word_takes_its_own_arm_and_the_rest_takes_else(language: Language, reason: str) -> None:
    library = library_of(a=flow(BY_LANGUAGE))
    assert library.findings == ()
    assert tell(Story(language=language), library=library, flow="a").reason == reason


def test_yes_and_no_are_words_too_and_tell_of_the_sign_in() -> None:
    library = library_of(a=flow("begin: {switch: signed_in, when: {yes: end, no: end}}\nend: {hang_up: done}\n"))
    assert library.findings == ()
    step = library.flows["a"].steps["begin"]
    assert [(way.outcome, way.at_least, str(way.deed)) for way in step.ways] == [
        ("yes", Level.SIGNED_IN, "signed_in"),
        ("no", None, "not: signed_in"),
    ]
    told = tell(Story(), library=library, flow="a")
    assert [(step.step, step.outcome) for step in told.trace] == [("begin", "no"), ("end", "done")]


def test_word_without_an_arm_goes_where_the_file_says_otherwise() -> None:
    steps = "begin: {switch: kind, when: {red: end}}\nfirst: {set: {kind: blue}, then: begin}\n"
    text = flow(
        steps + "end: {hang_up: red}\nother: {hang_up: blue}\n",
        top="variables: {kind: 'one of (red, blue)'}\notherwise: {blue: other}\n",
        start="first",
    )
    library = library_of(a=text)
    assert library.findings == ()
    assert tell(Story(), library=library, flow="a").reason == "blue"
    assert [str(way.deed) for way in library.flows["a"].steps["begin"].ways] == ["kind is red", "kind is blue"]


def test_switch_on_a_variable_that_is_not_set_is_found() -> None:
    text = flow(
        "begin: {switch: kind, when: {red: end}}\nend: {hang_up: red}\n", top="variables: {kind: 'one of (red)'}\n"
    )
    assert [finding.code for finding in library_of(a=text).findings] == ["E305"]
