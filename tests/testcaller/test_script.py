from __future__ import annotations

from pathlib import Path

import pytest

from ivr_engine.speech.grammars import grammar_for
from ivr_engine.testcaller.recordings import PromptName
from ivr_engine.testcaller.rtp import Tone
from ivr_engine.testcaller.script import CallScript, Ended, HangUp, Hear, PressKeys, ScriptError, Wait
from ivr_engine.values.language import Language
from ivr_engine.values.money import Currency, Money

BALANCE = """\
call: balance in Mandarin
dial: "95588"
language: cmn
steps:
  - hear: [welcome, ..., choose_language]
    within: 5 s
  - press: "1"
    during: menu after 300 ms
  - press: "6200001#"
    every: 200 ms
    tone: 60 ms
  - hear: {amount: "1,234.56 CNY"}
  - press: {secret: pin}
  - language: en
  - hear: [yue/goodbye, goodbye]
  - silence: 2 s
  - wait: 160 ms
  - ended: engine
  - hang_up: caller
"""


def mandarin(prompt: str) -> PromptName:
    return PromptName(Language.MANDARIN, prompt)


def test_every_kind_of_step_is_read_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "balance.yaml").write_text(BALANCE)
    script = CallScript.load(tmp_path / "balance.yaml")
    amount = grammar_for(Language.MANDARIN).amount(Money(123_456, Currency.CNY))
    assert (script.title, script.dial, sorted(script.secrets)) == ("balance in Mandarin", "95588", ["pin"])
    assert [(step.line, step.action) for step in script.steps] == [
        (5, Hear((mandarin("welcome"), mandarin("choose_language")), frozenset({1}), 5000)),
        (7, PressKeys("1", None, 160, Tone(), mandarin("menu"), 300)),
        (9, PressKeys("6200001#", None, 200, Tone(60), None, 0)),
        (12, Hear(tuple(map(mandarin, amount)), frozenset(), None)),
        (13, PressKeys(None, "pin", 160, Tone(), None, 0)),
        (
            15,
            Hear(
                (PromptName(Language.CANTONESE, "goodbye"), PromptName(Language.ENGLISH, "goodbye")),
                frozenset(),
                None,
            ),
        ),
        (16, Wait(2000, silent=True)),
        (17, Wait(160, silent=False)),
        (18, Ended(None)),
        (19, HangUp()),
    ]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        ("hear: []", "5:11: hear names at least one recording"),
        ("hear: [a, ...]", "a recording follows"),
        ("hear: {amount: much}", "amount: is like"),
        ("hear: {amount: 1 XYZ}", "amount: 'XYZ' is not a valid Currency"),
        ("hear: {colour: red}", "a read-out is one of amount, number, digits"),
        ("press: 12x", "keys are quoted and made of"),
        ('press: "1"\n    every: 100 ms', "every is a multiple of 20 ms and at least 140 ms"),
        ('press: "1"\n    tone: 50 ms', "a tone lasts a multiple of 20 ms"),
        ('press: "1"\n    whenever: now', "6:15: whenever means nothing here"),
        ("wait: soon", "a time is like 160 ms"),
        ("wait: 61 min", "at most 1 hour"),
        ("hang_up: engine", "write ended: engine"),
        ("ended: caller", "write hang_up: caller"),
        ("language: fr", "a language is one of"),
        ("dance: now", "a step is one of hear, press, wait"),
        ("hear: a\n    hear: b", "hear stands here twice"),
        ("just a word", "names with values are expected"),
    ],
)
def test_wrong_step_is_refused_with_its_place(step: str, problem: str) -> None:
    text = f"call: x\ndial: '1'\nlanguage: en\nsteps:\n  - {step}\n"
    with pytest.raises(ScriptError) as raised:
        CallScript.parse(text, "x.yaml")
    assert str(raised.value).startswith("x.yaml:")
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the script is empty"),
        ("call: x", "1:1: dial is missing"),
        ("call: [", "expected the node content"),
        ("call: x\ndial: '1'\nlanguage: en\nsteps: none", "4:8: a list is expected"),
        ("call: x\ndial: '1'\nlanguage: en\nsteps: []\npin: '1'", "5:6: pin means nothing here"),
        ("x" * 300_000, "at most 262144 characters"),
    ],
)
def test_wrong_script_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ScriptError, match=r"^x\.yaml:") as raised:
        CallScript.parse(text, "x.yaml")
    assert problem in str(raised.value)
