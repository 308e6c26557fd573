"""`ivr` as an operator runs it: a process, its exit status and what it prints."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr_engine.app.settings import PROJECT

WITHIN_S: Final = 60.0
KEPT: Final = ("PATH", "HOME", "IVR_ASTERISK_ROOT")
"""Nothing else of the tester's own environment reaches the command."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of it."""

    status: int
    printed: str
    complained: str

    @property
    def message(self) -> str:
        """What is left of the complaint without the lines that tell how far the start had come, and without logs."""
        lines = [line for line in self.complained.splitlines() if not line.startswith(("  ✓ ", "{"))]
        return "\n".join(lines)


def ivr(*words: str, folder: Path, **environment: str) -> Ran:
    """Run `ivr` in a folder, with these IVR_ settings and no others."""
    own = {name: os.environ[name] for name in KEPT if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-m", "ivr_engine", *words],
        cwd=folder,
        env={**own, "LANG": "C.UTF-8", "PYTHONPATH": str(PROJECT), **environment},
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def could_not(ran: Ran) -> str:
    """Return the one message of a command that could not run: exit status 2, no traceback, and told once."""
    assert ran.status == 2, ran.complained
    assert "Traceback" not in ran.complained
    assert ran.message.count("ivr: ") == 1, ran.message
    assert ran.message.startswith("ivr: ")
    return ran.message


def own_ports(folder: Path, ports: list[int]) -> Mapping[str, str]:
    """Return the settings of a hotline with a state folder and four ports of its own."""
    return {
        "IVR_STATE_DIR": str(folder / "state"),
        "IVR_SIP_PORT": str(ports[0]),
        "IVR_AGI_PORT": str(ports[1]),
        "IVR_AMI_PORT": str(ports[2]),
        "IVR_WEB_PORT": str(ports[3]),
        "IVR_RTP_FIRST_PORT": "30000",
        "IVR_RTP_LAST_PORT": "31999",
    }
