"""Asterisk is found where it stands, and its absence is explained."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from ivr_engine.adapters.asterisk.locate import (
    LEAST_VERSION,
    ROOT_VARIABLE,
    UNPACKED_FOLDER,
    AsteriskNotFoundError,
    find_asterisk,
)
from ivr_engine.adapters.asterisk.settings import PROJECT_DIRECTORY

NOTHING = {"PATH": "/nonexistent"}


@pytest.mark.asterisk
def test_found_asterisk_runs_and_has_its_modules() -> None:
    install = find_asterisk(PROJECT_DIRECTORY)
    said = subprocess.run([*install.command, "-V"], capture_output=True, text=True, timeout=10, check=True).stdout
    assert said.startswith(f"Asterisk {'.'.join(map(str, install.version))}")
    assert install.version >= LEAST_VERSION
    assert (install.module_dir / "chan_pjsip.so").is_file()
    assert (install.data_dir / "documentation").is_dir()


def test_absent_asterisk_is_explained_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(AsteriskNotFoundError) as caught:
        find_asterisk(tmp_path, NOTHING)
    text = str(caught.value)
    assert "no program `asterisk`" in text
    assert str(UNPACKED_FOLDER) in text
    assert "docker/setup/asterisk" in text


def test_named_folder_is_not_quietly_replaced_by_another(tmp_path: Path) -> None:
    program = fake_program(tmp_path, "Asterisk 23.1.0")
    with pytest.raises(AsteriskNotFoundError, match=r"IVR_ASTERISK_ROOT=/nowhere: .* does not exist") as caught:
        find_asterisk(tmp_path, {"PATH": str(program.parent), ROOT_VARIABLE: "/nowhere"})
    assert "23.1.0" not in str(caught.value)


def fake_program(folder: Path, says: str) -> Path:
    """A program that only tells a version, for the cases in which that is all that is asked."""
    program = folder / "bin/asterisk"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("Asterisk 20.9.2", "is 20.9.2, which has known holes"),
        ("Asterisk 22.10.0", "is 22.10.0, which has known holes"),
        ("Asterisk certified/22.8.0-cert1", "is 22.8.0, which has known holes"),
        ("Segmentation fault", "tells no version: Segmentation fault"),
        ("", "tells no version: 0"),
    ],
)
def test_asterisk_that_is_too_old_or_broken_is_passed_over(tmp_path: Path, says: str, words: str) -> None:
    program = fake_program(tmp_path, says)
    with pytest.raises(AsteriskNotFoundError, match=words):
        find_asterisk(tmp_path, {"PATH": f"{program.parent}{os.pathsep}/bin"})
