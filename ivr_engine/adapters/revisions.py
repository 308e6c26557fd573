"""Files of a folder as they were at an earlier revision, as git keeps them.

Knows how git is asked. Must not know flows or prompts. What is worked on is never touched.
"""

from __future__ import annotations

import io
import pathlib
import shutil
import subprocess
import tarfile
from typing import Final

DEADLINE_S: Final = 30.0
_SHOWN: Final = 300


class RevisionError(Exception):
    """The files of that revision cannot be had, and why."""


def lay_out(folder: pathlib.Path, revision: str, into: pathlib.Path) -> None:
    """Write the files of `folder` as they were at `revision` below `into`; raise `RevisionError`.

    `folder` itself has to lie in a checkout; at that revision it may have held other files.
    """
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if not commit:
        message = f"git knows no revision '{revision}' here"
        raise RevisionError(message)
    prefix = _git(folder, "rev-parse", "--show-prefix").decode().strip()
    top = pathlib.Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
    archive = _git(top, "archive", "--format=tar", commit.decode().strip(), "--", prefix or ".")
    if not archive:
        message = f"at revision '{revision}' there is no folder {prefix or top}"
        raise RevisionError(message)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = pathlib.PurePosixPath(member.name)
            content = tar.extractfile(member)
            if content is None or ".." in path.parts or not path.is_relative_to(prefix or "."):
                continue  # folders are made as needed, and a link is no file of its own
            target = into / path.relative_to(prefix or ".")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.read())


def _git(folder: pathlib.Path, *arguments: str) -> bytes:
    """Return what git prints; nothing when it says no."""
    git = shutil.which("git")
    if git is None:
        raise RevisionError("git is not installed: compare two folders instead")
    try:
        done = subprocess.run(  # noqa: S603 # a fixed program; a revision cannot be taken for an option
            [git, "-C", str(folder), *arguments], capture_output=True, timeout=DEADLINE_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        message = f"git did not finish within {DEADLINE_S:g} s"
        raise RevisionError(message) from error
    said = done.stderr.decode(errors="replace").strip()[:_SHOWN]
    if done.returncode and "not a git repository" in said:
        message = f"{folder} lies in no checkout of git: compare two folders instead"
        raise RevisionError(message)
    return b"" if done.returncode else done.stdout
