"""What a live call leaves behind: with whom, since when, what the dialplan is told, and whose number may be called."""

from __future__ import annotations

import asyncio
import pathlib
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ivr_engine.acd.messages import AgentAppeared
from ivr_engine.acd.model import AgentName
from ivr_engine.calls.consulting import Consultations
from ivr_engine.calls.leaving import LeavingSettings, is_allowed, is_pattern
from ivr_engine.calls.operations import national_number
from ivr_engine.calls.ports import NewCallback, NewMessage
from ivr_engine.channel.line import Dialled, DialResult
from ivr_engine.flow.leaving import CallbackOutcome
from ivr_engine.simulator.line import HangUp, HearOut, Press, Speak
from ivr_engine.values.recording import Recording
from tests.calls.live import SERVICE, LiveWorld, RescuedLine, live

MAINLAND = ("1[3-9]XXXXXXXXX", "0[1-9]XXXXXXXX", "0[1-9]XXXXXXXXX", "0[1-9]XXXXXXXXXX")


@dataclass
class Store:
    """Both stores, in memory."""

    messages: list[tuple[NewMessage, bytes]] = field(default_factory=list)
    wishes: list[NewCallback] = field(default_factory=list)
    room: bool = True

    async def has_room(self) -> bool:
        return self.room

    async def keep(self, message: NewMessage, audio: bytes) -> Recording | None:
        self.messages.append((message, audio))
        return Recording(str(len(self.messages)), len(audio) // 8)

    async def register(self, wish: NewCallback) -> CallbackOutcome:
        self.wishes.append(wish)
        return CallbackOutcome.REGISTERED


def leaving(world: LiveWorld, store: Store, **settings: object) -> None:
    """Let the calls of a world leave something in the store."""
    consultations = Consultations(world.hotline.ids)
    kept = LeavingSettings(store, store, consultations, numbers=MAINLAND)
    world.hotline = replace(world.hotline, leaving=replace(kept, **settings))  # type: ignore[arg-type] # by name


OFFER = (HearOut(), Press("3"), HearOut(), Press("0"), HearOut())


def test_message_is_kept_with_the_call_and_the_number_and_the_dialplan_waits_for_it() -> None:
    async def test(world: LiveWorld) -> None:
        store = Store()
        leaving(world, store)
        deeds = (*OFFER, Press("1"), HearOut(), Speak(100_000), Press("#"), HearOut(), Press("#"))
        reason, line = await world.call(deeds)
        assert reason == "completed"
        ((message, audio),) = store.messages
        assert (message.call, message.box, message.caller) == (world.journal.started[0], "service", "13800000000")
        assert message.customer is None
        assert len(audio) == 8 * 100_000
        waits = [int(told.split()[1]) for told in line.dialplan if told.startswith("backstop")]
        assert max(waits) >= 120 + 180  # a message of two minutes, in one command, and the usual patience
        assert waits.index(max(waits)) < len(waits) - 1  # afterwards the usual patience again
        assert waits[-1] == 180

    live(test)


def test_message_of_who_hangs_up_is_kept_and_the_call_ends_as_a_hang_up() -> None:
    async def test(world: LiveWorld) -> None:
        store = Store()
        leaving(world, store)
        reason, _ = await world.call((*OFFER, Press("1"), HearOut(), Speak(4000), HangUp()))
        assert reason == "caller_hung_up"
        assert [len(audio) for _, audio in store.messages] == [8 * 4000]

    live(test)


def test_callback_keeps_the_place_that_the_caller_had_in_the_queue() -> None:
    async def test(world: LiveWorld) -> None:
        store = Store()
        leaving(world, store)
        began = world.clock.now()
        reason, _ = await world.call((*OFFER, Press("2"), HearOut(), Press("1")))
        assert reason == "completed"
        (wish,) = store.wishes
        assert (wish.number, wish.queue, wish.call) == ("13800000000", "service", world.journal.started[0])
        assert began < wish.queued_at < wish.asked_at
        assert wish.asked_at - wish.queued_at > timedelta(seconds=3)

    live(test)


def test_number_that_nobody_may_call_never_reaches_the_list() -> None:
    async def test(world: LiveWorld) -> None:
        store = Store()
        leaving(world, store, numbers=("02087654321",))
        deeds = (*OFFER, Press("2"), HearOut(), Press("1"), HearOut(), Press("02087654321#"), HearOut(), Press("1"))
        reason, line = await world.call(deeds)
        assert reason == "completed"
        assert "en/callback_not_allowed" in [heard.prompt for heard in line.heard]
        assert [wish.number for wish in store.wishes] == ["02087654321"]

    live(test)


def test_answer_of_the_survey_stands_in_the_record() -> None:
    async def test(world: LiveWorld) -> None:
        running = asyncio.create_task(world.queues.run())
        world.queues.tell(AgentAppeared(AgentName("1001"), "PJSIP/1001", (SERVICE,)))
        try:
            deeds = (HearOut(), Press("3"), HearOut(), Press("0"), HearOut(), Press("5"))
            reason, _ = await world.call(deeds, agents=[Dialled(DialResult.ANSWERED, 30)])
        finally:
            running.cancel()
        assert reason == "completed"
        assert world.journal.answers == [("service", 5)]

    live(test)


TRANSFER = """\
ivr: 1
title: Straight to somebody else
start: over
steps:
  over:
    blind_transfer: lost_cards
    ring: 20 s
    when: {answered: answered, busy: busy, no_answer: no_answer, unreachable: unreachable}
  answered: {hang_up: answered}
  busy: {hang_up: busy}
  no_answer: {hang_up: no_answer}
  unreachable: {hang_up: unreachable}
"""


@pytest.mark.parametrize("result", list(DialResult))
def test_transfer_lifts_the_backstop_while_people_talk_and_says_whether_a_human_has_spoken(
    result: DialResult, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "hotline.yaml").write_text(TRANSFER)

    async def test(world: LiveWorld) -> None:
        leaving(world, Store(), destinations={"lost_cards": "PJSIP/1003"})
        reason, line = await world.call((), agents=[Dialled(result, 0)])
        assert reason == result.value
        assert line.dialled == ["PJSIP/1003"]
        spoke = ["agent spoke"] if result is DialResult.ANSWERED else []
        assert line.dialplan == ["backstop 0", *spoke, "backstop 180", "done"]

    live(test, flows=tmp_path, destinations=frozenset({"lost_cards"}))


def test_destination_that_was_taken_out_of_the_settings_is_unreachable(tmp_path: pathlib.Path) -> None:
    (tmp_path / "hotline.yaml").write_text(TRANSFER)

    async def test(world: LiveWorld) -> None:
        leaving(world, Store())
        reason, line = await world.call(())
        assert (reason, line.dialled) == ("unreachable", [])

    live(test, flows=tmp_path, destinations=frozenset({"lost_cards"}))


def test_call_without_a_store_says_that_nothing_can_be_kept() -> None:
    async def test(world: LiveWorld) -> None:
        line: RescuedLine
        reason, line = await world.call((*OFFER, Press("1")))
        assert reason == "no_human"
        assert line.heard[-1].prompt == "en/message_unavailable"

    live(test)


@pytest.mark.parametrize("number", ["13812345678", "02087654321", "075512345678", "0108765432"])
def test_numbers_of_the_country_may_be_called(number: str) -> None:
    assert is_allowed(number, MAINLAND)


@pytest.mark.parametrize(
    "number", ["0085291234567", "+8613812345678", "16812345", "12345", "4008001234", "95588", "", "1381234567", "0x"]
)
def test_numbers_abroad_premium_numbers_and_what_is_no_number_may_not(number: str) -> None:
    assert not is_allowed(number, MAINLAND)


@pytest.mark.parametrize(("text", "good"), [("1[3-9]XXXXXXXXX", True), ("NZ", True), (".*", False), ("[9-3]", False)])
def test_pattern_is_digits_letters_and_sets_only(text: str, good: bool) -> None:
    assert is_pattern(text) is good


@pytest.mark.parametrize(
    ("shown", "dialled"),
    [("13800000000", "13800000000"), ("+85291234567", "0085291234567"), ("", None), ("anonymous", None), ("12", None)],
)
def test_number_that_the_network_shows_is_digits_or_none(shown: str, dialled: str | None) -> None:
    assert national_number(shown) == dialled
