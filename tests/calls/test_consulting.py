"""The other side of an attended transfer: what it hears, what its keys do, and when it is let go."""

from __future__ import annotations

import asyncio
import pathlib
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from ivr_engine.calls.consulting import Consultations
from ivr_engine.channel.line import CallerHungUp, Dialled, DialResult
from ivr_engine.simulator.line import Deed, HangUp, HearOut, Press, ScriptedLine
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import RandomIds
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance
from tests.calls.live import LiveWorld, live
from tests.calls.test_leaving import Store, leaving

WORDS = Utterance(Language.ENGLISH, ("caller_waits", "take_call"))
QUESTION_S = 2.0
KEY_S = 8.0


@dataclass(slots=True)
class OtherSide(ScriptedLine):
    """Somebody who was dialled; `took` when both may be joined."""

    took: bool = False

    async def take_call(self) -> None:
        self._check()
        self.took = True


def asked(*deeds: Deed, leaves_after_s: float | None = None) -> tuple[OtherSide, float, bool]:
    """Ask somebody; return their line, how long it took, and whether they hung up."""

    async def main(clock: VirtualClock) -> tuple[OtherSide, float, bool]:
        async def has_left(channel: str) -> bool:
            assert channel == "PJSIP/trunk-1"
            return leaves_after_s is not None and clock.monotonic() >= leaves_after_s

        side, hung_up = OtherSide(deeds), False
        await side.answer()
        all_of_them = Consultations(RandomIds(clock), has_left)
        with all_of_them.expected("PJSIP/trunk-1", WORDS) as (number, consultation):
            try:
                await all_of_them.ask(number, side)
            except CallerHungUp:
                hung_up = True
        assert consultation.begun
        assert consultation.taken is side.took
        assert all_of_them.running == 0
        assert len(asyncio.all_tasks()) == 1
        return side, clock.monotonic(), hung_up

    return run_virtual(main)


def words_of(side: OtherSide) -> list[str]:
    return [heard.prompt for heard in side.heard]


ONCE = ["en/caller_waits", "en/take_call"]


def test_key_1_takes_the_call() -> None:
    side, _, _ = asked(HearOut(), Press("1"))
    assert side.took
    assert words_of(side) == ONCE


def test_key_counts_while_the_words_are_still_heard() -> None:
    side, seconds, _ = asked(Press("1", after_ms=500))
    assert side.took
    assert seconds < QUESTION_S


def test_key_2_declines() -> None:
    side, _, _ = asked(HearOut(), Press("2"))
    assert not side.took
    assert words_of(side) == ONCE


def test_who_presses_nothing_is_asked_once_more() -> None:
    side, seconds, _ = asked()
    assert not side.took
    assert words_of(side) == ONCE * 2
    assert seconds == pytest.approx(2 * (QUESTION_S + KEY_S))
    side, _, _ = asked(HearOut(), Press("1", after_ms=round((KEY_S + QUESTION_S + 1) * 1000)))
    assert side.took


def test_wrong_key_is_a_try() -> None:
    side, _, _ = asked(HearOut(), Press("7"), HearOut(), Press("7"))
    assert not side.took
    assert words_of(side) == ONCE * 2


def test_hang_up_declines() -> None:
    side, _, hung_up = asked(HangUp(after_ms=500))
    assert hung_up
    assert not side.took


@pytest.mark.parametrize("leaves_after_s", [0.7, 3.0])
def test_caller_who_hangs_up_meanwhile_lets_the_other_side_go(leaves_after_s: float) -> None:
    side, seconds, _ = asked(leaves_after_s=leaves_after_s)
    assert not side.took
    assert leaves_after_s <= seconds <= leaves_after_s + 0.5


def test_number_lets_one_line_in_and_only_while_it_is_expected() -> None:
    async def main(clock: VirtualClock) -> None:
        of_engine = Consultations(RandomIds(clock))
        with of_engine.expected("a", WORDS) as (number, _), of_engine.expected("a", WORDS) as (other, _):
            assert number != other
            first, second = OtherSide([HearOut(), Press("1")]), OtherSide([HearOut(), Press("1")])
            for side in (first, second):
                await side.answer()
                await of_engine.ask(number, side)
            assert (first.took, second.took) == (True, False)
            assert second.heard == []
        late = OtherSide([HearOut(), Press("1")])
        await late.answer()
        await of_engine.ask(other, late)
        assert (late.took, late.heard) == (False, [])

    run_virtual(main)


TRANSFER = """\
ivr: 1
title: Straight to somebody else, who is asked first
start: over
steps:
  over:
    attended_transfer: lost_cards
    announce: caller_waits
    ring: 20 s
    when: {answered: answered, declined: declined, busy: busy, no_answer: no_answer, unreachable: unreachable}
  answered: {hang_up: answered}
  declined: {hang_up: declined}
  busy: {hang_up: busy}
  no_answer: {hang_up: no_answer}
  unreachable: {hang_up: unreachable}
"""


def transferred(
    folder: pathlib.Path, agent: DialResult, other_side: Sequence[Deed] | None
) -> tuple[str, list[str], list[str]]:
    """Hand a caller on to somebody; return the end, what the dialplan was told, and what the other side heard."""
    (folder / "hotline.yaml").write_text(TRANSFER)

    async def test(world: LiveWorld) -> tuple[str, list[str], list[str]]:
        of_engine = Consultations(world.hotline.ids)
        side = OtherSide(other_side or ())

        async def asks(number: str) -> bool:
            if other_side is not None:
                await side.answer()
                await of_engine.ask(number, side)
            return side.took

        leaving(world, Store(), destinations={"lost_cards": "PJSIP/1003"}, consultations=of_engine)
        reason, line = await world.call((), agents=[Dialled(agent, 0)], asks=asks)
        assert line.dialled == ["PJSIP/1003"]
        return reason, line.dialplan, words_of(side)

    return live(test, flows=folder, destinations=frozenset({"lost_cards"}))


def test_caller_is_served_when_the_other_side_takes_the_call(tmp_path: pathlib.Path) -> None:
    reason, dialplan, heard = transferred(tmp_path, DialResult.ANSWERED, [HearOut(), Press("1")])
    assert reason == "answered"
    assert dialplan == ["backstop 0", "agent spoke", "backstop 180", "done"]
    assert heard == [f"en/{prompt}" for prompt in ("caller_waits", "take_call", "press_1", "decline_call", "press_2")]


def test_caller_whose_call_is_declined_is_not_served(tmp_path: pathlib.Path) -> None:
    reason, dialplan, _ = transferred(tmp_path, DialResult.ANSWERED, [HearOut(), Press("2")])
    assert reason == "declined"
    assert dialplan == ["backstop 0", "backstop 180", "done"]


@pytest.mark.parametrize("result", [DialResult.NO_ANSWER, DialResult.BUSY, DialResult.UNREACHABLE])
def test_telephone_that_is_not_answered_ends_as_it_does(result: DialResult, tmp_path: pathlib.Path) -> None:
    assert transferred(tmp_path, result, None)[0] == result.value


def test_who_answered_and_could_not_be_asked_is_unreachable(tmp_path: pathlib.Path) -> None:
    assert transferred(tmp_path, DialResult.ANSWERED, None)[0] == "unreachable"
