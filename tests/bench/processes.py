"""Processes as the system sees them: processor time, memory; and children of the benchmark that it must end.

Knows /proc. Must not know what a process is for.
"""

from __future__ import annotations

import asyncio
import os
import resource
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.waiting import BenchError

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
STOP_WITHIN_S: Final = 12.0
LOG_END_CHARACTERS: Final = 1500
_UTIME, _STIME, _CUTIME, _CSTIME, _RSS = 11, 12, 13, 14, 21
"""Places in /proc/PID/stat behind the name (proc(5), fields 14 to 17 and 24)."""
_IDLE, _IOWAIT, _GUEST = 3, 4, 8
"""Places in the first line of /proc/stat behind its name."""


def parse_stat(text: str) -> list[int]:
    """Return the numbers of /proc/PID/stat behind the name, which may hold spaces and brackets itself."""
    behind = text.rpartition(")")[2].split()
    return [0, *(int(word) for word in behind[1:])]


def cpu_seconds(pid: int) -> float:
    """Return the processor time of one process, all its threads included."""
    numbers = _stat(pid)
    return (numbers[_UTIME] + numbers[_STIME]) / TICKS_PER_S


def family_cpu_seconds(pid: int) -> float:
    """Return the processor time of a process, of its living children, and of those that it has seen end."""
    numbers = _stat(pid)
    own = sum(numbers[place] for place in (_UTIME, _STIME, _CUTIME, _CSTIME)) / TICKS_PER_S
    return own + sum(_cpu_or_nothing(child) for child in _children(pid))


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds now."""
    return _stat(pid)[_RSS] * PAGE_BYTES


def parse_busy(first_line: str) -> float:
    """Return the busy seconds of the whole machine from the first line of /proc/stat."""
    numbers = [int(word) for word in first_line.split()[1:]]
    return (sum(numbers[:_GUEST]) - numbers[_IDLE] - numbers[_IOWAIT]) / TICKS_PER_S


def _stat(pid: int) -> list[int]:
    try:
        return parse_stat(Path(f"/proc/{pid}/stat").read_text())
    except (FileNotFoundError, ProcessLookupError):
        message = f"process {pid} ended while it was measured"
        raise BenchError(message) from None


def _cpu_or_nothing(pid: int) -> float:
    try:
        return family_cpu_seconds(pid)
    except BenchError:
        return 0.0  # its parent has seen it end: the time is in the parent's account


def _children(pid: int) -> list[int]:
    try:
        tasks = [*Path(f"/proc/{pid}/task").iterdir()]
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


@dataclass(frozen=True, slots=True)
class CpuReading:
    """Processor seconds so far: of each role, of the benchmark with its ended children (SIPp), of the machine."""

    roles: Mapping[str, float]
    own: float
    machine: float
    at: float

    @classmethod
    def take(cls, roles: Mapping[str, int]) -> CpuReading:
        """Read the processes of some roles, and the machine."""
        own = sum(
            usage.ru_utime + usage.ru_stime
            for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
        )
        busy = parse_busy(Path("/proc/stat").read_text().partition("\n")[0])
        now = asyncio.get_running_loop().time()
        return cls({role: family_cpu_seconds(pid) for role, pid in roles.items()}, own, busy, now)

    def since(self, before: CpuReading) -> dict[str, float]:
        """Return the seconds of each role since another reading."""
        return {role: seconds - before.roles[role] for role, seconds in self.roles.items()}

    def others_share(self, before: CpuReading) -> float:
        """Return the part of the machine, 0 to 1, that processes took which are not of the benchmark."""
        ours = sum(self.since(before).values()) + self.own - before.own
        available = (self.at - before.at) * (os.cpu_count() or 1)
        return max(0.0, (self.machine - before.machine - ours) / available) if available else 0.0

    def own_share(self, before: CpuReading) -> float:
        """Return the part of the machine, 0 to 1, that the benchmark and its ended children took."""
        available = (self.at - before.at) * (os.cpu_count() or 1)
        return (self.own - before.own) / available if available else 0.0


class Child:
    """One child process with a log of its own; `stop()` ends it, harmless when repeated."""

    def __init__(self, name: str, log: Path) -> None:
        self._name = name
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id; raises `BenchError` when it does not run."""
        if self._process is None or self._process.returncode is not None:
            message = f"{self._name} has ended:\n{self.said()}"
            raise BenchError(message)
        return self._process.pid

    async def start(
        self, words: Sequence[str], *, folder: Path, environment: Mapping[str, str], pass_fds: Iterable[int] = ()
    ) -> None:
        """Start `python` with these words."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *words,
                cwd=folder,
                env={**os.environ, **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=tuple(pass_fds),
                start_new_session=True,
            )

    def said(self) -> str:
        """Return the end of its log."""
        return self._log.read_text(errors="replace")[-LOG_END_CHARACTERS:] if self._log.exists() else ""

    async def stop(self) -> None:
        """Ask it to end, then make it."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
