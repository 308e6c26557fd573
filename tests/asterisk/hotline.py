"""A whole hotline for tests: `ivr serve` as an operator starts it, on ports and a folder of its own.

It is the real thing in a child process: supervisor, engine, Asterisk, SQLite. Tests look at it from outside: over SIP,
its database, /metrics, its processes and Asterisk's console.
"""

from __future__ import annotations

import fcntl
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from ivr_engine.adapters.asterisk.locate import find_asterisk
from ivr_engine.adapters.bank.demo import demo_pins
from ivr_engine.app.secrets_file import Secrets, load_or_make
from ivr_engine.app.settings import PROJECT, Settings, load_settings
from ivr_engine.testcaller.phone import Target
from ivr_engine.testcaller.ports import free_ports
from ivr_engine.values.secret import SecretDigits

START_WITHIN_S: Final = 60.0
STOP_WITHIN_S: Final = 25.0
POLL_S: Final = 0.02
SHARED_SOUNDS: Final = PROJECT / ".ivr" / "sounds"
AGENTS: Final = ("1001", "1002")


class HotlineError(AssertionError):
    """The hotline did not do what a test needs; the end of its log is in the message."""


@dataclass(slots=True)
class RunningHotline:
    """One hotline. `environment` are the IVR_ settings it was started with."""

    environment: Mapping[str, str]
    folder: Path
    process: subprocess.Popen[bytes] | None = None
    settings: Settings = field(init=False)

    def __post_init__(self) -> None:
        self.settings = load_settings(self.folder, self.environment)

    @property
    def target(self) -> Target:
        """Where callers dial."""
        return Target(self.settings.sip_bind, self.settings.sip_port)

    @property
    def number(self) -> str:
        """The number to dial."""
        return self.settings.dial

    @property
    def sounds(self) -> Path:
        """The folder of recordings."""
        return self.settings.sounds_dir

    @property
    def secrets(self) -> Secrets:
        """The hotline's own secrets."""
        return load_or_make(self.settings.state_dir, self.settings.agents)

    def pin(self, customer: str) -> SecretDigits:
        """Return a demo customer's PIN."""
        pins = {str(number): pin for number, pin in demo_pins(bytes.fromhex(self.secrets.pin_key)).items()}
        return SecretDigits(pins[customer].encode())

    @property
    def log(self) -> str:
        """Everything that the hotline has written."""
        return (self.folder / "serve.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and return when it is ready."""
        ready_before = self._ready_count()
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ivr_engine", "serve"],
                cwd=self.folder,
                env={**os.environ, **self.environment, "PYTHONPATH": str(PROJECT)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_until(
            lambda: self._ready_count() > ready_before and self.healthy(), "the hotline is ready", START_WITHIN_S
        )

    def stop(self) -> int:
        """Stop it as Ctrl-C does; return its exit status."""
        process, self.process = self.process, None
        if process is None:
            return 0
        process.send_signal(signal.SIGINT)
        try:
            return process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise HotlineError(f"it did not stop within {STOP_WITHIN_S} s\n{self.log[-3000:]}") from None

    def healthy(self) -> bool:
        """Whether /healthz says that all is well."""
        try:
            with urllib.request.urlopen(f"{self._web}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def metric(self, name: str) -> float:
        """Return one metric's value; labels are part of the name."""
        with urllib.request.urlopen(f"{self._web}/metrics", timeout=5) as answer:
            text = answer.read().decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
        if found is None:
            raise HotlineError(f"there is no metric {name}")
        return float(found.group(1))

    @property
    def engine_pid(self) -> int:
        """The process of the engine that runs now (a child of the supervisor)."""
        if self.process is None:
            raise HotlineError("the hotline does not run")
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            if b"ivr_engine.app.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
        raise HotlineError("no engine runs")

    def asterisk(self, command: str) -> str:
        """Ask Asterisk's console."""
        install = find_asterisk(PROJECT)
        done = subprocess.run(
            [*install.command, "-C", str(self.settings.asterisk_conf_dir / "asterisk.conf"), "-rx", command],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        return done.stdout

    def channels(self) -> int:
        """Return how many channels Asterisk holds."""
        found = re.search(r"(\d+) active channel", self.asterisk("core show channels count"))
        if found is None:
            raise HotlineError("Asterisk does not say how many channels it holds")
        return int(found.group(1))

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Read from the hotline's database."""
        connection = sqlite3.connect(f"file:{self.settings.state_dir / 'hotline.db'}?mode=ro", uri=True, timeout=5)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def wait_until(self, condition: object, what: str, within_s: float) -> float:
        """Wait until `condition()` holds, return the seconds; raise `HotlineError` with the log's end otherwise."""
        assert callable(condition)
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > within_s:
                raise HotlineError(f"not within {within_s} s: {what}\n{self.log[-3000:]}")
            if self.process is not None and self.process.poll() is not None:
                raise HotlineError(f"the hotline ended while waiting: {what}\n{self.log[-3000:]}")
            time.sleep(POLL_S)
        return time.monotonic() - began

    @property
    def _web(self) -> str:
        return f"http://{self.settings.web_host}:{self.settings.web_port}"

    def _ready_count(self) -> int:
        path = self.folder / "serve.log"
        return path.read_text(errors="replace").count("The hotline is ready") if path.exists() else 0


@contextmanager
def running_hotline(**settings: str) -> Iterator[RunningHotline]:
    """Run a hotline in a new folder on free ports, with further settings by name (`flows_dir=...`).

    The folder is not one of pytest's: those are private, and Asterisk may run as another user; and another run of
    pytest may clear them away while calls are live.
    """
    with tempfile.TemporaryDirectory(prefix="ivr-test-") as folder:
        yield from _running(Path(folder), settings)


def _running(folder: Path, settings: Mapping[str, str]) -> Iterator[RunningHotline]:
    ports = free_ports(4)
    environment = {
        "IVR_STATE_DIR": str(folder / "state"),
        "IVR_SIP_PORT": str(ports[0]),
        "IVR_AGI_PORT": str(ports[1]),
        "IVR_AMI_PORT": str(ports[2]),
        "IVR_WEB_PORT": str(ports[3]),
        "IVR_RTP_FIRST_PORT": "30000",
        "IVR_RTP_LAST_PORT": "31999",
        "IVR_WRAP_UP_S": "0",
        **{f"IVR_{name.upper()}": value for name, value in settings.items()},
    }
    _share_recordings(folder / "state")
    folder.chmod(0o755)  # Asterisk may run as another user
    hotline = RunningHotline(environment, folder)
    hotline.start()
    try:
        yield hotline
    finally:
        hotline.stop()


def _share_recordings(state: Path) -> None:
    """Let a hotline find the recordings already there."""
    make_recordings()
    state.mkdir(parents=True, exist_ok=True)
    if not (state / "sounds").exists():
        subprocess.run(["cp", "-al", str(SHARED_SOUNDS), str(state / "sounds")], check=True)


@cache
def make_recordings() -> None:
    """Make those that are missing or whose words have changed, once for all tests, whichever process comes first."""
    SHARED_SOUNDS.parent.mkdir(exist_ok=True)
    with (SHARED_SOUNDS.parent / "sounds.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        words = ["prompts", "build", "--into", str(SHARED_SOUNDS)]
        subprocess.run([sys.executable, "-m", "ivr_engine", *words], cwd=PROJECT, check=True)
