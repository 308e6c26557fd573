"""Agents at their telephones, and people who say something that can be recognised at the other end."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Sequence
from typing import Final

from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.recognise import Kind
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.rtp import PCMU, RtpPacket, build_rtp, parse_rtp
from ivr_engine.testcaller.sip import Account
from ivr_engine.testcaller.telephone import Telephone
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline
from tests.waiting import until

REACHABLE_WITHIN_S: Final = 10.0
POLL_S: Final = 0.02

WELCOME: Final = PromptName(Language.MANDARIN, "welcome")
ENGLISH_KEY: Final = "3"
HUMAN_KEY: Final = "0"


@contextlib.asynccontextmanager
async def at_work(hotline: RunningHotline, recordings: Recordings, name: str) -> AsyncIterator[Telephone]:
    """Yield an agent's telephone that the hotline can ring; it is signed off on leaving."""
    account = Account(name, hotline.secrets.agents[name])
    async with Telephone.at(hotline.target, recordings) as phone:
        await phone.register(account)
        await asterisk_says(hotline, name, "Not in use")
        try:
            yield phone
        finally:
            phone.silent = False
            await phone.register(account, expires_s=0)
            await asterisk_says(hotline, name, "Unavailable")


async def asterisk_says(hotline: RunningHotline, agent: str, state: str) -> float:
    """Wait until Asterisk shows an agent's telephone in this state, and return the seconds."""

    async def shown() -> bool:
        return state in await console(hotline, f"pjsip show endpoint {agent}")

    return await until(shown, f"{agent} is {state}", within_s=REACHABLE_WITHIN_S)


async def console(hotline: RunningHotline, command: str) -> str:
    """Ask Asterisk's console while calls go on."""
    return await asyncio.to_thread(hotline.asterisk, command)


async def nothing_left(hotline: RunningHotline) -> None:
    """Wait until Asterisk has no channel, and the engine no call."""

    async def no_channels() -> bool:
        return "0 active channels" in await console(hotline, "core show channels count")

    await until(no_channels, "no channel is left", within_s=10)
    assert hotline.metric("ivr_calls_live") == 0


async def ask_for_human(caller: Caller) -> None:
    """Choose English and press 0 without listening to menus."""
    await caller.hear_beginning(WELCOME)
    await caller.press(ENGLISH_KEY)
    await caller.hear_beginning(PromptName(Language.ENGLISH, "main_menu"), others=True)
    await caller.press(HUMAN_KEY)


def music_ms(caller: Caller) -> int:
    """Return how much hold music somebody has heard."""
    return sum(stretch.heard_ms for stretch in caller.heard if stretch.kind is Kind.MUSIC)


async def joined(*people: Caller) -> None:
    """Wait until each of these hears the silence of the other: Asterisk has joined them, and no word is lost now."""
    since = people[0].now()

    def hear_silence() -> bool:
        last = [person.heard[-1:] for person in people]
        return all(stretch and stretch[0].kind is Kind.SILENCE and stretch[0].ended_at > since for stretch in last)

    await until(hear_silence, "each hears the other", within_s=8)


async def rate(caller: Caller) -> None:
    """Answer the question that is asked when an agent has left."""
    await caller.hear_beginning(PromptName(Language.ENGLISH, "survey"), others=True)
    await caller.press("5")


def clip(recordings: Recordings, prompt: str) -> Sequence[bytes]:
    """Return a recording's frames, to be spoken by a person in a test."""
    return recordings.named(PromptName(Language.ENGLISH, prompt)).frames


async def serve_one(desk: Telephone) -> str:
    """Answer the next call, hang up when the caller can be heard, and return the number that was shown."""
    async with desk.pick_up(within_ms=15_000) as agent:
        await joined(agent)
    return desk.shown_number


class Voice:
    """Lets a person in a call say recordings instead of silence; keys are sent as before."""

    def __init__(self, caller: Caller) -> None:
        self._frames: deque[bytes] = deque()
        self._send = caller._send_rtp
        caller._send_rtp = self._speak

    def say(self, frames: Sequence[bytes]) -> None:
        """Say this next."""
        self._frames.extend(frames)

    def _speak(self, datagram: bytes) -> None:
        packet = parse_rtp(datagram)
        if packet.payload_type == PCMU and self._frames:
            frame = self._frames.popleft()
            packet = RtpPacket(
                packet.payload_type, packet.marker, packet.sequence, packet.timestamp, packet.source, frame
            )
            datagram = build_rtp(packet)
        self._send(datagram)
