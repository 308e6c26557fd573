"""The line of a caller who follows a test does what the scripted line does, at the same times."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivr_engine.channel.line import ALL_KEYS, CallerHungUp, DialResult, Line
from ivr_engine.flow.findings import Place
from ivr_engine.scenarios.model import REACTION_MS, HangUp, Step, Typed, Wait
from ivr_engine.scenarios.model import Press as PressStep
from ivr_engine.simulator.caller import ScenarioCaller
from ivr_engine.simulator.line import Press, ScriptedLine
from ivr_engine.simulator.scenario_line import ScenarioLine, TooLongError
from ivr_engine.simulator.virtual_time import VirtualTimeLoop
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance

HERE: Final = Place("a.test.yaml", 1, 1)
WORDS: Final = Utterance(Language.ENGLISH, ("one", "two", "cmn/three"))
LENGTHS: Final = {"one": 700, "two": 300, "three": 1100}

Verb = Callable[[Line], Awaitable[object]]
Deed = tuple[int, str]
"""Milliseconds after the deed before, and the key."""


def lasts_ms(name: str) -> int:
    return LENGTHS[name.rpartition("/")[2]]


def step_press(key: str) -> PressStep:
    return PressStep(HERE, Typed.KEYS, key)


def line_of(loop: VirtualTimeLoop, steps: Sequence[Step], *, ends_at: float = 600.0) -> ScenarioLine:
    caller = ScenarioCaller(steps, lambda step: step.keys, loop.time())
    return ScenarioLine(loop, caller, lasts_ms, loop.time() + ends_at)


def lived(loop: VirtualTimeLoop, line: Line, verbs: Sequence[Verb]) -> list[tuple[str, float]]:
    """Do the verbs one after the other; return what each gave, and when."""

    async def live() -> list[tuple[str, float]]:
        await line.answer()
        gave = []
        for verb in verbs:
            try:
                given_back = await verb(line)
            except CallerHungUp:
                gave.append(("hung up", round(loop.time(), 3)))
                break
            gave.append((_shown(given_back), round(loop.time(), 3)))
        return gave

    return loop.run_until_complete(live())


def _shown(given_back: object) -> str:
    keys = getattr(given_back, "keys", None)
    return f"{given_back}" if keys is None else f"{keys.reveal()!r} {given_back.end}"  # type: ignore[attr-defined] # as keys


def play(stop_on: str, from_ms: int) -> Verb:
    return lambda line: line.play(WORDS, stop_on=stop_on, from_ms=from_ms)


def read_key(within_ms: int) -> Verb:
    return lambda line: line.read_key(within_ms=within_ms)


def read_keys(what: Utterance | None, max_keys: int, within_ms: int) -> Verb:
    return lambda line: line.read_keys(what, max_keys=max_keys, within_ms=within_ms)


TIMES: Final = st.integers(0, 60).map(lambda tens: tens * 50 + 7)
VERBS: Final = st.one_of(
    st.builds(play, st.sampled_from(["", "12", ALL_KEYS]), st.sampled_from([0, 500, 1500])),
    st.builds(read_key, st.sampled_from([100, 1000, 4000])),
    st.builds(read_keys, st.sampled_from([None, WORDS]), st.integers(1, 4), st.sampled_from([500, 3000])),
)
DEEDS: Final = st.lists(st.tuples(TIMES, st.sampled_from("123#*")), max_size=8)


@settings(max_examples=300)
@given(DEEDS, st.lists(VERBS, max_size=6))
def test_both_lines_give_the_same_keys_at_the_same_times(deeds: list[Deed], verbs: list[Verb]) -> None:
    loop = VirtualTimeLoop()
    steps = [step for after_ms, key in deeds for step in (Wait(HERE, after_ms), step_press(key))]
    following = lived(loop, line_of(loop, steps), verbs)
    loop.close()
    loop = VirtualTimeLoop()
    presses = [Press(key, after_ms=after_ms + REACTION_MS) for after_ms, key in deeds]
    line = ScriptedLine(presses, prompt_ms=lambda prompt: lasts_ms(prompt))
    assert following == lived(loop, line, verbs)
    loop.close()


def test_caller_who_hangs_up_cuts_what_is_heard_and_the_line_is_gone() -> None:
    loop = VirtualTimeLoop()
    line = line_of(loop, [Wait(HERE, 900 - REACTION_MS), HangUp(HERE)])
    assert lived(loop, line, [play(ALL_KEYS, 0)]) == [("hung up", 0.9)]
    assert [(heard.name, heard.cut) for heard in line.caller.heard] == [("en/one", False), ("en/two", True)]
    with pytest.raises(CallerHungUp):
        loop.run_until_complete(line.read_key(within_ms=100))
    loop.close()


def test_prompt_that_goes_on_after_a_key_is_heard_once_and_whole() -> None:
    loop = VirtualTimeLoop()
    line = line_of(loop, [Wait(HERE, 600), step_press("1")])

    async def live() -> None:
        played = await line.play(WORDS)
        await line.play(WORDS, from_ms=played.heard_ms)

    loop.run_until_complete(live())
    names = ["en/one", "en/two", "cmn/three"]
    assert [(heard.name, heard.cut) for heard in line.caller.heard] == [(name, False) for name in names]
    assert loop.time() == pytest.approx(2.1)
    loop.close()


def test_line_ends_what_goes_on_for_too_long() -> None:
    loop = VirtualTimeLoop()
    line = line_of(loop, [], ends_at=5)
    with pytest.raises(TooLongError):
        loop.run_until_complete(line.read_key(within_ms=6000))
    assert loop.time() == 5
    loop.close()


def test_caller_may_hang_up_in_the_talk() -> None:
    loop = VirtualTimeLoop()
    line = line_of(loop, [step_press("1"), Wait(HERE, 500 - 2 * REACTION_MS), HangUp(HERE)])
    with pytest.raises(CallerHungUp):
        loop.run_until_complete(line.dial("agent", ring_s=10))
    assert loop.time() == pytest.approx(0.5)
    loop.close()


def test_whoever_is_dialled_answers() -> None:
    loop = VirtualTimeLoop()
    dialled = loop.run_until_complete(line_of(loop, []).dial("agent", ring_s=10))
    assert (dialled.result, dialled.talk_seconds) == (DialResult.ANSWERED, 1)
    assert loop.time() == 1
    loop.close()
