"""What is known of a call afterwards: record, steps, log lines; and what machines can read."""

from __future__ import annotations

import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import AsyncIterator

import pytest

from ivr_engine.adapters.store.calls import CallHistory, CallRecord, StepRecord
from ivr_engine.adapters.store.database import Database
from ivr_engine.testcaller.phone import Phone
from ivr_engine.testcaller.recordings import PromptName, Recordings
from ivr_engine.values.ids import CustomerNumber
from ivr_engine.values.language import Language
from tests.asterisk.hotline import RunningHotline, running_hotline
from tests.asterisk.people import WELCOME
from tests.waiting import until

pytestmark = pytest.mark.asterisk

CUSTOMER = "100003"
SIGNED_IN_STEPS = [
    ("hotline", "greet", "say", "said"),
    ("hotline", "ask_language", "run", "entered"),
    ("library/language", "offer", "menu", "key 3"),
    ("library/language", "english", "language", "done"),
    ("library/language", "done", "return", "chosen"),
    ("hotline", "main_menu", "menu", "key 1"),
    ("hotline", "want_balance", "set", "done"),
    ("hotline", "is_signed_in", "if", "no"),
    ("hotline", "sign_in", "run", "entered"),
    ("library/sign_in", "ask_number", "collect", "collected"),
    ("library/sign_in", "ask_pin", "secret", "collected"),
    ("library/sign_in", "check", "do", "signed_in"),
    ("library/sign_in", "done", "return", "signed_in"),
]


@pytest.fixture
async def history(hotline: RunningHotline) -> AsyncIterator[CallHistory]:
    database = Database(hotline.settings.database)
    try:
        yield CallHistory(database)
    finally:
        await database.close()


async def test_the_record_of_a_call_holds_language_customer_end_and_every_step_in_order_but_no_pin(
    hotline: RunningHotline, recordings: Recordings, history: CallHistory
) -> None:
    await sign_in_and_hang_up(hotline, recordings, "13700000901")
    record, steps = await newest_closed(history, "13700000901")

    assert record.language is Language.ENGLISH
    assert record.customer == CustomerNumber(CUSTOMER)
    assert (record.dialled, record.flow, record.end_reason) == (hotline.number, "hotline", "caller_hung_up")
    assert record.answered_at is not None
    assert record.ended_at is not None
    assert record.started_at <= record.answered_at <= record.ended_at
    assert [(step.flow, step.step, step.kind, step.outcome) for step in steps][
        : len(SIGNED_IN_STEPS)
    ] == SIGNED_IN_STEPS
    assert [step.seq for step in steps] == list(range(len(steps)))
    assert [step.at_ms for step in steps] == sorted(step.at_ms for step in steps)

    pin = hotline.pin(CUSTOMER).reveal()
    for file in hotline.settings.state_dir.glob("hotline.db*"):
        assert pin not in file.read_bytes()


async def test_every_log_line_of_a_call_carries_its_id(
    hotline: RunningHotline, recordings: Recordings, history: CallHistory
) -> None:
    before = len(hotline.log)
    await sign_in_and_hang_up(hotline, recordings, "13700000902")
    record, _ = await newest_closed(history, "13700000902")
    lines = [json.loads(line) for line in hotline.log[before:].splitlines() if line.startswith("{")]
    ended = [line for line in lines if line["event"] == "call_ended" and line["call_id"] == record.id]
    assert [line["reason"] for line in ended] == ["caller_hung_up"]
    assert all("timestamp" in line and "level" in line for line in lines)
    assert hotline.pin(CUSTOMER).reveal().decode() not in json.dumps(lines)


async def test_metrics_count_a_call_its_keys_and_its_end(hotline: RunningHotline, recordings: Recordings) -> None:
    names = ("ivr_calls_started_total", "ivr_keys_taken_total", 'ivr_calls_ended_total{reason="caller_hung_up"}')
    # A counter with a label is there from the first call with that label on.
    await sign_in_and_hang_up(hotline, recordings, "13700000903")
    await until(lambda: hotline.metric("ivr_calls_live") == 0, "the call is over", within_s=5)
    before = [hotline.metric(name) for name in names]
    keys = await sign_in_and_hang_up(hotline, recordings, "13700000903")
    await until(lambda: hotline.metric("ivr_calls_live") == 0, "the call is over", within_s=5)
    after = [hotline.metric(name) for name in names]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, keys, 1]
    assert hotline.metric("ivr_ami_ready") == 1
    assert hotline.metric("ivr_flow_findings") == 0


async def test_healthz_names_the_part_that_is_away() -> None:
    with running_hotline() as hotline:
        assert health(hotline) == (200, {"flows": "ok", "asterisk": "ok", "database": "ok"})
        # Stopped, not killed: a dead one would be started again before anybody has looked.
        asterisk = int((hotline.settings.run_dir / "run" / "asterisk.pid").read_text())
        os.kill(asterisk, signal.SIGSTOP)
        try:
            await until(lambda: health(hotline)[0] == 503, "Asterisk is missed", within_s=15)
            status, parts = health(hotline)
        finally:
            os.kill(asterisk, signal.SIGCONT)
        assert status == 503
        assert {name: state == "ok" for name, state in parts.items()} == {
            "flows": True,
            "asterisk": False,
            "database": True,
        }
        await until(lambda: health(hotline)[0] == 200, "Asterisk is heard again", within_s=15)


async def sign_in_and_hang_up(hotline: RunningHotline, recordings: Recordings, number: str) -> int:
    """Call, choose English, sign in, hang up; return how many keys were pressed."""
    async with Phone.at(hotline.target, recordings) as phone, phone.dial(hotline.number, caller=number) as caller:
        await caller.hear_beginning(WELCOME)
        await caller.press("3")
        for prompt, keys in (("main_menu", "1"), ("enter_customer_number", f"{CUSTOMER}#"), ("enter_pin", None)):
            await caller.hear_beginning(PromptName(Language.ENGLISH, prompt), others=True)
            await caller.press(hotline.pin(CUSTOMER) if keys is None else keys)
        await caller.hear_beginning(PromptName(Language.ENGLISH, "press_1"), others=True)
        return len(caller.presses)


async def newest_closed(history: CallHistory, number: str) -> tuple[CallRecord, tuple[StepRecord, ...]]:
    """Return the newest call from this number and its steps, once its record is closed."""

    async def found() -> CallRecord | None:
        calls = await history.calls(20)
        return next((call for call in calls if call.caller == number and call.ended_at is not None), None)

    async def closed() -> bool:
        return await found() is not None

    await until(closed, f"the record of {number} is closed", within_s=5)
    record = await found()
    assert record is not None
    both = await history.call(record.id)
    assert both is not None
    return both


def health(hotline: RunningHotline) -> tuple[int, dict[str, str]]:
    """Return status and parts of /healthz."""
    url = f"http://{hotline.settings.web_host}:{hotline.settings.web_port}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)["parts"]
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, json.load(refusal)["parts"]
