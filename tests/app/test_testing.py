"""`ivr test` and `ivr play --save`: what is printed, what is written, and the exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from ivr_engine.app.settings import PROJECT
from tests.app.command import could_not, ivr

TESTS: Final = PROJECT / "flows" / "tests"
PASSES: Final = (TESTS / "menu_again.test.yaml").read_text(encoding="utf-8")
ENDS: Final = "ends: completed"


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT / "flows", tmp_path / "flows"))


def written(folder: Path, text: str, name: str = "a.test.yaml") -> str:
    (folder / name).write_text(text, encoding="utf-8")
    return name


def test_hotlines_own_tests_pass_and_reach_everything(tmp_path: Path) -> None:
    ran = ivr("test", "--coverage", "--least", "100", folder=tmp_path)
    assert ran.status == 0, ran.printed
    count = len(list(TESTS.glob("*.test.yaml")))
    assert ran.printed.splitlines()[-1] == f"{count} passed, 0 failed"
    assert ran.printed.splitlines()[-2].endswith(": 100.0 %")
    assert "never reached" not in ran.printed


def test_less_coverage_than_is_asked_for_fails_and_says_which_lines(tmp_path: Path) -> None:
    name = written(tmp_path, PASSES)
    ran = ivr("test", name, "--coverage", "--least", "90", folder=tmp_path)
    assert ran.status == 1
    assert "1 passed, 0 failed" in ran.printed
    assert "never reached (arms): main_menu: key 1" in ran.printed
    assert ivr("test", name, "--coverage", folder=tmp_path).status == 0


def test_failed_test_tells_the_line_what_was_heard_and_the_steps(tmp_path: Path) -> None:
    text = PASSES.replace(ENDS, "ends: no_human")
    line = text.splitlines().index("  ends: no_human") + 1
    ran = ivr("test", written(tmp_path, text), folder=tmp_path)
    assert ran.status == 1
    assert f"a.test.yaml:{line}:3  the call ended as 'completed', not as 'no_human'" in ran.printed
    assert "For your balance, press 1." in ran.printed
    assert "hotline:main_menu key star > hotline:main_menu key 0" in ran.printed
    assert ran.printed.splitlines()[-1] == "0 passed, 1 failed"


def test_mistake_in_a_test_is_a_finding_and_the_other_tests_run(tmp_path: Path) -> None:
    written(tmp_path, PASSES)
    written(tmp_path, PASSES.replace("press: star", "press: stat"), "b.test.yaml")
    ran = ivr("test", ".", folder=tmp_path)
    assert ran.status == 1
    assert "b.test.yaml:9:12  T104  'stat' are no keys" in ran.printed
    assert ran.printed.splitlines()[-1] == "1 passed, 0 failed, 1 mistakes in test files"


def test_results_can_be_read_by_a_machine(tmp_path: Path) -> None:
    name = written(tmp_path, PASSES.replace(ENDS, "ends: no_human"))
    ran = ivr("test", name, "--json", "--coverage", folder=tmp_path)
    assert ran.status == 1
    data = json.loads(ran.printed)
    (test,) = data["tests"]
    assert (test["passed"], test["ended"], test["title"]) == (False, "completed", "The star key repeats the main menu")
    assert test["failures"][0]["message"].startswith("the call ended as")
    assert test["heard"][0] == {"prompt": "cmn/welcome", "at_s": 0.0, "whole": True}
    assert {"flow": "hotline", "step": "main_menu", "outcome": "key star"}.items() <= test["steps"][5].items()
    assert 0 < data["coverage"]["percent"] < 100


def test_folder_without_tests_cannot_be_tested(tmp_path: Path) -> None:
    ran = ivr("test", ".", folder=tmp_path)
    assert ran.status == 2
    assert "the name of a test ends in .test.yaml" in ran.complained


def test_file_that_is_not_there_is_told_in_one_message(tmp_path: Path) -> None:
    ran = ivr("test", "nowhere.test.yaml", folder=tmp_path)
    assert ran.status == 2
    assert "nowhere.test.yaml" in ran.complained
    assert "Traceback" not in ran.complained


def test_flows_with_findings_cannot_be_tested(flows: Path) -> None:
    broken = flows / "hotline.yaml"
    broken.write_text(broken.read_text().replace("then: ask_language", "then: ask_langage"))
    ran = ivr("test", folder=flows.parent, IVR_FLOWS_DIR=str(flows))
    assert ran.status == 2
    assert "E206" in ran.printed


def test_tests_beside_the_flows_are_no_flows(flows: Path) -> None:
    assert (flows / "tests" / "menu_again.test.yaml").exists()
    ran = ivr("check", "flows", folder=flows.parent)
    assert ran.status == 0
    count = sum(not path.name.endswith(".test.yaml") for path in flows.rglob("*.yaml"))
    assert ran.printed.startswith(f"{count} flows,")


def test_update_rewrites_what_was_heard_and_nothing_else(tmp_path: Path) -> None:
    listed = "[cmn/welcome, main_menu, main_menu, survey, thank_you, goodbye]"
    assert listed in PASSES
    text = PASSES.replace(listed, "[cmn/welcome, main_menu]  # in order") + "# the end\n"
    name = written(tmp_path, text)
    assert ivr("test", name, folder=tmp_path).status == 1
    ran = ivr("test", name, "--update", folder=tmp_path)
    assert ran.status == 0
    now = (tmp_path / name).read_text(encoding="utf-8")
    assert now == text.replace("[cmn/welcome, main_menu]", listed)


def test_update_leaves_alone_what_fails_for_another_reason(tmp_path: Path) -> None:
    text = PASSES.replace(ENDS, "ends: no_human")
    name = written(tmp_path, text)
    assert ivr("test", name, "--update", folder=tmp_path).status == 1
    assert (tmp_path / name).read_text(encoding="utf-8") == text


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    name = written(tmp_path, PASSES)
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "ivr_engine", "test", name, "--watch"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
        # Who started the tests in the background of a shell has SIGINT ignored, and Python then never sees it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    yield process
    process.kill()
    process.communicate()


def last_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        if "passed" in line:
            return line.strip()
    return ""


def test_watch_runs_again_when_a_test_changes_until_it_is_interrupted(
    tmp_path: Path, watching: subprocess.Popen[str]
) -> None:
    assert last_line(watching) == "1 passed, 0 failed"
    written(tmp_path, PASSES.replace(ENDS, "ends: no_human"))
    assert last_line(watching) == "0 passed, 1 failed"
    watching.send_signal(signal.SIGINT)
    assert watching.wait(10) == 0


def test_placing_a_call_where_no_hotline_was_ever_run_says_so(tmp_path: Path) -> None:
    ran = ivr("call", "balance_en", folder=tmp_path, IVR_STATE_DIR=str(tmp_path / "state"))
    assert "is the hotline running" in could_not(ran)


def test_placing_tests_without_asterisk_says_where_it_was_looked_for(tmp_path: Path) -> None:
    name = written(tmp_path, "ivr_test: 1\ntitle: A\nlanguage: en\nsteps:\n  - hear: welcome\n  - hang up\n")
    nowhere = {"IVR_STATE_DIR": str(tmp_path / "state"), "IVR_ASTERISK_ROOT": str(tmp_path / "nowhere")}
    ran = ivr("test", name, "--sip", folder=tmp_path, **nowhere)
    assert "nowhere" in could_not(ran)
    assert "Asterisk" in ran.message


def test_file_in_another_encoding_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.test.yaml").write_bytes("ivr_test: 1\ntitle: 柜台\n".encode("gb18030"))
    ran = ivr("test", "a.test.yaml", folder=tmp_path)
    assert ran.status == 1
    assert "a.test.yaml:1:1  E101  the file is not UTF-8 text" in ran.printed


def test_played_call_is_saved_as_a_test_that_passes(tmp_path: Path) -> None:
    ran = ivr("play", "--keys", "3,1,620001#,246810,1,h", "--save", "mine.test.yaml", folder=tmp_path)
    assert ran.status == 0
    assert "246810" not in (tmp_path / "mine.test.yaml").read_text(encoding="utf-8")
    again = ivr("test", "mine.test.yaml", folder=tmp_path)
    assert again.status == 0, again.printed


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--save", "mine.yaml"), "--save mine.test.yaml"),
        (("--save", "there.test.yaml"), "there is a file there.test.yaml already"),
        (("--save", "mine.test.yaml", "--language", "en"), "leave --language away"),
    ],
)
def test_call_that_could_not_be_saved_is_not_played(tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    written(tmp_path, PASSES, "there.test.yaml")
    ran = ivr("play", "--keys", "3", *words, folder=tmp_path)
    assert ran.status == 2
    assert message in ran.complained
    assert ran.printed == ""
