"""Who Asterisk runs as: never root when there is a way around it.

Knows users, groups, capabilities and who can read what. Must not know Asterisk. Several advisories are ways from
Asterisk's user to root, so an engine started by root (a container, a test machine) gives its rights away here.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

USERS: Final = ("asterisk", "nobody")
"""The package's own user, or the one that owns nothing."""

PROBE_DEADLINE_S: Final = 10

_NO_NEW_PRIVILEGES = ("setpriv", "--no-new-privs")
_PROBE = 'for path do test -r "$path" || { echo "$path"; exit 1; }; done'


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, and the words before a command that make it run as that user.

    `warning` says what is less safe than it could be, and the mend.
    """

    prefix: tuple[str, ...]
    uid: int
    gid: int
    warning: str | None = None


def safest_identity(*, owned: Sequence[Path], group_owned: Sequence[Path], readable: Sequence[Path]) -> Identity:
    """Return the least powerful identity that can read all of `readable`.

    `owned` folders are handed to it, `group_owned` folders to its group, both with everything in them (only when we
    are root). In this order: the user; the user with the right to read past folder permissions; root.
    """
    if os.geteuid() != 0:
        return Identity(_NO_NEW_PRIVILEGES, os.geteuid(), os.getegid())
    blocked = ""
    for identity in _root_choices():
        hand_over(identity, owned)
        _hand_to_group(identity, group_owned)
        refused = _refused(identity, readable)
        if refused is None:
            return _with_warning(identity, blocked)
        blocked = blocked or refused
    raise PermissionError(f"{blocked} cannot be read, not even by root")


def hand_over(identity: Identity, folders: Sequence[Path]) -> None:
    """Give folders and what is in them to this identity; does nothing unless we are root."""
    if os.geteuid() != 0:
        return
    for path in _tree(folders):
        os.lchown(path, identity.uid, identity.gid)  # never through a symbolic link: Asterisk may have laid it


def _hand_to_group(identity: Identity, folders: Sequence[Path]) -> None:
    for path in _tree(folders):
        os.lchown(path, -1, identity.gid)


def _tree(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield folder
        for parent, directories, files in os.walk(folder):
            yield from (Path(parent, name) for name in (*directories, *files))


def _root_choices() -> Iterator[Identity]:
    for name in USERS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        prefix = (
            *("setpriv", "--reuid", str(user.pw_uid), "--regid", str(user.pw_gid)),
            *("--clear-groups", "--no-new-privs"),
        )
        yield Identity(prefix, user.pw_uid, user.pw_gid)
        reading = ("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search")
        yield Identity((*prefix, *reading), user.pw_uid, user.pw_gid)
        break
    yield Identity(_NO_NEW_PRIVILEGES, 0, 0)


def _refused(identity: Identity, readable: Sequence[Path]) -> str | None:
    """Let the identity itself try: the first path that it cannot read, or None."""
    command = [*identity.prefix, "/bin/sh", "-c", _PROBE, "probe", *map(str, readable)]
    try:
        probe = subprocess.run(  # noqa: S603  # fixed words and our own paths, no shell reads the paths
            command, capture_output=True, text=True, timeout=PROBE_DEADLINE_S, check=False, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired) as reason:
        return f"setpriv ({reason})"
    if probe.returncode == 0:
        return None
    return probe.stdout.strip() or probe.stderr.strip() or "setpriv"


def _with_warning(identity: Identity, blocked: str) -> Identity:
    if not blocked:
        return identity
    mend = (
        f"{blocked} cannot be read by the user Asterisk should run as. Move the project to a folder that others may "
        "enter (for example below /srv or /opt), or start it as an ordinary user."
    )
    who = "as root" if identity.uid == 0 else "with the extra right to read every file"
    return Identity(identity.prefix, identity.uid, identity.gid, f"Asterisk runs {who}: {mend}")
