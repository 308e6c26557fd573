"""Count keys: many callers press random keys at random moments, and every key has to reach the engine.

Knows how callers press and what the hotline says that it took. The hotline runs a flow that reads balances out, offers
menus and asks a bank that is slow, so that keys fall into prompts, joints, bank operations and between steps.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ivr_engine.adapters.bank.demo import CUSTOMERS
from ivr_engine.testcaller.caller import BARGE_IN_WITHIN_MS, Caller, CallError
from ivr_engine.testcaller.many import PLAIN_KEYS, all_of
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recognise import Heard, Kind
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.rtp import Tone
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.campaigns.slow_bank import SlowBank, slow_bank

FLOWS: Final = Path(__file__).parent / "flows"
TAKEN: Final = "ivr_keys_taken_total"
LIVE: Final = "ivr_calls_live"
SETTLE_MS: Final = 1500
"""Before hanging up: longer than every silence after which the flow takes what was typed."""
SETTLED_WITHIN_S: Final = 10.0
TONES: Final = (Tone(tone_ms=40), Tone(tone_ms=60), Tone(tone_ms=80), Tone(tone_ms=120))
PAUSE_MS_MAX: Final = 400


def en(prompt: str) -> PromptName:
    """Name an English recording."""
    return PromptName(Language.ENGLISH, prompt)


@dataclass(frozen=True, slots=True)
class KeysPlan:
    """How many calls, how many at once, and how many keys each presses after signing in.

    Beside them `listeners` call, who sign in and only listen to their balance.
    """

    calls: int
    at_once: int
    keys: int
    listeners: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """A recording that a key stopped: ms of sound after the key's first packet, and after its first end packet."""

    tone_ms: float
    after_press_ms: float
    after_release_ms: float


@dataclass(slots=True)
class KeysResult:
    """What was sent and taken; `joints_ms` are times without a packet between two recordings of one read-out."""

    sent: int = 0
    taken: int = 0
    failures: list[str] = field(default_factory=list)
    joints_ms: list[float] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    late_ms: float = 0.0

    def summary(self) -> str:
        """Return the figures in one line."""
        joints = f"{len(self.joints_ms)} joints, longest {max(self.joints_ms, default=0):.1f} ms"
        released = sorted(stop.after_release_ms for stop in self.stops)
        pressed = sorted(stop.after_press_ms for stop in self.stops)
        stops = f"{len(released)} stops"
        if released:
            middle = len(released) // 2
            stops += (
                f", ms after the release: median {released[middle]:.1f}, longest {released[-1]:.1f};"
                f" after the press: median {pressed[middle]:.1f}, longest {pressed[-1]:.1f}"
            )
        return (
            f"sent={self.sent} taken={self.taken} lost={self.sent - self.taken} failures={len(self.failures)};"
            f" {joints}; {stops}; callers' clock late by {self.late_ms:.1f} ms at most"
        )


@contextmanager
def hotline_of_keys(*, bank_delay_s: float) -> Iterator[tuple[RunningHotline, SlowBank]]:
    """Run a hotline with the flow of keys and a bank that takes its time."""
    with (
        tempfile.TemporaryDirectory(prefix="ivr-bank-") as folder,
        slow_bank(Path(folder), delay_s=bank_delay_s) as bank,
        running_hotline(bank_url=bank.url, flows_dir=str(FLOWS), first_flow="keys") as hotline,
    ):
        bank.open(hotline.secrets.bank_token)
        yield hotline, bank


async def press_keys(hotline: RunningHotline, bank: SlowBank, recordings: Recordings, plan: KeysPlan) -> KeysResult:
    """Place the calls and press; return when the hotline has counted."""
    result = KeysResult()
    before = hotline.metric(TAKEN)
    free = asyncio.Semaphore(plan.at_once)
    async with Phone.at(hotline.target, recordings) as phone:

        async def one(position: int) -> None:
            chance = random.Random(f"{plan.seed}/{position}")
            async with free, phone.dial(hotline.number, caller=f"139{position:08d}") as caller:
                try:
                    await caller.wait(chance.randrange(SETTLE_MS))
                    await _sign_in(caller, bank, chance)
                    if position < plan.listeners:
                        result.joints_ms += await _joints_heard(caller)
                    else:
                        await _press(caller, chance, plan.keys)
                        await caller.wait(SETTLE_MS)
                except CallError as error:
                    result.failures.append(str(error))
                result.sent += sum(press.ended_at is not None for press in caller.presses)
                if caller.call.ended_by is not None:
                    result.failures.append(f"the hotline hung up\n{caller.story()}")
                result.stops += _stops(caller)

        await all_of(one, plan.listeners + plan.calls, every_ms=50)
        result.late_ms = phone.late_ms
    await asyncio.to_thread(
        hotline.wait_until, lambda: hotline.metric(LIVE) == 0, "all calls have ended", SETTLED_WITHIN_S
    )
    result.taken = round(hotline.metric(TAKEN) - before)
    return result


async def _sign_in(caller: Caller, bank: SlowBank, chance: random.Random) -> None:
    customer = chance.choice(CUSTOMERS).number
    await caller.press(f"{customer}#")
    await caller.press(bank.pin(customer))


async def _press(caller: Caller, chance: random.Random, keys: int) -> None:
    for _ in range(keys):
        tone = chance.choice(TONES)
        await caller.press(chance.choice(PLAIN_KEYS), every_ms=tone.shortest_every_ms, tone=tone)
        await caller.wait(chance.randrange(PAUSE_MS_MAX))


# --- What the audio tells --------------------------------------------------------------------------------


async def _joints_heard(caller: Caller) -> list[float]:
    """Hear a balance to its end; return the times in ms without a packet between its recordings."""
    await caller.hear_beginning(en("your_balance_is"), others=True)
    await caller.hear_beginning(en("transfer_from_intro"), others=True)
    heard = caller.heard
    first = next(at for at, stretch in enumerate(heard) if stretch.could_be(en("your_balance_is")))
    last = next(at for at, stretch in enumerate(heard) if stretch.could_be(en("transfer_from_intro")))
    for stretch in heard[first:last]:
        if stretch.kind is not Kind.PROMPT or not stretch.complete or stretch.lost:
            raise CallError(f"a balance is recordings joined without a gap, but {stretch} was heard\n{caller.story()}")
    return [stretch.gap_ms or 0.0 for stretch in heard[first:last]]


def _stops(caller: Caller) -> list[Stop]:
    cut = (stretch for stretch in caller.heard[:-1] if stretch.kind is Kind.PROMPT and not stretch.complete)
    return [stop for stop in (_stop(caller, stretch) for stretch in cut) if stop is not None]


def _stop(caller: Caller, cut: Heard) -> Stop | None:
    """Find the key that stopped this: the last that had begun by then and was released around then."""
    for press in reversed(caller.presses):
        if press.began_at is None or press.ended_at is None or press.began_at > cut.ended_at:
            continue
        after_release_ms = (cut.ended_at - press.ended_at) * 1000
        if press.ended_at < cut.began_at or after_release_ms > BARGE_IN_WITHIN_MS:
            return None
        tone_ms = (press.ended_at - press.began_at) * 1000
        return Stop(tone_ms, (cut.ended_at - press.began_at) * 1000, after_release_ms)
    return None


def main() -> int:
    """Run the campaign; return 1 when a key was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--keys", type=int, default=50, help="keys of each call, beside those of its sign-in")
    parser.add_argument("--listeners", type=int, default=3, help="calls that only listen, to measure joints")
    parser.add_argument("--bank-delay-ms", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    plan = KeysPlan(given.calls, given.at_once, given.keys, given.listeners, given.seed)
    with hotline_of_keys(bank_delay_s=given.bank_delay_ms / 1000) as (hotline, bank):
        result = asyncio.run(press_keys(hotline, bank, Recordings.load(hotline.sounds), plan))
    sys.stdout.write("".join(f"{failure}\n" for failure in result.failures))
    sys.stdout.write(f"{result.summary()}\n")
    return int(result.sent != result.taken or bool(result.failures))


if __name__ == "__main__":
    sys.exit(main())
