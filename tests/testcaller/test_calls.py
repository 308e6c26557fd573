"""Real calls through a real Asterisk."""

from __future__ import annotations

import asyncio
import random
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median

import pytest
import pytest_asyncio

from ivr_engine.scenarios.model import Press, Step
from ivr_engine.scenarios.reading import Known, read_scenario
from ivr_engine.testcaller.caller import BARGE_IN_WITHIN_MS, CallError
from ivr_engine.testcaller.dialogue import EndedBy
from ivr_engine.testcaller.follow import follow
from ivr_engine.testcaller.many import HangUpsPlan, KeysPlan, hang_up_at_random, press_at_random
from ivr_engine.testcaller.phone import Loss, Phone, Target
from ivr_engine.testcaller.recognise import Kind
from ivr_engine.testcaller.recordings import Recordings
from ivr_engine.testcaller.sip import Account
from ivr_engine.values.secret import SecretDigits
from tests.testcaller.asterisk_server import AsteriskServer
from tests.testcaller.conftest import PROMPTS

pytestmark = pytest.mark.asterisk
COUNTED_WITHIN_S = 10.0


@pytest_asyncio.fixture
async def phone(asterisk: AsteriskServer, sounds: Path) -> AsyncIterator[Phone]:
    async with Phone.at(Target("127.0.0.1", asterisk.sip_port), Recordings.load(sounds)) as phone:
        yield phone


def dialable(*names: str, how: str = "play") -> str:
    """Return the extension that plays these prompts, with `read` until a key is pressed."""
    return how + "-".join(names)


async def test_fifty_random_sequences_twenty_at_once_are_heard_exactly(phone: Phone) -> None:
    chance, free = random.Random(50), asyncio.Semaphore(20)

    async def one(plan: list[str]) -> tuple[list[str], list[str], bool]:
        async with free, phone.dial(dialable(*plan)) as caller:
            await caller.hear(*plan)
            assert await caller.ended() is EndedBy.FAR_END
            whole = all(stretch.complete and stretch.lost == 0 for stretch in caller.sounds)
            return plan, [stretch.name.prompt for stretch in caller.sounds if stretch.name], whole

    plans = [[f"p{chance.randrange(PROMPTS)}" for _ in range(chance.randint(1, 8))] for _ in range(50)]
    results = await asyncio.gather(*(one(plan) for plan in plans))
    assert [heard for _, heard, _ in results] == plans
    assert all(whole for _, _, whole in results)


async def test_fifty_barge_ins_cut_the_prompt_being_heard_at_a_known_place(phone: Phone) -> None:
    chance, free = random.Random(51), asyncio.Semaphore(20)

    async def one(plan: list[str], cut: int, key: str) -> float:
        async with free, phone.dial(dialable(*plan, how="read")) as caller:
            if cut:
                await caller.hear(*plan[:cut])
            await caller.hear_beginning(plan[cut], after_ms=20)
            (press,) = await caller.press(key)
            await caller.hear(f"p{key}", others=True)
            heard = [stretch for stretch in caller.sounds if stretch.began_at < (press.ended_at or 0)]
            assert [stretch.name.prompt for stretch in heard if stretch.name] == plan[: cut + 1]
            assert heard[-1].complete is False
            assert heard[-1].heard_ms < 200
            return (heard[-1].ended_at - (press.ended_at or 0)) * 1000

    plans = [[f"p{chance.randrange(10, PROMPTS)}" for _ in range(4)] for _ in range(50)]
    latencies = await asyncio.gather(*(one(plan, chance.randrange(4), chance.choice("0123456789")) for plan in plans))
    assert min(latencies) > -1
    assert max(latencies) < 60


async def test_caller_reports_the_gap_that_read_leaves_between_recordings(phone: Phone) -> None:
    names = [f"p{number}" for number in range(1, 9)]
    async with phone.dial(dialable(*names, how="read")) as caller:
        await caller.hear(*names)
        gaps = [stretch.gap_ms for stretch in caller.sounds[1:] if stretch.gap_ms is not None]
    assert len(gaps) == 7
    assert 45 < median(gaps) < 60


async def test_hold_music_is_heard_as_music_and_does_not_count_as_a_prompt(phone: Phone) -> None:
    async with phone.dial("music") as caller:
        await caller.hear("p0")
        kinds = {stretch.kind for stretch in caller.heard} - {Kind.SILENCE}
    assert kinds == {Kind.MUSIC, Kind.PROMPT}


async def test_wrong_prompt_fails_at_once_and_the_error_tells_what_was_heard(phone: Phone) -> None:
    async with phone.dial(dialable("p1", "p2")) as caller:
        with pytest.raises(CallError, match="p3 was expected, but en/p1"):
            await caller.hear("p3")
        assert not caller.sounds[0].complete


async def test_unknown_sound_fails_a_call(asterisk: AsteriskServer, sounds: Path) -> None:
    known = Recordings.load(sounds)
    without = Recordings(
        {name: b"".join(known.named(name).frames) for r in known.all for name in r.names if name.prompt != "p2"}
    )
    async with (
        Phone.at(Target("127.0.0.1", asterisk.sip_port), without) as phone,
        phone.dial(dialable("p1", "p2")) as caller,
    ):
        await caller.hear("p1")
        with pytest.raises(CallError, match="unknown sound"):
            await caller.hear("p3")


async def test_call_that_ends_before_the_expected_prompt_fails(phone: Phone) -> None:
    async with phone.dial(dialable("p1")) as caller:
        with pytest.raises(CallError, match="p2 was expected, but the call ended"):
            await caller.hear("p1", "p2")


async def test_thousand_keys_at_random_moments_from_twenty_callers_all_arrive(
    phone: Phone, asterisk: AsteriskServer
) -> None:
    plan = KeysPlan(calls=20, keys_per_call=50, pause_ms=(160, 400), seed=7)
    async with keys_counted_by(asterisk) as counted:
        sent = await press_at_random(phone, "count", plan)
        wanted = {one.caller: one.keys for one in sent}
        await counted.total(1000)
    assert [one.failure for one in sent] == [None] * 20
    assert counted.by_caller == wanted


async def test_keys_and_prompts_survive_a_network_that_loses_two_percent(
    asterisk: AsteriskServer, sounds: Path
) -> None:
    chance, loss = random.Random(52), Loss(sent=0.02, heard=0.02, seed=3)
    plans = [[f"p{chance.randrange(PROMPTS)}" for _ in range(8)] for _ in range(20)]
    async with (
        Phone.at(Target("127.0.0.1", asterisk.sip_port), Recordings.load(sounds), loss=loss) as phone,
        keys_counted_by(asterisk) as counted,
    ):

        async def one(plan: list[str]) -> tuple[list[str], int]:
            async with phone.dial(dialable(*plan)) as caller:
                await caller.ended()
                heard = [stretch.name.prompt for stretch in caller.sounds if stretch.name]
                return heard, sum(stretch.lost for stretch in caller.sounds)

        results = await asyncio.gather(*(one(plan) for plan in plans))
        sent = await press_at_random(phone, "count", KeysPlan(calls=20, keys_per_call=10, pause_ms=(160, 300)))
        await counted.total(200)
    assert [heard for heard, _ in results] == plans
    assert sum(lost for _, lost in results) > 10  # packets were lost indeed
    assert counted.by_caller == {one.caller: one.keys for one in sent}


class Counted:
    """The keys that Asterisk took, by caller's number."""

    def __init__(self) -> None:
        self.by_caller: dict[str, str] = {}
        self._more = asyncio.Event()

    def take(self, caller: str, key: str) -> None:
        self.by_caller[caller] = self.by_caller.get(caller, "") + key
        self._more.set()

    async def total(self, keys: int) -> None:
        """Wait until this many keys were taken from all callers; fail when they are not in time."""
        async with asyncio.timeout(COUNTED_WITHIN_S):
            while sum(map(len, self.by_caller.values())) < keys:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def keys_counted_by(asterisk: AsteriskServer) -> AsyncIterator[Counted]:
    """Collect the keys that Asterisk took, by caller's number, from AMI's DTMFEnd events."""
    counted = Counted()
    reader, writer = await asyncio.open_connection("127.0.0.1", asterisk.ami_port)
    writer.write(b"Action: Login\r\nUsername: test\r\nSecret: test\r\n\r\n")
    await reader.readuntil(b"FullyBooted")

    async def collect() -> None:
        while True:
            event = dict(
                line.split(": ", 1)
                for line in (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                if ": " in line
            )
            if event.get("Event") == "DTMFEnd" and event["Direction"] == "Received":
                counted.take(event["CallerIDNum"], event["Digit"])

    async with asyncio.TaskGroup() as group:
        collecting = group.create_task(collect())
        yield counted
        collecting.cancel()
    writer.close()
    await writer.wait_closed()


async def test_caller_hears_own_keys_back_from_an_echo(phone: Phone) -> None:
    async with phone.dial("echo") as caller:
        await caller.press("4711#", every_ms=200)
        await caller.wait(300)
        assert "".join(heard.key for heard in caller.keys_heard) == "4711#"


async def test_caller_who_hangs_up_while_it_rings_leaves_no_channel(phone: Phone, asterisk: AsteriskServer) -> None:
    async with phone.ring("ring") as caller:
        await caller.wait(100)
        caller.hang_up()
        assert await caller.ended() is EndedBy.CALLER
    assert await channels(asterisk) == 0


async def test_refused_call_tells_the_status(phone: Phone) -> None:
    with pytest.raises(CallError, match="refused, status 486"):
        async with phone.dial("busy"):
            pytest.fail("a busy line answered")


async def test_hundred_callers_who_hang_up_at_any_moment_leave_no_channel(
    phone: Phone, asterisk: AsteriskServer
) -> None:
    delays = await hang_up_at_random(phone, dialable("p1", "p2"), HangUpsPlan(calls=100, at_once=20, within_ms=300))
    assert len(delays) == 100
    assert await channels(asterisk) == 0


async def channels(asterisk: AsteriskServer) -> int:
    """Return how many channels Asterisk holds, 0 as soon as there are none, within ten seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", asterisk.ami_port)
    writer.write(b"Action: Login\r\nUsername: test\r\nSecret: test\r\nEvents: off\r\n\r\n")
    held = -1
    async with asyncio.timeout(COUNTED_WITHIN_S):
        while held != 0:
            writer.write(b"Action: Command\r\nCommand: core show channels count\r\n\r\n")
            await reader.readuntil(b"Output: ")
            held = int((await reader.readline()).split()[0])
    writer.close()
    await writer.wait_closed()
    return held


async def test_agent_registers_with_digest_and_wrong_password_is_refused(phone: Phone) -> None:
    await phone.register(Account("1001", "not a secret"))
    await phone.register(Account("1001", "not a secret"), expires_s=0)
    with pytest.raises(ConnectionError, match="answered 401"):
        await phone.register(Account("1001", "wrong"))


async def test_agent_picks_up_hears_the_announcement_and_the_callers_keys(
    phone: Phone, asterisk: AsteriskServer, sounds: Path
) -> None:
    account = Account("1001", "not a secret")
    async with (
        Phone.at(Target("127.0.0.1", asterisk.sip_port, caller="1001"), Recordings.load(sounds)) as desk,
        asyncio.TaskGroup() as group,
    ):
        await desk.register(account)

        async def agent_works() -> str:
            async with desk.pick_up(ring_ms=60) as agent:
                await agent.hear("p1")
                assert await agent.ended() is EndedBy.FAR_END
                return "".join(key.key for key in agent.keys_heard)

        working = group.create_task(agent_works())
        async with phone.dial("agent") as caller:
            await caller.wait(800)
            await caller.press("42")
            await caller.wait(100)
    assert working.result() == "42"


async def test_agent_who_hangs_up_ends_the_callers_call(phone: Phone, asterisk: AsteriskServer, sounds: Path) -> None:
    async with (
        Phone.at(Target("127.0.0.1", asterisk.sip_port, caller="1001"), Recordings.load(sounds)) as desk,
        asyncio.TaskGroup() as group,
    ):
        await desk.register(Account("1001", "not a secret"))

        async def agent_leaves() -> None:
            async with desk.pick_up() as agent:
                await agent.hear("p1")

        group.create_task(agent_leaves())
        async with phone.dial("agent") as caller:
            assert await caller.ended() is EndedBy.FAR_END


async def test_agent_whose_caller_leaves_while_it_rings_gets_no_call(
    phone: Phone, asterisk: AsteriskServer, sounds: Path
) -> None:
    async with (
        Phone.at(Target("127.0.0.1", asterisk.sip_port, caller="1001"), Recordings.load(sounds)) as desk,
        asyncio.TaskGroup() as group,
    ):
        await desk.register(Account("1001", "not a secret"))

        async def agent_waits() -> None:
            with pytest.raises(CallError, match="not answered: far end"):
                async with desk.pick_up(ring_ms=1000):
                    pytest.fail("a cancelled call was answered")

        group.create_task(agent_waits())
        async with phone.dial("agent") as caller:
            await caller.wait(300)
    assert await channels(asterisk) == 0


def steps_of(text: str) -> tuple[Step, ...]:
    head = "ivr_test: 1\ntitle: one of everything\nlanguage: en\ngiven: {customer: sample}\nsteps:\n"
    scenario, findings = read_scenario("one.test.yaml", head + textwrap.indent(textwrap.dedent(text), "  "), Known())
    assert scenario is not None, "\n".join(finding.render() for finding in findings)
    return scenario.steps


async def as_written(step: Press) -> str:
    return step.keys


async def a_secret(step: Press) -> SecretDigits:
    del step
    return SecretDigits(b"7")


async def test_steps_are_followed_and_secret_keys_are_in_no_line_of_the_report(phone: Phone) -> None:
    steps = steps_of(
        """
        - hear: [p10]
        - type: pin
          during: p11
          after: 40 ms
        - hear: p7
        """
    )
    report = await follow(steps, phone, "readp10-p11-p12", keys_of=a_secret)
    assert report.failure is None
    assert report.ended_by is EndedBy.FAR_END
    assert [str(barge_in.prompt) for barge_in in report.barge_ins] == ["en/p11"]
    assert -1 < report.barge_ins[0].latency_ms < BARGE_IN_WITHIN_MS
    assert report.unknown_ms == 0
    transcript = report.transcript({})
    assert "presses •" in transcript
    assert "presses 7" not in transcript
    assert "en/p11 — cut at" in transcript


async def test_steps_that_hear_otherwise_report_the_line_and_what_was_heard(phone: Phone) -> None:
    steps = steps_of("- hear: [p1, p3]\n")
    report = await follow(steps, phone, "playp1-p2", keys_of=as_written)
    assert report.failure is not None
    assert report.failure.startswith("line 6: p3 was expected, but en/p2")


async def test_what_begins_while_the_caller_is_about_to_press_is_not_counted_as_heard(phone: Phone) -> None:
    steps = steps_of("- hear: p10\n- press: '7'\n- hear: p7\n")
    report = await follow(steps, phone, "readp10-p11-p12", keys_of=as_written)
    assert report.failure is None
    assert [sorted(map(str, names)) for names in report.heard_whole] == [["en/p10"], ["en/p7"]]


async def test_prompt_that_the_callers_own_key_cut_may_be_waited_for_until_it_is_heard_whole(phone: Phone) -> None:
    steps = steps_of("- press: '7'\n  during: p7\n  after: 40 ms\n- hear: p7\n")
    report = await follow(steps, phone, "readp7-p10", keys_of=as_written)
    assert report.failure is None
    assert [str(barge_in.prompt) for barge_in in report.barge_ins] == ["en/p7"]
    assert [sorted(map(str, names)) for names in report.heard_whole] == [["en/p7"]]


async def test_prompt_that_the_callers_key_does_not_cut_is_heard_to_its_end(phone: Phone) -> None:
    steps = steps_of("- press: '7'\n  during: p7\n- hear: p7\n- hear: p10\n")
    report = await follow(steps, phone, "playp7-p10", keys_of=as_written)
    assert report.failure is None
    assert [sorted(map(str, names)) for names in report.heard_whole] == [["en/p7"], ["en/p10"]]
