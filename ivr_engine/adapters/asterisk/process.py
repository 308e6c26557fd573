"""One Asterisk as a child process: started, watched, asked, stopped.

Knows processes, users, the control socket and what Asterisk writes when it cannot start. Must not know what
is in the configuration, nor calls. Asterisk outlives a killed engine on purpose, because the callers are in it: a start
that finds it still running takes it over instead of starting a second one.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from ivr_engine.adapters.asterisk.boot_log import explain, remarks
from ivr_engine.adapters.asterisk.identity import Identity, hand_over, safest_identity
from ivr_engine.adapters.asterisk.locate import AsteriskInstall
from ivr_engine.adapters.asterisk.render import CONTROL_SOCKET, RUN_FOLDERS

START_DEADLINE_S: Final = 30.0
CLI_DEADLINE_S: Final = 10.0
STOP_GENTLY_S: Final = 5.0
STOP_TERM_S: Final = 3.0
STOP_KILL_S: Final = 5.0
POLL_S: Final = 0.02
OPEN_FILES: Final = 20_000
"""Eight for each call, and room for many (asterisk-config/asterisk.conf, maxcalls)."""

LOG_TAIL_BYTES: Final = 64 * 1024

_PID_FILE = "run/asterisk.pid"
_CONSOLE_LOG = "log/console.log"
_MESSAGES_LOG = "log/messages.log"


class AsteriskError(RuntimeError):
    """Asterisk could not be started or asked; the message says why and what to do."""


class AsteriskProcess:
    """An Asterisk that belongs to one configuration folder and one run directory.

    `readable` names further paths that Asterisk has to read (the recordings). One owner calls `start` and
    `stop`; `cli` may be called by several tasks.
    """

    def __init__(
        self,
        install: AsteriskInstall,
        config_directory: Path,
        run_directory: Path,
        *,
        readable: Sequence[Path] = (),
        open_files: int = OPEN_FILES,
    ) -> None:
        self._install = install
        self._config = config_directory.absolute()
        self._run = run_directory.absolute()
        self._readable = [path.absolute() for path in readable]
        self._open_files = open_files
        self._identity: Identity | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._pid: int | None = None
        self.adopted = False
        """True when `start` found this Asterisk running and took it over."""
        self.warnings: list[str] = []
        """What an operator should know about this start, in sentences."""

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return self._pid

    @property
    def group_id(self) -> int | None:
        """The group that Asterisk reads with: what it has to read at run time belongs to this group."""
        return self._identity.gid if self._identity else None

    async def start(self) -> None:
        """Start Asterisk, or take over the one that runs here, and return when it is fully booted.

        Raises AsteriskError when it is not booted within START_DEADLINE_S or reports an error that would make
        calls fail; nothing is left running then.
        """
        if self._pid is not None:
            raise AsteriskError("Asterisk was already started by this object")
        self._prepare()
        self.adopted = False
        try:
            async with asyncio.timeout(START_DEADLINE_S):
                if await self._adopt():
                    return
                logged_before = self._size(_MESSAGES_LOG)
                await self._spawn()
                await self._until_booted(logged_before)
        except TimeoutError:
            await self.stop()
            raise AsteriskError(
                f"Asterisk was not ready after {START_DEADLINE_S:.0f} s; see {self._run / _MESSAGES_LOG}"
            ) from None
        except BaseException:
            if not self.adopted:  # a cancelled start must not end the calls of an Asterisk that it only found
                await self.stop()
            raise

    async def wait(self) -> int | None:
        """Return when Asterisk has ended: its exit code (negative: signal), or None when it was taken over."""
        child = self._child
        if child is not None:
            await child.wait()
            return child.returncode
        if self._pid is not None:
            await _ended(self._pid)
        return None

    async def stop(self) -> None:
        """End Asterisk and remove its socket: asked first, then SIGTERM, then SIGKILL. Harmless when repeated."""
        pid, self._pid = self._pid, None
        if pid is None:
            return
        with suppress(AsteriskError):
            await self.cli("core stop now", deadline_s=STOP_TERM_S)
        if not await self._gone(pid, STOP_GENTLY_S):
            _signal(pid, signal.SIGTERM)
            if not await self._gone(pid, STOP_TERM_S):
                _signal(pid, signal.SIGKILL)
                await self._gone(pid, STOP_KILL_S)
        self._child = None
        self._remove_leftovers()

    async def cli(self, command: str, *, deadline_s: float = CLI_DEADLINE_S) -> str:
        """Run one console command (`asterisk -rx`) and return what it prints.

        Raises AsteriskError when Asterisk does not answer in time or is not there, ValueError for control
        characters in the command.
        """
        if not command.isprintable():
            raise ValueError("a console command is one line of printable characters")
        identity = self._identity or self._choose_identity()
        asked = await asyncio.create_subprocess_exec(
            *identity.prefix,
            *self._command("-rx", command),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(deadline_s):
                answer, _ = await asked.communicate()
        except TimeoutError:
            raise AsteriskError(f"Asterisk did not answer `{command}` within {deadline_s:.0f} s") from None
        finally:
            if asked.returncode is None:
                asked.kill()
                await asked.wait()
        text = answer.decode("utf-8", errors="replace")
        if asked.returncode != 0:
            raise AsteriskError(f"Asterisk did not take `{command}`: {text.strip()}")
        return text

    # --- Starting ---------------------------------------------------------------------------------------------

    def _command(self, *options: str) -> list[str]:
        return [*self._install.command, "-C", str(self._config / "asterisk.conf"), *options]

    def _prepare(self) -> None:
        if not (self._config / "asterisk.conf").is_file():
            raise AsteriskError(f"{self._config} holds no asterisk.conf; render the configuration first")
        try:
            for folder in RUN_FOLDERS:
                (self._run / folder).mkdir(parents=True, exist_ok=True)
            self._run.chmod(0o750)
        except OSError as reason:
            raise AsteriskError(
                f"the run directory {self._run} cannot be made ready: {reason.strerror} ({reason.filename}). "
                "Give it to the user who starts the engine, or choose another state directory."
            ) from reason
        self._identity = self._choose_identity()
        self.warnings = [self._identity.warning] if self._identity.warning else []
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard != resource.RLIM_INFINITY and hard < self._open_files:
            self.warnings.append(
                f"only {hard} open files are allowed here, enough for {hard // 8} calls; "
                f"raise it with `ulimit -Hn {self._open_files}` or LimitNOFILE= in the service's unit"
            )
            self._open_files = hard

    def _choose_identity(self) -> Identity:
        return safest_identity(
            owned=[self._run],
            group_owned=[self._config],
            readable=[
                *(Path(word) for word in self._install.command if word.startswith("/")),
                self._install.module_dir,
                self._install.data_dir,
                self._config / "asterisk.conf",
                *self._readable,
            ],
        )

    async def _adopt(self) -> bool:
        """Take over an Asterisk that runs on this configuration; what a dead one left behind is removed."""
        pid = self._recorded_pid()
        if pid is None:
            self._remove_leftovers()
            return False
        self._pid = pid
        self.adopted = True
        await self.cli("core waitfullybooted", deadline_s=START_DEADLINE_S)
        # The files were rendered anew since it started. A reload ends no call.
        await self.cli("core reload")
        return True

    def _recorded_pid(self) -> int | None:
        try:
            pid = int((self._run / _PID_FILE).read_text(encoding="ascii").strip())
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        # A process id is used again by the system: only the same configuration makes it ours.
        return pid if os.fsencode(self._config / "asterisk.conf") in words else None

    async def _spawn(self) -> None:
        identity = self._identity or self._choose_identity()
        console = os.open(
            self._run / _CONSOLE_LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640
        )
        try:
            hand_over(identity, [self._run])
            self._child = await asyncio.create_subprocess_exec(
                # No core file: it would hold audio and variables of every call.
                *("/bin/sh", "-c", 'umask 027; ulimit -c 0; ulimit -n "$0"; exec "$@"', str(self._open_files)),
                *identity.prefix,
                *self._command("-f", "-n"),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                # Ctrl-C in the engine's terminal must not end the calls with it.
                start_new_session=True,
                cwd=self._run,
            )
        finally:
            os.close(console)
        self._pid = self._child.pid

    async def _until_booted(self, logged_before: int) -> None:
        child = self._child
        while child is not None:
            if child.returncode is not None:
                self._pid = None
                self._remove_leftovers()
                raise AsteriskError(self._why_not_started(logged_before, child.returncode))
            if (self._run / CONTROL_SOCKET).is_socket():
                # It may still refuse, or end before it is booted: then the loop sees the exit code.
                with suppress(AsteriskError):
                    if "fully booted" in await self.cli("core waitfullybooted"):
                        break
            await asyncio.sleep(POLL_S)
        text = self._tail(_MESSAGES_LOG, logged_before)
        reason = explain(text)
        if reason is not None:
            raise AsteriskError(f"Asterisk started, but {reason}")
        self.warnings += remarks(text)

    def _why_not_started(self, logged_before: int, exit_code: int) -> str:
        text = self._tail(_MESSAGES_LOG, logged_before) + self._tail(_CONSOLE_LOG, 0)
        reason = explain(text)
        if reason is None:
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            reason = "its last words were: " + (" / ".join(lines[-3:]) if lines else "(none)")
        return f"Asterisk ended with {exit_code} while starting: {reason}"

    def _size(self, name: str) -> int:
        with suppress(OSError):
            return (self._run / name).stat().st_size
        return 0

    def _tail(self, name: str, start: int) -> str:
        with suppress(OSError), (self._run / name).open("rb") as file:
            file.seek(max(start, self._size(name) - LOG_TAIL_BYTES))
            return file.read(LOG_TAIL_BYTES).decode("utf-8", errors="replace")
        return ""

    # --- Ending -----------------------------------------------------------------------------------------------

    async def _gone(self, pid: int, within_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                if self._child is not None:
                    await self._child.wait()
                else:
                    await _ended(pid)
                return True
        return False

    def _remove_leftovers(self) -> None:
        for name in (CONTROL_SOCKET, _PID_FILE):
            (self._run / name).unlink(missing_ok=True)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


async def _ended(pid: int) -> None:
    """Return when a process that is not our child has ended (pidfd_open(2): readable at the end)."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(handle, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
