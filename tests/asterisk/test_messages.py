"""A caller asks for a text message over a real call, and a one-time code stands in its message and nowhere else."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from ivr_engine.speech import writing
from ivr_engine.testcaller.caller import Caller
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.asterisk.test_balance import first_account

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

GRACE = "100003"
MOBILE = "13900000003"
NEW_PIN = "580274"


@pytest.fixture(scope="module")
def pin_service() -> Iterator[RunningHotline]:
    with running_hotline(first_flow="pin_service") as running:
        yield running


def english(*prompts: str) -> list[PromptName]:
    return [PromptName(Language.ENGLISH, prompt) for prompt in prompts]


async def sign_in(hotline: RunningHotline, caller: Caller, *, menu: str) -> None:
    await caller.hear(PromptName(Language.MANDARIN, "welcome"))
    await caller.press("3")
    await caller.hear(*english(menu), others=True)
    await caller.press("1")
    await caller.hear(*english("enter_customer_number"))
    await caller.press(f"{GRACE}#")
    await caller.hear(*english("enter_pin"))
    await caller.press(hotline.pin(GRACE))


def messages(hotline: RunningHotline) -> list[tuple[object, ...]]:
    return hotline.rows(
        "SELECT medium, message, language, address, text, state, attempts FROM outbox_message"
        " WHERE customer_number = ? ORDER BY created_at_ms",
        GRACE,
    )


async def test_caller_hears_that_the_balance_is_on_its_way_and_the_message_waits_with_the_right_text(
    hotline: RunningHotline, recordings: Recordings
) -> None:
    number, booked, available = first_account(hotline, GRACE)
    async with Phone.at(hotline.target, recordings) as phone, phone.dial(hotline.number) as caller:
        await sign_in(hotline, caller, menu="main_menu")
        await caller.hear(*english("press_1"), others=True)
        await caller.press("1")
        await caller.hear(*english("balance_menu"), within_ms=40_000, others=True)
        await caller.press("3")
        await caller.hear(*english("sms_on_its_way"), others=True)
    [(medium, name, language, address, text, state, attempts)] = messages(hotline)
    assert (medium, name, language, address) == ("sms", "balance_by_sms", "en", MOBILE)
    assert (state, attempts) == ("waiting", 0)
    shown = [writing.money(Language.ENGLISH, amount) for amount in (booked, available)]
    assert str(text).startswith(f"Your account ending in {number[-4:]}: balance {shown[0]}, available {shown[1]}, ")
    assert number not in str(text)
    for secret in (MOBILE, shown[0], "Your account ending"):
        assert secret not in hotline.log


async def test_one_time_code_and_new_pin_are_nowhere_when_they_have_been_used(
    pin_service: RunningHotline, recordings: Recordings
) -> None:
    hotline = pin_service
    async with Phone.at(hotline.target, recordings) as phone, phone.dial(hotline.number) as caller:
        await sign_in(hotline, caller, menu="pin_service_menu")
        await caller.hear(*english("code_intro", "enter_code"), others=True)
        [(_, name, _, address, text, _, _)] = messages(hotline)
        assert (name, address) == ("code_by_sms", MOBILE)
        code = re.findall(r"\b[0-9]{6}\b", str(text))[0]
        assert places_of(hotline, code) == ["outbox_message"]  # and it can be found where it is
        await caller.press(code)
        await caller.hear(*english("enter_new_pin"), others=True)
        await caller.press(NEW_PIN)
        await caller.hear(*english("enter_new_pin_again"), others=True)
        await caller.press(NEW_PIN)
        await caller.hear(*english("pin_changed"), others=True)
    used, told = messages(hotline)
    assert (used[3], used[4], used[5]) == ("", "", "expired")
    assert told[1] == "pin_changed_by_sms"
    hotline.wait_until(lambda: "call_ended" in hotline.log, "the call has ended", 10.0)
    assert places_of(hotline, code) == []
    assert places_of(hotline, NEW_PIN) == []


def places_of(hotline: RunningHotline, digits: str) -> list[str]:
    """Return the tables and the files in which these digits stand as a number of their own.

    The database is looked at by its rows: what SQLite has overwritten it may keep in its file until it needs the space.
    """
    number = re.compile(rf"(?<![0-9.]){digits}(?![0-9])")
    opened = sqlite3.connect(f"file:{hotline.settings.state_dir / 'hotline.db'}?mode=ro", uri=True)
    with closing(opened) as connection:
        lines = [line for line in connection.iterdump() if number.search(line)]
    found = [re.findall(r'INSERT INTO "?(\w+)', line)[0] for line in lines]
    for path in sorted(hotline.folder.rglob("*")):
        is_database = path.name.startswith("hotline.db")
        if path.is_file() and not is_database and hotline.settings.sounds_dir not in path.parents:
            content = path.read_bytes().decode("latin-1")
            if number.search(content):
                found.append(str(path.relative_to(hotline.folder)))
    return found
