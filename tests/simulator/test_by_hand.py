"""The dialogue written by hand is the hotline's own: otherwise their speeds could not be compared."""

from __future__ import annotations

from typing import Final

import pytest

from ivr_engine.calls.operations import BankOperations
from ivr_engine.channel.conversation import Conversation
from ivr_engine.flow.call import Call, QueueOutcome
from ivr_engine.simulator.bank import sample_bank
from ivr_engine.simulator.line import Deed, HearOut, Press, ScriptedLine
from ivr_engine.simulator.play import PlayedQueues
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.ids import CallId
from ivr_engine.values.language import Language
from tests.flow.calls import Story, Told, tell
from tests.simulator.by_hand import ByHand

SIGN_IN: Final = ("3", "1", "620001#", "246810")


def deeds(*keys: str) -> list[Deed]:
    """Press keys, each when a question has been heard."""
    return [part for key in keys for part in (HearOut(), Press(key))]


def by_hand(story: Story) -> tuple[object, ...]:
    async def main(clock: VirtualClock) -> tuple[object, ...]:
        line, bank = ScriptedLine(story.deeds), sample_bank(clock)
        conversation = Conversation(line)
        operations = BankOperations(bank, CallId("call"), clock)
        assert isinstance(story.agents, QueueOutcome)
        queues = PlayedQueues(conversation, story.agents)
        call = Call(conversation, operations, queues, operations, story.language)
        call.clock = clock
        await line.answer()
        reason = await ByHand(call).run()
        return reason, line.heard, clock.monotonic(), bank.asked, queues.asked

    return run_virtual(main)


def seen(told: Told) -> tuple[object, ...]:
    return told.reason, told.heard, told.seconds, told.asked, told.queues


@pytest.mark.parametrize(
    "story",
    [
        Story(deeds(*SIGN_IN, "1", "9", "0")),
        Story(deeds(*SIGN_IN, "9", "*", "7", "2", "1", "2", "1", "0"), agents=QueueOutcome.NO_AGENTS),
        Story(deeds(*SIGN_IN, "1")),
        Story(deeds(*SIGN_IN, "5", "5", "5")),
        Story(deeds("3", "1", "12#", "620001#", "111111", "620001#", "246810", "1", "5", "5", "5")),
        Story(deeds("3", "*", "8")),
        Story(language=Language.MANDARIN),
    ],
)
def test_dialogue_by_hand_says_asks_and_waits_as_the_hotline_does(story: Story) -> None:
    assert by_hand(story) == seen(tell(story))
