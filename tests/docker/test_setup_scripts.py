"""The set-up scripts do nothing when nothing is to be done, and say what is wrong when something is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
SETUP = PROJECT / "docker/setup"
SCRIPTS = ("packages", "python", "asterisk")
TOOLS = ("sh", "dirname", "sed", "id", "sort", "head", "printf", "cat", "cut", "sha256sum", "mkdir", "mktemp", "rm")


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    whole = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **environment}
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=whole,
        stdin=subprocess.DEVNULL,
        cwd="/",
    )


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A search path with the plainest tools only: no apt-get, no programs of the project."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        found = shutil.which(tool)
        if found:
            (folder / tool).symlink_to(found)
    return folder


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_script_explains_itself(script: str) -> None:
    answer = run(SETUP / script, "--help")
    assert answer.returncode == 0
    assert answer.stdout.startswith(f"{script}: ")
    assert f"docker/setup/{script}" in answer.stdout


@pytest.mark.parametrize(
    "script", ["docker/setup/common.sh", *(f"docker/setup/{s}" for s in SCRIPTS), "docker/run-asterisk"]
)
def test_every_script_is_plain_shell(script: str) -> None:
    assert run("sh", "-n", PROJECT / script).returncode == 0


def test_packages_are_checked_silently_when_all_are_there() -> None:
    answer = run(SETUP / "packages", "test")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_missing_packages_are_named_with_their_reason_before_anything_is_done(bare_path: Path, tmp_path: Path) -> None:
    answer = run(SETUP / "packages", "run", PATH=str(bare_path), VENV=str(tmp_path / "venv"), PYTHON="false")
    assert answer.returncode == 1
    assert "python3-venv: environments for Python 3.11 or later" in answer.stderr
    assert "espeak-ng: speaks the prompts" in answer.stderr
    assert "sox: brings recordings" in answer.stderr
    assert "This machine has no apt-get" in answer.stderr
    assert answer.stderr.index("espeak-ng:") < answer.stderr.index("ERROR")


def test_unsuitable_python_is_refused_and_no_environment_is_begun(tmp_path: Path) -> None:
    answer = run(SETUP / "python", PYTHON="false", VENV=str(tmp_path / "venv"))
    assert answer.returncode == 1
    assert "no Python 3.11 or later that can make environments (PYTHON=false)" in answer.stderr
    assert not (tmp_path / "venv").exists()


def test_named_folder_without_asterisk_is_an_error_and_nothing_is_fetched(tmp_path: Path) -> None:
    assert run(SETUP / "asterisk", "--check", IVR_ASTERISK_ROOT=str(tmp_path)).returncode == 1
    answer = run(SETUP / "asterisk", IVR_ASTERISK_ROOT=str(tmp_path))
    assert answer.returncode == 1
    assert f"IVR_ASTERISK_ROOT={tmp_path} holds no Asterisk 22.10.1 or later" in answer.stderr


@pytest.mark.parametrize(
    ("says", "good"),
    [
        ("22.10.1+dfsg", True),
        ("22.10.0", False),
        ("22.9.3", False),
        ("20.30.0", False),
        ("23.0.0", True),
        ("22.11.0", True),
    ],
)
def test_machines_own_asterisk_counts_only_when_it_is_new_enough(
    tmp_path: Path, bare_path: Path, says: str, *, good: bool
) -> None:
    project = copied_scripts(tmp_path)
    program = bare_path / "asterisk"
    program.write_text(f"#!/bin/sh\necho 'Asterisk {says}'\n", encoding="utf-8")
    program.chmod(0o755)
    answer = run(project / "docker/setup/asterisk", "--check", PATH=str(bare_path))
    assert (answer.returncode == 0) is good


def copied_scripts(folder: Path) -> Path:
    """A project with nothing set up in it."""
    project = folder / "project"
    shutil.copytree(SETUP, project / "docker/setup")
    return project


def test_asterisk_without_archive_and_without_mmdebstrap_says_what_to_run(tmp_path: Path, bare_path: Path) -> None:
    answer = run(copied_scripts(tmp_path) / "docker/setup/asterisk", PATH=str(bare_path))
    assert answer.returncode == 1
    assert "docker/setup/packages run" in answer.stderr


@pytest.mark.asterisk
def test_asterisk_of_this_machine_is_found_at_once() -> None:
    named = {"IVR_ASTERISK_ROOT": root} if (root := os.environ.get("IVR_ASTERISK_ROOT")) else {}
    assert run(SETUP / "asterisk", "--check", **named).returncode == 0


def test_make_run_sets_up_and_then_becomes_the_hotline() -> None:
    plan = run("make", "-C", PROJECT, "-n", "run").stdout
    steps = [line for line in plan.splitlines() if "docker/setup" in line or "ivr serve" in line]
    assert [step.split("/")[-1] for step in steps] == ["packages run", "python", "asterisk", "ivr serve"]


def test_continuous_integration_runs_the_same_command_as_everybody() -> None:
    script = (PROJECT / ".ci/run").read_text(encoding="utf-8")
    assert "exec make test" in script
    assert "set -euo pipefail" in script
