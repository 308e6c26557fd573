"""A private PostgreSQL server for tests.

Knows initdb and pg_ctl. Must not know tables. As root it runs the server as the user `postgres`, which refuses to
run as root itself.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from ivr_engine.testcaller.ports import free_ports

_START_DEADLINE_S: Final = 30
_SETTINGS: Final = (
    "listen_addresses=127.0.0.1",
    "fsync=off",
    "full_page_writes=off",
    "max_connections=60",
    "shared_buffers=16MB",
    "log_min_messages=fatal",
)


class PostgresServer:
    """One cluster in a temporary folder, on a free loopback port."""

    def __init__(self) -> None:
        self._programs = _programs()
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if self._user:
            account = pwd.getpwnam(self._user)
            os.chown(self._folder, account.pw_uid, account.pw_gid)
        self._data = self._folder / "data"
        (self._port,) = free_ports(1)
        self._databases = 0
        self._run("initdb", "-D", str(self._data), "-U", "bank", "-A", "trust", "-E", "UTF8", "--no-sync")

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = (*_SETTINGS, f"port={self._port}", f"unix_socket_directories={self._folder}")
        options = " ".join(f"-c {setting}" for setting in settings)
        log = str(self._folder / "log")
        wait = ("-w", "-t", str(_START_DEADLINE_S))
        self._run("pg_ctl", "-D", str(self._data), *wait, "-o", options, "-l", log, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server; `immediate` is a crash: no checkpoint, connections cut."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", mode, "stop")

    def new_database(self, *, like: str | None = None) -> str:
        """Create an empty database, or a copy of one to which nobody is connected, and return its URL."""
        self._databases += 1
        name = f"test_{self._databases}"
        template = ("-T", like.rpartition("/")[2]) if like is not None else ()
        self._run("createdb", "-h", str(self._folder), "-p", str(self._port), "-U", "bank", *template, name)
        return f"postgresql://bank@127.0.0.1:{self._port}/{name}"

    def remove(self) -> None:
        """Stop the server if it runs, and delete its files."""
        if (self._data / "postmaster.pid").exists():
            self.stop()
        shutil.rmtree(self._folder)

    def _run(self, program: str, *arguments: str) -> None:
        # A file, not a pipe: the server keeps it open after pg_ctl has ended.
        with (self._folder / f"{program}.out").open("w+") as said:
            done = subprocess.run(
                [str(self._programs / program), *arguments],
                user=self._user,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=2 * _START_DEADLINE_S,
                check=False,
            )
            said.seek(0)
            if done.returncode:
                message = f"{program} failed:\n{said.read()}"
                raise RuntimeError(message)


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    if not found:
        message = (
            "PostgreSQL is not installed: tests marked `postgres` need its programs (Debian: apt install postgresql)"
        )
        raise RuntimeError(message)
    return found[-1]
