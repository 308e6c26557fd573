"""Every timer and key rule of the manual names its tests, every test is named, and all pass in virtual time."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.flow.library import TEST_SUFFIX
from ivr_engine.simulator.scenario import Result
from tests.app.command import ivr
from tests.flow.world import FLOWS as SHIPPED
from tests.rules.suite import FILES, FLOWS, FOLDER, WHOLE, in_virtual_time, settings_of_rules
from tests.scenarios.world import messages

PAGE: Final = SHIPPED / "README.md"
ANOTHER_ENGINE: Final = ("What is said `again`", "A call that is taken over by another engine")
"""The rules that no one call can show: each names a test in Python as well, or instead."""
LONGEST_S: Final = 25
LINK: Final = re.compile(r"\[(\w+)\]\(([^)\s]+)\)")


def rules() -> dict[str, list[tuple[str, str]]]:
    """Return each rule with the tests that it names at its end: name and file."""
    section = PAGE.read_text(encoding="utf-8").partition("## Keys and timers\n")[2].partition("\n## ")[0]
    bullets = re.split(r"^- ", section, flags=re.MULTILINE)[1:]
    return {bullet: LINK.findall(bullet.partition("\n  ([")[1] + bullet.partition("\n  ([")[2]) for bullet in bullets}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    return in_virtual_time(settings_of_rules(tmp_path_factory.mktemp("state")))


@pytest.mark.parametrize("name", FILES)
def test_rule_holds_in_virtual_time(lived: dict[str, Result], name: str) -> None:
    assert messages(lived[name]) == []


@pytest.mark.parametrize("name", [WHOLE, "answer_not_whole_at_hang_up"])
def test_rule_holds_though_the_caller_hangs_up_in_the_instant_of_the_last_key(tmp_path: Path, name: str) -> None:
    assert messages(in_virtual_time(settings_of_rules(tmp_path), hang_up_ms=0)[name]) == []


def test_every_rule_names_tests_that_are_there() -> None:
    assert len(rules()) > 30
    for rule, tests in rules().items():
        assert tests, rule
        for name, link in tests:
            file = (PAGE.parent / link).resolve()
            assert file.is_file(), rule
            assert file.name in (f"{name}{TEST_SUFFIX}", f"{name}.py"), rule


def test_every_test_is_named_by_one_rule() -> None:
    named = Counter(name for tests in rules().values() for name, link in tests if link.endswith(TEST_SUFFIX))
    assert named == Counter([*FILES])


def test_only_what_another_engine_does_is_shown_in_python() -> None:
    in_python = [rule for rule, tests in rules().items() if any(link.endswith(".py") for _, link in tests)]
    assert [rule for rule in in_python if not rule.startswith(ANOTHER_ENGINE)] == []


def test_flows_of_the_rules_have_no_finding_and_no_advice() -> None:
    ran = ivr("check", str(FLOWS), "--strict", "--language", "en", folder=FOLDER)
    assert ran.status == 0, ran.printed
    assert "no findings" in ran.printed


def test_every_test_is_short(lived: dict[str, Result]) -> None:
    """A real call takes as long."""
    assert {name: result.told.seconds for name, result in lived.items() if result.told.seconds > LONGEST_S} == {}


def test_folder_holds_nothing_else() -> None:
    left = {path.name for path in Path(FOLDER).iterdir() if path.name not in ("__pycache__", "flows")}
    ours = {path.name for path in FILES.values()}
    assert left - ours == {"__init__.py", "suite.py", "test_rules.py", "test_rules_real.py"}
