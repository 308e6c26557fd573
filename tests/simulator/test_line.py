"""The scripted caller: deeds in their order, agents who answer or not, and what is left after a hang-up."""

from __future__ import annotations

import pytest

from ivr_engine.channel.line import CallerHungUp, Dialled, DialResult
from ivr_engine.simulator.line import HangUp, Heard, HearOut, Press, ScriptedLine
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance

WORDS = Utterance(Language.ENGLISH, ("one", "two", "cmn/three"))


def test_deeds_follow_one_another() -> None:
    async def main(clock: VirtualClock) -> None:
        line = ScriptedLine((Press("12", after_ms=500), HearOut(), Press("3", after_ms=200)))
        await line.answer()
        await line.answer()  # harmless, and the deeds do not begin anew
        keys = [await line.read_key(within_ms=1000) for _ in range(4)]
        assert keys == ["1", "2", "3", None]
        assert clock.monotonic() == pytest.approx(0.5 + 0.1 + 0.2 + 1.0)

    run_virtual(main)


def test_prompts_are_heard_as_far_as_they_were_played() -> None:
    async def main(clock: VirtualClock) -> list[Heard]:
        del clock
        line = ScriptedLine((Press("1", after_ms=1500),), prompt_ms=lambda prompt: 2000 if prompt == "two" else 1000)
        await line.answer()
        played = await line.play(WORDS)
        assert (played.key, played.heard_ms) == ("1", 1500)
        await line.play(WORDS, from_ms=1500)
        return line.heard

    assert run_virtual(main) == [
        Heard("en/one", complete=True),
        Heard("en/two", complete=False),
        Heard("en/two", complete=True),
        Heard("cmn/three", complete=True),
    ]


def test_agents_answer_in_their_order_and_then_always() -> None:
    async def main(clock: VirtualClock) -> list[tuple[DialResult, float]]:
        agents = (Dialled(DialResult.NO_ANSWER, 0), Dialled(DialResult.BUSY, 0), Dialled(DialResult.ANSWERED, 30))
        line = ScriptedLine(agents=agents)
        await line.answer()
        return [((await line.dial(f"agent {n}", ring_s=20)).result, clock.monotonic()) for n in range(4)]

    assert run_virtual(main) == [
        (DialResult.NO_ANSWER, 20.0),
        (DialResult.BUSY, 20.0),
        (DialResult.ANSWERED, 50.0),
        (DialResult.ANSWERED, 110.0),
    ]


def test_caller_may_hang_up_while_talking_to_an_agent() -> None:
    async def main(clock: VirtualClock) -> float:
        line = ScriptedLine((Press("5", after_ms=1000), HangUp(after_ms=9000)))
        await line.answer()
        with pytest.raises(CallerHungUp):
            await line.dial("agent", ring_s=20)
        assert line.hung_up_by == "caller"
        return clock.monotonic()

    assert run_virtual(main) == pytest.approx(10.0)


def test_every_verb_of_a_line_that_was_hung_up_says_so() -> None:
    async def main(clock: VirtualClock) -> None:
        del clock
        line = ScriptedLine()
        await line.answer()
        await line.music(on=True)
        line.hung_up_by = "engine"
        assert line.hung_up_by == "engine"
        for verb in (
            line.play(WORDS),
            line.read_key(within_ms=1),
            line.read_keys(None, max_keys=1, within_ms=1),
            line.music(on=False),
            line.dial("agent", ring_s=1),
        ):
            with pytest.raises(CallerHungUp):
                await verb

    run_virtual(main)
