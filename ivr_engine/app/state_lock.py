"""One hotline for each state folder: two would fight over one Asterisk and one database file."""

from __future__ import annotations

import contextlib
import fcntl
import pathlib
from collections.abc import Iterator


class StateFolderError(Exception):
    """The state folder cannot be made or written."""


class AlreadyRunningError(Exception):
    """Another hotline runs in this state folder."""


def make_state_folder(folder: pathlib.Path) -> None:
    """Make the folder unless it is there; raise `StateFolderError` when nothing can be written into it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "lock").touch()
    except OSError as error:
        message = f"the state folder {folder} cannot be used: {error.strerror}; set IVR_STATE_DIR"
        raise StateFolderError(message) from None


@contextlib.contextmanager
def state_lock(folder: pathlib.Path) -> Iterator[None]:
    """Hold the folder as long as the context lasts; the kernel lets go of it when the process dies, however it dies."""
    make_state_folder(folder)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"a hotline already runs in {folder}: stop it, or give this one its own folder (IVR_STATE_DIR)"
            raise AlreadyRunningError(message) from None
        yield
