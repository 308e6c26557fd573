"""Attended transfers over real calls: the other side is told and asked while the caller has music."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.asterisk.people import Voice, at_work, clip, joined, music_ms, nothing_left, serve_one
from tests.waiting import until

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

FLOW: Final = """\
ivr: 1
title: Straight to somebody who is asked first
start: over
steps:
  over:
    attended_transfer: branch
    announce: caller_waits
    ring: 5 s
    when: {answered: answered, declined: declined, busy: busy, no_answer: no_answer, unreachable: unreachable}
  answered: {say: thank_you, then: end}
  declined: {say: no_agent_available, then: end}
  busy: {say: system_busy, then: end}
  no_answer: {say: sorry_technical, then: end}
  unreachable: {say: nothing_heard, then: end}
  end: {hang_up: completed}
"""
BRANCH: Final = "1001"
OTHER: Final = "1002"


def mandarin(prompt: str) -> PromptName:
    return PromptName(Language.MANDARIN, prompt)


QUESTION: Final = [mandarin(prompt) for prompt in ("caller_waits", "take_call", "press_1", "decline_call", "press_2")]


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The only flow hands every caller to somebody who is asked first."""
    folder = tmp_path_factory.mktemp("flows")
    (folder / "hotline.yaml").write_text(FLOW)
    return folder


@pytest.fixture(scope="module")
def hotline(flows: Path) -> Iterator[RunningHotline]:
    with running_hotline(flows_dir=str(flows), destinations=f"branch={BRANCH}") as hotline:
        yield hotline


@pytest.fixture(scope="module")
def recordings(hotline: RunningHotline) -> Recordings:
    return Recordings.load(hotline.sounds)


@asynccontextmanager
async def asked(
    hotline: RunningHotline, recordings: Recordings, number: str
) -> AsyncIterator[tuple[Caller, Caller, Telephone]]:
    """Call, let the branch answer and hear the question; yield both sides, not joined yet."""
    async with (
        at_work(hotline, recordings, BRANCH) as desk,
        Phone.at(hotline.target, recordings) as phone,
        phone.dial(hotline.number, caller=number) as caller,
        desk.pick_up(within_ms=15_000) as branch,
    ):
        await branch.hear(*QUESTION, within_ms=30_000)
        yield caller, branch, desk


async def outcome_of(hotline: RunningHotline, number: str, outcome: str) -> None:
    """Wait for the record of the step, and for nothing being left of the call."""
    query = "SELECT outcome FROM call_step JOIN call ON call.id = call_id WHERE caller_number = ? AND step = 'over'"
    await until(lambda: hotline.rows(query, number) == [(outcome,)], f"the step ended in {outcome}", within_s=10)
    await nothing_left(hotline)


async def test_both_talk_only_after_the_other_side_has_taken_the_call(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    async with asked(hotline, recordings, "13700002001") as (caller, branch, _):
        await branch.press("1")
        await joined(caller, branch)
        Voice(caller).say(clip(recordings, "please_wait"))
        await branch.hear(PromptName(Language.ENGLISH, "please_wait"), within_ms=5000)
        Voice(branch).say(clip(recordings, "system_busy"))
        await caller.hear(PromptName(Language.ENGLISH, "system_busy"), others=True, within_ms=5000)
        branch.hang_up()
        await caller.hear(mandarin("thank_you"), others=True)
    await outcome_of(hotline, "13700002001", "answered")


async def test_other_side_declines_by_a_key_and_the_caller_goes_on(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    async with asked(hotline, recordings, "13700002002") as (caller, branch, _):
        await branch.press("2")
        await caller.hear(mandarin("no_agent_available"), others=True)
        assert await branch.ended() is EndedBy.FAR_END
    await outcome_of(hotline, "13700002002", "declined")


async def test_other_side_that_hangs_up_while_it_is_asked_has_declined(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    async with asked(hotline, recordings, "13700002003") as (caller, branch, _):
        branch.hang_up()
        await caller.hear(mandarin("no_agent_available"), others=True)
    await outcome_of(hotline, "13700002003", "declined")


async def test_who_presses_nothing_is_asked_once_more_and_has_declined_then(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    async with asked(hotline, recordings, "13700002004") as (caller, branch, _):
        await branch.hear(*QUESTION, within_ms=30_000)
        await caller.hear(mandarin("no_agent_available"), others=True, within_ms=30_000)
        assert await branch.ended() is EndedBy.FAR_END
    await outcome_of(hotline, "13700002004", "declined")


async def test_caller_hears_music_and_nothing_of_what_the_other_side_is_asked(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    async with (
        at_work(hotline, recordings, BRANCH) as desk,
        Phone.at(hotline.target, recordings) as phone,
        phone.dial(hotline.number, caller="13700002005") as caller,
        desk.pick_up(within_ms=15_000) as branch,
    ):
        Voice(caller).say(clip(recordings, "please_wait"))
        await branch.hear(*QUESTION, within_ms=30_000)  # not a word of the caller's in between
        lasts_ms = sum(recordings.named(prompt).length_ms for prompt in QUESTION)
        assert music_ms(caller) > lasts_ms, "the caller has music while the other side is asked"
        await branch.press("2")
        await caller.hear(mandarin("no_agent_available"), others=True)
        assert not {name for stretch in caller.heard for name in stretch.candidates} & set(QUESTION)
    await outcome_of(hotline, "13700002005", "declined")


async def test_caller_who_hangs_up_meanwhile_lets_the_other_side_go(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    async with (
        at_work(hotline, recordings, BRANCH) as desk,
        Phone.at(hotline.target, recordings) as phone,
        phone.dial(hotline.number, caller="13700002006") as caller,
        desk.pick_up(within_ms=15_000) as branch,
    ):
        await branch.hear_beginning(mandarin("caller_waits"))
        caller.hang_up()
        began = asyncio.get_running_loop().time()
        assert await branch.ended() is EndedBy.FAR_END
        assert asyncio.get_running_loop().time() - began < 3
    await nothing_left(hotline)
    query = "SELECT end_reason FROM call WHERE caller_number = ?"
    await until(lambda: hotline.rows(query, "13700002006") == [("caller_hung_up",)], "the record is closed", within_s=5)


async def test_telephone_that_nobody_answers_is_told_apart(hotline: RunningHotline, recordings: Recordings) -> None:
    async with (
        at_work(hotline, recordings, BRANCH),
        Phone.at(hotline.target, recordings) as phone,
        phone.dial(hotline.number, caller="13700002007") as caller,
    ):
        await caller.hear(mandarin("sorry_technical"), others=True, within_ms=15_000)
    await outcome_of(hotline, "13700002007", "no_answer")


async def test_caller_of_an_engine_that_dies_meanwhile_gets_a_human(flows: Path) -> None:
    with running_hotline(flows_dir=str(flows), destinations=f"branch={BRANCH}") as hotline:
        recordings = Recordings.load(hotline.sounds)
        async with asked(hotline, recordings, "13700002008") as (caller, branch, _):
            async with at_work(hotline, recordings, OTHER) as human:
                os.kill(hotline.engine_pid, signal.SIGKILL)
                assert await branch.ended() is EndedBy.FAR_END
                assert await serve_one(human) == "13700002008", "who was not taken has not been served"
            await caller.ended()
