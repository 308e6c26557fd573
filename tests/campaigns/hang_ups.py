"""Hang up at any moment, many times, and see that nothing of a call is left anywhere.

Knows callers who leave, and where a call leaves traces: Asterisk's channels, the engine's files, threads and memory,
the records, the joined recordings.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.adapters.bank.demo import CUSTOMERS
from ivr_engine.app.engine import MEMORY_FOLDER
from ivr_engine.testcaller.caller import Caller, CallError
from ivr_engine.testcaller.many import all_of
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.ports import free_ports
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.rtp import Tone
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.campaigns.slow_bank import SlowBank, slow_bank

SETTLED_WITHIN_S: Final = 20.0
LOOKS: Final = 5
"""A hotline is at rest when so many looks in a row are alike."""
HUNG_UP: Final = "caller_hung_up"
MIDDLE_MS: Final = 200
LEAVE_WITHIN_S: Final = 7.0
EVERY_MS: Final = 140
TONE: Final = Tone(tone_ms=60)
FAULTS: Final = re.compile(r"call_session_failed|flow_failed|agi_handler_bug|agi_session_broken|Traceback|exception")


def en(prompt: str) -> PromptName:
    """Name an English recording."""
    return PromptName(Language.ENGLISH, prompt)


@dataclass(frozen=True, slots=True)
class Traces:
    """What a hotline holds: everything but memory has to be the same again when all callers have left.

    Connections to a database file, each with a thread, are a pool of the engine's and are counted apart.
    """

    channels: int
    calls_live: int
    open_records: int
    joined_files: int
    engine_files: int
    engine_threads: int
    asterisk_files: int
    asterisk_threads: int


@contextmanager
def hotline_of_hang_ups(*, bank_delay_s: float) -> Iterator[tuple[RunningHotline, SlowBank]]:
    """Run the hotline with a bank that is slow enough to hang up while it works."""
    (unique,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory(prefix="ivr-bank-") as folder,
        slow_bank(Path(folder), delay_s=bank_delay_s) as bank,
        # The engine's name names its folder in memory.
        running_hotline(bank_url=bank.url, engine_id=f"engine-{unique}") as hotline,
    ):
        bank.open(hotline.secrets.bank_token)
        yield hotline, bank


# --- Traces --------------------------------------------------------------------------------------------------


def traces(hotline: RunningHotline) -> Traces:
    """Look everywhere; at the engine's files first, for asking it for its metrics opens one for a moment."""
    engine, asterisk = Path(f"/proc/{hotline.engine_pid}"), Path(f"/proc/{_asterisk_pid(hotline)}")
    names = _open_files(engine)
    pool = sum("hotline.db" in name and not name.endswith(("-wal", "-shm")) for name in names)
    threads = _count(engine / "task") - pool
    ((open_records,),) = hotline.rows("SELECT count(*) FROM call WHERE ended_at_ms IS NULL OR end_reason IS NULL")
    return Traces(
        channels=hotline.channels(),
        calls_live=round(hotline.metric("ivr_calls_live")),
        open_records=int(str(open_records)) + round(hotline.metric("ivr_journal_rows_waiting")),
        joined_files=len(_joined(hotline)),
        engine_files=sum("hotline.db" not in name for name in names),
        engine_threads=threads,
        asterisk_files=len(_open_files(asterisk)),
        asterisk_threads=_count(asterisk / "task"),
    )


def settle(hotline: RunningHotline, baseline: Traces) -> Traces:
    """Look until the traces are those of `baseline`, or time is up; return the last."""
    seen: list[Traces] = []

    def as_before() -> bool:
        seen.append(traces(hotline))
        return seen[-1] == baseline

    with suppress(AssertionError):
        hotline.wait_until(as_before, "the traces of all calls are gone", SETTLED_WITHIN_S)
    return seen[-1]


def baseline_of(hotline: RunningHotline) -> Traces:
    """Return the traces of a hotline that has had calls and has none now, as soon as they stay the same."""
    seen: list[Traces] = []

    def at_rest() -> bool:
        seen.append(traces(hotline))
        now = seen[-1]
        idle = not (now.channels or now.calls_live or now.open_records or now.joined_files)
        return idle and len(seen) >= LOOKS and set(seen[-LOOKS:]) == {now}

    hotline.wait_until(at_rest, "the hotline is at rest", SETTLED_WITHIN_S)
    return seen[-1]


def resident_kib(hotline: RunningHotline) -> int:
    """Return the engine's memory (VmRSS)."""
    status = Path(f"/proc/{hotline.engine_pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])


def faults(hotline: RunningHotline) -> list[str]:
    """Return the lines of the hotline's log that tell of a fault."""
    return [line for line in hotline.log.splitlines() if FAULTS.search(line)]


def reasons(hotline: RunningHotline) -> Counter[str]:
    """Return how many calls ended for which reason."""
    return Counter(str(reason) for (reason,) in hotline.rows("SELECT end_reason FROM call"))


def _asterisk_pid(hotline: RunningHotline) -> int:
    return int((hotline.settings.run_dir / "run" / "asterisk.pid").read_text())


def _count(folder: Path) -> int:
    return len(list(folder.iterdir()))


def _open_files(process: Path) -> list[str]:
    names = []
    for link in (process / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            names.append(str(link.readlink()))
    return names


def _joined(hotline: RunningHotline) -> list[Path]:
    return list(MEMORY_FOLDER.glob(f"ivr-{hotline.settings.engine_id}-*/call-*"))


# --- Callers --------------------------------------------------------------------------------------------------


async def dialogue(caller: Caller, customer: str, pin: SecretDigits) -> None:
    """Hear a balance and some transactions, as a quick customer does."""
    await caller.hear_beginning(PromptName(Language.MANDARIN, "welcome"), after_ms=MIDDLE_MS)
    await caller.press("3")
    await caller.hear_beginning(en("main_menu"), after_ms=MIDDLE_MS)
    await caller.press("1")
    await caller.hear_beginning(en("enter_customer_number"), after_ms=MIDDLE_MS)
    await caller.press(f"{customer}#", every_ms=EVERY_MS, tone=TONE)
    await caller.hear_beginning(en("enter_pin"), after_ms=MIDDLE_MS)
    await caller.press(pin, every_ms=EVERY_MS, tone=TONE)
    await caller.hear_beginning(en("press_1"), after_ms=MIDDLE_MS, others=True)
    await caller.press("1")
    await caller.hear_beginning(en("your_balance_is"), others=True)
    await caller.press("1")
    await caller.hear_beginning(en("balance_menu"), after_ms=MIDDLE_MS, others=True)
    await caller.press("9")
    await caller.hear_beginning(en("main_menu"), after_ms=MIDDLE_MS, others=True)
    await caller.press("2")
    await caller.hear_beginning(en("press_1"), others=True)
    await caller.press("1")
    await caller.hear_beginning(en("on_date"), others=True)
    await caller.ended(within_ms=60_000)


async def leave_at_random(
    hotline: RunningHotline, bank: SlowBank, recordings: Recordings, *, calls: int, at_once: int, seed: int
) -> None:
    """Place calls that follow the dialogue and hang up at a random instant of it, also before the answer."""
    free = asyncio.Semaphore(at_once)
    async with Phone.at(hotline.target, recordings) as phone:

        async def one(position: int) -> None:
            chance = random.Random(f"{seed}/{position}")
            async with free, phone.ring(hotline.number, caller=f"138{position:08d}") as caller:
                with suppress(TimeoutError):
                    async with asyncio.timeout(chance.uniform(0, LEAVE_WITHIN_S)):
                        await caller.answered()
                        # Not all as one customer: five attempts that are being judged lock him for a moment.
                        customer = CUSTOMERS[position % len(CUSTOMERS)].number
                        await dialogue(caller, customer, bank.pin(customer))
                caller.hang_up()

        await all_of(one, calls)


def main() -> int:
    """Run the campaign; return 1 when something was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=30)
    parser.add_argument("--bank-delay-ms", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with hotline_of_hang_ups(bank_delay_s=given.bank_delay_ms / 1000) as (hotline, bank):
        recordings = Recordings.load(hotline.sounds)
        at_once = given.at_once
        asyncio.run(leave_at_random(hotline, bank, recordings, calls=2 * at_once, at_once=at_once, seed=-1))
        before, memory = baseline_of(hotline), resident_kib(hotline)
        asyncio.run(leave_at_random(hotline, bank, recordings, calls=given.calls, at_once=at_once, seed=given.seed))
        after = settle(hotline, before)
        grown = resident_kib(hotline) - memory
        sys.stdout.write(f"before {before}\nafter  {after}\n{dict(reasons(hotline))}\n")
        sys.stdout.write("".join(f"{line}\n" for line in faults(hotline)))
        sys.stdout.write(f"calls={given.calls} memory grew by {grown} KiB\n")
        return int(after != before or bool(faults(hotline)) or set(reasons(hotline)) != {HUNG_UP})


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CallError as error:
        sys.exit(str(error))
