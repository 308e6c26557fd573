"""What callers notice when a part of the hotline dies: engine, supervisor, Asterisk, the connection between them.

Each fault is made as it happens (a signal to a process, a connection cut), while calls are live.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from ivr_engine.adapters.store.calls import CallHistory
from ivr_engine.adapters.store.database import Database
from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.load import LoadPlan, run_load
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recognise import Kind
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.sipp import SippResult
from ivr_engine.values.language import Language
from tests.asterisk.hotline import HotlineError, RunningHotline, running_hotline
from tests.asterisk.people import (
    WELCOME,
    Voice,
    ask_for_human,
    asterisk_says,
    at_work,
    clip,
    console,
    joined,
    rate,
    serve_one,
)
from tests.postgres import PostgresServer
from tests.waiting import until

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

MANY = 200
SOME = 40
A_SECOND = 40
"""New calls."""
HOLD_MS = 26_000
"""SIPp's callers send no audio, and Asterisk hangs up who is silent for 30 s (rtp_timeout)."""
PLACED_WITHIN_S = 20.0
AGAIN_WITHIN_S = 15.0

Record = Callable[[str, object], None]


@pytest.fixture(scope="module")
def broken() -> Iterator[RunningHotline]:
    """A hotline that each test breaks and waits for until it is whole again."""
    with running_hotline() as running:
        yield running


@pytest.fixture(scope="module")
def voices(broken: RunningHotline) -> Recordings:
    return Recordings.load(broken.sounds)


@pytest.fixture
async def hotline(broken: RunningHotline) -> AsyncIterator[RunningHotline]:
    yield broken
    await console(broken, "channel request hangup all")
    await until(lambda: nobody_calls(broken), "all calls have ended", within_s=10)
    await until(broken.healthy, "the hotline is whole again", within_s=AGAIN_WITHIN_S)


@pytest.mark.alone
async def test_of_200_live_calls_none_is_lost_when_the_engine_is_killed_and_all_wait_for_humans_within_3_s(
    hotline: RunningHotline, voices: Recordings, tmp_path: Path, record_testsuite_property: Record
) -> None:
    async with callers(hotline, MANY, tmp_path):
        os.kill(hotline.engine_pid, signal.SIGKILL)
        queued_s = await until(lambda: waiting_for_humans(hotline, MANY), "all wait for humans", within_s=3)
        record_testsuite_property("all_200_queued_after_s", round(queued_s, 2))

        again_s = await until(hotline.healthy, "the engine runs again", within_s=AGAIN_WITHIN_S)
        record_testsuite_property("engine_again_after_further_s", round(again_s, 2))
        assert ends(hotline, MANY) == {"engine_died": MANY}
        await a_caller_is_greeted(hotline, voices)
        async with at_work(hotline, voices, "1001") as desk, desk.pick_up(within_ms=15_000):
            assert desk.shown_number.startswith("137"), "the agent gets one of those who wait, who says nothing"


@pytest.mark.alone
async def test_200_live_calls_of_a_frozen_engine_wait_for_humans_within_8_s(
    hotline: RunningHotline, voices: Recordings, tmp_path: Path, record_testsuite_property: Record
) -> None:
    async with callers(hotline, MANY, tmp_path):
        os.kill(hotline.engine_pid, signal.SIGSTOP)
        queued_s = await until(lambda: waiting_for_humans(hotline, MANY), "all wait for humans", within_s=8)
        record_testsuite_property("all_200_queued_after_s", round(queued_s, 2))
        await until(hotline.healthy, "the engine runs again", within_s=AGAIN_WITHIN_S)
        assert ends(hotline, MANY) == {"engine_died": MANY}
        await a_caller_is_greeted(hotline, voices)


async def test_a_caller_who_hangs_up_on_a_frozen_engine_leaves_no_channel_behind(
    hotline: RunningHotline, voices: Recordings, record_testsuite_property: Record
) -> None:
    async with Phone.at(hotline.target, voices) as phone, phone.dial(hotline.number) as caller:
        await caller.hear_beginning(WELCOME)
        os.kill(hotline.engine_pid, signal.SIGSTOP)
        caller.hang_up()
        # Less than the 3 s after which a frozen engine is ended, which would free the channel too.
        freed_s = await until(lambda: nobody_calls(hotline), "the channel is freed", within_s=2)
        record_testsuite_property("channel_of_a_frozen_engine_freed_after_s", round(freed_s, 2))


async def test_callers_who_come_while_no_engine_runs_are_in_the_queue_of_humans_within_half_a_second(
    hotline: RunningHotline, voices: Recordings, record_testsuite_property: Record
) -> None:
    supervisor = hotline.process
    assert supervisor is not None
    supervisor.send_signal(signal.SIGSTOP)
    try:
        os.kill(hotline.engine_pid, signal.SIGKILL)
        await until(lambda: not hotline.healthy(), "the engine is gone", within_s=5)
        async with Phone.at(hotline.target, voices) as phone, asyncio.TaskGroup() as group:
            tasks = [group.create_task(until_music_ms(hotline, phone, place)) for place in range(20)]
        waits_ms = [task.result() for task in tasks]
        record_testsuite_property("slowest_of_20_ms", round(max(waits_ms)))
        assert max(waits_ms) < 500
    finally:
        supervisor.send_signal(signal.SIGCONT)
    await until(hotline.healthy, "the engine runs again", within_s=AGAIN_WITHIN_S)
    await a_caller_is_greeted(hotline, voices)


async def test_a_talk_with_an_agent_outlives_the_engine_and_its_caller_is_not_queued_again(
    hotline: RunningHotline, voices: Recordings
) -> None:
    async with at_work(hotline, voices, "1001") as desk, Phone.at(hotline.target, voices) as phone:
        async with phone.dial(hotline.number) as caller:
            await ask_for_human(caller)
            async with desk.pick_up() as agent:
                await joined(caller, agent)
                os.kill(hotline.engine_pid, signal.SIGKILL)
                await until(lambda: not hotline.healthy(), "the engine is gone", within_s=5)
                Voice(caller).say(clip(voices, "account_current"))
                await agent.hear(PromptName(Language.ENGLISH, "account_current"))
            await caller.hear(PromptName(Language.MANDARIN, "goodbye"), others=True)
            assert await caller.ended() is EndedBy.FAR_END
        assert await waiting_for_humans(hotline, 0)


async def test_calls_go_on_without_the_manager_connection_and_agents_are_known_again_afterwards(
    hotline: RunningHotline, voices: Recordings
) -> None:
    async with (
        at_work(hotline, voices, "1001") as desk,
        Phone.at(hotline.target, voices) as phone,
        phone.dial(hotline.number) as caller,
    ):
        await caller.hear_beginning(WELCOME)
        lost_before = hotline.log.count('"state": "disconnected"')
        await kick_the_engine(hotline)
        await until(lambda: hotline.log.count('"state": "disconnected"') > lost_before, "it is lost", within_s=5)
        await caller.press("3")
        await caller.hear_beginning(PromptName(Language.ENGLISH, "main_menu"), others=True)
        await until(hotline.healthy, "connected again", within_s=AGAIN_WITHIN_S)
        await caller.press("0")
        await serve_one(desk)
        await rate(caller)
        await caller.hear(PromptName(Language.ENGLISH, "goodbye"), others=True)


async def test_when_asterisk_is_killed_every_record_says_so_and_agents_and_new_callers_are_served_again(
    hotline: RunningHotline, voices: Recordings, tmp_path: Path, record_testsuite_property: Record
) -> None:
    async with at_work(hotline, voices, "1002") as desk, callers(hotline, SOME, tmp_path):
        os.kill(asterisk_pid(hotline), signal.SIGKILL)
        await until(lambda: not hotline.healthy(), "Asterisk is gone", within_s=5)
        again_s = await until(hotline.healthy, "Asterisk runs again", within_s=AGAIN_WITHIN_S)
        record_testsuite_property("asterisk_again_after_s", round(again_s, 2))
        await until(lambda: None not in ends(hotline, SOME), "every record is closed", within_s=5)
        assert ends(hotline, SOME) == {"asterisk_died": SOME}
        found_s = await asterisk_says(hotline, "1002", "Not in use")
        record_testsuite_property("agents_telephone_found_after_further_s", round(found_s, 2))
        async with (
            Phone.at(hotline.target, voices) as phone,
            phone.dial(hotline.number, caller="13611111111") as caller,
        ):
            await ask_for_human(caller)
            assert await serve_one(desk) == "13611111111", "the telephone need not be registered anew"


async def test_when_the_supervisor_is_killed_callers_reach_humans_and_the_next_one_takes_asterisk_over(
    hotline: RunningHotline, voices: Recordings, tmp_path: Path
) -> None:
    async with callers(hotline, SOME, tmp_path):
        supervisor, engine, asterisk = hotline.process, hotline.engine_pid, asterisk_pid(hotline)
        assert supervisor is not None
        supervisor.kill()
        supervisor.wait()
        hotline.process = None
        await asyncio.to_thread(hotline.start)
        assert not runs(engine), "the engine has left with its supervisor"
        assert await waiting_for_humans(hotline, SOME)
        assert asterisk_pid(hotline) == asterisk
        assert "taken over, it was running" in hotline.log
        assert None not in ends(hotline, SOME)
        await a_caller_is_greeted(hotline, voices)


@pytest.mark.postgres
async def test_callers_reach_humans_while_the_database_is_away_and_its_records_are_written_when_it_is_back(
    postgres_server: PostgresServer, record_testsuite_property: Record
) -> None:
    with running_hotline(database_url=postgres_server.new_database()) as hotline:
        voices = Recordings.load(hotline.sounds)
        postgres_server.stop()
        try:
            await until(lambda: not hotline.healthy(), "the database is missed", within_s=10)
            async with (
                at_work(hotline, voices, "1001") as desk,
                Phone.at(hotline.target, voices) as phone,
                phone.dial(hotline.number, caller="13600000018") as caller,
            ):
                await sign_in(hotline, caller)
                await caller.hear(PromptName(Language.ENGLISH, "system_busy"), others=True)
                assert await serve_one(desk) == "13600000018"
                await rate(caller)
                await caller.hear(PromptName(Language.ENGLISH, "goodbye"), others=True)
                assert await caller.ended() is EndedBy.FAR_END
        finally:
            postgres_server.start()
        again_s = await until(hotline.healthy, "the database answers again", within_s=10)
        record_testsuite_property("database_used_again_after_s", round(again_s, 2))
        database = Database(hotline.settings.database)
        try:
            await until(lambda: completed(database, "13600000018"), "the record is written", within_s=10)
        finally:
            await database.close()
        async with Phone.at(hotline.target, voices) as phone, phone.dial(hotline.number) as caller:
            await sign_in(hotline, caller)
            await caller.hear_beginning(PromptName(Language.ENGLISH, "press_1"), others=True)


async def test_ctrl_c_ends_live_calls_cleanly_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with running_hotline() as hotline:
        async with callers(hotline, SOME, tmp_path, hold_ms=None) as load:
            asterisk, engine = asterisk_pid(hotline), hotline.engine_pid
            assert memory_folder(hotline).is_dir()
            status = await asyncio.to_thread(hotline.stop)
            result = await load
        assert status == 0
        assert (result.succeeded, result.failed) == (SOME, 0), "every caller got a BYE"
        assert not runs(asterisk)
        assert not runs(engine)
        assert processes_of(hotline) == []
        assert not (hotline.settings.run_dir / "run" / "asterisk.ctl").exists()
        assert not memory_folder(hotline).exists()
        for port in (hotline.settings.sip_port, hotline.settings.agi_port, hotline.settings.ami_port):
            with socket.create_server(("127.0.0.1", port), reuse_port=False):
                pass
        assert "Traceback" not in hotline.log
        assert None not in ends(hotline, SOME)


@contextlib.asynccontextmanager
async def callers(
    hotline: RunningHotline, calls: int, folder: Path, *, hold_ms: int | None = HOLD_MS
) -> AsyncIterator[asyncio.Task[SippResult]]:
    """Have so many calls live, which listen to the first menu and press nothing."""
    plan = LoadPlan(hotline.number, calls, A_SECOND, calls, hold_ms)
    load = asyncio.get_running_loop().create_task(run_load(plan, hotline.target, folder))
    try:
        await until(lambda: hotline.metric("ivr_calls_live") == calls, f"{calls} live calls", within_s=PLACED_WITHIN_S)
        # A record is written up to 0.1 s after its call began.
        await until(lambda: open_records(hotline) == calls, "all have a record", within_s=5)
        yield load
    finally:
        load.cancel()
        await asyncio.wait([load])


async def waiting_for_humans(hotline: RunningHotline, calls: int) -> bool:
    shown = await console(hotline, "queue show humans")
    found = re.search(r"humans has (\d+) calls", shown)
    return found is not None and int(found[1]) == calls


async def until_music_ms(hotline: RunningHotline, phone: Phone, place: int) -> float:
    """Call, and return how long it took until the music of the queue was heard."""
    async with phone.dial(hotline.number, caller=f"1380000{place:04d}") as caller:
        await until(lambda: music_began(caller) is not None, "music", within_s=5)
        began = music_began(caller)
        assert began is not None
        return (began - caller.dialled_at) * 1000


async def sign_in(hotline: RunningHotline, caller: Caller) -> None:
    """Choose English, ask for a balance and sign in, without listening to the end."""
    await caller.hear_beginning(WELCOME)
    await caller.press("3")
    for prompt, keys in (("main_menu", "1"), ("enter_customer_number", "100003#"), ("enter_pin", None)):
        await caller.hear_beginning(PromptName(Language.ENGLISH, prompt), others=True)
        await caller.press(hotline.pin("100003") if keys is None else keys)


async def completed(database: Database, number: str) -> bool:
    """Whether the call from this number has a record of a good end."""
    calls = await CallHistory(database).calls(20)
    return any(call.caller == number and call.end_reason == "completed" for call in calls)


def music_began(caller: Caller) -> float | None:
    return next((stretch.began_at for stretch in caller.heard if stretch.kind is Kind.MUSIC), None)


async def a_caller_is_greeted(hotline: RunningHotline, voices: Recordings) -> None:
    async with Phone.at(hotline.target, voices) as phone, phone.dial(hotline.number) as caller:
        await caller.hear_beginning(WELCOME)


def ends(hotline: RunningHotline, calls: int) -> dict[object, int]:
    """Return why the newest calls of SIPp's ended, and how many of each; None are still open."""
    rows = hotline.rows(
        "SELECT end_reason, count(*) FROM (SELECT end_reason FROM call WHERE caller_number LIKE '137%'"
        " ORDER BY started_at_ms DESC LIMIT ?) GROUP BY end_reason",
        calls,
    )
    return {reason: int(str(count)) for reason, count in rows}


def open_records(hotline: RunningHotline) -> int:
    ((count,),) = hotline.rows("SELECT count(*) FROM call WHERE caller_number LIKE '137%' AND ended_at_ms IS NULL")
    return int(str(count))


def nobody_calls(hotline: RunningHotline) -> bool:
    with contextlib.suppress(HotlineError):  # its console does not answer while Asterisk starts
        return hotline.channels() == 0
    return False


def asterisk_pid(hotline: RunningHotline) -> int:
    return int((hotline.settings.run_dir / "run" / "asterisk.pid").read_text())


async def kick_the_engine(hotline: RunningHotline) -> None:
    """Cut the engine's manager connection, as a network would."""
    connected = await console(hotline, "manager show connected")
    (line,) = [line for line in connected.splitlines() if line.split()[:1] == ["engine"]]
    await console(hotline, f"manager kick session {line.split()[4]}")


def runs(pid: int) -> bool:
    """Whether a process lives; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_of(hotline: RunningHotline) -> list[str]:
    """Return the command lines of all processes that were started in the hotline's folder or name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(hotline.folder) in command or (process / "cwd").readlink().is_relative_to(hotline.folder):
                found.append(command)
    return found


def memory_folder(hotline: RunningHotline) -> Path:
    """Return the folder of the engine's joined recordings."""
    digest = hashlib.sha256(str(hotline.settings.state_dir.resolve()).encode()).hexdigest()[:12]
    return Path("/dev/shm") / f"ivr-{hotline.settings.engine_id}-{digest}"
