"""Waiting until the caller is ready."""

from __future__ import annotations

import itertools
from typing import Final

import pytest

from ivr_engine.simulator.line import Deed, HearOut, Press
from tests.flow.calls import Story, Told
from tests.flow.test_hotline import press
from tests.flow.test_runner import kept_alive, run
from tests.flow.world import flow, library_of

PAUSE: Final = flow(
    """
    begin: {pause: have_pen_ready, then: ready, when: {no_input: silent}}
    ready: {hang_up: ready}
    silent: {hang_up: silent}
    human: {hang_up: human}
    """,
    top="everywhere: {0: human}\n",
)
SAID: Final = ["en/have_pen_ready", "en/when_ready", "en/press_1"]
REMINDER: Final = SAID[1:]


def pause(*deeds: Deed, text: str = PAUSE) -> Told:
    return run(text, Story(deeds))


def test_caller_hears_what_to_do_and_which_key_says_ready() -> None:
    told = pause(*press("1"))
    assert (told.reason, told.words) == ("ready", SAID)


def test_caller_is_reminded_of_the_key_after_each_silence_until_the_time_is_over() -> None:
    told = pause()
    assert told.reason == "silent"
    assert told.words == SAID + REMINDER * 3
    assert told.seconds == pytest.approx(3 + 3 * 2 + 60)


def test_caller_may_take_the_whole_time() -> None:
    told = pause(HearOut(), Press("1", after_ms=3 * 17_000 + 14_000))
    assert told.reason == "ready"


def test_wrong_key_brings_the_reminder_at_once_and_makes_the_pause_no_longer() -> None:
    told = pause(HearOut(), Press("5", after_ms=1000), *press("1"))
    assert (told.reason, told.words) == ("ready", SAID + REMINDER)
    assert told.seconds == pytest.approx(3 + 1 + 2)
    often = pause(*press(*"55555"))
    assert often.reason == "silent"
    assert "en/wrong_key" not in often.words


def test_time_that_is_no_multiple_of_the_reminders_is_waited_out() -> None:
    told = pause(text=PAUSE.replace("have_pen_ready,", "have_pen_ready, within: 20 s, remind: 15 s,"))
    assert told.words == SAID + REMINDER
    assert told.seconds == pytest.approx(3 + 2 + 20)


def test_another_key_may_say_ready_and_is_named() -> None:
    told = pause(*press("#"), text=PAUSE.replace("have_pen_ready,", "have_pen_ready, key: hash,"))
    assert (told.reason, told.words[-1]) == ("ready", "en/press_hash")


def test_key_that_works_everywhere_works_while_waiting() -> None:
    told = pause(*press("0"))
    assert (told.reason, told.trace[0].outcome) == ("human", "key 0")


@pytest.mark.parametrize(("interrupt", "words"), [("any", SAID[:1]), ("valid", SAID), ("none", SAID)])
def test_words_are_stopped_by_the_keys_that_interrupt_names(interrupt: str, words: list[str]) -> None:
    text = PAUSE.replace("have_pen_ready,", f"have_pen_ready, interrupt: {interrupt}, within: 15 s,")
    told = pause(Press("7", after_ms=100), text=text)
    whole = list(dict.fromkeys(heard.prompt for heard in told.heard))
    assert whole == words


def test_line_is_kept_alive_while_a_caller_looks_for_a_pen() -> None:
    alive = kept_alive(library_of(a=PAUSE))
    assert max(after - before for before, after in itertools.pairwise([0.0, *alive])) <= 30


def test_ways_of_a_pause() -> None:
    step = library_of(a=PAUSE).flows["a"].steps["begin"]
    assert [way.outcome for way in step.ways] == ["ready", "key 0", "no_input"]
