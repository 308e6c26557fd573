"""The key and timer rules of a conversation, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest

from ivr_engine.channel.conversation import Conversation, Interrupt, NoChoice, Timing
from ivr_engine.channel.keys import Entry, EntryEnd
from ivr_engine.channel.line import CallerHungUp
from ivr_engine.simulator.line import Deed, HangUp, Heard, HearOut, Press, ScriptedLine
from ivr_engine.simulator.virtual_time import VirtualClock, run_virtual
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from ivr_engine.values.utterance import Utterance

T = TypeVar("T")
TIMING = Timing(first_key_ms=5000, between_keys_ms=3000)


def words(*prompts: str) -> Utterance:
    return Utterance(Language.ENGLISH, prompts)


def converse(deeds: Sequence[Deed], talk: Callable[[Conversation], Awaitable[T]]) -> tuple[T, ScriptedLine, float]:
    line = ScriptedLine(deeds)

    async def main(clock: VirtualClock) -> tuple[T, ScriptedLine, float]:
        await line.answer()
        result = await talk(Conversation(line))
        return result, line, clock.monotonic()

    return run_virtual(main)


async def menu(conversation: Conversation, *options: str) -> str | NoChoice:
    return await conversation.choose(words("menu"), frozenset(options), interrupt=Interrupt.ANY, timing=TIMING)


async def number(conversation: Conversation, entry: Entry) -> tuple[EntryEnd, str]:
    end, keys = await conversation.collect(words("enter"), entry, TIMING)
    return end, keys.reveal().decode()


def test_first_digit_time_is_counted_from_the_end_of_the_prompt() -> None:
    chosen, _, seconds = converse([], lambda c: menu(c, "1"))
    assert chosen is NoChoice.NO_INPUT
    assert seconds == pytest.approx(1 + 5)


def test_first_digit_just_in_time_is_taken() -> None:
    chosen, _, _ = converse([HearOut(), Press("1", after_ms=4900)], lambda c: menu(c, "1"))
    assert chosen == "1"


def test_time_between_two_keys_runs_from_the_key_that_stopped_the_prompt() -> None:
    (end, keys), _, seconds = converse([Press("12", after_ms=200)], lambda c: number(c, Entry(4, 10)))
    assert (end, keys) == (EntryEnd.TOO_SHORT, "12")
    assert seconds == pytest.approx(0.2 + 0.1 + 3)
    chosen, _, seconds = converse([Press("1", after_ms=200)], lambda c: menu(c, "1", "12"))
    assert chosen == "1"
    assert seconds == pytest.approx(0.2 + 3)


def test_key_during_the_prompt_stops_it() -> None:
    chosen, line, seconds = converse([Press("1", after_ms=300)], lambda c: menu(c, "1"))
    assert chosen == "1"
    assert line.heard == [Heard("en/menu", complete=False)]
    assert seconds == pytest.approx(0.3)


def test_wrong_key_is_told_apart_from_silence() -> None:
    chosen, _, _ = converse([Press("7", after_ms=100)], lambda c: menu(c, "1", "2"))
    assert chosen is NoChoice.NO_MATCH


def test_wrong_key_does_not_stop_a_prompt_whose_interrupt_is_valid() -> None:
    async def talk(conversation: Conversation) -> str | NoChoice:
        return await conversation.choose(words("menu"), frozenset({"1"}), interrupt=Interrupt.VALID, timing=TIMING)

    chosen, line, _ = converse([Press("7", after_ms=100), HearOut(), Press("1")], talk)
    assert chosen == "1"
    assert line.heard == [Heard("en/menu", complete=True)]


def test_1_and_12_stand_in_one_menu_and_the_pause_decides() -> None:
    short, _, seconds = converse([HearOut(), Press("1")], lambda c: menu(c, "1", "12"))
    long, _, _ = converse([HearOut(), Press("12")], lambda c: menu(c, "1", "12"))
    assert (short, long) == ("1", "12")
    assert seconds == pytest.approx(1 + 3)


def test_hash_ends_the_pause_between_1_and_12() -> None:
    chosen, _, seconds = converse([HearOut(), Press("1#")], lambda c: menu(c, "1", "12"))
    assert chosen == "1"
    assert seconds == pytest.approx(1.1)


def test_terminator_is_not_part_of_the_value() -> None:
    (end, keys), _, _ = converse([HearOut(), Press("1234#")], lambda c: number(c, Entry(4, 10)))
    assert (end, keys) == (EntryEnd.COMPLETE, "1234")


def test_lone_terminator_is_no_input() -> None:
    (end, keys), _, _ = converse([HearOut(), Press("#")], lambda c: number(c, Entry(4, 10)))
    assert (end, keys) == (EntryEnd.NO_INPUT, "")


def test_too_few_keys_are_too_short_and_not_kept_for_the_next_try() -> None:
    async def talk(conversation: Conversation) -> tuple[tuple[EntryEnd, str], tuple[EntryEnd, str]]:
        return await number(conversation, Entry(4, 10)), await number(conversation, Entry(4, 10))

    (first, second), _, _ = converse([HearOut(), Press("12#"), HearOut(), Press("5678#")], talk)
    assert first == (EntryEnd.TOO_SHORT, "12")
    assert second == (EntryEnd.COMPLETE, "5678")


def test_terminator_after_exactly_the_maximum_length_is_swallowed() -> None:
    async def talk(conversation: Conversation) -> tuple[tuple[EntryEnd, str], str | NoChoice]:
        return await number(conversation, Entry(6, 6)), await menu(conversation, "1", "#")

    ((end, keys), chosen), _, _ = converse([HearOut(), Press("123456#"), Press("1", after_ms=2000)], talk)
    assert (end, keys) == (EntryEnd.COMPLETE, "123456")
    assert chosen == "1"


def test_second_terminator_is_not_swallowed() -> None:
    async def talk(conversation: Conversation) -> tuple[tuple[EntryEnd, str], str | NoChoice]:
        return await number(conversation, Entry(6, 6)), await menu(conversation, "1", "#")

    (_, chosen), _, _ = converse([HearOut(), Press("123456##")], talk)
    assert chosen == "#"


def test_swallowed_terminator_does_not_cut_the_next_prompt_short() -> None:
    async def talk(conversation: Conversation) -> None:
        await number(conversation, Entry(6, 6))
        await conversation.say(words("thanks"))

    _, line, _ = converse([HearOut(), Press("123456#")], talk)
    assert line.heard[-2:] == [Heard("en/thanks", complete=False), Heard("en/thanks", complete=True)]


def test_hash_typed_ahead_after_a_full_entry_does_not_skip_the_next_words() -> None:
    async def talk(conversation: Conversation) -> tuple[EntryEnd, str]:
        await conversation.say(words("terms"), interrupt=Interrupt.NONE)
        entry = await number(conversation, Entry(6, 6))
        await conversation.say(words("thanks"))
        return entry

    entry, line, _ = converse([Press("123456#", after_ms=100)], talk)
    assert entry == (EntryEnd.COMPLETE, "123456")
    assert line.heard[-1] == Heard("en/thanks", complete=True)


def test_must_hear_menu_is_heard_to_its_end_also_when_keys_are_typed_ahead() -> None:
    async def talk(conversation: Conversation) -> str | NoChoice:
        await conversation.say(words("terms"), interrupt=Interrupt.NONE)
        return await conversation.choose(words("menu"), frozenset("12"), interrupt=Interrupt.NONE, timing=TIMING)

    chosen, line, seconds = converse([Press("2", after_ms=100), Press("1", after_ms=1000)], talk)
    assert chosen == "2"
    assert [heard.prompt for heard in line.heard if heard.complete] == ["en/terms", "en/menu"]
    assert seconds == pytest.approx(2.0)


def entry_with(interrupt: Interrupt, *deeds: Deed) -> tuple[str, list[Heard], float]:
    async def talk(conversation: Conversation) -> str:
        _, keys = await conversation.collect(words("enter"), Entry(1, 3, "*"), TIMING, interrupt=interrupt)
        return keys.reveal().decode()

    keys, line, seconds = converse(deeds, talk)
    return keys, line.heard, seconds


def test_key_that_cannot_begin_an_entry_does_not_stop_a_prompt_whose_interrupt_is_valid() -> None:
    keys, heard, seconds = entry_with(Interrupt.VALID, Press("#", after_ms=100), HearOut(), Press("12#"))
    assert (keys, heard) == ("12", [Heard("en/enter", complete=True)])
    assert seconds == pytest.approx(1.2)


def test_key_that_can_begin_an_entry_stops_the_prompt_and_counts() -> None:
    assert entry_with(Interrupt.VALID, Press("123", after_ms=100))[:2] == ("123", [Heard("en/enter", complete=False)])
    assert entry_with(Interrupt.VALID, Press("*", after_ms=100))[0] == "*"
    assert entry_with(Interrupt.ANY, Press("123", after_ms=100))[:2] == ("123", [Heard("en/enter", complete=False)])


def test_keys_typed_ahead_skip_a_prompt_that_only_some_keys_stop() -> None:
    async def talk(conversation: Conversation) -> tuple[EntryEnd, SecretDigits]:
        await conversation.say(words("terms"), interrupt=Interrupt.NONE)
        return await conversation.collect(words("enter"), Entry(2, 2), TIMING, interrupt=Interrupt.VALID)

    (end, keys), line, _ = converse([Press("12", after_ms=100)], talk)
    assert (end, keys.reveal()) == (EntryEnd.COMPLETE, b"12")
    assert line.heard[-1] == Heard("en/terms", complete=True)


def test_hash_ends_an_entry_whose_first_key_stopped_the_prompt_behind_a_full_entry() -> None:
    async def talk(conversation: Conversation) -> tuple[EntryEnd, SecretDigits]:
        await number(conversation, Entry(3, 3))
        return await conversation.collect(words("enter"), Entry(1, 9), TIMING, interrupt=Interrupt.VALID)

    (end, keys), _, seconds = converse([HearOut(), Press("1237#")], talk)
    assert (end, keys.reveal()) == (EntryEnd.COMPLETE, b"7")
    assert seconds == pytest.approx(1.4)


def test_must_hear_prompt_of_an_entry_is_heard_to_its_end_and_the_keys_count() -> None:
    keys, heard, seconds = entry_with(Interrupt.NONE, Press("123", after_ms=100))
    assert keys == "123"
    assert heard[-1] == Heard("en/enter", complete=True)
    assert seconds == pytest.approx(1.0)


def test_hash_of_an_entry_does_not_end_a_menu_that_only_its_own_keys_stop() -> None:
    async def talk(conversation: Conversation) -> str | NoChoice:
        await number(conversation, Entry(6, 6))
        return await conversation.choose(words("menu"), frozenset("1#"), interrupt=Interrupt.VALID, timing=TIMING)

    chosen, line, _ = converse([HearOut(), Press("123456#"), HearOut(), Press("1")], talk)
    assert chosen == "1"
    assert line.heard[-1] == Heard("en/menu", complete=True)


def test_keys_typed_ahead_skip_the_prompts_and_answer_the_next_questions() -> None:
    async def talk(conversation: Conversation) -> tuple[str | NoChoice, tuple[EntryEnd, str]]:
        await conversation.say(words("welcome"))
        chosen = await menu(conversation, "1", "2")
        await conversation.say(words("advice"))
        return chosen, await number(conversation, Entry(4, 4))

    (chosen, entry), line, _ = converse([Press("21234", after_ms=200)], talk)
    assert chosen == "2"
    assert entry == (EntryEnd.COMPLETE, "1234")
    assert Heard("en/welcome", complete=False) in line.heard


def test_must_hear_words_go_on_after_a_key_and_the_key_is_kept() -> None:
    async def talk(conversation: Conversation) -> str | NoChoice:
        await conversation.say(words("terms"), interrupt=Interrupt.NONE)
        return await menu(conversation, "1")

    chosen, line, seconds = converse([Press("1", after_ms=400)], talk)
    assert chosen == "1"
    assert line.heard == [Heard("en/terms", complete=False), Heard("en/terms", complete=True)]
    assert seconds == pytest.approx(1.0)


def test_read_back_drops_keys_typed_ahead_and_is_stopped_by_its_own_keys_only() -> None:
    async def talk(conversation: Conversation) -> tuple[str | None, str | NoChoice]:
        await conversation.say(words("welcome"))
        stopped = await conversation.read_back(words("values"), stop_on="2")
        return stopped, await menu(conversation, "1")

    (stopped, chosen), line, _ = converse([Press("11", after_ms=300, every_ms=50), Press("1", after_ms=100)], talk)
    assert stopped is None
    assert chosen is NoChoice.NO_INPUT
    assert line.heard[1] == Heard("en/values", complete=True)


def test_hash_of_an_entry_neither_stops_a_read_back_nor_answers_it() -> None:
    async def talk(conversation: Conversation) -> tuple[str | None, str | NoChoice]:
        await number(conversation, Entry(6, 6))
        return await conversation.read_back(words("values"), stop_on="#"), await menu(conversation, "#")

    (stopped, chosen), line, _ = converse([HearOut(), Press("123456#"), HearOut(), Press("#")], talk)
    assert (stopped, chosen) == (None, "#")
    assert line.heard[1:3] == [Heard("en/values", complete=False), Heard("en/values", complete=True)]


def test_keys_typed_while_the_bank_works_are_kept() -> None:
    async def talk(conversation: Conversation) -> tuple[str, tuple[EntryEnd, str]]:
        async def work() -> str:
            await asyncio.sleep(2)
            return "done"

        return await conversation.listen_while(work()), await number(conversation, Entry(3, 3))

    (done, entry), _, _ = converse([Press("123", after_ms=500)], talk)
    assert done == "done"
    assert entry == (EntryEnd.COMPLETE, "123")


def test_hang_up_while_the_bank_works_cancels_the_work() -> None:
    cancelled = False

    async def talk(conversation: Conversation) -> None:
        async def work() -> None:
            nonlocal cancelled
            try:
                await asyncio.sleep(20)
            except asyncio.CancelledError:
                cancelled = True
                raise

        with pytest.raises(CallerHungUp):
            await conversation.listen_while(work())

    converse([HangUp(after_ms=700)], talk)
    assert cancelled


def test_failure_of_the_work_reaches_who_waits_for_it() -> None:
    async def talk(conversation: Conversation) -> None:
        async def work() -> None:
            await asyncio.sleep(1)
            raise ConnectionError("the bank is away")

        with pytest.raises(ConnectionError, match="the bank is away"):
            await conversation.listen_while(work())

    converse([], talk)


def test_cancel_key_gives_an_entry_up() -> None:
    (end, _), _, _ = converse([HearOut(), Press("12*#")], lambda c: number(c, Entry(4, 10, "*")))
    assert end is EntryEnd.CANCELLED


def test_every_key_is_counted_once_whatever_becomes_of_it() -> None:
    async def talk(conversation: Conversation) -> int:
        await conversation.say(words("welcome"))
        await menu(conversation, "1")
        await number(conversation, Entry(6, 6))
        await menu(conversation, "9")
        return conversation.keys_taken

    taken, _, _ = converse([Press("1", after_ms=100), HearOut(), Press("123456#"), HearOut(), Press("9")], talk)
    assert taken == 9


def test_keys_typed_ahead_cannot_be_printed() -> None:
    async def talk(conversation: Conversation) -> str:
        await conversation.say(words("welcome"))
        return repr(conversation.keys)

    shown, _, _ = converse([Press("4", after_ms=10)], talk)
    assert "4" not in shown
