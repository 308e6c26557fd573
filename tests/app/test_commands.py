"""The command line: what each command prints, and its exit status (0 fine, 1 found something, 2 could not run)."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ivr_engine.app.commands.serve import SAMPLE_TEST
from ivr_engine.app.commands.suite import find_test
from ivr_engine.app.settings import PROJECT, load_settings
from ivr_engine.flow.codes import CODES
from ivr_engine.scenarios.findings import TEST_CODES
from tests.app.command import could_not, ivr

COMMANDS = (
    "serve",
    "check",
    "call",
    "test",
    "play",
    "graph",
    "impact",
    "diff",
    "explain",
    "prompts",
    "schema",
    "db",
    "messages",
    "callbacks",
    "doctor",
)


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT / "flows", tmp_path / "flows"))


def test_help_lists_every_command_and_what_exit_statuses_mean(tmp_path: Path) -> None:
    ran = ivr("--help", folder=tmp_path)
    assert ran.status == 0
    assert "Exit status: 0 fine" in ran.printed
    assert all(re.search(rf"\n    {command}\s", ran.printed) for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(tmp_path: Path, command: str) -> None:
    ran = ivr(command, "--help", folder=tmp_path)
    assert ran.status == 0
    assert ran.printed.startswith(f"usage: ivr {command}")
    assert ran.complained == ""


@pytest.mark.parametrize("words", [(), ("dance",), ("db", "drop"), ("call",)])
def test_what_is_no_command_is_refused_with_the_usage(tmp_path: Path, words: tuple[str, ...]) -> None:
    ran = ivr(*words, folder=tmp_path)
    assert ran.status == 2
    assert ran.complained.startswith("usage: ivr")
    assert "Traceback" not in ran.complained


def test_check_finds_nothing_in_the_projects_own_flows(tmp_path: Path) -> None:
    ran = ivr("check", folder=tmp_path)
    assert ran.status == 0
    assert ran.printed.endswith(": no findings\n")


def test_check_tells_file_line_code_and_mend_of_a_mistake(flows: Path) -> None:
    broken = flows / "hotline.yaml"
    broken.write_text(broken.read_text().replace("then: ask_language", "then: ask_langage"))
    line = 1 + broken.read_text().split("ask_langage", maxsplit=1)[0].count("\n")
    ran = ivr("check", "flows", folder=flows.parent)
    assert ran.status == 1
    assert f"flows/hotline.yaml:{line}:11  E206" in ran.printed
    assert "did you mean 'ask_language'?" in ran.printed

    as_json = ivr("check", "flows", "--json", folder=flows.parent)
    assert as_json.status == 1
    first = json.loads(as_json.printed)["findings"][0]
    assert (first["file"], first["line"], first["column"], first["code"]) == ("flows/hotline.yaml", line, 11, "E206")
    assert first["mend"] == "did you mean 'ask_language'?"


def test_check_as_json_of_good_flows_is_an_empty_list(tmp_path: Path) -> None:
    ran = ivr("check", "--json", folder=tmp_path)
    assert ran.status == 0
    assert json.loads(ran.printed) == {"findings": []}


def test_check_of_a_folder_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    ran = ivr("check", "nowhere", folder=tmp_path)
    assert ran.status == 1
    assert "there is no flow in this folder" in ran.printed


def test_explain_tells_what_a_code_means_and_lists_all_without_one(tmp_path: Path) -> None:
    one = ivr("explain", "e204", folder=tmp_path)
    assert one.status == 0
    assert one.printed.startswith(f"E204: {CODES['E204'].title}")
    assert CODES["E204"].explanation in one.printed
    every = ivr("explain", folder=tmp_path)
    assert every.status == 0
    assert [line.split()[0] for line in every.printed.splitlines()] == [*CODES, *TEST_CODES]


def test_explain_tells_what_a_code_of_tests_means(tmp_path: Path) -> None:
    one = ivr("explain", "T106", folder=tmp_path)
    assert one.status == 0
    assert one.printed.startswith(f"T106: {TEST_CODES['T106'].title}")


def test_explain_of_an_unknown_code_names_the_nearest(tmp_path: Path) -> None:
    ran = ivr("explain", "E8081", folder=tmp_path)
    assert ran.status == 2
    assert "did you mean 'E808'?" in ran.complained


def test_the_database_is_checked_brought_up_to_date_and_filled(tmp_path: Path) -> None:
    own = {"IVR_STATE_DIR": str(tmp_path / "state")}
    assert ivr("db", "upgrade", folder=tmp_path, **own).printed == "the database is up to date\n"
    assert ivr("db", "check", folder=tmp_path, **own).printed == "the database answers\n"
    demo = ivr("db", "demo", folder=tmp_path, **own)
    assert demo.status == 0
    assert demo.printed.splitlines()[0].startswith("100001  ")
    assert ivr("db", "demo", folder=tmp_path, **own).printed == demo.printed, "again changes nothing"


@pytest.mark.parametrize("do", ["check", "upgrade", "demo"])
def test_a_database_that_is_away_is_told_in_one_message(tmp_path: Path, do: str) -> None:
    ran = ivr(
        "db",
        do,
        folder=tmp_path,
        IVR_STATE_DIR=str(tmp_path / "state"),
        IVR_DATABASE_URL="postgresql://127.0.0.1:1/x",
    )
    assert "the database is away" in could_not(ran)
    assert "IVR_DATABASE_URL" in ran.message


def test_a_call_to_a_hotline_that_does_not_run_says_so(tmp_path: Path) -> None:
    ran = ivr("call", "nothing_like_it", folder=tmp_path)
    assert ran.status == 2
    assert "there is no test 'nothing_like_it'" in ran.complained


def test_first_call_that_newcomers_are_told_to_place_is_one_of_the_tests() -> None:
    assert find_test(SAMPLE_TEST, load_settings(PROJECT, {})) is not None
