"""The house is tidy: every rule over every module, and a proof for each rule that it can fail.

A breach is mended, or excused in `EXCUSED` with a reason; an excuse that nothing needs any more fails too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from tests import tidy_rules
from tests.tidy_rules import RULES, TEST_RULES, Finding, Module, Rule, text_findings

ROOT: Final = Path(__file__).resolve().parent.parent
SKIPPED_FOLDERS: Final = frozenset(
    {".git", ".venv", ".ivr", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis"}
)
TEXT_BYTES_MAX: Final = 2_000_000

EXCUSED: Final = MappingProxyType(
    {
        # (rule, path of the file or path::function): reason
        ("clock", "ivr_engine/values/clock.py"): "the port through which everybody else asks the time",
        ("clock", "ivr_engine/values/ids.py"): "the port through which everybody else gets ids",
        ("tasks", "ivr_engine/adapters/asterisk/ami.py::AmiClient.start"): "kept in _tasks, awaited by close()",
        ("tasks", "ivr_engine/adapters/asterisk/fastagi.py::FastAgiServer.begin"): "kept in _tasks, awaited by close()",
        ("tasks", "ivr_engine/adapters/store/journal.py::JournalWriter.start"): "kept in _task, awaited by close()",
        ("clock", "ivr_engine/app/secrets_file.py"): "makes secrets: must not repeat",
        ("clock", "ivr_engine/app/prepare.py"): "tells an operator how long a step took",
        ("clock", "ivr_engine/app/engine.py::_join_humans"): "wiring: reconnects of several engines must not agree",
        ("tasks", "ivr_engine/app/commands/serve.py::_watch"): "raced and cancelled in the same function",
        ("tasks", "ivr_engine/app/supervisor.py::Supervisor._watch"): "raced and cancelled in the same function",
        ("tasks", "ivr_engine/adapters/store/database.py::SqliteThreads.connect"): "kept in _late, awaited by ended()",
        ("tasks", "ivr_engine/channel/conversation.py::Conversation.listen_while"): "awaited in the same function",
        ("tasks", "ivr_engine/calls/consulting.py::Consultations.ask"): "raced and cancelled in the same function",
        ("tasks", "ivr_engine/flow/nodes/operation.py::_with_filler"): "awaited in the same function",
        ("tasks", "ivr_engine/calls/changes.py::Changes.carry_out"): "kept in _unfinished, awaited by finish()",
        ("tasks", "ivr_engine/simulator/agents.py::StagedQueues.begin"): "kept in _running, awaited by close()",
        ("tasks", "ivr_engine/simulator/agents.py::StagedQueues._fetch"): "kept in _holding, awaited by close()",
        ("broad-except", "ivr_engine/adapters/asterisk/ami.py::AmiClient._hand_over"): "border: a subscriber's bug",
        ("broad-except", "ivr_engine/adapters/asterisk/ami.py::AmiClient._move"): "border: a listener's bug",
        ("broad-except", "ivr_engine/adapters/asterisk/fastagi.py::FastAgiServer._run"): "border: a bug ends one call",
        ("broad-except", "ivr_engine/app/cli.py::main"): "sorts expected failures from bugs, which are raised again",
        ("broad-except", "ivr_engine/app/worker.py::main"): "sorts expected failures from bugs, which are raised again",
        ("broad-except", "ivr_engine/calls/session.py::CallSession.run"): "border: a bug ends one call, not the engine",
        ("broad-except", "ivr_engine/simulator/scenario.py::ScenarioRunner.run"): "border: a bug fails one test",
        (
            "broad-except",
            "ivr_engine/calls/session.py::CallSession._converse",
        ): "border: a bug is an apology and a human",
        (
            "broad-except",
            "ivr_engine/calls/session.py::CallSession._leave",
        ): "border: the record is closed all the same",
        ("broad-except", "ivr_engine/adapters/store/database.py::Database._deadline"): "sorts out what means `away`",
        ("broad-except", "ivr_engine/adapters/store/journal.py::JournalWriter._write"): "border: one row is refused",
        ("reveal", "ivr_engine/adapters/bank/pins.py::Pins._value"): "the bank computes the value it compares",
        ("reveal", "ivr_engine/adapters/bank/rest.py::RestCore.verify_pin"): "the bank's own service judges the PIN",
        ("reveal", "ivr_engine/adapters/bank/rest.py::RestCore.change_pin"): "the bank's own service keeps the new PIN",
        (
            "reveal",
            "ivr_engine/adapters/store/office.py::OfficeStore._value",
        ): "the value that judges a code",
        ("reveal", "ivr_engine/calls/step_up.py::StepUp.send"): "a one-time code has to stand in its message",
        ("reveal", "ivr_engine/channel/conversation.py"): "a menu key is no secret; keys read in parts are joined",
        ("reveal", "ivr_engine/channel/keys.py::judge_entry"): "looks for the cancel key and counts",
        ("reveal", "ivr_engine/flow/nodes/collect.py::Collect.keep"): "the author declared these keys not secret",
        ("reveal", "ivr_engine/flow/nodes/checks.py::is_weak_pin"): "looks at a new PIN, says yes or no, keeps nothing",
        ("reveal", "ivr_engine/simulator/bank.py::MemoryBank.add_given"): "the bank's own copy of an invented PIN",
        ("reveal", "ivr_engine/simulator/bank.py::MemoryBank.change_pin"): "the bank's own copy of an invented PIN",
        ("reveal", "ivr_engine/simulator/office.py::MemoryOffice.post_code"): "a simulated caller reads the code",
        ("reveal", "ivr_engine/simulator/office.py::_value"): "computes the value that a code is judged by",
        ("reveal", "ivr_engine/simulator/scenario.py::wrong"): "a simulated caller mistypes an invented PIN",
        ("reveal", "ivr_engine/simulator/scenario.py::keys_of.keys"): "a simulated caller has to press the keys",
        ("reveal", "ivr_engine/testcaller/caller.py::Caller.press"): "a caller has to press the keys",
        ("size", "ivr_engine/adapters/store/migrations/versions/0001_bank_and_calls.py::upgrade"): "one list of tables",
        ("test-sleep", "tests/channel/test_conversation.py"): "runs in virtual time, which passes at once",
        ("test-sleep", "tests/simulator/test_virtual_time.py"): "runs in virtual time, which passes at once",
        ("test-sleep", "tests/asterisk/hotline.py::RunningHotline.wait_until"): "polls real processes until a deadline",
        ("test-sleep", "tests/flow/calls.py"): "runs in virtual time, which passes at once",
        ("test-sleep", "tests/calls/test_operations.py"): "runs in virtual time, which passes at once",
        ("test-sleep", "tests/calls/test_queueing.py"): "runs in virtual time, which passes at once",
        ("test-sleep", "tests/calls/test_waiting.py"): "runs in virtual time, which passes at once",
        ("test-sleep", "tests/adapters/bank/measure.py::paced"): "paces the load that is measured",
        ("test-sleep", "tests/waiting.py::until"): "polls real processes until a deadline",
        ("test-sleep", "tests/bench/waiting.py::pause"): "paces the load that is measured",
        ("test-sleep", "tests/testcaller/asterisk_server.py::_started"): "polls a real process until a deadline",
        ("test-sleep", "tests/protocols/ami/asterisk_process.py::AsteriskProcess.start"): "polls a real process",
    }
)


def _modules(folder: str) -> Iterator[Module]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield Module(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


def _texts() -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(ROOT):
        folders[:] = sorted(set(folders) - SKIPPED_FOLDERS)
        for file in sorted(files):
            path = Path(folder, file)
            if path.is_symlink() or not path.is_file() or path.stat().st_size > TEXT_BYTES_MAX:
                continue
            data = path.read_bytes()
            if b"\0" not in data:
                yield path.relative_to(ROOT).as_posix(), data.decode("utf-8", errors="replace")


def _all_findings() -> list[Finding]:
    found = [finding for module in _modules("ivr_engine") for rule in RULES for finding in rule(module)]
    found += [finding for module in _modules("tests") for rule in TEST_RULES for finding in rule(module)]
    found += [finding for path, text in _texts() for finding in text_findings(path, text)]
    return list(dict.fromkeys(found))


def _excuse(finding: Finding) -> tuple[str, str] | None:
    keys = ((finding.rule, f"{finding.path}::{finding.scope}"), (finding.rule, finding.path))
    return next((key for key in keys if key in EXCUSED), None)


def test_house_is_tidy() -> None:
    breaches = [str(finding) for finding in _all_findings() if _excuse(finding) is None]
    assert not breaches, "\n" + "\n".join(breaches)


def test_every_excuse_is_needed_and_has_a_reason() -> None:
    needed = {_excuse(finding) for finding in _all_findings()}
    unneeded = [
        f"{path}: nothing breaks {rule!r} here; delete the excuse"
        for rule, path in EXCUSED
        if (rule, path) not in needed
    ]
    assert not unneeded, "\n" + "\n".join(unneeded)
    assert all(tidy_rules.A_REASON.search(reason) for reason in EXCUSED.values())


# For each rule: a file that breaks it, and where.
BROKEN: Final[tuple[tuple[Rule, str, str, int], ...]] = (
    (tidy_rules.imports_go_down, "ivr_engine/flow/a.py", "from ivr_engine.calls import session", 1),
    (tidy_rules.imports_go_down, "ivr_engine/flow/a.py", "import ivr_engine.banking.model", 1),
    (tidy_rules.imports_go_down, "ivr_engine/flow/a.py", "from ivr_engine import adapters", 1),
    (tidy_rules.imports_go_down, "ivr_engine/flow/nodes/a.py", "from ...adapters import asterisk", 1),
    (tidy_rules.imports_go_down, "ivr_engine/flow/__init__.py", "from ..banking import model", 1),
    (tidy_rules.imports_go_down, "ivr_engine/web/a.py", "def f():\n    from ivr_engine.adapters import x", 2),
    (tidy_rules.imports_go_down, "ivr_engine/values/a.py", "from ivr_engine.protocols import agi", 1),
    (tidy_rules.imports_go_down, "ivr_engine/attic/a.py", "import re", 1),
    (tidy_rules.pure_packages_stay_pure, "ivr_engine/protocols/a.py", "import asyncio", 1),
    (tidy_rules.pure_packages_stay_pure, "ivr_engine/protocols/a.py", "from structlog import get_logger", 1),
    (tidy_rules.pure_packages_stay_pure, "ivr_engine/acd/a.py", "from ivr_engine.values.clock import Clock", 1),
    (tidy_rules.pure_packages_stay_pure, "ivr_engine/acd/a.py", "x = open('file')", 1),
    (tidy_rules.banking_knows_no_telephony, "ivr_engine/banking/a.py", "def read_dtmf(): ...", 1),
    (tidy_rules.banking_knows_no_telephony, "ivr_engine/banking/a.py", "class SipTransfer: ...", 1),
    (tidy_rules.banking_knows_no_telephony, "ivr_engine/banking/a.py", "def f(agiChannel): ...", 1),
    (tidy_rules.banking_knows_no_telephony, "ivr_engine/banking/a.py", "from x import asterisk", 1),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "seen = []", 1),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "CODES = {1: 'one'}", 1),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "if True:\n    seen = set()", 2),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "CODES: Final = {x for x in y}", 1),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "CODES: Final[dict[int, str]] = {1: 'a'}", 1),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "seen = collections.deque()", 1),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "def f():\n    global seen", 2),
    (tidy_rules.tasks_have_owners, "ivr_engine/web/a.py", "asyncio.create_task(f())", 1),
    (tidy_rules.tasks_have_owners, "ivr_engine/web/a.py", "def f(loop):\n    loop.create_task(g())", 2),
    (tidy_rules.tasks_have_owners, "ivr_engine/web/a.py", "ensure_future(f())", 1),
    (tidy_rules.excepts_are_narrow, "ivr_engine/web/a.py", "try:\n    f()\nexcept Exception:\n    g()", 3),
    (tidy_rules.excepts_are_narrow, "ivr_engine/web/a.py", "try:\n    f()\nexcept:\n    g()", 3),
    (
        tidy_rules.excepts_are_narrow,
        "ivr_engine/web/a.py",
        "try:\n    f()\nexcept (OSError, BaseException):\n    g()",
        3,
    ),
    (
        tidy_rules.excepts_are_narrow,
        "ivr_engine/web/a.py",
        "try:\n    f()\nexcept Exception as e:\n    raise E from e",
        3,
    ),
    (tidy_rules.secrets_are_revealed_rarely, "ivr_engine/web/a.py", "def f(pin):\n    return pin.reveal()", 2),
    (tidy_rules.time_and_dice_come_through_ports, "ivr_engine/web/a.py", "import time\ntime.sleep(1)", 2),
    (tidy_rules.time_and_dice_come_through_ports, "ivr_engine/web/a.py", "from time import time as t\nt()", 2),
    (tidy_rules.time_and_dice_come_through_ports, "ivr_engine/web/a.py", "import datetime as dt\ndt.datetime.now()", 2),
    (
        tidy_rules.time_and_dice_come_through_ports,
        "ivr_engine/web/a.py",
        "from datetime import datetime\ndatetime.now()",
        2,
    ),
    (tidy_rules.time_and_dice_come_through_ports, "ivr_engine/web/a.py", "import random\nrandom.choice('ab')", 2),
    (tidy_rules.time_and_dice_come_through_ports, "ivr_engine/web/a.py", "from random import Random\nRandom()", 2),
    (tidy_rules.nothing_prints, "ivr_engine/web/a.py", "print('x')", 1),
    (tidy_rules.pieces_are_small, "ivr_engine/web/a.py", "x = 1\n" * 401, 401),
    (tidy_rules.pieces_are_small, "ivr_engine/web/a.py", "def f():\n" + "    x = 1\n" * 60, 1),
    (tidy_rules.modules_say_what_they_know, "ivr_engine/web/a.py", "x = 1", 1),
    (tidy_rules.silenced_checks_say_why, "ivr_engine/web/a.py", "x = 1  # noqa" + ": E501", 1),
    (tidy_rules.silenced_checks_say_why, "ivr_engine/web/a.py", "x = 1  # noqa" + "  # all of it is fine", 1),
    (tidy_rules.silenced_checks_say_why, "ivr_engine/web/a.py", "x = 1  # type: " + "ignore[misc]", 1),
    (tidy_rules.silenced_checks_say_why, "ivr_engine/web/a.py", "x = 1  # type: " + "ignore  # no types here", 1),
    (tidy_rules.tests_do_not_sleep, "tests/test_a.py", "import time\ntime.sleep(0)", 2),
    (tidy_rules.tests_do_not_sleep, "tests/test_a.py", "from asyncio import sleep\nsleep(0.1)", 2),
    (tidy_rules.tests_do_not_sleep, "tests/test_a.py", "import asyncio\nasyncio.sleep(delay)", 2),
)


@pytest.mark.parametrize(("rule", "path", "source", "line"), BROKEN)
def test_rule_notices_what_breaks_it(rule: Rule, path: str, source: str, line: int) -> None:
    findings = list(rule(Module(path, source)))
    assert [finding.line for finding in findings] == [line]
    assert str(findings[0]).startswith(f"{path}:{line}: ")


KEPT: Final[tuple[tuple[Rule, str, str], ...]] = (
    (tidy_rules.imports_go_down, "ivr_engine/flow/a.py", "from ivr_engine.channel.line import Line"),
    (tidy_rules.imports_go_down, "ivr_engine/flow/nodes/a.py", "from ..model import Flow"),
    (tidy_rules.imports_go_down, "ivr_engine/app/a.py", "from ivr_engine.adapters import asterisk"),
    (tidy_rules.imports_go_down, "ivr_engine/protocols/a.py", "from ivr_engine.values.ids import CallId"),
    (tidy_rules.pure_packages_stay_pure, "ivr_engine/adapters/a.py", "import asyncio"),
    (tidy_rules.banking_knows_no_telephony, "ivr_engine/banking/a.py", "def paging(damaging): ..."),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "CODES: Final[Mapping[int, str]] = {1: 'one'}"),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "CODES = MappingProxyType({1: 'one'})"),
    (tidy_rules.modules_hold_no_mutable_state, "ivr_engine/web/a.py", "def f():\n    seen = []"),
    (
        tidy_rules.tasks_have_owners,
        "ivr_engine/web/a.py",
        "async def f():\n    async with TaskGroup() as g:\n        g.create_task(h())",
    ),
    (tidy_rules.excepts_are_narrow, "ivr_engine/web/a.py", "try:\n    f()\nexcept (OSError, ValueError):\n    g()"),
    (tidy_rules.excepts_are_narrow, "ivr_engine/web/a.py", "try:\n    f()\nexcept BaseException:\n    g()\n    raise"),
    (tidy_rules.time_and_dice_come_through_ports, "ivr_engine/web/a.py", "def f(clock):\n    return clock.now()"),
    (tidy_rules.time_and_dice_come_through_ports, "ivr_engine/web/a.py", "def f(time):\n    return time.time()"),
    (
        tidy_rules.time_and_dice_come_through_ports,
        "ivr_engine/web/a.py",
        "from random import Random\ndef f(dice: Random): ...",
    ),
    (tidy_rules.nothing_prints, "ivr_engine/app/cli.py", "print('x')"),
    (tidy_rules.pieces_are_small, "ivr_engine/web/a.py", "def f():\n" + "    x = 1\n" * 59),
    (tidy_rules.silenced_checks_say_why, "ivr_engine/web/a.py", "x = 1  # noqa" + ": E501  # a table reads better"),
    (tidy_rules.tests_do_not_sleep, "tests/test_a.py", "import asyncio\nasyncio.sleep(0)"),
)


@pytest.mark.parametrize(("rule", "path", "source"), KEPT)
def test_rule_lets_good_code_pass(rule: Rule, path: str, source: str) -> None:
    assert list(rule(Module(path, source))) == []


UNWANTED_SAMPLES: Final = (
    ("see /" + "home/li/notes.txt", "/" + "home/li/"),
    ("see /" + "Users/Li/notes.txt", "/" + "Users/L"),
    ("see /" + "root/notes.txt", "/" + "root/n"),
    ("cd /" + "work/main", "/" + "work/main"),
    ("ls /" + "tmp/" + "probe/x", "/" + "tmp/" + "probe"),
    ("pip install --" + "index" + "-url x", "--" + "index" + "-url"),
    ("from py" + "pi.org", "py" + "pi.org"),
    ("as HO" + "USE.md says", "HO" + "USE.md"),
    ("asked Cl" + "aude", "Cl" + "aude"),
    ("a sub" + "agent wrote", "sub" + "agent"),
)


@pytest.mark.parametrize(("text", "found"), UNWANTED_SAMPLES)
def test_text_that_must_not_be_committed_is_noticed(text: str, found: str) -> None:
    assert len(UNWANTED_SAMPLES) == len(tidy_rules.UNWANTED)
    (finding,) = text_findings("a.md", f"fine\n{text}\n")
    assert str(finding).startswith(f"a.md:2: {found!r}")


def test_every_rule_has_a_proof_that_it_can_fail() -> None:
    assert {rule for rule, _, _, _ in BROKEN} == {*RULES, *TEST_RULES}
