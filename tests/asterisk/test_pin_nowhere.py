"""PINs typed in real calls are found nowhere afterwards; and every detector finds one where it was put on purpose."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import random
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

import pytest

from ivr_engine.testcaller.recordings import Recordings
from tests.asterisk.hotline import RunningHotline
from tests.asterisk.leaks import PIN_DIGITS, Canaries, Leak, records_of_ami, records_of_log
from tests.campaigns.ami_tape import AmiTape
from tests.campaigns.pin import PinCalls, give_long_pins, hotline_of_pins, search, sinks, type_pins

CALLS: Final = 30
CONTROL_CALLS: Final = 3
RECONNECTED_WITHIN_S: Final = 15.0
PIN: Final = "829304715566"
KEYS_IN_EVENTS: Final = "keys in events"


# --- Detectors: each form, put into the middle of a log --------------------------------------------------


def digest(name: str) -> bytes:
    return hashlib.new(name, PIN.encode()).digest()


FORMS: Final[Mapping[str, bytes]] = MappingProxyType(
    {
        "in a line of a log": f'{{"event": "pin", "keys": "{PIN}"}}'.encode(),
        "in a longer number": f"4711{PIN}4711".encode(),
        "only begun": PIN[:10].encode(),
        "reversed": PIN[::-1].encode(),
        "spaced": " ".join(PIN).encode(),
        "as a list": str(list(PIN)).encode(),
        "one a line": "\n".join(PIN).encode(),
        "UTF-16, little end first": PIN.encode("utf-16-le"),
        "UTF-16, big end first": PIN.encode("utf-16-be"),
        "hexadecimal": PIN.encode().hex().encode(),
        "hexadecimal, spaced": PIN.encode().hex(" ").encode(),
        "URL encoding": "".join(f"%{ord(key):02X}" for key in PIN).encode(),
        "JSON escapes": "".join(f"\\u{ord(key):04x}" for key in PIN).encode(),
        "Python escapes": "".join(f"\\x{ord(key):02x}" for key in PIN).encode(),
        "list of codes": str(list(PIN.encode())).encode(),
        "packed digits": bytes.fromhex(PIN),
        "base64": base64.b64encode(PIN.encode()),
        "base64, one byte further": base64.b64encode(b"x" + PIN.encode()),
        "base64, two bytes further": base64.b64encode(b"xy" + PIN.encode() + b"z"),
        **{f"{name}, hexadecimal": digest(name).hex().encode() for name in ("md5", "sha1", "sha256", "sha512")},
        **{f"{name}, bytes": digest(name) for name in ("md5", "sha1", "sha256")},
        "sha256, base64": base64.b64encode(digest("sha256")),
    }
)


@pytest.mark.parametrize("form", FORMS)
def test_detector_finds_a_pin_in_this_form(form: str) -> None:
    others = [f"{number:012d}" for number in (111111111111, 909090909090)]
    data = b"\x00\x01 2026-11-23T15:06:03.207060Z " + FORMS[form] + b" 1795446363303\r\n" * 3
    assert {leak.pin for leak in Canaries([*others, PIN]).found_in(data, "a log")} == {2}


def test_detector_does_not_take_times_and_ids_for_pins() -> None:
    data = b"".join(
        b"%d hotline-%d.%d 01M84F2N57WMFNEPDT6MZZXYWD\n" % (n, n * 7, n) for n in range(10**12, 10**12 + 999)
    )
    assert Canaries([PIN]).found_in(data, "a log") == set()


def test_detector_finds_keys_that_stand_one_in_each_event_of_a_channel_among_other_calls() -> None:
    chance = random.Random(1)
    other = "".join(chance.choices("0123456789", k=PIN_DIGITS))
    lines = []
    for key, other_key in zip(PIN, other, strict=True):
        lines += [
            f"Event: DTMFEnd\r\nChannel: PJSIP/trunk-0000000a\r\nDigit: {key}\r\nDurationMs: 80\r\n\r\n",
            f"Event: DTMFEnd\r\nChannel: PJSIP/trunk-0000000b\r\nDigit: {other_key}\r\nDurationMs: 60\r\n\r\n",
        ]
    found = Canaries([PIN]).found_in_events(records_of_ami("".join(lines).encode()), "AMI")
    assert found == {Leak("AMI", KEYS_IN_EVENTS, 0)}


def test_a_log_with_a_pin_in_it_is_found_and_the_report_does_not_repeat_the_pin() -> None:
    (leak,) = Canaries([PIN]).found_in(f"call_ended pin={PIN}".encode(), "serve.log")
    assert leak == Leak("serve.log", "digits", 0)
    assert PIN not in str(leak)


# --- Real calls --------------------------------------------------------------------------------------------


class Typed(NamedTuple):
    """A hotline in which PINs were typed, and what it wrote, said and kept until then."""

    hotline: RunningHotline
    tape: AmiTape
    calls: PinCalls
    places: Mapping[str, bytes]


@pytest.fixture(scope="module")
def typed() -> Iterator[Typed]:
    with hotline_of_pins() as (hotline, tape):
        calls = PinCalls(random.Random(1))
        asyncio.run(give_long_pins(hotline, calls))
        place(hotline, calls, CALLS)
        yield Typed(hotline, tape, calls, sinks(hotline, tape))


def place(hotline: RunningHotline, calls: PinCalls, number: int) -> None:
    recordings = Recordings.load(hotline.sounds)
    asyncio.run(type_pins(hotline, recordings, calls, number=number, at_once=number))
    assert not calls.failures, "\n".join(calls.failures)


@pytest.mark.asterisk
def test_no_pin_of_thirty_calls_is_found_anywhere(typed: Typed) -> None:
    assert search(Canaries(typed.calls.typed), typed.places) == set()


@pytest.mark.asterisk
def test_search_looked_at_every_place_where_something_is_written_or_said(typed: Typed) -> None:
    places = typed.places
    assert b"call_ended" in places["file serve.log"]
    assert b"Device: PJSIP/trunk" in places["AMI, to the engine"]  # its calls, as far as the engine is told of them
    assert b"Action: Login" in places["AMI, from the engine"]
    assert places["database, its rows"].count(b'INSERT INTO "call" ') >= CALLS
    assert b"ivr_keys_taken_total" in places["metrics"]
    for name in ("state/hotline.db", "state/hotline.db-wal", *(f"state/asterisk-run/log/{log}" for log in LOGS)):
        assert f"file {name}" in places, name


LOGS: Final = ("messages.log", "security.log", "queue_log", "console.log")


@pytest.fixture(scope="module")
def shown(typed: Typed) -> PinCalls:
    """PINs typed while Asterisk shows keys to the engine's manager account and writes them to its log."""
    hotline, tape = typed.hotline, typed.tape
    rewrite(hotline, "manager.conf", show_keys)
    rewrite(hotline, "logger.conf", lambda text: text.replace("messages.log => ", "messages.log => dtmf,"))
    hotline.asterisk("manager reload")
    hotline.asterisk("logger reload")
    connections = tape.connections
    tape.cut()  # what an account may see is settled when it signs in
    hotline.wait_until(
        lambda: tape.connections > connections and hotline.healthy(), "AMI is back", RECONNECTED_WITHIN_S
    )
    calls = PinCalls(random.Random(2), customers=dict(typed.calls.customers))
    place(hotline, calls, CONTROL_CALLS)
    return calls


@pytest.mark.asterisk
def test_a_manager_account_that_may_see_keys_would_be_noticed(typed: Typed, shown: PinCalls) -> None:
    found = Canaries(shown.typed).found_in_events(records_of_ami(bytes(typed.tape.from_asterisk)), "AMI")
    assert {leak.pin for leak in found} == set(range(len(shown.typed)))


@pytest.mark.asterisk
def test_a_log_of_keys_would_be_noticed(typed: Typed, shown: PinCalls) -> None:
    log = (typed.hotline.settings.run_dir / "log" / "messages.log").read_text()
    found = Canaries(shown.typed).found_in_events(records_of_log(log), "messages.log")
    assert {leak.pin for leak in found} == set(range(len(shown.typed)))


def show_keys(text: str) -> str:
    """Return manager.conf with every wall against keys taken down."""
    text = re.sub("^disabledevents = .*$", "disabledevents = TestEvent", text, flags=re.MULTILINE)
    text = re.sub("^eventfilter.*$", "", text, flags=re.MULTILINE)
    return text.replace("read = system", "read = dtmf,system")


def rewrite(hotline: RunningHotline, name: str, change: Callable[[str], str]) -> None:
    """Change a file of Asterisk's configuration; `AssertionError` when there was nothing to change."""
    path = hotline.settings.asterisk_conf_dir / name
    before = path.read_text()
    after = change(before)
    assert after != before
    path.write_text(after)
