"""Files as git keeps them: laid out elsewhere, and what is said when they cannot be had."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ivr_engine.adapters.revisions import RevisionError, lay_out


def git(folder: Path, *arguments: str) -> None:
    quiet = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"]}
    who = ("-c", "user.name=Tester", "-c", "user.email=tester@localhost", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, env=quiet, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout with two revisions; `v1` is the first."""
    folder = tmp_path / "checkout"
    (folder / "flows" / "library").mkdir(parents=True)
    (folder / "flows" / "a.yaml").write_text("first: 欢迎\n", encoding="utf-8")
    (folder / "flows" / "library" / "b.yaml").write_text("b: 1\n", encoding="utf-8")
    (folder / "other.txt").write_text("not a flow\n", encoding="utf-8")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "tag", "v1")
    (folder / "flows" / "a.yaml").write_text("second: 1\n", encoding="utf-8")
    (folder / "flows" / "new.yaml").write_text("new: 1\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "second")
    return folder


def test_files_are_laid_out_as_they_were_and_nothing_else_is(checkout: Path, tmp_path: Path) -> None:
    lay_out(checkout / "flows", "v1", tmp_path / "out")
    laid = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert laid == ["a.yaml", "library/b.yaml"]
    assert (tmp_path / "out" / "a.yaml").read_text(encoding="utf-8") == "first: 欢迎\n"
    assert (checkout / "flows" / "a.yaml").read_text(encoding="utf-8") == "second: 1\n"


def test_whole_checkout_can_be_laid_out(checkout: Path, tmp_path: Path) -> None:
    lay_out(checkout, "HEAD", tmp_path / "out")
    assert (tmp_path / "out" / "flows" / "new.yaml").exists()
    assert (tmp_path / "out" / "other.txt").exists()


@pytest.mark.parametrize("revision", ["nowhere", "--output=stolen", ""])
def test_revision_that_there_is_not_is_told(checkout: Path, tmp_path: Path, revision: str) -> None:
    with pytest.raises(RevisionError, match="no revision"):
        lay_out(checkout / "flows", revision, tmp_path / "out")
    assert not (checkout / "stolen").exists()


def test_folder_that_was_not_there_at_that_revision_is_told(checkout: Path, tmp_path: Path) -> None:
    (checkout / "prompts").mkdir()
    with pytest.raises(RevisionError, match="no folder prompts/"):
        lay_out(checkout / "prompts", "v1", tmp_path / "out")


def test_folder_outside_of_any_checkout_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(RevisionError, match="no checkout"):
        lay_out(tmp_path, "HEAD", tmp_path / "out")


def test_machine_without_git_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RevisionError, match="not installed"):
        lay_out(tmp_path, "HEAD", tmp_path / "out")
