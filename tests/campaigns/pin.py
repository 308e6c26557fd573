"""Type PINs in many calls, then search for them in everything that the hotline wrote, said or kept.

Knows how callers type PINs and where a hotline could leave them. The flows are those of the project, but for the length
of the PIN: 12 digits instead of 6, so that none is found by chance.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sqlite3
import sys
import tempfile
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from ivr_engine.adapters.bank.demo import CUSTOMERS
from ivr_engine.adapters.bank.embedded import EmbeddedCore
from ivr_engine.adapters.store.database import Database
from ivr_engine.app.engine import MEMORY_FOLDER
from ivr_engine.app.settings import PROJECT
from ivr_engine.testcaller.caller import Caller, CallError
from ivr_engine.testcaller.many import all_of
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.ports import free_ports
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.testcaller.rtp import Tone
from ivr_engine.values.clock import SystemClock
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.language import Language
from ivr_engine.values.secret import SecretDigits
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.asterisk.leaks import PIN_DIGITS, WINDOW, Canaries, Leak, records_of_ami, records_of_log
from tests.campaigns.ami_tape import TAPE_HOST, AmiTape, ami_tape

LIVE: Final = "ivr_calls_live"
ENDED_WITHIN_S: Final = 10.0
MIDDLE_MS: Final = 300
EVERY_MS: Final = 140
TONE: Final = Tone(tone_ms=60)


def en(prompt: str) -> PromptName:
    return PromptName(Language.ENGLISH, prompt)


@dataclass(slots=True)
class PinCalls:
    """Which PINs were typed so far, and what did not go as planned."""

    chance: random.Random
    typed: list[str] = field(default_factory=list)
    customers: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def new_pin(self) -> str:
        """Make a PIN that somebody is going to type."""
        self.typed.append("".join(self.chance.choices("0123456789", k=PIN_DIGITS)))
        return self.typed[-1]


@contextmanager
def hotline_of_pins() -> Iterator[tuple[RunningHotline, AmiTape]]:
    """Run a hotline that logs as much as it can, with long PINs, and a tape of what its engine and Asterisk say."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="ivr-flows-") as folder, ami_tape(port) as tape:
        flows = Path(folder) / "flows"
        shutil.copytree(PROJECT / "flows", flows)
        sign_in = flows / "library" / "sign_in.yaml"
        text = sign_in.read_text(encoding="utf-8")
        sign_in.write_text(text.replace("length: 6\n", f"length: {PIN_DIGITS}\n"), encoding="utf-8")
        with running_hotline(
            flows_dir=str(flows),
            log_level="debug",
            ami_host=TAPE_HOST,
            ami_port=str(port),
            engine_id=f"engine-{port}",  # names the engine's folder in memory
        ) as hotline:
            yield hotline, tape


async def give_long_pins(hotline: RunningHotline, calls: PinCalls) -> None:
    """Give every demonstration customer a PIN of 12 digits."""
    database = Database(hotline.settings.database)
    core = EmbeddedCore(database, pin_key=bytes.fromhex(hotline.secrets.pin_key), clock=SystemClock())
    for customer in CUSTOMERS:
        calls.customers[str(customer.number)] = calls.new_pin()
        await core.set_pin(CustomerNumber(customer.number), SecretDigits(calls.customers[customer.number].encode()))
    await database.close()


# --- How callers type --------------------------------------------------------------------------------------


async def _begin(caller: Caller, number: str) -> None:
    await caller.hear_beginning(PromptName(Language.MANDARIN, "welcome"), after_ms=100)
    await caller.press("3")
    await caller.hear_beginning(en("main_menu"), after_ms=100)
    await caller.press("1")
    await caller.hear_beginning(en("enter_customer_number"), after_ms=100)
    await caller.press(f"{number}#", every_ms=EVERY_MS, tone=TONE)
    await caller.hear_beginning(en("enter_pin"), after_ms=100)


async def _type(caller: Caller, pin: str, *, end: str = "") -> None:
    await caller.press(SecretDigits(f"{pin}{end}".encode()), every_ms=EVERY_MS, tone=TONE)


async def _right(caller: Caller, calls: PinCalls) -> None:
    number = calls.chance.choice(list(calls.customers))
    await _begin(caller, number)
    await _type(caller, calls.customers[number])
    await caller.hear_beginning(en("press_1"), after_ms=MIDDLE_MS, others=True)
    await caller.press("1")
    await caller.hear_beginning(en("your_balance_is"), others=True)


async def _wrong(caller: Caller, calls: PinCalls) -> None:
    await _begin(caller, _unknown(calls))
    await _type(caller, calls.new_pin())
    await caller.hear_beginning(en("sign_in_refused"), after_ms=MIDDLE_MS)


async def _gone_in_the_middle(caller: Caller, calls: PinCalls) -> None:
    await _begin(caller, _unknown(calls))
    await _type(caller, calls.new_pin()[: calls.chance.randint(WINDOW, PIN_DIGITS - 1)])


async def _typed_ahead(caller: Caller, calls: PinCalls) -> None:
    await caller.hear_beginning(PromptName(Language.MANDARIN, "welcome"), after_ms=100)
    await _type(caller, f"31{_unknown(calls)}#{calls.new_pin()}")
    await caller.hear_beginning(en("sign_in_refused"), after_ms=MIDDLE_MS, others=True)


async def _too_short_first(caller: Caller, calls: PinCalls) -> None:
    await _begin(caller, _unknown(calls))
    pin = calls.new_pin()
    await _type(caller, pin[:WINDOW], end="#")
    await caller.hear_beginning(en("too_short"), after_ms=MIDDLE_MS)
    await _type(caller, pin, end="#")
    await caller.hear_beginning(en("sign_in_refused"), after_ms=MIDDLE_MS)


def _unknown(calls: PinCalls) -> str:
    return f"7{calls.chance.randrange(10**6):06d}"


WAYS: Final[Sequence[Callable[[Caller, PinCalls], Awaitable[None]]]] = (
    _right,
    _wrong,
    _gone_in_the_middle,
    _typed_ahead,
    _too_short_first,
)


async def type_pins(
    hotline: RunningHotline, recordings: Recordings, calls: PinCalls, *, number: int, at_once: int
) -> None:
    """Place so many calls, each way of typing in turn; return when they have ended."""
    free = asyncio.Semaphore(at_once)
    async with Phone.at(hotline.target, recordings) as phone:

        async def one(position: int) -> None:
            async with free, phone.dial(hotline.number, caller="13600000000") as caller:
                try:
                    await WAYS[position % len(WAYS)](caller, calls)
                except CallError as error:
                    calls.failures.append(str(error))

        await all_of(one, number, every_ms=60)
    await asyncio.to_thread(hotline.wait_until, lambda: hotline.metric(LIVE) == 0, "all calls ended", ENDED_WITHIN_S)


# --- Where PINs could be left ------------------------------------------------------------------------------


def sinks(hotline: RunningHotline, tape: AmiTape) -> Mapping[str, bytes]:
    """Return what the hotline wrote, said and kept, by place."""
    found = {
        "AMI, to the engine": bytes(tape.from_asterisk),
        "AMI, from the engine": bytes(tape.from_engine),
        "database, its rows": _rows(hotline),
    }
    with urllib.request.urlopen(f"http://{hotline.settings.web_host}:{hotline.settings.web_port}/metrics") as answer:
        found["metrics"] = answer.read()
    state = hotline.settings.state_dir
    for path in sorted(hotline.folder.rglob("*")):
        if path.is_file() and state / "sounds" not in path.parents:
            found[f"file {path.relative_to(hotline.folder)}"] = path.read_bytes()
    for path in _memory_folder(hotline):
        found[f"memory {path.name}"] = path.read_bytes()
    found["names of files"] = "\n".join(map(str, [*hotline.folder.rglob("*"), *_memory_folder(hotline)])).encode()
    return MappingProxyType(found)


def search(canaries: Canaries, places: Mapping[str, bytes]) -> set[Leak]:
    """Return every find, with every detector that fits a place."""
    leaks = set()
    for where, data in places.items():
        leaks |= canaries.found_in(data, where)
        if where.startswith("AMI"):
            leaks |= canaries.found_in_events(records_of_ami(data), where)
        elif not where.startswith("memory") and not data.startswith(b"SQLite"):
            leaks |= canaries.found_in_events(records_of_log(data.decode("utf-8", "replace")), where)
    return leaks


def _rows(hotline: RunningHotline) -> bytes:
    """Return all rows of all tables as text: what a customer of the database sees."""
    connection = sqlite3.connect(f"file:{hotline.settings.state_dir / 'hotline.db'}?mode=ro", uri=True)
    try:
        return "\n".join(connection.iterdump()).encode()
    finally:
        connection.close()


def _memory_folder(hotline: RunningHotline) -> list[Path]:
    """Return the files in the engine's own folder in memory."""
    folders = MEMORY_FOLDER.glob(f"ivr-{hotline.settings.engine_id}-*")
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def main() -> int:
    """Run the campaign; return 1 when a PIN was found anywhere."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    parser.add_argument("--at-once", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    calls = PinCalls(random.Random(given.seed))
    with hotline_of_pins() as (hotline, tape):
        asyncio.run(give_long_pins(hotline, calls))
        recordings = Recordings.load(hotline.sounds)
        asyncio.run(type_pins(hotline, recordings, calls, number=given.calls, at_once=given.at_once))
        places = sinks(hotline, tape)
    leaks = search(Canaries(calls.typed), places)
    sys.stdout.write("".join(f"{failure}\n" for failure in calls.failures))
    sys.stdout.write("".join(f"{leak}\n" for leak in sorted(leaks, key=str)))
    size = sum(map(len, places.values()))
    sys.stdout.write(
        f"calls={given.calls} failures={len(calls.failures)} pins={len(calls.typed)} places={len(places)}"
        f" bytes={size} found={len(leaks)}\n"
    )
    return int(bool(leaks) or bool(calls.failures))


if __name__ == "__main__":
    sys.exit(main())
