"""Tests of the flows placed as real calls on hotlines of their own: each goes as it does in virtual time."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.app.commands.suite import load_suite, runner_for
from ivr_engine.app.placing import Placed
from ivr_engine.app.prepare import Narrator
from ivr_engine.app.settings import PROJECT, Settings, load_settings
from ivr_engine.app.staging.stages import place_on_stages
from ivr_engine.simulator.scenario import Result
from ivr_engine.values.money import Currency, Money
from tests.asterisk.hotline import SHARED_SOUNDS, make_recordings

pytestmark = [pytest.mark.asterisk, pytest.mark.long]

STAGES: Final = 5
TESTS: Final = PROJECT / "flows" / "tests"
SHIPPED: Final = (
    "typed_ahead",
    "callback_to_the_caller",
    "survey_answered",
    "pin_service_full",
    "pin_service_timed_out",
    "pin_code_not_checked",
    "message_hung_up_while_speaking",
)
"""Keys typed ahead, a caller's number, an agent who answers, a queue that is full, one in which nobody answers in time,
an operation that ends otherwise (at another first flow), a message that is kept."""
LOCKED: Final = "sign_in_locked_wrong_key"
"""Is told to differ: the stage is given a customer who may try once more."""
SIGNED_IN: Final = """
given: {%s}
steps:
  - {press: "%s", during: welcome}
  - type: customer number
  - type: pin
"""
OWN: Final[Mapping[str, str]] = {
    "money": "language: cmn"
    + SIGNED_IN % ("customer: sample", "13")
    + """
  - {press: "12", during: transfer_from_intro}
  - type: "3*50#"
  - {hear: confirm_no, within: 20 s}
  - hear: press_2
  - press: "1"
  - hear: transfer_done
  - hang up
expect:
  money moved: {from: "6225880012345678", to: "6225880012345686", amount: 3.50 CNY}
""",
    "bank away": "language: yue"
    + SIGNED_IN % ("customer: sample, bank: away", "21")
    + """
  - hear: system_busy
  - hang up
expect: {operations: [sign_in: unavailable]}
""",
    "slow bank": "language: en"
    + SIGNED_IN % ("customer: sample, bank: answers in 2 s", "31")
    + """
  - hear: [please_wait, account_demand_savings]
  - hang up
""",
    "code": "flow: pin_service\nlanguage: en"
    + SIGNED_IN % ("customer: sample", "31")
    + """
  - hear: [code_intro, enter_code]
  - type: code
  - hear: enter_new_pin
  - hang up
expect:
  operations: [sign_in: signed_in, send_code: sent, check_code: accepted]
  sent: {sms: is your code}
""",
    "night": "language: en"
    + SIGNED_IN % ("customer: sample, time: 2026-01-04 16:30", "31")
    + """
  - {press: "1", during: account_demand_savings}
  - {press: "3", during: balance_menu}
  - hear: sms_on_its_way
  - hang up
expect:
  sent: {sms: 5 January 2026 00:3}
""",
    "nobody": """
language: en
given: {agents: no_agents, caller: withheld}
steps:
  - {press: "30", during: welcome}
  - {press: "2", during: no_agent_available}
  - hear: enter_callback_number
  - hang up
""",
}


@pytest.fixture(scope="module")
def given_settings() -> Iterator[Settings]:
    """The settings of a hotline that was never run, but has its recordings."""
    with tempfile.TemporaryDirectory(prefix="ivr-test-") as folder:
        Path(folder).chmod(0o755)
        make_recordings()
        (Path(folder) / "sounds").symlink_to(SHARED_SOUNDS)
        yield load_settings(Path(folder), {"IVR_STATE_DIR": folder})


def rehearsed(settings: Settings, files: Mapping[str, Path]) -> dict[str, Result]:
    suite = load_suite([*files.values()], settings)
    assert suite is not None
    assert suite.findings == (), [finding.render() for finding in suite.findings]
    with runner_for(suite, settings) as runner:
        results = [runner.run(scenario) for scenario in suite.scenarios]
    return dict(zip(files, results, strict=True))


def place(results: Sequence[Result], settings: Settings) -> list[Placed]:
    narrator = Narrator(io.StringIO())
    work = place_on_stages(results, settings, narrator, stages=STAGES, on_placed=lambda _: None)
    return asyncio.run(work)


@pytest.fixture(scope="module")
def placed(given_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Placed]:
    """Place every call of this file at the same time: each takes about as long as a caller would need for it."""
    folder = tmp_path_factory.mktemp("tests")
    files = {name: TESTS / f"{name}.test.yaml" for name in (*SHIPPED, LOCKED)}
    for name, text in OWN.items():
        files[name] = folder / f"{name}.test.yaml"
        files[name].write_text(f"ivr_test: 1\ntitle: {name}\n{text}", encoding="utf-8")
    results = rehearsed(given_settings, files)
    for name, result in results.items():
        assert result.failures == (), (name, result.failures)
    customer = results[LOCKED].scenario.given.customer
    assert customer is not None
    object.__setattr__(customer, "wrong_pins", 3)  # the bank of the stage will not lock yet
    told = results["bank away"].told
    booked = {number: Money(1, Currency.CNY) for number in told.booked}
    results["bank away"] = replace(results["bank away"], told=replace(told, booked=booked))
    return dict(zip(results, place([*results.values()], given_settings), strict=True))


ALIKE: Final = (*SHIPPED, *(name for name in OWN if name != "bank away"))


@pytest.mark.parametrize("name", ALIKE)
def test_real_call_goes_as_in_virtual_time(placed: dict[str, Placed], name: str) -> None:
    one = placed[name]
    assert one.differences == (), "\n".join(one.differences)
    assert one.report is not None
    assert one.report.heard_whole
    assert one.virtual.told.steps


def test_call_that_goes_otherwise_than_in_virtual_time_is_told(placed: dict[str, Placed]) -> None:
    differences = placed[LOCKED].differences
    assert not placed[LOCKED].passed
    assert "for en/sign_in_locked" in differences[0], differences  # who was to hear it waits in vain
    wanted = "library/sign_in, check, refused, not library/sign_in, check, locked"
    assert any(wanted in one for one in differences), differences
    assert "question 1 to the bank was sign_in: refused, not sign_in: locked" in differences


def test_account_that_holds_something_else_after_a_real_call_is_the_only_thing_told(placed: dict[str, Placed]) -> None:
    assert len(placed["bank away"].differences) == 1, placed["bank away"].differences
    (difference,) = placed["bank away"].differences
    assert "accounts hold 10755.35 CNY, " in difference
    assert "not 0.01 CNY, 0.01 CNY, " in difference


def test_nothing_is_left_of_the_stages(placed: dict[str, Placed]) -> None:
    assert placed
    assert left_behind() == []


def test_stopped_in_the_middle_leaves_nothing_behind(given_settings: Settings) -> None:
    command = [sys.executable, "-m", "ivr_engine", "test", "--sip", "--stages", "2"]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "IVR_STATE_DIR": str(given_settings.state_dir)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=pipe, stderr=pipe) as running:
        try:
            assert running.stderr is not None
            told = b""
            while b"2 started" not in told:
                line = running.stderr.readline()
                assert line, told
                told += line
            assert len(left_behind(running.pid)) > 1
            running.send_signal(signal.SIGINT)
            assert running.wait(20) == 2
            assert running.stderr.read() == b"ivr: stopped; nothing is left behind\n"
        finally:
            running.kill()
    assert left_behind(running.pid) == []


def left_behind(process: int | None = None) -> list[str]:
    """Return the folders of stages of a process (this one), and the Asterisks that were started with one of them."""
    mine = f"ivr-stages-{process or os.getpid()}-"
    folders = [path.name for path in Path(tempfile.gettempdir()).glob(f"{mine}*")]
    processes = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes()
        except OSError:
            continue
        if mine.encode() in command and entry.parent.name != str(os.getpid()):
            processes.append(command.decode(errors="replace"))
    return folders + processes
