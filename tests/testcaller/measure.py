"""Measures the test caller against a real Asterisk: `python -m tests.testcaller.measure [calls]`.

Knows what to print. Must not be part of a test run: its figures depend on the machine.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from ivr_engine.testcaller.caller import CallError
from ivr_engine.testcaller.many import all_of
from ivr_engine.testcaller.phone import Phone, Target
from ivr_engine.testcaller.recognise import Listener
from ivr_engine.testcaller.recordings import Recordings
from tests.testcaller.asterisk_server import AsteriskServer, asterisk_with
from tests.testcaller.conftest import DIALPLAN, PROMPTS
from tests.testcaller.sounds import write_sounds

PROMPTS_PER_CALL = 12
RAMP_MS = 20
FRAMES_PER_MINUTE = 3000


def say(text: str) -> None:
    sys.stdout.write(text + "\n")


def percentiles(values: list[float]) -> str:
    ordered = sorted(values)
    return "p50 {:.1f}, p95 {:.1f}, max {:.1f} ms".format(*(ordered[int(len(ordered) * q) - 1] for q in (0.5, 0.95, 1)))


def hearing_alone(recordings: Recordings) -> None:
    chance = random.Random(1)
    frames = [frame for _ in range(200) for frame in chance.choice(recordings.all).frames]
    listener, started = Listener(recordings), time.process_time()
    for position, frame in enumerate(frames):
        listener.feed(position & 0xFFFF, 1, frame, position * 0.02)
    cost = (time.process_time() - started) / len(frames) * FRAMES_PER_MINUTE
    say(f"hearing alone: {cost:.4f} CPU s per minute of audio ({len(frames)} packets)")


async def whole_calls(server: AsteriskServer, recordings: Recordings, calls: int) -> None:
    chance, lasted = random.Random(2), 0.0
    answers: list[float] = []
    failures: list[str] = []

    async def one(_: int) -> None:
        nonlocal lasted
        plan = [f"p{chance.randrange(PROMPTS)}" for _ in range(PROMPTS_PER_CALL)]
        try:
            async with phone.dial("play" + "-".join(plan)) as caller:
                await caller.hear(*plan)
                await caller.ended()
                answers.append(((caller.answered_at or 0) - caller.dialled_at) * 1000)
                lasted += (caller.ended_at or 0) - (caller.answered_at or 0)
        except CallError as error:
            failures.append(str(error))

    async with Phone.at(Target("127.0.0.1", server.sip_port), recordings) as phone:
        started = time.process_time()
        await all_of(one, calls, every_ms=RAMP_MS)
        cost = (time.process_time() - started) / lasted * 60
        say(
            f"{calls} calls of {PROMPTS_PER_CALL} prompts: heard wrongly {len(failures)}, answer {percentiles(answers)}"
        )
        say(f"  {cost:.3f} CPU s per minute of call (SIP, RTP both ways, hearing), latest beat {phone.late_ms:.1f} ms")


async def barge_ins(server: AsteriskServer, recordings: Recordings, calls: int) -> None:
    chance = random.Random(3)
    latencies: list[float] = []

    async def one(_: int) -> None:
        async with phone.dial("readp20-p21-p22") as caller:
            await caller.hear_beginning("p20", after_ms=chance.randrange(20, 100))
            (press,) = await caller.press("1")
            await caller.hear("p1", others=True)
            cut = caller.sounds[0]
            latencies.append((cut.ended_at - (press.ended_at or 0)) * 1000)

    async with Phone.at(Target("127.0.0.1", server.sip_port), recordings) as phone:
        await all_of(one, calls, every_ms=RAMP_MS)
    say(f"{calls} barge-ins into Read, first end packet to end of sound: {percentiles(latencies)}")


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    with tempfile.TemporaryDirectory() as folder:
        sounds = Path(folder) / "sounds"
        write_sounds(sounds, PROMPTS, frames=(10, 25), silent_tail=2)
        recordings = Recordings.load(sounds)
        hearing_alone(recordings)
        with asterisk_with(Path(folder) / "asterisk", DIALPLAN, sounds) as server:
            uvloop.run(whole_calls(server, recordings, calls))
            uvloop.run(barge_ins(server, recordings, calls))


if __name__ == "__main__":
    main()
