"""A caller's line on a real Asterisk: every verb, with keys pressed and receivers put down at the other end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.agi_session import AgiSession
from ivr_engine.adapters.asterisk.line import AsteriskLine
from ivr_engine.adapters.asterisk.sounds import FRAME_BYTES, SoundError, SoundFolder
from ivr_engine.channel.line import (
    WAKE,
    CalledAway,
    CallerHungUp,
    Dialled,
    DialResult,
    KeysEnd,
    KeysRead,
    Line,
    Played,
)
from ivr_engine.channel.watching import WatchedLine
from ivr_engine.protocols.agi import CommandFailedError, Exec, GetVariable, LocalProtocolError
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import RandomIds
from ivr_engine.values.language import Language
from ivr_engine.values.utterance import Utterance
from tests.adapters.asterisk.bench_asterisk import BenchAsterisk
from tests.adapters.asterisk.scripted_asterisk import TOKEN, Calls, serving
from tests.waiting import until

pytestmark = pytest.mark.asterisk

SHORT = Utterance(Language.MANDARIN, ("short",))  # 400 ms
LONG = Utterance(Language.MANDARIN, ("long",))  # 5 s
WITHIN_S = 5.0


@dataclass
class Call:
    """A call on the bench: the line under test, and the hand at the other end."""

    line: AsteriskLine
    session: AgiSession
    sounds: SoundFolder
    asterisk: BenchAsterisk
    engine: Calls
    hand: Calls
    hand_session: AgiSession

    async def press(self, keys: str) -> None:
        await self.hand_session.execute(Exec("SendDTMF", f"{keys},100,80"), within_s=WITHIN_S)

    async def keys_while(self, keys: str, reading: asyncio.Future[KeysRead]) -> tuple[bytes, KeysEnd]:
        await self.press(keys)
        read = await reading
        return read.keys.reveal(), read.end


def sounds_in(folder: Path) -> SoundFolder:
    prompts = folder / "prompts/cmn"
    prompts.mkdir(parents=True)
    (prompts / "short.ulaw").write_bytes(b"\xff" * FRAME_BYTES * 20)
    (prompts / "long.ulaw").write_bytes(b"\xff" * FRAME_BYTES * 250)
    return SoundFolder(prompts.parent, folder / "joined", ids=RandomIds(SystemClock()))


def joined_in(folder: Path) -> list[Path]:
    return list((folder / "joined").iterdir())


@asynccontextmanager
async def calling(folder: Path, extension: str = "call") -> AsyncIterator[Call]:
    async with serving() as engine, serving() as hand:
        bench = BenchAsterisk(folder / "asterisk", port=engine.port, hand_port=hand.port, token=TOKEN)
        asterisk = await asyncio.to_thread(bench.__enter__)
        try:
            await asyncio.to_thread(asterisk.place_call, extension)
            session, hand_session = await asyncio.gather(engine.next(), hand.next())
            sounds = sounds_in(folder)
            line = AsteriskLine(session, sounds)
            await line.answer()
            yield Call(line, session, sounds, asterisk, engine, hand, hand_session)
        finally:
            await asyncio.to_thread(asterisk.__exit__, None, None, None)


async def test_caller_hears_a_prompt_and_a_key_stops_it_only_if_it_may(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        before = call.session.command_count
        assert await call.line.play(SHORT) == Played(None, 400)
        assert await call.line.play(SHORT, from_ms=100) == Played(None, 300)
        assert await call.line.play(SHORT, from_ms=99_000) == Played(None, 0)
        assert await call.line.play(SHORT + SHORT) == Played(None, 800)
        assert call.session.command_count - before == 4

        playing = asyncio.ensure_future(call.line.play(LONG))
        await call.press("5")
        played = await playing
        assert played.key == "5"
        assert 100 <= played.heard_ms < 2_000

        playing = asyncio.ensure_future(call.line.play(LONG, stop_on="#", from_ms=3_000))
        await call.press("12#")
        played = await playing
        assert played.key == "#"
        assert 400 <= played.heard_ms < 2_000

        playing = asyncio.ensure_future(call.line.play(LONG, stop_on="", from_ms=4_000))
        await call.press("1")
        assert await playing == Played(None, 1_000)
        assert await call.line.play(Utterance(Language.MANDARIN, ())) == Played(None, 0)


async def test_caller_presses_one_key_or_none(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        for pressed, read in (("0", "0"), ("*", "*"), ("#", "#"), ("D", None)):  # D only wakes a waiting line
            reading = asyncio.ensure_future(call.line.read_key(within_ms=60_000))
            await call.press(pressed)
            assert await asyncio.wait_for(reading, WITHIN_S) == read
        assert await call.line.read_key(within_ms=100) is None
        assert await call.line.read_key(within_ms=0) is None


async def test_caller_types_several_keys_and_each_end_is_told(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:

        def reading(what: Utterance | None, max_keys: int) -> asyncio.Future[KeysRead]:
            return asyncio.ensure_future(call.line.read_keys(what, max_keys=max_keys, within_ms=700))

        before = call.session.command_count
        assert await call.keys_while("839183", reading(LONG, 6)) == (b"839183", KeysEnd.FULL)
        assert await call.keys_while("12#", reading(LONG, 6)) == (b"12", KeysEnd.TERMINATOR)
        assert await call.keys_while("#", reading(LONG, 6)) == (b"", KeysEnd.TERMINATOR)
        assert await call.keys_while("98", reading(None, 6)) == (b"98", KeysEnd.TIME_OUT)
        assert await call.keys_while("*0", reading(None, 2)) == (b"*0", KeysEnd.FULL)
        silent = await reading(SHORT, 6)
        assert (len(silent.keys), silent.end) == (0, KeysEnd.TIME_OUT)
        assert call.session.command_count - before == 6
        entries = call.asterisk.log().splitlines()
        assert any("839183" in entry for entry in entries if "SendDTMF" in entry)  # this log does show digits
        assert not any("839183" in entry for entry in entries if "SendDTMF" not in entry)


async def test_a_late_wake_up_is_no_key_and_takes_no_key_from_the_caller(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        reading = asyncio.ensure_future(call.line.read_keys(None, max_keys=3, within_ms=2_000))
        assert await call.keys_while("12D3", reading) == (b"123", KeysEnd.FULL)


@pytest.mark.parametrize("max_keys", [1, 6])
async def test_words_that_a_late_wake_up_has_cut_are_heard_again_from_their_beginning(
    tmp_path: Path, max_keys: int
) -> None:
    async with calling(tmp_path) as call:
        before, loop = call.session.command_count, asyncio.get_running_loop()
        reading = asyncio.ensure_future(call.line.read_keys(LONG, max_keys=max_keys, within_ms=400))
        await call.press("D")
        began = loop.time()
        read = await reading
        assert (len(read.keys), read.end) == (0, KeysEnd.TIME_OUT)
        assert call.session.command_count - before == 2
        assert loop.time() - began > 5  # the words last so long


async def test_music_plays_while_a_key_is_awaited_and_comes_back_after_a_prompt(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:

        def started() -> int:
            return call.asterisk.log().count("Started music on hold")

        await call.line.music(on=True)
        assert await call.line.read_key(within_ms=100) is None
        assert started() == 1
        await call.line.play(SHORT)
        assert await call.line.read_key(within_ms=100) is None
        assert started() == 2
        assert await call.line.read_key(within_ms=50) is None
        assert started() == 2
        await call.line.music(on=False)
        await call.line.play(SHORT)
        assert await call.line.read_key(within_ms=50) is None
        assert started() == 2


async def test_caller_talks_with_an_agent_and_comes_back(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        dialled = await call.line.dial("PJSIP/answers", ring_s=5)
        assert dialled.result is DialResult.ANSWERED
        assert 1 <= dialled.talk_seconds <= 3
        assert "Started music on hold" in call.asterisk.log()  # while the telephone rang
        assert await call.line.play(SHORT) == Played(None, 400)


async def test_an_agent_who_cannot_be_joined_is_told_by_the_result(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        assert await call.line.dial("PJSIP/busy", ring_s=5) == Dialled(DialResult.BUSY, 0)
        assert await call.line.dial("PJSIP/rings", ring_s=1) == Dialled(DialResult.NO_ANSWER, 0)
        assert await call.line.dial("PJSIP/nobody", ring_s=5) == Dialled(DialResult.UNREACHABLE, 0)


@pytest.mark.parametrize(
    "endpoint",
    ["PJSIP/a&PJSIP/b", "PJSIP/a,30,e", "Local/s@hand", "PJSIP/900@trunk", "PJSIP/", "PJSIP/a\n", "PJSIP/${X}"],
)
async def test_nothing_but_an_agents_endpoint_reaches_dial(tmp_path: Path, endpoint: str) -> None:
    async with serving() as engine:
        session, _ = await engine.call()
        with pytest.raises(LocalProtocolError):
            await AsteriskLine(session, sounds_in(tmp_path)).dial(endpoint, ring_s=5)
        assert session.command_count == 0


@pytest.mark.parametrize("number", ["", "1", "0" * 25 + "^", "0" * 26 + ",x", "a" * 26])
async def test_nothing_but_a_number_of_ours_reaches_the_other_side(tmp_path: Path, number: str) -> None:
    async with serving() as engine:
        session, _ = await engine.call()
        with pytest.raises(LocalProtocolError):
            await AsteriskLine(session, sounds_in(tmp_path)).consult("PJSIP/a", ring_s=5, number=number)
        assert session.command_count == 0


@pytest.mark.parametrize("channel", ["", "PJSIP/", "PJSIP/a,F", "Local/s@hand", "PJSIP/a&PJSIP/b", "PJSIP/${X}"])
async def test_caller_is_joined_again_to_nothing_but_a_channel_of_an_agent(tmp_path: Path, channel: str) -> None:
    async with serving() as engine:
        session, _ = await engine.call()
        with pytest.raises(LocalProtocolError):
            await AsteriskLine(session, sounds_in(tmp_path)).rejoin(channel)
        assert session.command_count == 0


async def expect_hangup(call: Call, verb: Awaitable[object], under_way: str) -> None:
    """The caller leaves as soon as Asterisk's log tells that the verb is under way."""
    using = asyncio.ensure_future(verb)
    await until(lambda: under_way in call.asterisk.log())
    call.hand.release.set()
    with pytest.raises(CallerHungUp):
        await asyncio.wait_for(using, WITHIN_S)
    with pytest.raises(CallerHungUp):
        await call.line.answer()


async def test_caller_hangs_up_during_a_prompt(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        await expect_hangup(call, call.line.play(LONG), "Playing '")


async def test_caller_hangs_up_while_a_key_is_awaited(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        await call.line.music(on=True)
        await expect_hangup(call, call.line.read_key(within_ms=5_000), "Started music on hold")


async def test_caller_hangs_up_in_the_middle_of_his_keys(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        reading = asyncio.ensure_future(call.line.read_keys(LONG, max_keys=6, within_ms=5_000))
        await call.press("12")
        await expect_hangup(call, reading, "Playing '")


async def test_caller_hangs_up_while_he_talks_with_an_agent(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        dialling = call.line.dial("PJSIP/answers", ring_s=5)
        await expect_hangup(call, dialling, "answered Local/s@hand")


async def test_caller_hangs_up_while_the_agents_telephone_rings(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        await expect_hangup(call, call.line.dial("PJSIP/rings", ring_s=20), "is ringing")


async def test_caller_hangs_up_between_two_verbs(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        call.hand.release.set()
        await until(lambda: call.session.hung_up)
        with pytest.raises(CallerHungUp):
            await call.line.music(on=True)


async def test_watched_line_is_called_away_from_every_verb_by_the_key_that_no_telephone_has(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        line = WatchedLine(call.line, lambda: bool(news))
        for verb in (
            lambda: line.play(LONG, stop_on="#"),
            lambda: line.read_key(within_ms=20_000),
            lambda: line.read_keys(None, max_keys=6, within_ms=20_000),
            lambda: line.read_keys(LONG, max_keys=6, within_ms=20_000),
        ):
            news: list[str] = []
            under_way = asyncio.ensure_future(verb())
            await asyncio.sleep(0)
            news.append("an agent is free")
            await call.press(WAKE)
            with pytest.raises(CalledAway):
                await asyncio.wait_for(under_way, WITHIN_S)


async def test_wake_up_without_news_costs_no_word_and_no_key(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        line = WatchedLine(call.line, lambda: False)
        playing = asyncio.ensure_future(line.play(LONG))
        await call.press(WAKE)
        assert await playing == Played(None, call.sounds.duration_ms(LONG))
        reading = asyncio.ensure_future(line.read_keys(None, max_keys=4, within_ms=5_000))
        await call.press(f"1{WAKE}23#")
        read = await reading
        assert (read.keys.reveal(), read.end) == (b"123", KeysEnd.TERMINATOR)


async def test_whisper_that_is_personal_is_a_file_of_the_call_alone_and_goes_with_it(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        whisper = Utterance(SHORT.language, SHORT.prompts, personal=True)
        dialled = await call.line.dial("PJSIP/answers", ring_s=5, whisper=whisper)
        assert dialled.result is DialResult.ANSWERED
        assert [path.name.startswith("call-") for path in joined_in(tmp_path)] == [True]
        call.line.close()
        assert joined_in(tmp_path) == []


async def test_the_dialplan_learns_whether_the_call_was_done(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        await call.line.renew_backstop(30)
        left = await call.session.execute(GetVariable("TIMEOUT(absolute)"), within_s=WITHIN_S)
        assert left.value is not None
        assert 29.0 < float(left.value) <= 30.0
        await call.line.renew_backstop(0)
        await call.line.mark_done()
        call.engine.release.set()
        await until(lambda: "after AGI: done=1 status=SUCCESS" in call.asterisk.log())


async def test_without_the_mark_the_dialplan_takes_the_caller_back(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        await call.engine.server.close()
        await until(lambda: "after AGI: done=0 status=SUCCESS" in call.asterisk.log())


async def test_the_backstop_takes_the_caller_from_an_engine_that_hangs(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        await call.line.renew_backstop(1)
        with pytest.raises(CallerHungUp):
            await call.line.read_key(within_ms=5_000)


async def test_a_recording_that_is_missing_is_told_without_ending_the_call(tmp_path: Path) -> None:
    async with calling(tmp_path) as call:
        with pytest.raises(SoundError, match="'nowhere' in cmn"):
            await call.line.play(Utterance(Language.MANDARIN, ("nowhere",)))
        call.sounds.duration_ms(LONG)
        (tmp_path / "prompts/cmn/long.ulaw").unlink()
        with pytest.raises(CommandFailedError):
            await call.line.play(LONG)
        with pytest.raises(CommandFailedError):
            await call.line.read_keys(LONG, max_keys=1, within_ms=100)
        assert await call.line.play(SHORT) == Played(None, 400)


async def test_a_personal_read_out_is_heard_and_gone_with_the_call(tmp_path: Path) -> None:
    balance = Utterance(Language.MANDARIN, ("short", "short", "short"), personal=True)
    async with calling(tmp_path) as call:
        assert await call.line.play(balance) == Played(None, 1_200)
        assert len(list((tmp_path / "joined").iterdir())) == 1
        call.line.close()
        call.line.close()
        assert list((tmp_path / "joined").iterdir()) == []


def as_line(line: AsteriskLine) -> Line:
    """Type-checks that the line is a `Line`."""
    return line
