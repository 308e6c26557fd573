"""Finding an Asterisk to run: the machine's own, or the one unpacked into the project.

Knows where an Asterisk can stand and how to ask it for its version. Must not know what it is run for, and
installs nothing: that is `docker/setup/asterisk`, which follows the same order and the same least version.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

LEAST_VERSION: Final = (22, 10, 1)
"""The first release without GHSA-589g-qgf8-m6mx and nineteen other advisories."""

ROOT_VARIABLE: Final = "IVR_ASTERISK_ROOT"
"""Environment variable that names an unpacked root folder and is believed before all else."""

UNPACKED_FOLDER: Final = Path(".ivr/asterisk/root")
"""Where `docker/setup/asterisk` unpacks, below the project."""

VERSION_DEADLINE_S: Final = 10

_VERSION = re.compile(r"^Asterisk (?:certified/)?(\d+)\.(\d+)\.(\d+)")


class AsteriskNotFoundError(RuntimeError):
    """No Asterisk of the least version was found; the message lists what was looked at and the mend."""


@dataclass(frozen=True, slots=True)
class AsteriskInstall:
    """An Asterisk that runs on this machine.

    `command` starts it (options are appended), `module_dir` and `data_dir` go into asterisk.conf.
    """

    command: list[str]
    module_dir: Path
    data_dir: Path
    version: tuple[int, int, int]


class _NotUsableError(Exception):
    """Why one candidate was passed over."""


def find_asterisk(project_dir: Path, environment: Mapping[str, str] | None = None) -> AsteriskInstall:
    """Return the first usable Asterisk: IVR_ASTERISK_ROOT, then the machine's own, then the unpacked one.

    `environment` stands in for `os.environ`. Raises AsteriskNotFoundError.
    """
    environment = os.environ if environment is None else environment
    passed_over: list[str] = []
    for name, find in _candidates(project_dir, environment):
        try:
            return find()
        except _NotUsableError as reason:
            passed_over.append(f"{name}: {reason}")
            if name.startswith(ROOT_VARIABLE):
                break  # who names a folder wants that one, not a quiet substitute
    least = ".".join(map(str, LEAST_VERSION))
    raise AsteriskNotFoundError(
        f"no Asterisk {least} or later on this machine.\n"
        + "".join(f"  {line}\n" for line in passed_over)
        + "Mend: run `docker/setup/asterisk`, which unpacks one into the project without installing it."
    )


def _candidates(
    project_dir: Path, environment: Mapping[str, str]
) -> Iterator[tuple[str, Callable[[], AsteriskInstall]]]:
    named = environment.get(ROOT_VARIABLE)
    if named:
        yield f"{ROOT_VARIABLE}={named}", partial(_unpacked, Path(named).absolute())
    yield "the machine's own", partial(_installed, environment.get("PATH"))
    yield f"unpacked in {UNPACKED_FOLDER}", partial(_unpacked, (project_dir / UNPACKED_FOLDER).absolute())


def _installed(search_path: str | None) -> AsteriskInstall:
    # A package puts Asterisk in /usr/sbin, which an ordinary user's PATH often lacks.
    folders = os.pathsep.join([search_path or os.defpath, "/usr/sbin", "/usr/local/sbin"])
    program = shutil.which("asterisk", path=folders)
    if program is None:
        raise _NotUsableError("no program `asterisk`")
    return _checked([program], _library_folders(Path("/usr")), Path("/usr/share/asterisk"))


def _unpacked(root: Path) -> AsteriskInstall:
    program = root / "usr/sbin/asterisk"
    if not program.is_file():
        raise _NotUsableError(f"{program} does not exist")
    for libraries in _library_folders(root / "usr"):
        for loader in sorted(libraries.glob("ld-linux*.so.*")):
            # The folder's own loader and C library, so neither chroot nor root is needed to run it.
            command = [str(loader), "--library-path", str(libraries), str(program)]
            return _checked(command, [libraries], root / "usr/share/asterisk")
    raise _NotUsableError(f"{root} holds no program loader (usr/lib/*/ld-linux*.so.*)")


def _library_folders(usr: Path) -> list[Path]:
    """Debian keeps modules below usr/lib/<machine>/, a build from source below usr/lib/."""
    return [*sorted(path for path in (usr / "lib").glob("*-linux-gnu*") if path.is_dir()), usr / "lib"]


def _checked(command: list[str], library_folders: list[Path], data_dir: Path) -> AsteriskInstall:
    version = _version(command)
    if version < LEAST_VERSION:
        raise _NotUsableError(f"{command[-1]} is {'.'.join(map(str, version))}, which has known holes")
    for folder in library_folders:
        modules = folder / "asterisk/modules"
        if (modules / "res_agi.so").is_file():
            if not data_dir.is_dir():
                raise _NotUsableError(f"{data_dir} is missing: modules refuse to load without their documentation")
            return AsteriskInstall(command, modules, data_dir, version)
    raise _NotUsableError(f"{command[-1]} has no module res_agi.so (Debian: package asterisk-modules)")


def _version(command: list[str]) -> tuple[int, int, int]:
    try:
        answer = subprocess.run(  # noqa: S603  # the command is a file found above, with no shell in between
            [*command, "-V"], capture_output=True, text=True, timeout=VERSION_DEADLINE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as reason:
        raise _NotUsableError(f"{command[-1]} does not run: {reason}") from reason
    match = _VERSION.match(answer.stdout)
    if match is None:
        said = (answer.stdout + answer.stderr).strip().splitlines()
        raise _NotUsableError(f"{command[-1]} tells no version: {said[0] if said else answer.returncode}")
    return int(match[1]), int(match[2]), int(match[3])
